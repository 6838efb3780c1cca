"""The list of faults: what an exchange does wrong on command. One class each; the docstring says what happens.

    openbell exchange fault loss A p=0.1            by hand; `fault clear` ends all of them
    exchange.faults.start("fill-before-ack NODE1")  in a test

A fault is named by its class in small letters with hyphens. `on` is a line, an account or drop copy, or a symbol.
`start` begins it and returns how it ends; one that is done at once returns nothing. Under the same seed the same
happens again. Faults of reports and of the feed change the log, so that a replay tells the same as the live stream.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from openbell._native import soup_packet
from openbell.config import Settings
from openbell.exchange.control import RequestError, some_of
from openbell.exchange.diversions import FEED, LAYOUTS, Alter, FillFirst, FillLast, Filter, Layout, Lose
from openbell.exchange.lines import Line
from openbell.exchange.order_entry import Account
from openbell.exchange.soup_connection import Connection, Stream
from openbell.types import Side

if TYPE_CHECKING:
    from openbell.exchange.server import ExchangeServer

COUNT_MAX = 1_000_000
WRONG_REFERENCE_OFFSET = 1_000_000_007
LOCATE, REFERENCE, ADD_SIDE, ADD_PX = slice(1, 3), slice(11, 19), slice(19, 20), slice(32, 36)
"""Of ITCH 5.0."""
REPORT_KINDS = r"^[A-Za-z]?$"


class Running(NamedTuple):
    """A fault that lasts: how it ends, and whether it has ended by itself."""

    end: Callable[[], None]
    is_over: Callable[[], bool] = lambda: False


class Fault(Settings, ABC):
    """What every fault can be told."""

    on: str = ""
    seed: int = Field(default=1, ge=0)

    @abstractmethod
    def start(self, exchange: "ExchangeServer") -> Running | None:
        """Begin.

        Raises:
            RequestError: there is nothing of the name `on`.
        """


# ---- lines of the feed -----------------------------------------------------------------------------


class LineFault(Fault):
    """A fault of the line `on`, or of every line."""

    def lines(self, exchange: "ExchangeServer") -> list[Line]:
        known = exchange.feed.lines
        if self.on and self.on not in known:
            raise RequestError(f"expected a line of the feed, {some_of(known)}, found {self.on!r}")
        return [known[self.on]] if self.on else [*known.values()]

    def disturb(self, exchange: "ExchangeServer", what: str, value: float) -> Running:
        """Set `what` on the lines until the end of the fault."""
        lines = self.lines(exchange)

        def set_all(value_of: Callable[[Line], float]) -> None:
            for line in lines:
                setattr(line.disturbance, what, value_of(line))

        for line in lines:
            line.rng = random.Random(f"{self.seed}/{line.name}")
        set_all(lambda _: value)
        return Running(end=lambda: set_all(lambda line: getattr(line.settings, what)))


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


class SessionFault(Fault):
    """A fault of the session of the account or drop copy `on`."""

    def stream(self, exchange: "ExchangeServer") -> Stream:
        known: dict[str, Stream] = {**exchange.door.accounts, **exchange.door.drop_copies}
        if self.on.upper() not in known:
            raise RequestError(f"expected one of {some_of(known)}, found {self.on!r}")
        return known[self.on.upper()]

    def connection(self, exchange: "ExchangeServer") -> Connection:
        connection = self.stream(exchange).connection
        if connection is None:
            raise RequestError(f"expected {self.on} to be connected; it is not")
        return connection

    def cut(self, exchange: "ExchangeServer", passes: Callable[[bytes], int | None]) -> Running:
        """Cut the session where `passes` says, once."""
        stream = self.stream(exchange)

        def end() -> None:
            stream.cut = None

        stream.cut = passes
        return Running(end, lambda: stream.cut is not passes)


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


class ReportFault(SessionFault):
    """A fault of what the account `on` is told."""

    def account(self, exchange: "ExchangeServer") -> Account:
        account = self.stream(exchange)
        if not isinstance(account, Account):
            raise RequestError(f"expected an account, found the drop copy {self.on}")
        return account

    def layout(self, exchange: "ExchangeServer") -> Layout:  # noqa: ARG002
        return LAYOUTS["ouch42"]

    def divert(self, exchange: "ExchangeServer", one: Filter) -> Running:
        return exchange.faults.divert(self.account(exchange).number, one)


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
    LoseAck, FillBeforeAck, FillAfterCancel, WrongReport,
    Halt, Kill, Restart,
)  # fmt: skip
"""Everything that can go wrong on command."""
