"""A tape whose orders are really in the book: they are orders of an internal account, matched like everybody's.

An Add enters an order, a Cancel or Delete takes it out, a Replace enters it anew, and an Execution sends an aggressor
of that size at that price from the other side. So accounts queue before and behind the tape's orders and trade with
them. What others have traded meanwhile cannot happen again: what a tape says of an order that is gone is counted, no
more.

An order never holds more than its tape says, even if somebody before it was executed in its place: so the book stays
near the tape. If that was another order of the tape (a tape does not know every priority), what the first one must give
up becomes the other's. So a tape that nobody trades with makes the book that it came from, row by row.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openbell._native import VenueCore, itch_decode
from openbell.exchange.config import ListedSettings
from openbell.types import Side, Tif

Message = dict[str, Any]
COUNTED = {
    "entered": "orders of the tape that were entered",
    "crossed": "of these, those that met a price of somebody else and traded at once",
    "refused": "those that the venue did not take: halted, no tick, no room",
    "reduced": "orders made smaller",
    "canceled": "orders taken out",
    "executed": "executions whose aggressor found all it wanted",
    "short": "executions whose aggressor found less, because others had taken it",
    "displaced": "executions that reached somebody before the order that the tape says",
    "gone": "cancels and replaces of orders that others had taken",
    "hidden": "trades against hidden orders: there are none here",
    "ignored": "messages of other kinds, of other instruments, or of orders never seen",
}
"""What is counted, in messages."""


@dataclass(slots=True)
class _Order:
    """An order of the tape: where it rests, what it has left on the tape, and its reference here, 0 when it is gone."""

    place: tuple[int, Side, int]
    left: int
    order_id: int


class TapeMatcher:
    """Plays ITCH messages of a tape on a venue, for one internal account."""

    def __init__(
        self,
        venue: VenueCore,
        account: int,
        instruments: Sequence[ListedSettings],
        counts: Counter[str] | None = None,
    ) -> None:
        self._venue, self._account = venue, account
        self._numbers = {listed.symbol: number for number, listed in enumerate(instruments)}
        self._by_locate: dict[int, int] = {}
        self._orders: dict[int, _Order] = {}
        self._levels: dict[tuple[int, Side, int], dict[int, _Order]] = {}
        self._states: dict[int, str] = {}
        self._now_ns = 0
        self.counts: Counter[str] = Counter() if counts is None else counts
        self.counts.update(dict.fromkeys(COUNTED, 0))
        self._kinds: dict[str, Callable[[Message], None]] = {
            "A": self._add, "F": self._add, "E": self._execute, "C": self._execute, "X": self._reduce,
            "D": self._delete, "U": self._replace, "P": self._hidden, "R": self._list, "H": self._set_state,
        }  # fmt: skip

    def play(self, messages: Sequence[bytes], now_ns: int) -> None:
        """Do what `messages` say, all at `now_ns`."""
        self._now_ns = now_ns
        for data in messages:
            message = itch_decode(data)
            if not isinstance(message, dict) or message["type"] not in self._kinds:
                self.counts["ignored"] += 1
            else:
                self._kinds[message["type"]](message)

    # ---- what the tape says ------------------------------------------------------------------------------

    def _list(self, message: Message) -> None:
        number = self._numbers.get(message["symbol"].strip())
        if number is not None:
            self._by_locate[message["locate"]] = number

    def _set_state(self, message: Message) -> None:
        instrument = self._by_locate.get(message["locate"])
        if instrument is None or self._states.get(instrument, "T") == message["state"]:
            return
        self._states[instrument] = message["state"]
        self._venue.set_state(instrument, message["state"], self._now_ns)

    def _add(self, message: Message) -> None:
        instrument = self._by_locate.get(message["locate"])
        if instrument is None:
            self.counts["ignored"] += 1
            return
        side = Side.BUY if message["side"] == "B" else Side.SELL
        self._enter(message["order_id"], instrument, side, message["px"], message["qty"])

    def _execute(self, message: Message) -> None:
        order = self._orders.get(message["order_id"])
        if order is None:
            self.counts["ignored"] += 1
            return
        missing = self._take(order, message["qty"])
        self.counts["short" if missing else "executed"] += 1
        order.left -= message["qty"]
        spare = self._venue.leaves(order.order_id) - order.left
        if spare > 0:
            self.counts["displaced"] += 1
            self._venue.reduce(order.order_id, order.left, self._now_ns)
            self._pass_on(spare, order)
        if order.left <= 0:
            self._end(message["order_id"], order)

    def _reduce(self, message: Message) -> None:
        order = self._orders.get(message["order_id"])
        if order is None:
            self.counts["ignored"] += 1
            return
        order.left -= message["qty"]
        was_reduced = self._venue.reduce(order.order_id, max(order.left, 0), self._now_ns)
        self.counts["reduced" if was_reduced else "gone"] += 1

    def _delete(self, message: Message) -> None:
        order = self._orders.get(message["order_id"])
        if order is None:
            self.counts["ignored"] += 1
            return
        self.counts["canceled" if self._end(message["order_id"], order) else "gone"] += 1

    def _replace(self, message: Message) -> None:
        """What others took of the old order is missing in the new one."""
        old = self._orders.get(message["order_id"])
        if old is None:
            self.counts["ignored"] += 1
            return
        instrument, side, _ = old.place
        taken = old.left - self._venue.leaves(old.order_id)
        is_live = self._end(message["order_id"], old)
        qty = message["qty"] - taken
        if not is_live or qty <= 0:
            self.counts["gone"] += 1
            self._remember(message["new_order_id"], _Order((instrument, side, message["px"]), message["qty"], 0))
            return
        self._enter(message["new_order_id"], instrument, side, message["px"], qty)

    def _hidden(self, _message: Message) -> None:
        self.counts["hidden"] += 1

    # ---- what happens here -------------------------------------------------------------------------------

    def _enter(self, reference: int, instrument: int, side: Side, px: int, qty: int) -> None:
        best, there = self._venue.touch(instrument, _other(side))
        crosses = bool(there) and (px >= best if side == Side.BUY else px <= best)
        order_id = self._venue.submit(self._account, instrument, side, px, qty, Tif.DAY, self._now_ns)
        self._remember(reference, _Order((instrument, side, px), qty, order_id))
        self.counts["entered" if order_id or crosses else "refused"] += 1
        self.counts["crossed"] += crosses

    def _take(self, order: _Order, qty: int) -> int:
        """Send the aggressor of an execution, level by level up to the order's price; return what it did not find."""
        instrument, side, px = order.place
        aggressor = _other(side)
        while qty > 0:
            best, there = self._venue.touch(instrument, side)
            is_worse = best < px if side == Side.BUY else best > px
            if not there or is_worse:
                break
            part = min(qty, there)
            self._venue.submit(self._account, instrument, aggressor, best, part, Tif.IOC, self._now_ns)
            if self._venue.touch(instrument, side) == (best, there):
                break  # the venue does not trade now
            qty -= part
        return qty

    def _pass_on(self, spare: int, of: _Order) -> None:
        """Give what a displaced order had left to those of its price that are short of what the tape says."""
        for order in self._levels.get(of.place, {}).values():
            part = min(spare, order.left - (leaves := self._venue.leaves(order.order_id)))
            if part > 0:
                spare -= part
                self._venue.cancel(order.order_id, self._now_ns)
                qty = leaves + part
                order.order_id = self._venue.submit(self._account, *of.place, qty, Tif.DAY, self._now_ns)
            if not spare:
                return

    def _remember(self, reference: int, order: _Order) -> None:
        self._orders[reference] = order
        self._levels.setdefault(order.place, {})[reference] = order

    def _end(self, reference: int, order: _Order) -> bool:
        """Forget an order and take out what is left of it; True if there was something."""
        del self._orders[reference]
        level = self._levels[order.place]
        del level[reference]
        if not level:
            del self._levels[order.place]
        return self._venue.cancel(order.order_id, self._now_ns)


def _other(side: Side) -> Side:
    return Side.SELL if side == Side.BUY else Side.BUY
