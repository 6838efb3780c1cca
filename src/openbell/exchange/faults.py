"""The list of faults: what an exchange does wrong on command. One class each; the docstring says what happens.

    openbell exchange fault loss A p=0.1            by hand; `fault clear` ends all of them
    exchange.faults.start("fill-before-ack NODE1")  in a test

A fault is named by its class in small letters with hyphens. `on` is a line, an account or drop copy, or a symbol.
`start` begins it and returns how it ends; one that is done at once returns nothing. Under the same seed the same
happens again. Faults of reports and of the feed change the log, so that a replay tells the same as the live stream.
"""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from openbell._native import Side, soup_packet
from openbell.exchange.control import RequestError
from openbell.exchange.diversions import FEED, Alter, FillFirst, FillLast, Lose
from openbell.exchange.fault_kinds import Fault, LineFault, ReportFault, Running, SessionFault

if TYPE_CHECKING:
    from openbell.exchange.server import ExchangeServer

COUNT_MAX = 1_000_000
WRONG_REFERENCE_OFFSET = 1_000_000_007
LOCATE, REFERENCE, ADD_SIDE, ADD_PX = slice(1, 3), slice(11, 19), slice(19, 20), slice(32, 36)
"""Of ITCH 5.0."""
REPORT_KINDS = r"^[A-Za-z]?$"


# ---- lines of the feed -----------------------------------------------------------------------------


class Drop(LineFault):
    """The next `count` packets with messages are lost; or the one that holds the message `seq`."""

    count: int = Field(default=1, ge=1, le=COUNT_MAX)
    seq: int = Field(default=0, ge=0)

    def start(self, exchange: "ExchangeServer") -> Running:
        lines, what, value = self.lines(exchange), *(("drop_seq", self.seq) if self.seq else ("drop_next", self.count))

        def set_all(value: int) -> None:
            for line in lines:
                setattr(line.disturbance, what, value)

        set_all(value)
        return Running(lambda: set_all(0), lambda: not any(getattr(line.disturbance, what) for line in lines))


class Loss(LineFault):
    """Every packet is lost with probability `p`."""

    p: float = Field(ge=0, le=1)

    def start(self, exchange: "ExchangeServer") -> Running:
        return self.disturb(exchange, "loss", self.p)


class Duplicate(LineFault):
    """Every packet is sent twice with probability `p`."""

    p: float = Field(ge=0, le=1)

    def start(self, exchange: "ExchangeServer") -> Running:
        return self.disturb(exchange, "duplicate", self.p)


class Reorder(LineFault):
    """Every packet is overtaken by the next one with probability `p`."""

    p: float = Field(ge=0, le=1)

    def start(self, exchange: "ExchangeServer") -> Running:
        return self.disturb(exchange, "reorder", self.p)


class Delay(LineFault):
    """Every packet leaves `ms` later; their order stays."""

    ms: float = Field(ge=0, le=60_000)

    def start(self, exchange: "ExchangeServer") -> Running:
        return self.disturb(exchange, "delay_ms", self.ms)


# ---- the feed --------------------------------------------------------------------------------------


class PauseFeed(Fault):
    """No line says anything, heartbeats neither; at the end of the fault everything that was missed is sent."""

    def start(self, exchange: "ExchangeServer") -> Running:
        def end() -> None:
            exchange.feed.is_paused = False
            exchange.changed()

        exchange.feed.is_paused = True
        return Running(end)


class WrongReference(Fault):
    """The next `count` executions, cancels, deletes or replaces on the feed are of an order that nobody has seen."""

    count: int = Field(default=1, ge=1, le=COUNT_MAX)

    def start(self, exchange: "ExchangeServer") -> Running:
        return exchange.faults.divert(FEED, Alter(self.count, self._altered))

    def _altered(self, message: bytes) -> bytes | None:
        if message[:1] not in (b"E", b"C", b"X", b"D", b"U"):
            return None
        wrong = int.from_bytes(message[REFERENCE], "big") + WRONG_REFERENCE_OFFSET
        return message[: REFERENCE.start] + wrong.to_bytes(8, "big") + message[REFERENCE.stop :]


class CrossedPrice(Fault):
    """The next `count` displayed orders have, on the feed, a price beyond the best of the other side."""

    count: int = Field(default=1, ge=1, le=COUNT_MAX)

    def start(self, exchange: "ExchangeServer") -> Running:
        def altered(message: bytes) -> bytes | None:
            if message[:1] not in (b"A", b"F"):
                return None
            is_buy, number = message[ADD_SIDE] == b"B", int.from_bytes(message[LOCATE], "big") - 1
            other_px, _ = exchange.venue.touch(number, Side.SELL if is_buy else Side.BUY)
            if not other_px:  # nothing to cross
                return None
            tick = exchange.config.instruments[number].tick_px
            px = max(other_px + (tick if is_buy else -tick), tick)
            return message[: ADD_PX.start] + px.to_bytes(4, "big") + message[ADD_PX.stop :]

        return exchange.faults.divert(FEED, Alter(self.count, altered))


# ---- sessions --------------------------------------------------------------------------------------


class StopReading(SessionFault):
    """Nothing of what the client sends is read, until the end of the fault or of the connection."""

    def start(self, exchange: "ExchangeServer") -> Running:
        connection = self.connection(exchange)
        connection.transport.pause_reading()

        def end() -> None:
            if not connection.closed.is_set():
                connection.transport.resume_reading()

        return Running(end, connection.closed.is_set)


class StopWriting(SessionFault):
    """Nothing is sent to the client, no heartbeat either, until the end of the fault or of the connection."""

    def start(self, exchange: "ExchangeServer") -> Running:
        connection = self.connection(exchange)
        connection.is_mute = True

        def end() -> None:
            connection.is_mute = False
            connection.push()

        return Running(end, connection.closed.is_set)


class Disconnect(SessionFault):
    """The connection is closed, now."""

    def start(self, exchange: "ExchangeServer") -> None:
        self.connection(exchange).drop("a fault")


class CutMessage(SessionFault):
    """The connection is closed in the middle of the next report (of type `of`), after `after` bytes of its packet."""

    of: str = Field(default="", pattern=REPORT_KINDS)
    after: int = Field(default=0, ge=0, le=1000, description="0: the seed chooses")

    def start(self, exchange: "ExchangeServer") -> Running:
        rng = random.Random(self.seed)

        def passes(message: bytes) -> int | None:
            if self.of and message[:1] != self.of.encode():
                return None
            return min(self.after or rng.randint(1, len(message) + 2), len(message) + 2)

        return self.cut(exchange, passes)


class Say(SessionFault):
    """The client gets a debug packet with `text`; it changes nothing."""

    text: str = Field(default="debug", max_length=1000)

    def start(self, exchange: "ExchangeServer") -> None:
        self.connection(exchange).write(soup_packet("+", self.text.encode()))


# ---- reports ---------------------------------------------------------------------------------------


class LoseAck(ReportFault):
    """The next report of type `of` does not reach the client: the connection is cut right before it (how=cut: the
    replay has it), or it never stands in the log (how=remove: no replay has it)."""

    of: str = Field(default="A", pattern=REPORT_KINDS, min_length=1)
    how: Literal["cut", "remove"] = "cut"

    def start(self, exchange: "ExchangeServer") -> Running:
        of = self.of.encode()
        if self.how == "remove":
            return self.divert(exchange, Lose(of))
        return self.cut(exchange, lambda message: 0 if message[:1] == of else None)


class FillBeforeAck(ReportFault):
    """The next order that trades as it arrives is told its Executed before its Accepted."""

    def start(self, exchange: "ExchangeServer") -> Running:
        return self.divert(exchange, FillFirst(self.layout(exchange)))


class FillAfterCancel(ReportFault):
    """The next fills of an order that is still open wait for its Canceled and are told after it: they crossed."""

    def start(self, exchange: "ExchangeServer") -> Running:
        account, layout = self.account(exchange), self.layout(exchange)
        return self.divert(exchange, FillLast(layout, account.is_open))


class WrongReport(ReportFault):
    """The next `count` Executed are well formed and wrong: a quantity that was never open, a price nobody asked, or an
    order that is not the client's."""

    what: Literal["qty", "px", "order"] = "qty"
    count: int = Field(default=1, ge=1, le=COUNT_MAX)

    def start(self, exchange: "ExchangeServer") -> Running:
        layout = self.layout(exchange)
        field = {"qty": layout.executed_qty, "px": layout.executed_px, "order": layout.order}[self.what]

        def altered(message: bytes) -> bytes | None:
            if message[:1] != b"E":
                return None
            return message[: field.start] + _wrong(self.what, message[field]) + message[field.stop :]

        return self.divert(exchange, Alter(self.count, altered))


class RejectStorm(ReportFault):
    """The next `count` orders and replaces are rejected; with `reason` (a letter, or a number of OUCH 5.0) for that."""

    count: int = Field(default=10, ge=1, le=COUNT_MAX)
    reason: str = Field(default="", pattern=r"^([A-Za-z]|[0-9]{1,3})?$")

    def start(self, exchange: "ExchangeServer") -> Running:
        account, field = self.account(exchange), self.layout(exchange).reject_reason
        is_number = field.stop - field.start == 2
        if self.reason and self.reason.isdigit() != is_number:
            raise RequestError(f"expected a {'number' if is_number else 'letter'} as reason, found {self.reason!r}")
        reason = int(self.reason or 0).to_bytes(2, "big") if is_number else self.reason.encode()

        def altered(message: bytes) -> bytes | None:
            if message[:1] != b"J":
                return None
            return message[: field.start] + reason + message[field.stop :] if self.reason else message

        diversion = self.divert(exchange, Alter(self.count, altered))

        def end() -> None:
            exchange.venue.reject_next(account.number, 0, exchange.clock())
            diversion.end()

        exchange.venue.reject_next(account.number, self.count, exchange.clock())
        return Running(end, diversion.is_over)


def _wrong(what: str, right: bytes) -> bytes:
    if what == "order":
        return right[:-1] + bytes([right[-1] ^ 1])
    return (int.from_bytes(right, "big") * 2 + 100).to_bytes(len(right), "big")


# ---- the venue -------------------------------------------------------------------------------------


class Halt(Fault):
    """The instrument `on` is halted; it trades again at the end of the fault."""

    def start(self, exchange: "ExchangeServer") -> Running:
        def set_state(state: str) -> None:
            exchange.answer({"verb": "state", "symbol": self.on, "state": state})

        set_state("H")
        return Running(lambda: set_state("T"))


class Bust(Fault):
    """The trade with the number `match` is taken back."""

    match: int = Field(ge=1)
    reason: Literal["E", "C", "S", "X"] = "E"

    def start(self, exchange: "ExchangeServer") -> None:
        exchange.answer({"verb": "bust", "match": self.match, "reason": self.reason})


class ClockStep(Fault):
    """The times in reports and feed jump by `ms`, and back at the end of the fault; they may go backwards."""

    ms: float = Field(ge=-86_400_000, le=86_400_000)

    def start(self, exchange: "ExchangeServer") -> Running:
        shift_ns = int(self.ms * 1_000_000)
        exchange.faults.shift_clock(shift_ns)
        return Running(lambda: exchange.faults.shift_clock(-shift_ns))


class SlowClock(Fault):
    """The times in reports and feed go `rate` times as fast (1.1: they gain 100 ms a second), and are right again at
    the end of the fault."""

    rate: float = Field(ge=0, le=10)

    def start(self, exchange: "ExchangeServer") -> Running:
        begin_ns, applied_ns = exchange.clock(), 0

        def drift_to(wanted_ns: int) -> None:
            nonlocal applied_ns
            exchange.faults.shift_clock(wanted_ns - applied_ns)
            applied_ns = wanted_ns

        drift = exchange.faults.every_tick(lambda: drift_to(int((self.rate - 1) * (exchange.clock() - begin_ns))))

        def end() -> None:
            drift.end()
            drift_to(0)

        return Running(end)


class Kill(Fault):
    """The exchange is gone as after kill -9: nobody is told anything, no order is canceled."""

    def start(self, exchange: "ExchangeServer") -> None:
        exchange.kill()


class Restart(Fault):
    """All connections are cut, as by a venue that restarts; sessions go on by sequence. With orders=lose the open
    orders of all accounts are gone, and nobody is told (the feed shows that they are)."""

    orders: Literal["keep", "lose"] = "keep"

    def start(self, exchange: "ExchangeServer") -> None:
        exchange.restart(keep_orders=self.orders == "keep")


FAULTS: Sequence[type[Fault]] = (
    Drop, Loss, Duplicate, Reorder, Delay, PauseFeed, WrongReference, CrossedPrice,
    StopReading, StopWriting, Disconnect, CutMessage, Say,
    LoseAck, FillBeforeAck, FillAfterCancel, WrongReport, RejectStorm,
    Halt, Bust, ClockStep, SlowClock, Kill, Restart,
)  # fmt: skip
"""Everything that can go wrong on command."""
