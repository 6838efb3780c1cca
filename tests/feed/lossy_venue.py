"""The exchange's side of a feed on a simulated network: two lines, a request server and a snapshot server, all of which
lose what the seed says."""

import random

from openbell import _native as native
from openbell.types import Side, Tif

FEED_OUT = ("10.0.0.1", 9001)
GLIMPSE = ("10.0.0.1", 9003)
LINE_A, LINE_B, REQUESTS = ("10.0.0.2", 7000), ("10.0.0.2", 7001), ("10.0.0.2", 7002)
SESSION = "SIM0000001"
SYMBOLS = ("OBEL", "RING")
TICK, MID, TICKS_WIDE = 100, 500_000, 6
RESTING_MAX = 40
HEARTBEAT_NS = 10_000_000
SIDES = (Side.BUY, Side.SELL)
HEARTBEAT = native.soup_packet("H", b"")
READ_BYTES = 1 << 16


class Reader:
    """One login at the snapshot server."""

    def __init__(self, stream: native.SimStream) -> None:
        self.stream = stream
        self.received, self.to_send = b"", b""


class LossyVenue:
    """`trade` changes books, `publish` and `serve` do what there is to do at this moment."""

    def __init__(self, clock: native.SimClock, nets: dict[str, native.SimNet], rng: random.Random, now: int) -> None:
        self.clock, self.nets, self.rng = clock, nets, rng
        self.core = native.VenueCore([(symbol, TICK, 1) for symbol in SYMBOLS], 0, 1 << 10, 1 << 10, 1 << 15)
        self.flow = self.core.add_account(internal=True)
        self.publisher = native.Publisher(self.core, SESSION)
        self.snapshot = native.FeedSnapshot(self.core)
        self.ports = {line: native.SimDatagrams(nets[line], FEED_OUT) for line in ("A", "B", "requests")}
        self.listener = native.SimListener(nets["requests"], GLIMPSE)
        self.reader: Reader | None = None
        self.keeps = 1 << 30
        """Messages before the newest for which requests are answered."""
        self.cuts = 0.0
        """Probability that a snapshot's connection is cut at a moment."""
        self.refuses = 0
        """Logins that are refused before one is accepted."""
        self.resting: list[int] = []
        self.last_sent = 0
        self.core.open_day(now)

    def trade(self) -> None:
        """One input: an order, or a cancel of one."""
        rng, now = self.rng, self.clock.now_ns()
        if self.resting and (len(self.resting) >= RESTING_MAX or rng.random() < 0.35):
            order = self.resting.pop(rng.randrange(len(self.resting)))
            self.core.reduce(order, rng.choice([0, 0, 5]), now)
            return
        side = rng.choice(SIDES)
        away = rng.randint(-2, TICKS_WIDE) * TICK
        px = MID - away if side == Side.BUY else MID + TICK + away
        order = self.core.submit(self.flow, rng.randrange(2), side, px, rng.randint(1, 50), Tif.DAY, now)
        if order:
            self.resting.append(order)

    def publish(self, notice: bytes = b"") -> None:
        """What is new, on both lines; a heartbeat when there has been nothing for long."""
        now = self.clock.now_ns()
        while packet := self.publisher.next_packet():
            self.send(packet)
        if notice or now - self.last_sent >= HEARTBEAT_NS:
            self.send(notice or self.publisher.heartbeat())

    def send(self, packet: bytes) -> None:
        self.ports["A"].send_to(LINE_A, packet)
        self.ports["B"].send_to(LINE_B, packet)
        self.last_sent = self.clock.now_ns()

    def serve(self) -> None:
        """Answer requests and read out snapshots."""
        for request, _, asker in self.ports["requests"].receive():
            seq = native.mold_parse_request(request)[1]
            if seq + self.keeps >= self.core.itch_next and (answer := self.publisher.answer(request)):
                self.ports["requests"].send_to(asker, answer)
        if stream := self.listener.accept():
            stream.send_max = self.rng.choice([100, 4096, 1 << 18])
            self.reader = Reader(stream)
        if self.reader is not None:
            self._read_out(self.reader)

    def _read_out(self, reader: Reader) -> None:
        if self.rng.random() < self.cuts:
            reader.stream.cut()
        reader.received += reader.stream.receive(READ_BYTES)
        packets, used, broken = native.soup_packets(reader.received, 1024)
        assert not broken
        reader.received = reader.received[used:]
        for kind, _ in packets:
            if kind == "L":
                self._log_in(reader)
        reader.to_send = reader.to_send[reader.stream.send(reader.to_send) :]
        if reader.stream.state == native.StreamState.DOWN:
            self.reader = None

    def _log_in(self, reader: Reader) -> None:
        if self.refuses > 0:
            self.refuses -= 1
            reader.stream.cut()
            return
        self.snapshot.follow(1 << 62)
        reader.to_send += native.soup_login_accepted(SESSION, 1) + HEARTBEAT
        reader.to_send += self.snapshot.take().sequenced(1, 1 << 30)[0]
