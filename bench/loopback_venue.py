"""A venue that never waits: a LOBSTER day as one datagram a row with its own spacing, and OUCH orders answered.

    python -m bench.loopback_venue LOBSTER.zip GAP_NS_MAX UDP_PORT

Its first line on standard output is the order-entry port; the day begins with the first login. It spins on a core
of its own, so that a datagram leaves within microseconds of its time, which an event loop does not manage.
"""

import socket
import sys
import time
from itertools import groupby
from pathlib import Path

from openbell._native import VenueCore, mold_pack, soup_login_accepted, soup_packet, soup_packets
from openbell.exchange.lobster import itch_messages

SESSION = "BENCH"
LEAD_NS = 500_000_000
"""From the login to the first datagram."""
HEARTBEAT_NS = 1_000_000_000
BYTES_MAX = 1 << 16


def schedule(path: Path, gap_ns_max: int) -> list[tuple[int, bytes]]:
    """(ns since the first row, datagram), longer gaps cut to `gap_ns_max`; what row 0 needs comes with it."""
    out, seq, at, before = [], 1, 0, None
    rows = groupby(itch_messages(path), key=lambda timed: (timed[0], timed[1][3:5]))
    for (ts, _), timed in rows:
        messages = [message for _, message in timed]
        at += min(ts - before, gap_ns_max) if before is not None else 0
        before = ts
        out += [(at, datagram) for datagram in mold_pack(SESSION, seq, messages)]
        seq += len(messages)
    return out


class Orders:
    """Order entry of one client over one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.venue = VenueCore([("AMZN", 100, 100)], 0, 1 << 16, 1 << 20, 1 << 22, False)
        self.account = self.venue.add_account(internal=False)
        self.venue.open_day(time.time_ns())
        self.next_seq = 1
        self.stream = b""
        self.is_logged_in = False
        self.beat_at = 0

    def poll(self, now_ns: int) -> bool:
        """Answer what has arrived; False when the client has left."""
        try:
            data = self.connection.recv(BYTES_MAX)
        except BlockingIOError:
            if self.is_logged_in and now_ns >= self.beat_at:
                self._send(soup_packet("H", b""), now_ns)
            return True
        packets, used, _ = soup_packets(self.stream + data, BYTES_MAX - 2)
        self.stream = (self.stream + data)[used:]
        for kind, payload in packets:
            if kind == "L":
                self.is_logged_in = True
                self._send(soup_login_accepted(SESSION, 1) + soup_packet("H", b""), now_ns)
            elif kind == "U":
                self.venue.receive(self.account, payload, time.time_ns())
        if self.venue.reports(self.account).next_seq > self.next_seq:
            reports, self.next_seq = self.venue.reports(self.account).sequenced(self.next_seq, BYTES_MAX)
            self._send(reports, now_ns)
        return bool(data)

    def _send(self, data: bytes, now_ns: int) -> None:
        self.connection.sendall(data)
        self.beat_at = now_ns + HEARTBEAT_NS


def main(path: str, gap_ns_max: str, port: str) -> None:
    """Play the day to one client until it leaves."""
    day = schedule(Path(path), int(gap_ns_max))
    door = socket.create_server(("127.0.0.1", 0))
    print(door.getsockname()[1], flush=True)
    connection, _ = door.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    feed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    feed.connect(("127.0.0.1", int(port)))
    orders = Orders(connection)
    begin, at = 0, 0
    while orders.poll(now := time.monotonic_ns()):
        if orders.is_logged_in and begin == 0:
            begin = now + LEAD_NS
        while begin and at < len(day) and begin + day[at][0] <= time.monotonic_ns():
            feed.send(day[at][1])
            at += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
