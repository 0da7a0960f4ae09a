#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""table: what tests/bench/run has measured, as Markdown.

usage: table.py FOLDER

FOLDER holds `routers` (NAME | TITLE | VERSION | SETTINGS, one a line), `rows` (NAME | ROUTERS | ARGUMENTS of the
generator), `how`, a sentence about this run, and in `results` a file ROW.ROUTER.ROUND.json for each turn, with what the
generator or stop.py printed, or the same with .error instead or besides. Writes what the pictures are made of to
FOLDER/cpu.tsv and FOLDER/latency.tsv."""

import collections
import json
import os
import platform
import re
import statistics
import sys

Router = collections.namedtuple("Router", "title version settings")

# Values of a turn's result; each is None where it was not measured.


def path(*keys):
    def value(result):
        for key in keys:
            result = result.get(key) if isinstance(result, dict) else None
        return result

    return value


def memory(result):
    sizes = result.get("pss_bytes_per_session")
    return sum(sizes.values()) / 1024 if sizes else None


CPU = path("cpu_ns", "together")
RATE = path("throughput_per_s")
MEDIAN = path("latency_us", "p50")
P99 = path("latency_us", "p99")
P999 = path("latency_us", "p999")
LOGINS = path("logins_per_s")

# Columns: a heading and a value; PARTS is the CPU time of each process.
PARTS = object()
COSTS = [("messages/s", RATE), ("CPU, ns a message", CPU), ("of each process", PARTS)]
TIMES = [("median, µs", MEDIAN), ("99 %", P99), ("99.9 %", P999)]
STOPS = [(key, path(key)) for key in ("sent", "arrived", "told", "lost", "orderly", "doubled", "seconds")]

# A heading, what was done, rows with their titles, columns.
TABLES = [
    ("Pairs", "50 clients write to one reader each, as fast as TCP takes it.",
     [("pairs-16", "16 B"), ("pairs-128", "128 B"), ("pairs-1024", "1 KiB")], COSTS),
    ("Pairs with a bound", "The same, but each sender has at most 100 messages under way.",
     [("pairs-16-bounded", "16 B"), ("pairs-128-bounded", "128 B"), ("pairs-1024-bounded", "1 KiB")],
     COSTS + TIMES[:1]),
    ("Any to any", "100 clients write 128 B, each to all others in turns, as fast as TCP takes it, or with at most 100 "
     "messages of each under way.", [("any-128", "TCP"), ("any-128-bounded", "100")], COSTS),
    ("One to a hundred", "One client writes 128 B to a group, or topic, of 100, with at most 100 messages under way. Here a "
     "message is what one member reads.", [("fanout", "")], COSTS),
    ("Ping-pong", "One pair, 128 B, there and back.", [("pingpong", "")], TIMES + COSTS[1:]),
    ("A fixed rate", "50 pairs, 128 B, 20,000 messages/s together, however slow their arrival. Latency counts from when a "
     "message was due.", [("open", "")], TIMES + COSTS[1:]),
    ("Idle sessions", "By how much the memory of all processes (PSS) grows for each of 10,000 clients that do nothing. "
     "ngIRCd does not get through so many logins.",
     [("idle", "")], [("KiB a session", memory)]),
    ("Logins", "100 clients log in, leave, and log in again.", [("logins", "")], [("logins/s", LOGINS)]),
    ("Growth", "All clients together write 20,000 messages/s, 128 B each, each client to all others in turns. A message that "
     "comes alone costs a turn of every process on its way; what counts here is that it does not cost more with more "
     "clients.",
     [("grow-100", "100 clients"), ("grow-1000", "1,000 clients"), ("grow-10000", "10,000 clients"),
      ("grow-50000", "50,000 clients")], COSTS[1:] + TIMES[:2] + [("KiB a session", memory)]),
    ("One broker and two", "100 clients at two gateways, any to any, 128 B.", [("brokers", "")], COSTS),
    ("A stop in mid-stream", "50 clients write numbered messages to slow readers, and the router (of two processes, the "
     "gateway) is sent SIGTERM. *Told*: the message did not arrive, and its sender has read so, or where to go on. *Lost*: "
     "it did not arrive, and its sender cannot know; *orderly*: of these, by a connection that ended as if all were well.",
     [("stop", "")], STOPS),
]

# What is claimed: a title, a row, the value, the largest ratio of the value of one and of two processes, and to whom.
TARGETS = [
    ("pairs 16 B, CPU a message", "pairs-16", CPU, 1 / 4, 1 / 3, "nats"),
    ("the same with a bound", "pairs-16-bounded", CPU, 1 / 4, 1 / 3, "nats"),
    ("pairs 128 B, CPU a message", "pairs-128", CPU, 1 / 3, 1 / 2, "nats"),
    ("the same with a bound", "pairs-128-bounded", CPU, 1 / 3, 1 / 2, "nats"),
    ("pairs 1 KiB, CPU a message", "pairs-1024", CPU, 0.7, 1, "nats"),
    ("the same with a bound", "pairs-1024-bounded", CPU, 0.7, 1, "nats"),
    ("any to any 128 B, CPU a message", "any-128", CPU, 1 / 5, 1 / 4, "nats"),
    ("the same with a bound", "any-128-bounded", CPU, 1 / 5, 1 / 4, "nats"),
    ("one to a hundred, CPU a message", "fanout", CPU, 1, 1, "redis"),
    ("ping-pong, median", "pingpong", MEDIAN, 1, 1.5, "nats"),
    ("20,000 messages/s, 99th percentile", "open", P99, 1, 1, "nats"),
    ("20,000 messages/s, CPU a message", "open", CPU, 1, None, "redis"),
    ("20,000 messages/s, CPU a message", "open", CPU, None, 1, "mosquitto"),
    ("memory of an idle session", "idle", memory, 1, 1, "mosquitto"),
]
# The same, the other way round: the smallest ratio.
TARGETS_ABOVE = [
    ("pairs 16 B, messages/s", "pairs-16", RATE, 2, 2, "nats"),
    ("the same with a bound", "pairs-16-bounded", RATE, 2, 2, "nats"),
    ("logins/s", "logins", LOGINS, 1, 1, "mosquitto"),
]

# Of the pictures: rows with their titles, and percentiles.
BARS = {"pairs-16-bounded": "pairs, 16 B", "pairs-128-bounded": "128 B", "pairs-1024-bounded": "1 KiB",
        "any-128-bounded": "any to any", "fanout": "one to 100", "open": "20,000/s"}
POINTS = {"p50": "50 %", "p90": "90 %", "p99": "99 %", "p999": "99.9 %", "max": "all"}


def number(value):
    if value is None:
        return "–"
    if value == 0 or value >= 1000:
        digits = 0 if value < 1e4 else 3 - len(str(int(value)))
        return f"{round(value, digits):,.0f}"
    return f"{float(f'{value:.3g}'):g}"


class Results:
    def __init__(self, folder):
        self.turns = collections.defaultdict(list)  # by row and router
        self.errors = {}  # by the same
        self.routers = {}
        with open(os.path.join(folder, "routers")) as lines:
            for line in lines:
                name, *fields = (field.strip() for field in line.split("|"))
                self.routers[name] = Router(*fields)
        with open(os.path.join(folder, "rows")) as lines:
            self.arguments = {line.split(" | ")[0]: line.split(" | ")[2].strip() for line in lines}
        for name in sorted(os.listdir(os.path.join(folder, "results"))):
            self.take(os.path.join(folder, "results", name), *name.split("."))

    def take(self, file_path, row, router, _, kind):
        with open(file_path) as file:
            text = file.read().strip()
        if kind == "error":
            self.errors[row, router] = text.splitlines()[0] if text else "?"
        elif text:
            self.turns[row, router].append(json.loads(text))

    def tried(self, row, router):
        return (row, router) in self.turns or (row, router) in self.errors

    def values(self, row, router, value):
        return [value(turn) for turn in self.turns.get((row, router), []) if value(turn) is not None]

    def median(self, row, router, value):
        values = self.values(row, router, value)
        return statistics.median(values) if values else None

    def cell(self, row, router, value):
        values = self.values(row, router, value)
        if not values:
            return "–"
        texts = [number(edge) for edge in (statistics.median(values), min(values), max(values))]
        return texts[0] if texts[1] == texts[2] else f"{texts[0]} ({texts[1]}–{texts[2]})"

    def parts(self, row, router):
        parts = self.values(row, router, path("cpu_ns"))
        names = [name for name in parts[0] if name != "together"] if parts else []
        if len(names) < 2:
            return ""
        return ", ".join(f"{name} {number(self.median(row, router, path('cpu_ns', name)))}" for name in names)

    def notes(self, row, router):
        """What must not be hidden."""
        notes = []
        lost = self.median(row, router, path("lost")) if row != "stop" else 0
        if lost:
            notes.append(f"lost {lost_percent(self.turns[row, router]):.2g} %")
        for key in ("doubled", "late"):
            if row != "stop" and self.median(row, router, path(key)):
                notes.append(f"{key} {number(self.median(row, router, path(key)))}")
        if (row, router) in self.errors:
            notes.append(self.errors[row, router])
        return f" *{'; '.join(notes)}*" if notes else ""


def lost_percent(turns):
    lost = sum(turn["lost"] for turn in turns)
    return 100 * lost / (lost + sum(turn["delivered"] for turn in turns))


def print_table(results, title, text, rows, columns):
    measured = [(row, name) for row, name in rows if any(results.tried(row, router) for router in results.routers)]
    if not measured:
        return
    columns = [column for column in columns if column[1] is PARTS or
               any(results.values(row, router, column[1]) for row, _ in measured for router in results.routers)]
    print(f"\n## {title}\n")
    if text:
        print(f"{text}\n")
    commands = [f"`ferry bench {results.arguments[row]}`" for row, _ in measured if results.arguments[row] != "-"]
    if commands:
        print(f"{', '.join(commands)}\n")
    print("| " + " | ".join(["router", *(heading for heading, _ in columns)]) + " |")
    print("|" + " --- |" * (len(columns) + 1))
    for row, name in measured:
        for router, about in results.routers.items():
            if not results.tried(row, router):
                continue
            cells = [f"{name}, {about.title}" if name else about.title]
            cells[0] += results.notes(row, router)
            for _, value in columns:
                cells.append(results.parts(row, router) if value is PARTS else results.cell(row, router, value))
            print("| " + " | ".join(cells) + " |")


def verdict(ratio, target, is_above):
    if ratio is None:
        return "not measured"
    if ratio >= target if is_above else ratio <= target:
        return f"{ratio:.2f}: met"
    return f"{ratio:.2f}: **missed** by {100 * abs(ratio / target - 1):.0f} %"


def quotient(own, reference):
    return own / reference if own is not None and reference else None


def print_targets(results):
    lines = []
    for targets, is_above in ((TARGETS, False), (TARGETS_ABOVE, True)):
        for title, row, value, one, two, router in targets:
            reference = results.median(row, router, value)
            cells = []
            for ours, target in (("one", one), ("two", two)):
                if target is None:
                    cells += ["", "", ""]
                    continue
                ratio, long_ratio = (quotient(results.median(row, name, value), reference)
                                     for name in (ours, ours + "_long"))
                cells += [f"{'≥' if is_above else '≤'} {target:.2g}", verdict(ratio, target, is_above),
                          "–" if long_ratio is None else f"{long_ratio:.2f}"]
            lines.append(" | ".join(["| " + title, results.routers[router].title, *cells]) + " |")
    print("\n## Targets\n\nEach is a ratio to another router's figure in this run. On two cores a gateway has one worker, so "
          "that all clients of one are near each other, and nearly all messages take shortcuts; *without* them is what a "
          "message costs whose recipient is in another worker, or at another gateway.\n")
    print("| | to | one process: target | is | without | two processes: target | is | without |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(lines))
    for router in ("one", "two", "one_long", "two_long"):
        lost = results.values("stop", router, path("lost"))
        if lost:
            print(f"\nLost by a stop, {results.routers[router].title}, target 0: {number(max(lost))}"
                  f"{': met' if max(lost) == 0 else ': **missed**'}.")


def first_match(file_path, pattern):
    with open(file_path) as file:
        found = re.search(pattern, file.read(), re.MULTILINE)
    return found.group(1) if found else "?"


def print_head(results, how):
    print("# What a message costs\n")
    print("Written by `tests/bench/run`, which says how; every number below is from one run of it. " + how + "\n")
    print("*CPU* is the time that all processes of a router took, in user mode and in the kernel, for a message that was "
          "delivered; the clients' own is not in it. Figures are medians, with the smallest and the largest. The clients, "
          "the router and whatever else the machine does share its cores, so messages/s mean less than CPU times, and both "
          "mean less than their ratios.\n")
    print(f"The machine: {first_match('/proc/cpuinfo', '^model name.*: (.*)')}, {os.cpu_count()} cores, "
          f"{int(first_match('/proc/meminfo', '^MemTotal: *([0-9]+)')) / 2 ** 20:.0f} GiB, Linux "
          f"{'.'.join(platform.release().split('.')[:2])}, "
          + first_match("/etc/os-release", '^PRETTY_NAME="?([^"\n]*)') + ".\n")
    used = {router for _, router in results.turns}
    print("| router | version | settings |\n| --- | --- | --- |")
    for name, router in results.routers.items():
        if name in used:
            print(f"| {router.title} | {router.version} | {router.settings} |")


def write_picture(results, file_path, routers, lines):
    """Lines are a title and the values of the routers, columns are routers."""
    with open(file_path, "w") as file:
        print("\t".join(["", *(results.routers[router].title for router in routers)]), file=file)
        for title, values in lines:
            print("\t".join([title, *("?" if value is None else f"{value:.1f}" for value in values)]), file=file)


def write_pictures(results, folder):
    routers = [router for router in results.routers if any(results.values(row, router, CPU) for row in BARS)]
    write_picture(results, os.path.join(folder, "cpu.tsv"), routers,
        [(title, [results.median(row, router, CPU) for router in routers]) for row, title in BARS.items()])
    write_picture(results, os.path.join(folder, "latency.tsv"), routers,
        [(title, [results.median("open", router, path("latency_us", key)) for router in routers])
         for key, title in POINTS.items()])


def main():
    folder = sys.argv[1]
    results = Results(folder)
    with open(os.path.join(folder, "how")) as file:
        print_head(results, file.read().strip())
    print_targets(results)
    for table in TABLES:
        print_table(results, *table)
    write_pictures(results, folder)


main()
