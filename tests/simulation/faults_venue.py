"""Faults of the venue: it tells the truth late, twice, in the worst order, or not at all."""

import random
import struct

from tests.simulation import market as m
from tests.simulation.day import Day
from tests.simulation.faults import fault

from openbell import events
from openbell.exchange.diversions import LAYOUTS, FillFirst, FillLast, Filter, Lose
from openbell.types import ArmState, Tif

LAYOUT = LAYOUTS["ouch42"]
ERRONEOUS = "E"
ORDERS = 64
"""The source of the order session."""
PREV_TOKEN = slice(65, 79)
"""Of a Replaced."""
ENTER, REPLACE = struct.Struct(">c14scI8sI"), struct.Struct(">c14s14sI")
"""What an order and a replace begin with: up to the price, up to the quantity."""


class LoseAck(Lose):
    """A report that is told by no replay either; `token` is whose."""

    token = ""

    def apply(self, messages: list[bytes]) -> list[bytes]:
        kept = super().apply(messages)
        for message in [one for one in messages if one not in kept]:
            self.token = message[LAYOUT.order].decode()
        return kept


class FillAfterReplace(Filter):
    """Fills of an order wait until it was told what its replace left, which counts them."""

    def __init__(self, order: bytes) -> None:
        self.order = order
        self.held: list[bytes] = []

    def apply(self, messages: list[bytes]) -> list[bytes]:
        out: list[bytes] = []
        for message in messages:
            kind, is_of_it = message[:1], message[LAYOUT.order] == self.order
            if kind == b"E" and is_of_it and not self.is_over:
                self.held.append(message)
                continue
            out += self.release() if kind == b"C" and is_of_it else []
            out.append(message)
            if kind == b"U" and message[PREV_TOKEN] == self.order:
                out += self.release()
                self.is_over = True
        return out

    def release(self) -> list[bytes]:
        held, self.held = self.held, []
        return held


class Repeat(Filter):
    """The next report of a kind is told twice, under two numbers."""

    def __init__(self, of: bytes) -> None:
        self.of = of

    def apply(self, messages: list[bytes]) -> list[bytes]:
        out = []
        for message in messages:
            out.append(message)
            if message[:1] == self.of and not self.is_over:
                self.is_over = True
                out.append(message)
        return out


def _divert(day: Day, one: Filter) -> None:
    day.market.wrong.filters.append(one)
    day.market.diversions.add(day.market.account, one)


@fault("lost ack", "F29", weight=0.5)
def lost_ack(day: Day, rng: random.Random) -> None:
    _divert(day, LoseAck(rng.choice([b"A", b"U", b"C"])))


@fault("early fill", "F30")
def early_fill(day: Day, rng: random.Random) -> None:
    _divert(day, FillFirst(LAYOUT))


@fault("late fill", "F30")
def late_fill(day: Day, rng: random.Random) -> None:
    core, account = day.market.core, day.market.account

    def is_open(token: bytes) -> bool:
        return any(row[8] > 0 for row in core.orders(account) if row[0] == token.decode().strip())

    one = FillLast(LAYOUT, is_open)
    _divert(day, one)
    # Not for ever: the node remembers ended orders for so many others.
    day.later(rng.randint(20, 100), lambda: day.market.diversions.remove(day.market.account, one))


@fault("fill after a replace", "F30", weight=2)
def fill_after_a_replace(day: Day, rng: random.Random, steps: int = 100) -> None:
    """A part of the next order at the touch is executed, and told when a replace has been."""
    core = day.market.core
    touches = {(i, side): core.touch(i, m.SIDES[side == "S"]) for i in range(len(m.SYMBOLS)) for side in "BS"}
    ours = [row for row in core.orders(day.market.account) if row[8] > 1 and row[5] == touches[row[2], row[3]][0]]
    if not ours:
        if steps > 0:
            day.later(1, lambda: fill_after_a_replace(day, rng, steps - 1))
        return
    token, _, instrument, side, _, px, _, _, leaves, _ = rng.choice(ours)
    one = FillAfterReplace(token.ljust(14).encode())
    _divert(day, one)
    ahead = rng.choice([0, touches[instrument, side][1] - leaves])
    qty, other = ahead + rng.randint(1, leaves - 1), m.SIDES[side == "B"]
    core.submit(day.market.flow, instrument, other, px, qty, Tif.IOC, day.clock.now_ns())
    day.later(rng.randint(20, 100), lambda: day.market.diversions.remove(day.market.account, one))


@fault("fill told twice", "F31")
def fill_told_twice(day: Day, rng: random.Random) -> None:
    _divert(day, Repeat(b"E"))


@fault("report told twice", "F31")
def report_told_twice(day: Day, rng: random.Random) -> None:
    """An acknowledgement, a cancel, or what took an execution back."""
    kind = rng.choice(b"AUCB")
    _divert(day, Repeat(bytes([kind])))
    if kind in b"B":
        bust(day, rng)


@fault("login without answer", "F32")
def login_without_answer(day: Day, rng: random.Random) -> None:
    """The node waits until it loses its patience."""
    day.market.wrong.mute_logins = 1
    day.node.streams[0].cut()
    day.later(rng.randint(20, 60), lambda: day.clock.advance(10_100_000_000))


@fault("another order session", "F32", weight=0.3)
def another_order_session(day: Day, rng: random.Random) -> None:
    """The node cannot know what the last one has not told: nothing opens until a person has looked."""
    last = day.market.session

    def told() -> int | None:
        process, engine = day.node.native, day.node.engine
        if process is None or process.durable_seq < process.last_seq:
            return None
        return int(engine.source_seq(ORDERS)) if engine.session()[0] == last else 0

    day.market.begin_session(told)
    day.later(rng.randint(50, 200), lambda: day.arm(ArmState.FULL, after_kill=True))


@fault("bust", "F33")
def bust(day: Day, rng: random.Random) -> None:
    if fills := day.market.fills():
        day.market.core.bust(rng.choice(fills)[0], ERRONEOUS, day.clock.now_ns())


@fault("correction", "F33")
def correction(day: Day, rng: random.Random) -> None:
    if fills := day.market.fills():
        number, px, qty = rng.choice(fills)
        px, qty = px + rng.choice([-m.TICK, 0, m.TICK]), rng.randint(1, qty)
        day.market.core.correct(number, px, qty, ERRONEOUS, day.clock.now_ns())


@fault("unasked cancels", "F33")
def unasked_cancels(day: Day, rng: random.Random) -> None:
    day.market.core.cancel_all(day.market.account, day.clock.now_ns())


@fault("halt", "F34")
def halt(day: Day, rng: random.Random) -> None:
    instrument, core = rng.randrange(len(m.SYMBOLS)), day.market.core
    core.set_state(instrument, rng.choice("HP"), day.clock.now_ns())
    day.later(rng.randint(10, 100), lambda: core.set_state(instrument, "T", day.clock.now_ns()))


@fault("rejects", "F35")
def rejects(day: Day, rng: random.Random) -> None:
    day.market.core.reject_next(day.market.account, rng.randint(1, 20), day.clock.now_ns())


@fault("venue restarts", "F36")
def venue_restarts(day: Day, rng: random.Random) -> None:
    """With or without the orders of before, as its rule about disconnects says."""
    day.market.shut_door()
    day.later(rng.randint(5, 100), lambda: day.market.open_door() if day.market.door is None else None)


@fault("cut before a report", "F18")
def cut_before_a_report(day: Day, rng: random.Random) -> None:
    day.market.wrong.cut_before = rng.choice([b"A", b"U", b"C", b"E"])


@fault("wrong data", "F37")
def wrong_data(day: Day, rng: random.Random) -> None:
    """A message of the feed that contradicts the book, in sequence; snapshots do not have it."""
    locate = rng.randint(1, len(m.SYMBOLS))
    stamp = (day.clock.now_ns() - day.node.day_ns).to_bytes(6, "big")
    head = locate.to_bytes(2, "big") + b"\0\0" + stamp
    unknown = (1 << 60 | rng.getrandbits(40)).to_bytes(8, "big")
    message = rng.choice(
        [
            b"D" + head + unknown,
            b"E" + head + unknown + (5).to_bytes(4, "big") + (1).to_bytes(8, "big"),
            b"X" + head + unknown + (5).to_bytes(4, "big"),
        ]
    )
    day.market.core.publish([message])


@fault("session of a feed ends", "", weight=3, needs="far_ends")
def session_of_a_feed_ends(day: Day, rng: random.Random) -> None:
    """No fault: the far venue's session ends, and a little later the next one begins."""
    if day.far is not None and not day.far.is_over:
        day.far.end_session()
        day.far_begins_at = day.at + rng.choice([5, 100, 300])


@fault("takes more than asked", "F37")
def takes_more_than_asked(day: Day, rng: random.Random) -> None:
    """Or at a worse price: an order that the venue understood wrong. Its instrument is held until a person looked."""
    lots, ticks = rng.choice([(1, 0), (rng.randint(1, 40), 0), (0, 1), (2, 3)])

    def misread(payload: bytes) -> bytes | None:
        if payload[:1] == b"O":
            kind, token, side, qty, symbol, px = ENTER.unpack_from(payload)
            worse = ticks * m.TICK * (1 if side == b"B" else -1)
            return ENTER.pack(kind, token, side, qty + lots, symbol, px + worse) + payload[ENTER.size :]
        if payload[:1] == b"U" and lots:
            *names, qty = REPLACE.unpack_from(payload)
            return REPLACE.pack(*names, qty + lots) + payload[REPLACE.size :]
        return None

    day.market.wrong.misreads = misread
    for instrument in range(len(m.SYMBOLS)):
        release = events.arm(ArmState.FULL, after_kill=True, instrument=instrument)
        day.later(rng.randint(40, 150), lambda release=release: day.node.submit(release))


@fault("snapshots are cut", "F18")
def snapshots_are_cut(day: Day, rng: random.Random) -> None:
    day.market.wrong.snapshot_cuts = 0.2
    day.later(rng.randint(20, 200), lambda: setattr(day.market.wrong, "snapshot_cuts", 0.0))
