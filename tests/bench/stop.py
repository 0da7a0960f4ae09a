#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""stop: what a router loses when it is told to stop.

usage: stop.py PROTOCOL PORT PID

Senders pipeline numbered messages, each to a reader that reads slowly, through the router at 127.0.0.1:PORT. In
mid-stream PID is sent SIGTERM; then the readers read as fast as they can, and the senders go on writing, until all
connections have ended. Prints one JSON object:

    sent        messages that senders wrote before their connection had ended
    arrived     of these, read whole
    doubled     read again, or out of order, or beyond what the sender was told had been accepted
    told        of those that did not arrive: their sender was told so, by an error line or by `info accepted N`
    lost        the rest, whose senders know nothing
    orderly     of the lost: the sender's connection ended without an error
    seconds     from the signal to the last end

A message that lies in a sender's kernel is sent: unless it is told where to go on, the sender cannot know of it."""

import json
import os
import re
import selectors
import signal
import socket
import sys
import time

PAIRS = 50
PAYLOAD_SIZE = 128
BLOCK = 200  # messages that a sender makes at a time
STREAM_S = 2.0  # before the signal
BUFFER_SIZE = 65536  # of the clients' kernel, so that what waits does so at the router
SLOW_READ, SLOW_S = 4096, 0.02  # what a slow reader reads, and how often
END_S = 60.0  # within which a router must have stopped

NUMBER = b"NNNNNNNNNN"  # where a message has its own
PAYLOAD = b"<" + NUMBER + b"." * (PAYLOAD_SIZE - 12) + b">"
ARRIVED = re.compile(rb"<(\d{10})\.{%d}>" % (PAYLOAD_SIZE - 12))
ACCEPTED = re.compile(rb"^info accepted (\d+)\n", re.MULTILINE)
TOLD = re.compile(rb"^error (?:undelivered|unconfirmed|no-such-peer|draining)\b", re.MULTILINE)


def mqtt_text(text):
    return len(text).to_bytes(2, "big") + text


def mqtt_packet(kind, body):
    assert len(body) < 16384
    head = bytes([kind, len(body)]) if len(body) < 128 else bytes([kind, len(body) % 128 + 128, len(body) // 128])
    return head + body


def mqtt_login(name):
    return mqtt_packet(0x10, mqtt_text(b"MQTT") + b"\x04\x02\x00\x00" + mqtt_text(name))


# By protocol: what a client says first, what a reader says besides, what proves that this was taken, and a message.
PROTOCOLS = {
    "line": (
        lambda name: name + b"\n/ping in\n",
        lambda name: b"/ping reading\n",
        (b"ok ping in\n", b"ok ping reading\n"),
        lambda reader, payload: reader + b": " + payload + b"\n",
    ),
    "nats": (
        lambda name: b'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n',
        lambda name: b"SUB " + name + b" 1\r\nPING\r\n",
        (b"PONG\r\n", b"PONG\r\n"),
        lambda reader, payload: b"PUB " + reader + b" %d\r\n" % len(payload) + payload + b"\r\n",
    ),
    "mqtt": (
        mqtt_login,
        lambda name: mqtt_packet(0x82, b"\x00\x01" + mqtt_text(name) + b"\x00"),
        (b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x00"),
        lambda reader, payload: mqtt_packet(0x30, mqtt_text(reader) + payload),
    ),
    "redis": (
        lambda name: b"PING\r\n",
        lambda name: b"SUBSCRIBE " + name + b"\r\n",
        (b"+PONG\r\n", b":1\r\n"),
        lambda reader, payload: b"PUBLISH " + reader + b" " + payload + b"\r\n",
    ),
    "irc": (
        lambda name: b"NICK " + name + b"\r\nUSER " + name + b" 0 * :" + name + b"\r\n",
        lambda name: b"PING reading\r\n",
        (b" 001 ", b" PONG "),
        lambda reader, payload: b"PRIVMSG " + reader + b" :" + payload + b"\r\n",
    ),
}


class Client:
    """A connection, and all that was read from it; `end` is None, `orderly` or `reset`."""

    def __init__(self, port):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_SIZE)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_SIZE)
        self.socket.connect(("127.0.0.1", port))
        self.read_bytes = bytearray()
        self.end = None

    def await_answer(self, answer):
        self.socket.settimeout(10)
        begin = len(self.read_bytes)
        while answer not in self.read_bytes[begin:]:
            self.read(65536)
            if self.end:
                sys.exit("a login ended: %r" % bytes(self.read_bytes[-200:]))

    def read(self, size):
        try:
            data = self.socket.recv(size)
        except BlockingIOError:
            return
        except OSError:
            self.end = "reset"
            return
        self.read_bytes += data
        if not data:
            self.end = "orderly"


class Sender(Client):
    def __init__(self, port, name, reader, protocol):
        super().__init__(port)
        login, _, answers, message = PROTOCOLS[protocol]
        self.socket.sendall(login(name))
        self.await_answer(answers[0])
        self.made = self.sent_bytes = 0
        self.message_size = len(message(reader, PAYLOAD))
        self.head, self.tail = message(reader, PAYLOAD).split(NUMBER)
        self.block = memoryview(b"")

    def write(self):
        """Writes what TCP takes."""
        if not self.block:
            numbers = (b"%010d" % number for number in range(self.made, self.made + BLOCK))
            self.block = memoryview(self.head + (self.tail + self.head).join(numbers) + self.tail)
            self.made += BLOCK
        try:
            size = self.socket.send(self.block)
        except BlockingIOError:
            return
        except OSError:
            self.read(1 << 20)  # what was answered before
            self.end = "reset"
            return
        self.sent_bytes += size
        self.block = self.block[size:]

    def sent(self):
        return self.sent_bytes // self.message_size


class Reader(Client):
    def __init__(self, port, name, protocol):
        super().__init__(port)
        login, reading, answers, _ = PROTOCOLS[protocol]
        for text, answer in zip((login(name), reading(name)), answers):
            self.socket.sendall(text)
            self.await_answer(answer)

    def numbers(self):
        return [int(number) for number in ARRIVED.findall(self.read_bytes)]


def stream(senders, readers, is_slow, until):
    """Serves all connections until `until` says so. A connection that has ended is closed: routers wait for that."""
    selector = selectors.DefaultSelector()
    for client in senders + readers:
        client.socket.setblocking(False)
        if client in senders:
            selector.register(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        elif not is_slow:
            selector.register(client.socket, selectors.EVENT_READ, client)
    next_slow = time.monotonic()
    while not until():
        for key, events in selector.select(0.01):
            client = key.data
            if events & selectors.EVENT_READ:
                client.read(65536)
            if events & selectors.EVENT_WRITE and not client.end:
                client.write()
            if client.end:
                selector.unregister(client.socket)
                client.socket.close()
        if is_slow and time.monotonic() >= next_slow:
            next_slow += SLOW_S
            for reader in readers:
                reader.read(SLOW_READ)
    selector.close()


def count(senders, readers, seconds):
    total = dict.fromkeys(("sent", "arrived", "doubled", "told", "lost", "orderly"), 0)
    for sender, reader in zip(senders, readers):
        numbers = reader.numbers()
        arrived = len(set(numbers))
        accepted = ACCEPTED.search(sender.read_bytes)
        sent = sender.sent()
        taken = min(sent, int(accepted.group(1)) - 1) if accepted else sent  # the login's /ping is no message
        told = min(sent - arrived, sent - taken + len(TOLD.findall(sender.read_bytes)))
        lost = sent - arrived - told
        total["sent"] += sent
        total["arrived"] += arrived
        total["doubled"] += sum(1 for a, b in zip(numbers, numbers[1:]) if b <= a) + max(0, arrived - taken)
        total["told"] += told
        total["lost"] += lost
        total["orderly"] += lost if sender.end == "orderly" else 0
    return dict(total, seconds=round(seconds, 2))


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in PROTOCOLS:
        sys.exit(__doc__)
    protocol, port, pid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    readers = [Reader(port, b"r%d" % i, protocol) for i in range(PAIRS)]
    senders = [Sender(port, b"s%d" % i, b"r%d" % i, protocol) for i in range(PAIRS)]
    signal_at = time.monotonic() + STREAM_S
    stream(senders, readers, True, lambda: time.monotonic() >= signal_at)
    os.kill(pid, signal.SIGTERM)
    signal_at = time.monotonic()
    stream(senders, readers, False,
        lambda: all(client.end for client in senders + readers) or time.monotonic() > signal_at + END_S)
    print(json.dumps(count(senders, readers, time.monotonic() - signal_at)))


main()
