"""OUCH clients over loopback to `openbell exchange`: round trips, and orders a second, of 1, 100 and 1,000 sessions.

A client sends bytes made beforehand and only counts what comes back. A round trip is an order that rests, to its
Accepted, or its cancel, to its Canceled, with one message of each session on its way. The rate is of the realistic mix,
sent as fast as the exchange takes it; it ends with the Accepted of each session's last order.
"""

import json
import os
import random
import selectors
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns

from bench.harness import REPO, Result, samples, throughput
from openbell._native import ouch_encode_inbound, soup_login_request, soup_packet

SEED, SYMBOLS = 7, 10
SESSIONS = (1, 100, 1_000)
SESSIONS_MAX = max(SESSIONS)
TRIPS, ORDERS, REPETITIONS = 20_000, 100_000, 5
TICK, TICKS, MID = 100, 50, 50_0000
READ_BYTES = 1 << 18
TIMEOUT_S = 60
DEAD_PEER_MS = 600_000
"""Our clients send no heartbeats: most wait while one is measured."""
TERMS = {"tif": 99_998, "display": "Y", "iso": "N", "qty_min": 0}
ENTER = {"type": "O", "firm": "FIRM", "capacity": "P", "cross": "N", "customer": " ", **TERMS}
SEQUENCED = ord("S")


def run() -> Result:
    """Measure one exchange process from this one."""
    with _first_core() as others, _exchange(others) as address:
        echoes = _echoes(TRIPS, others)
        sessions = [Session(address, n) for n in range(SESSIONS_MAX)]
        trips = {count: _round_trips(sessions[:count], TRIPS) for count in SESSIONS}
        rates = {count: [_rate(sessions[:count], ORDERS) for _ in range(REPETITIONS)] for count in SESSIONS}
        for session in sessions:
            session.socket.close()
    return Result(
        name="exchange_wire",
        input=f"OUCH 4.2, {SYMBOLS} instruments; round trips: {TRIPS:_} orders that rest and as many cancels; rate: "
        f"{ORDERS:_} messages (60 % add, 30 % cancel, 5 % replace, 5 % aggressive), seed {SEED}",
        figures=[
            samples("bare echo, both sides spin", "us", echoes),
            *(
                figure
                for count in SESSIONS
                for figure in (
                    samples(f"round trip, {count:_} in flight", "us", trips[count]),
                    throughput(f"mix, {count:_} session{'s' * (count > 1)}", "orders/s", rates[count]),
                )
            ),
        ],
        notes="the client is Python on epoll, spins on a core of its own, and is part of each round trip; "
        "cancels of orders already executed are ignored, as OUCH says",
    )


class Session:
    """A logged-in client with tokens of its own; `n` chooses account, instrument and luck."""

    def __init__(self, address: tuple[str, int], n: int) -> None:
        self.socket = socket.create_connection(address, timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.symbol = f"SYM{n % SYMBOLS}".ljust(8)
        self.rng = random.Random(f"{SEED}/{n}")
        self.tokens = 0
        self.stream = b""
        self.socket.sendall(soup_login_request(f"N{n}", "bench", "", 1))
        while b"A" not in self.kinds(self.socket.recv(READ_BYTES)):
            pass

    def kinds(self, data: bytes) -> bytes:
        """The SoupBinTCP types of the packets that `data` completes; of a report its OUCH type."""
        stream, at, out = self.stream + data, 0, bytearray()
        while len(stream) - at >= 3 and len(stream) - at >= (end := 2 + int.from_bytes(stream[at : at + 2], "big")):
            out.append(stream[at + 3] if stream[at + 2] == SEQUENCED else stream[at + 2])
            at += end
        self.stream = stream[at:]
        return bytes(out)

    def token(self) -> str:
        self.tokens += 1
        return f"{self.tokens:014}"

    def enter(self, token: str, side: str, px: int, qty: int, tif: int = 99_998) -> bytes:
        fields = {"token": token, "side": side, "qty": qty, "symbol": self.symbol, "px": px, "tif": tif}
        return soup_packet("U", ouch_encode_inbound({**ENTER, **fields}))

    def cancel(self, token: str) -> bytes:
        return soup_packet("U", ouch_encode_inbound({"type": "X", "token": token, "qty": 0}))

    def pairs(self, count: int) -> Iterator[bytes]:
        """Orders that rest, each followed by its cancel; prices too far away for anyone."""
        for _ in range(count):
            token = self.token()
            yield self.enter(token, "B", MID - 2 * TICKS * TICK, 100)
            yield self.cancel(token)

    def mix(self, count: int) -> Iterator[bytes]:
        """The realistic mix around a fixed middle."""
        live: list[str] = []
        for _ in range(count):
            what, is_bid, qty = self.rng.random(), self.rng.random() < 0.5, self.rng.randint(1, 10) * 100
            passive = MID + (-1 if is_bid else 1) * TICK * self.rng.randint(1, TICKS)
            chosen = live.pop(self.rng.randrange(len(live))) if live and 0.6 <= what < 0.95 else ""
            if what >= 0.95:
                yield self.enter(self.token(), "B" if is_bid else "S", _through(is_bid), 6 * qty, tif=0)
            elif chosen and what < 0.9:
                yield self.cancel(chosen)
            elif chosen:
                live.append(self.token())
                prices = {"prev_token": chosen, "token": live[-1], "qty": qty, "px": MID}
                yield soup_packet("U", ouch_encode_inbound({"type": "U", **TERMS, **prices}))
            else:
                live.append(self.token())
                yield self.enter(live[-1], "B" if is_bid else "S", passive, qty)


def _through(is_bid: bool) -> int:
    return MID + (1 if is_bid else -1) * TICK * TICKS


def _round_trips(sessions: list[Session], count: int) -> list[float]:
    """Microseconds from each send to the report that answers it."""
    work = {session.socket: (session, list(session.pairs(count // len(sessions)))) for session in sessions}
    took: list[float] = []
    sent: dict[socket.socket, int] = {}
    with _selector(sessions) as selector:
        for sock, (_, packets) in work.items():
            packets.reverse()
            sent[sock] = perf_counter_ns()
            sock.send(packets.pop())
        while sent:
            for key, _ in _ready(selector):
                sock = key.data
                session, packets = work[sock]
                data = sock.recv(READ_BYTES)
                now = perf_counter_ns()
                if session.kinds(data).strip(b"H") == b"":
                    continue
                took.append((now - sent.pop(sock)) / 1e3)
                if packets:
                    sent[sock] = perf_counter_ns()
                    sock.send(packets.pop())
    return took


ECHO = """
import socket
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
client, _ = door.accept()
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.setblocking(False)
data = b"-"
while data:
    try:
        data = client.recv(4096)
        client.send(data)
    except BlockingIOError:
        pass
"""


def _echoes(count: int, cores: list[int]) -> list[float]:
    """Microseconds of the bare round trip: the floor, with the same client."""
    took = []
    with _start(["-c", ECHO], cores) as process:
        assert process.stdout
        with (
            socket.create_connection(("127.0.0.1", int(process.stdout.readline()))) as sock,
            selectors.DefaultSelector() as selector,
        ):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(sock, selectors.EVENT_READ)
            for _ in range(count):
                start = perf_counter_ns()
                sock.send(bytes(52))
                _ready(selector)
                sock.recv(READ_BYTES)
                took.append((perf_counter_ns() - start) / 1e3)
    return took


def _rate(sessions: list[Session], count: int) -> float:
    """Messages a second until every session's last order is accepted."""
    out: dict[socket.socket, memoryview] = {}
    last: dict[socket.socket, bytes] = {}
    for session in sessions:
        packets = [*session.mix(count // len(sessions)), session.enter(token := session.token(), "B", TICK, 1)]
        out[session.socket], last[session.socket] = memoryview(b"".join(packets)), token.encode()
    tail = dict.fromkeys(out, b"")
    with _selector(sessions, selectors.EVENT_READ | selectors.EVENT_WRITE) as selector:
        start = perf_counter_ns()
        while tail:
            for key, ready in _ready(selector):
                sock = key.data
                if ready & selectors.EVENT_WRITE:
                    out[sock] = out[sock][sock.send(out[sock]) :]
                    if not out[sock]:
                        selector.modify(sock, selectors.EVENT_READ, sock)
                if ready & selectors.EVENT_READ and sock in tail:
                    data = tail[sock] + sock.recv(READ_BYTES)
                    tail[sock] = data[-len(last[sock]) :]
                    if last[sock] in data:
                        del tail[sock]
        took = perf_counter_ns() - start
    return (count + len(sessions)) * 1e9 / took


def _ready(selector: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
    """What can be read or written, by spinning: a sleeping client would measure the scheduler."""
    deadline = perf_counter_ns() + TIMEOUT_S * 10**9
    while perf_counter_ns() < deadline:
        if ready := selector.select(0):
            return ready
    raise RuntimeError(f"expected an answer of the exchange, found silence for {TIMEOUT_S} s")


@contextmanager
def _first_core() -> Iterator[list[int]]:
    """Keep this process on the first of its cores; yield the others, for who answers."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    try:
        yield cores[1:] or cores
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def _selector(sessions: list[Session], events: int = selectors.EVENT_READ) -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as selector:
        for session in sessions:
            session.socket.setblocking(False)
            selector.register(session.socket, events, session.socket)
        yield selector


@contextmanager
def _exchange(cores: list[int]) -> Iterator[tuple[str, int]]:
    """A running exchange and where it takes orders."""
    listed = "".join(f'[[instruments]]\nsymbol = "SYM{n}"\n' for n in range(SYMBOLS))
    accounts = "".join(f'[[accounts]]\nname = "N{n}"\npassword = "plain:bench"\n' for n in range(SESSIONS_MAX))
    with tempfile.TemporaryDirectory(prefix="openbell-bench-") as directory:
        config = Path(directory) / "exchange.toml"
        config.write_text(
            f"{listed}{accounts}[order_entry]\nconnections_max = {SESSIONS_MAX}\ndead_peer_ms = {DEAD_PEER_MS}\n"
        )
        process = _start(["-m", "openbell", "exchange", str(config)], cores)
        try:
            assert process.stdout
            host, port = json.loads(process.stdout.readline())["order_entry"].split(":")
            yield host, int(port)
        finally:
            process.terminate()
            process.wait()


def _start(arguments: list[str], cores: list[int]) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, cwd=REPO)
    os.sched_setaffinity(process.pid, cores)
    return process
