"""The node's counterparty on a simulated network: matching, a feed of two lines, requests, snapshots, order entry.

It does what real ones do, and what it is told to do wrong: every knob that a fault turns is a field here.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from openbell import _native as native
from openbell.exchange.diversions import Diversions, Filter
from openbell.types import Side, Tif

NETS = ("A", "B", "requests", "orders")
Address = tuple[str, int]


@dataclass(frozen=True)
class Place:
    """Where a venue is, and where it is heard."""

    session: str
    symbols: tuple[str, ...]
    feed_out: Address
    door: Address
    glimpse: Address
    line_a: Address
    line_b: Address
    requests: Address
    pace: float
    """Probability that others trade there at a moment."""


def _place(session: str, symbols: tuple[str, ...], pace: float, network: str) -> Place:
    venue, node = f"{network}.1", f"{network}.2"
    ports = ((venue, 9001), (venue, 9000), (venue, 9003), (node, 7000), (node, 7002), (node, 7001))
    return Place(session, symbols, *ports, pace)


HOME = _place("SIM0000001", ("OBEL", "RING"), 0.4, "10.0.0")
"""Where the node trades."""
FAR = _place("FAR0000001", ("FARA", "FARB"), 0.1, "10.0.1")
"""Another venue, whose books are only looked at; its session ends in the middle of the day, and another one begins."""
SESSION, SYMBOLS = HOME.session, HOME.symbols
TICK, MID, TICKS_WIDE = 100, 500_000, 12
HEARTBEAT_NS, FEED_HEARTBEAT_NS, END_NS = 1_000_000_000, 20_000_000, 1_000_000
RESTING_MAX = 60
READ_BYTES = 1 << 16
HEARTBEAT = native.soup_packet("H", b"")
NO_SUCH_SESSION = native.soup_packet("J", b"S")
SIDES = (Side.BUY, Side.SELL)
GOOD, BUSTED = 0, 1
"""States of the venue's fills."""


@dataclass
class Client:
    """One connection of the node, and where it stands in the log that it reads."""

    stream: native.SimStream
    holds_back: int = 0
    """At most so many bytes at the end of what it is told wait for the next moment: packets are cut anywhere, and a
    venue with much to say does not fall behind."""
    received: bytes = b""
    login: bytes = b""
    """Not answered yet."""
    to_send: bytes = b""
    next_seq: int = 0
    is_live: bool = False
    caught_up: bool = False
    last_sent: int = 0


@dataclass
class Misbehaviour:
    """What the venue does wrong at the moment."""

    silent_until_ns: int = 0
    """The feed says nothing, not even heartbeats."""
    mute_logins: int = 0
    """Logins that get no answer."""
    snapshot_cuts: float = 0.0
    """Probability that a snapshot's connection is cut at a moment."""
    read_bytes: int = READ_BYTES
    """At most so much of the order stream is read at a time."""
    cut_before: bytes = b""
    """The connection ends right before a report of this kind, or in its middle."""
    misreads: Callable[[bytes], bytes | None] | None = None
    """What the venue takes an order or replace for; None: for what it is. Once."""
    filters: list[Filter] = field(default_factory=list)


class Market:
    """`step` does what there is to do at this moment."""

    def __init__(
        self,
        clock: native.SimClock,
        nets: dict[str, native.SimNet],
        rng: random.Random,
        day_ns: int,
        at: Place = HOME,
    ) -> None:
        self.clock, self.nets, self.rng, self.at = clock, nets, rng, at
        self.core = native.VenueCore([(symbol, TICK, 1) for symbol in at.symbols], day_ns, 1 << 12, 1 << 14, 1 << 17)
        self.account = self.core.add_account(internal=False)
        self.flow = self.core.add_account(internal=True)
        self.publisher = native.Publisher(self.core, at.session)
        self.snapshot = native.FeedSnapshot(self.core)
        self.feeds = {line: native.SimDatagrams(nets[line], at.feed_out) for line in ("A", "B", "requests")}
        self.glimpse = native.SimListener(nets["requests"], at.glimpse)
        self.door: native.SimListener | None = native.SimListener(nets["orders"], at.door)
        self.client: Client | None = None
        self.reader: Client | None = None
        self.session, self.session_from = at.session, 0
        """Of order entry: its name, and how many reports were told before it."""
        self.told_sessions: set[str] = set()
        """Names that the node can know, from an answer to a login."""
        self.before_session: Callable[[], int | None] | None = None
        """The session is new, and nobody has logged in to it: how many reports of the last one the node has for good,
        None as long as that may change."""
        self.cancel_on_disconnect = rng.random() < 0.5
        self.keeps = rng.choice([1 << 30, 200, 20])
        """Messages before the newest for which requests are answered."""
        self.diversions = Diversions(self.core, clock.now_ns)
        self.wrong = Misbehaviour()
        self.beyond: set[int] = set()
        """Orders of which it took more than was asked for, or at a worse price."""
        self.resting: list[int] = []
        self.is_flowing = True
        self.is_over = False
        """The session of its feed has ended, and says so until the next one begins."""
        self.burst = 1
        self.last_feed = 0
        self.core.open_day(clock.now_ns())

    def step(self) -> None:
        now = self.clock.now_ns()
        self.core.advance(now)
        if self.is_flowing:
            for _ in range(self.burst):
                if self.rng.random() < self.at.pace:
                    self._trade(now)
            self.burst = 1
        self.diversions.settle()
        if self.door is not None and (stream := self.door.accept()):
            self._lose_client()
            self.client = Client(stream, self.rng.choice([7, 60, 0]) if self.is_flowing else 0)
        if self.client is not None:
            self._serve(self.client, now)
        if now >= self.wrong.silent_until_ns:
            self._publish(now)
        self._serve_newcomers()

    def calm_down(self) -> None:
        """No further fault; what filters hold is told."""
        self.core.reject_next(self.account, 0, self.clock.now_ns())
        for one in self.wrong.filters:
            self.diversions.remove(self.account, one)
        self.wrong = Misbehaviour(filters=self.wrong.filters)
        for instrument in range(len(self.at.symbols)):
            self.core.set_state(instrument, "T", self.clock.now_ns())
        if self.door is None:
            self.open_door()
        for client in (self.client, self.reader):
            if client is not None:
                client.stream.send_max, client.holds_back = 1 << 18, 0

    def is_all_told(self) -> bool:
        """Every report has left for the node."""
        client = self.client
        return client is not None and client.next_seq == self.core.reports(self.account).next_seq and not client.to_send

    # ---- the flow of others, and the feed

    def _trade(self, now: int) -> None:
        if self.resting and (len(self.resting) >= RESTING_MAX or self.rng.random() < 0.3):
            self.core.cancel(self.resting.pop(self.rng.randrange(len(self.resting))), now)
            return
        side = self.rng.choice(SIDES)
        away = self.rng.randint(-3, TICKS_WIDE) * TICK
        px = MID - away if side == Side.BUY else MID + TICK + away
        instrument = int(self.rng.random() < 0.3)
        order = self.core.submit(self.flow, instrument, side, px, self.rng.randint(1, 50), Tif.DAY, now)
        if order:
            self.resting.append(order)

    def send_lines(self, packet: bytes) -> None:
        """One packet on both lines."""
        self.feeds["A"].send_to(self.at.line_a, packet)
        self.feeds["B"].send_to(self.at.line_b, packet)

    def _publish(self, now: int) -> None:
        is_sent = False
        while packet := self.publisher.next_packet():
            self.send_lines(packet)
            is_sent = True
        if not is_sent and now - self.last_feed >= (END_NS if self.is_over else FEED_HEARTBEAT_NS):
            self.send_lines(self.publisher.end_of_session() if self.is_over else self.publisher.heartbeat())
            is_sent = True
        self.last_feed = now if is_sent else self.last_feed

    def _serve_newcomers(self) -> None:
        for request, _, asker in self.feeds["requests"].receive():
            seq = native.mold_parse_request(request)[1]
            if seq + self.keeps >= self.core.itch_next and (answer := self.publisher.answer(request)):
                self.feeds["requests"].send_to(asker, answer)
        if stream := self.glimpse.accept():
            stream.send_max = self.rng.choice([100, 4096, 1 << 18])
            self.reader = Client(stream)
        if (reader := self.reader) is None:
            return
        if self.wrong.snapshot_cuts and self.rng.random() < self.wrong.snapshot_cuts:
            reader.stream.cut()
        reader.received += reader.stream.receive(READ_BYTES)
        packets, used, _ = native.soup_packets(reader.received, 1024)
        reader.received = reader.received[used:]
        if any(kind == "L" for kind, _ in packets):
            self.snapshot.follow(1 << 62)
            reader.to_send += native.soup_login_accepted(self.at.session, 1) + HEARTBEAT
            reader.to_send += self.snapshot.take().sequenced(1, 1 << 30)[0]
        reader.to_send = reader.to_send[reader.stream.send(reader.to_send) :]
        if reader.stream.state == native.StreamState.DOWN:
            self.reader = None

    # ---- order entry

    def shut_door(self) -> None:
        """The order-entry process dies: its door is shut and every connection with it; the ledger survives."""
        self.door = None
        self._lose_client()

    def open_door(self) -> None:
        self.door = native.SimListener(self.nets["orders"], self.at.door)

    def vanish(self) -> None:
        """The host of the order entry is gone without a word; another one takes over its address."""
        if self.client is not None:
            self.client.stream.vanish()
            self._end_client()

    def _lose_client(self) -> None:
        if self.client is not None:
            self.client.stream.cut()
            self._end_client()

    def _end_client(self) -> None:
        assert self.client is not None
        was_live, self.client = self.client.is_live, None
        if was_live and self.cancel_on_disconnect:
            self.core.cancel_all(self.account, self.clock.now_ns())

    def _serve(self, client: Client, now: int) -> None:
        while data := client.stream.receive(min(self.rng.randint(1, 400), self.wrong.read_bytes)):
            client.received += data
        packets, used, broken = native.soup_packets(client.received, 1024)
        assert not broken, "the node sent bytes that are no SoupBinTCP"
        client.received = client.received[used:]
        for kind, payload in packets:
            if kind == "L" and not client.is_live:
                client.login = payload
            elif kind == "U" and client.is_live:
                assert self.core.receive(self.account, self._taken(payload), now), f"the node sent no OUCH: {payload!r}"
        if client.stream.state == native.StreamState.DOWN:
            self._lose_client()
            return
        if client.login:
            self._log_in(client)
        if client.is_live and not self._report(client, now):
            return
        whole = len(client.to_send)
        cut_at = max(0, whole - self.rng.randint(0, client.holds_back)) if client.holds_back else whole
        client.to_send = client.to_send[client.stream.send(client.to_send[:cut_at]) :]

    def _taken(self, payload: bytes) -> bytes:
        taken = self.wrong.misreads(payload) if self.wrong.misreads else None
        if taken is None:
            return payload
        self.wrong.misreads = None
        token = taken[1:15] if taken[:1] == b"O" else taken[15:29]
        self.beyond.add(native.ouch_token_decode(token.decode())[0])
        return taken

    def begin_session(self, told: Callable[[], int | None]) -> None:
        """Order entry goes on under another name, from message 1: with what the last session has not told for good."""
        self._lose_client()
        self.session = f"{self.session[:3]}{int(self.session[3:]) + 1:07}"
        self.before_session = self.before_session or told

    def _log_in(self, client: Client) -> None:
        _, _, session, next_seq = native.soup_parse_login_request(client.login)
        if self.before_session is not None:
            if (told := self.before_session()) is None:
                return
            self.session_from += told
            self.before_session = None
        client.login = b""
        end = self.core.reports(self.account).next_seq - self.session_from
        self._judge_login(session, next_seq, end)
        if self.wrong.mute_logins:
            self.wrong.mute_logins -= 1
            return
        if session not in ("", self.session):
            client.to_send += NO_SUCH_SESSION
            return
        at = next_seq if 0 < next_seq < end else end
        client.next_seq, client.is_live = at + self.session_from, True
        client.to_send += native.soup_login_accepted(self.session, at)
        self.told_sessions.add(self.session)

    def _judge_login(self, session: str, next_seq: int, end: int) -> None:
        """What it asks for it must know from us: a session, and no message of it that was never told."""
        assert session in ("", *self.told_sessions), f"the node asked for the session {session!r}"
        most = 1 if not session else end if session == self.session else next_seq
        assert 1 <= next_seq <= most, f"the node asked for message {next_seq} of {session!r}, expected at most {most}"

    def _report(self, client: Client, now: int) -> bool:
        """What is new; False when the connection ended in the middle of it."""
        log = self.core.reports(self.account)
        while client.next_seq < log.next_seq:
            data, following = log.sequenced(client.next_seq, 4096)
            if self.wrong.cut_before and (whole := self._cut_at(data)) is not None:
                client.to_send += data[:whole]
                client.stream.send_max = 1 << 18
                client.stream.send(client.to_send)
                self.wrong.cut_before = b""
                self._lose_client()
                return False
            client.to_send, client.next_seq, client.last_sent = client.to_send + data, following, now
        if not client.caught_up or now - client.last_sent >= HEARTBEAT_NS:
            client.caught_up, client.last_sent = True, now
            client.to_send += HEARTBEAT
        return True

    def _cut_at(self, data: bytes) -> int | None:
        """Where the stream is to end, in or before the first report of the kind that was drawn."""
        packets, _, _ = native.soup_packets(data, 1024)
        kinds = [payload[:1] for _, payload in packets]
        if self.wrong.cut_before not in kinds:
            return None
        before = kinds.index(self.wrong.cut_before)
        whole = sum(3 + len(payload) for _, payload in packets[:before])
        return whole + self.rng.randint(0, 2 + len(packets[before][1]))

    def end_session(self) -> None:
        """Nobody trades any more, and the feed says that it has ended."""
        self.is_flowing, self.is_over = False, True

    # ---- what the venue says of the node

    def holdings(self) -> list[tuple[int, int]]:
        """(position, cash) of the account, by instrument."""
        return list(self.core.holdings(self.account))

    def touch(self, instrument: int) -> tuple[int, int, int, int]:
        """(bid px, qty, ask px, qty) of its book."""
        return (*self.core.touch(instrument, Side.BUY), *self.core.touch(instrument, Side.SELL))

    def open_orders(self) -> list[tuple[str, int, int]]:
        """(token, px, open quantity) of the account's resting orders."""
        rows = self.core.orders(self.account)
        return sorted((token, px, leaves) for token, _, _, _, _, px, _, _, leaves, _ in rows if leaves > 0)

    def fills(self) -> list[tuple[int, int, int]]:
        """(match number, price, quantity) of every fill of the account that stands."""
        return sorted((row[0], row[4], row[5]) for row in self.core.fills(self.account) if row[8] != BUSTED)
