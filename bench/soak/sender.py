"""Sends the endless market for bench/soak: a steady rate, open loop; what the node asks for is said again.

    python -m bench.soak.sender PORT RATE SEED HOURS_OF_FLOW SYMBOL...

prints the port for requests, waits for a line, sends until its standard input ends, and prints what it did.
"""

import json
import select
import socket
import sys
import time

from bench.soak.market import PER_PACKET, SESSION, Turn, cycle, opening

PER_ANSWER, ANSWERS_PER_TURN = 32, 64
BATCH_S = 0.001
DAY_NS = 86_400_000_000_000


class Sender:
    """One line of a feed, and its request server, which has this cycle and what came before the first."""

    def __init__(self, port: int, rate: float, opened: list[bytes], turn: Turn) -> None:
        self.turn, self.rate, self.opened = turn, rate, opened
        self.line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.line.connect(("127.0.0.1", port))
        self.requests = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.requests.bind(("127.0.0.1", 0))
        self.requests.setblocking(False)
        self.base = len(opened) + 1
        self.began_ns = 0
        self.sent = self.answers = self.too_old = 0

    def open(self) -> None:
        """Directory and trading states."""
        blocks = b"".join(len(m).to_bytes(2) + m for m in self.opened)
        self.began_ns = time.time_ns() % DAY_NS
        self.line.send(SESSION.encode() + (1).to_bytes(8) + len(self.opened).to_bytes(2) + blocks)

    def play(self, began: float) -> bool:
        """One cycle; False when nobody wants another."""
        turn = self.turn
        turn.number(self.base)
        turn.stamp(self.began_ns + int((self.base - len(self.opened) - 1) / self.rate * 1e9), self.rate)
        raw, starts = memoryview(turn.raw), turn.starts.tolist()
        datagrams, per_s = len(starts) - 1, self.rate / PER_PACKET
        at = 0
        while at < datagrams:
            due = min(datagrams, int((time.perf_counter() - began) * per_s) - self.sent + at)
            for i in range(at, due):
                try:
                    self.line.send(raw[starts[i] : starts[i + 1]])
                except ConnectionRefusedError:  # the node is between two lives; it asks for what it missed
                    continue
            self.sent += max(0, due - at)
            at = max(at, due)
            self.answer(at)
            if select.select([sys.stdin], [], [], BATCH_S)[0]:
                return False
        self.base += turn.messages
        return True

    def answer(self, datagrams: int) -> None:
        """What is asked for and was sent in this cycle, as much of each as fits a packet."""
        for _ in range(ANSWERS_PER_TURN):
            try:
                request, asker = self.requests.recvfrom(64)
            except BlockingIOError:
                return
            first, count = int.from_bytes(request[10:18]), int.from_bytes(request[18:20])
            end = self.base + min(datagrams * PER_PACKET, self.turn.messages)
            if not self.base <= first < end:
                self.too_old += 1
                continue
            self.requests.sendto(self.turn.packet(first, min(count, PER_ANSWER, end - first), self.base), asker)
            self.answers += 1


def main() -> None:
    """Make the market, wait for the word, and send."""
    port, rate, seed, hours, *symbols = sys.argv[1:]
    sender = Sender(int(port), float(rate), opening(symbols), Turn.of(cycle(symbols, int(seed), float(hours))))
    print(sender.requests.getsockname()[1], flush=True)
    sys.stdin.readline()
    sender.open()
    began = time.perf_counter()
    while sender.play(began):
        pass
    seconds = time.perf_counter() - began
    facts = {"messages": sender.sent * PER_PACKET, "rate": sender.sent * PER_PACKET / seconds}
    print(json.dumps({**facts, "answers": sender.answers, "too_old": sender.too_old}), flush=True)


if __name__ == "__main__":
    main()
