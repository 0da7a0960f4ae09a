#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Reads what /metrics answers with the parser of Prometheus' own Python client, and says what it found, sorted: one line
`NAME{LABEL="VALUE",…} NUMBER` a sample. Ends with 1 and a sentence if anything is not as Prometheus wants it."""
import sys

from prometheus_client.parser import text_string_to_metric_families


def check(family):
    if not family.name.startswith("ferrymq_"):
        sys.exit(f"{family.name} does not start with ferrymq_")
    if family.type not in ("counter", "gauge", "histogram") or not family.documentation:
        sys.exit(f"{family.name} has no type or no help")


def check_histogram(family):
    """The buckets of each actor are cumulative, and the last one is the count."""
    counts = {s.labels["actor"]: s.value for s in family.samples if s.name.endswith("_count")}
    last = dict.fromkeys(counts, 0)
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            if sample.value < last[sample.labels["actor"]]:
                sys.exit(f"{family.name} is not cumulative")
            last[sample.labels["actor"]] = sample.value
    if last != counts:
        sys.exit(f"{family.name}: the bucket +Inf is not the count")


def main():
    names = set()
    lines = set()
    text = sys.stdin.buffer.read().decode()
    for family in text_string_to_metric_families(text):
        check(family)
        if family.name in names:
            sys.exit(f"{family.name} comes twice")
        names.add(family.name)
        if family.type == "histogram":
            check_histogram(family)
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
            line = sample.name + (f"{{{labels}}}" if labels else "")
            if line in lines:
                sys.exit(f"{line} comes twice")
            lines.add(line)
            print(line, f"{sample.value:g}")


main()
