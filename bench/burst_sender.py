"""A feed on two lines for bench/burst.py: a steady rate, ten times of it, the steady rate again; requests are answered.

    python -m bench.burst_sender PORT_A PORT_B RATE BEFORE_S BURST_S AFTER_S

prints the port for requests, waits for a line, sends, and prints what it did.
"""

import json
import socket
import sys
import time

from openbell import _native as native

SESSION = "BURST00001"
TIMES = 10
PER_PACKET = 5
RESTING_MAX = 1_000
PER_ANSWER, ANSWERS_PER_TURN = 32, 64
ORDER_ID_AT, ORDER_ID_BYTES = 11, 8
QUIET_S, LINGER_S_MAX = 1.0, 60.0


def messages_of(count: int) -> list[bytes]:
    """A directory, then orders that come and, when a thousand rest, go, the oldest first."""
    head = {"locate": 1, "symbol": "OBEL"}
    add = native.itch_encode({"type": "A", **head, "order_id": 0, "side": "B", "qty": 100, "px": 500_000})
    delete = native.itch_encode({"type": "D", "locate": 1, "order_id": 0})
    out = [native.itch_encode({"type": "R", **head})]
    added = deleted = 0
    while len(out) < count:
        if added - deleted < RESTING_MAX:
            added += 1
            template, order_id = add, added
        else:
            deleted += 1
            template, order_id = delete, deleted
        number = order_id.to_bytes(ORDER_ID_BYTES)
        out.append(template[:ORDER_ID_AT] + number + template[ORDER_ID_AT + ORDER_ID_BYTES :])
    return out


def packet(seq: int, messages: list[bytes]) -> bytes:
    blocks = b"".join(len(m).to_bytes(2) + m for m in messages)
    return SESSION.encode() + seq.to_bytes(8) + len(messages).to_bytes(2) + blocks


class Sender:
    """Both lines, and the request server."""

    def __init__(self, ports: list[int], messages: list[bytes]) -> None:
        self.messages = messages
        at = range(0, len(messages), PER_PACKET)
        self.datagrams = [packet(i + 1, messages[i : i + PER_PACKET]) for i in at]
        self.sent = self.answers = self.refused = 0
        self.lines = []
        for port in ports:
            line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            line.connect(("127.0.0.1", port))
            self.lines.append(line)
        self.requests = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.requests.bind(("127.0.0.1", 0))
        self.requests.setblocking(False)

    def send_until(self, last: int, per_s: float) -> float:
        """Send up to packet `last` at a steady rate, open loop; the rate reached, in packets a second."""
        began, first = time.perf_counter(), self.sent
        while self.sent < last:
            due = min(last, first + int((time.perf_counter() - began) * per_s) + 1)
            while self.sent < due:
                for line in self.lines:
                    try:
                        line.send(self.datagrams[self.sent])
                    except OSError:
                        self.refused += 1
                self.sent += 1
            self.answer()
        return (last - first) / (time.perf_counter() - began)

    def answer(self) -> int:
        """What is asked for, as much of each as fits a packet; how many requests there were."""
        for done in range(ANSWERS_PER_TURN):
            try:
                request, asker = self.requests.recvfrom(64)
            except BlockingIOError:
                return done
            first, count = int.from_bytes(request[10:18]), int.from_bytes(request[18:20])
            last = min(first + min(count, PER_ANSWER), self.sent * PER_PACKET + 1)
            if first < last:
                self.requests.sendto(packet(first, self.messages[first - 1 : last - 1]), asker)
                self.answers += 1
        return ANSWERS_PER_TURN

    def linger(self) -> None:
        """Answer, with heartbeats, until nobody has asked for a second."""
        beat = packet(len(self.messages) + 1, [])
        give_up, quiet_since = time.perf_counter() + LINGER_S_MAX, time.perf_counter()
        while time.perf_counter() < min(give_up, quiet_since + QUIET_S):
            for line in self.lines:
                line.send(beat)
            if self.answer():
                quiet_since = time.perf_counter()
            else:
                time.sleep(0.001)


def main() -> None:
    port_a, port_b, rate = (int(text) for text in sys.argv[1:4])
    before_s, burst_s, after_s = (float(text) for text in sys.argv[4:7])
    steady = rate / PER_PACKET
    ends = [steady * before_s]
    ends.append(ends[-1] + steady * TIMES * burst_s)
    ends.append(ends[-1] + steady * after_s)
    sender = Sender([port_a, port_b], messages_of(int(ends[-1]) * PER_PACKET))
    print(sender.requests.getsockname()[1], flush=True)
    sys.stdin.readline()  # the node is up
    rates, times = [], [time.time_ns()]
    for end, per_s in zip(ends, (steady, steady * TIMES, steady), strict=True):
        rates.append(sender.send_until(int(end), per_s) * PER_PACKET)
        times.append(time.time_ns())
    sender.linger()
    facts = {"messages": len(sender.messages), "answers": sender.answers, "refused": sender.refused}
    print(json.dumps({**facts, "rates": rates, "times_ns": times}), flush=True)


if __name__ == "__main__":
    main()
