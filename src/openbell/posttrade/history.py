"""The history of orders: every record that a journal holds of them, in order, and what they came to.

Refusals have an id too: an order that risk refused never lived, and its history is one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from openbell.journal import Frame
from openbell.journal.assets import Asset, names_of, read_asset
from openbell.types import LimitKind, LimitScope, Reason, Side, Tif, Type, strategy_of

UNKNOWN = Asset("?", "", 0, 0, 1)
"""An instrument whose record the journal does not hold any more."""
_STOPS = (int(Type.STOP_HELD), int(Type.STOP_ENDED))
_DECISIONS = (*range(int(Type.APPROVED), int(Type.MASS_CANCEL)), *_STOPS)
_REPORTS = range(int(Type.ACCEPTED), int(Type.NOT_SENT) + 1)
_ENDS = {Type.CANCELED: "CANCELED", Type.REJECTED: "REJECTED", Type.EXPIRED: "EXPIRED"}


class Step(NamedTuple):
    """One record of an order. Times are ns UTC; `text` is what it says besides."""

    seq: int
    ts_seq: int
    ts_event: int
    kind: Type
    version: int
    px: int
    qty: int
    text: str = ""


@dataclass
class OrderHistory:
    """One order, from its intent to its end; a stop that the engine holds is one, and what it became another."""

    cl_ord_id: int
    instrument: int
    side: Side
    tif: Tif
    tag: int
    px: int
    qty: int
    state: str = "PENDING_NEW"
    cum_qty: int = 0
    notional: int = 0
    order_id: int = 0
    steps: list[Step] = field(default_factory=list)

    @property
    def strategy(self) -> int:
        """The strategy that its id carries."""
        return strategy_of(self.cl_ord_id)

    @property
    def is_open(self) -> bool:
        """Whether it may still trade, as far as the journal says."""
        return self.state in ("STOP", "PENDING_NEW", "NEW", "PARTIALLY_FILLED")

    @property
    def avg_px(self) -> float | None:
        """Of its executions, in price units."""
        return self.notional / self.cum_qty if self.cum_qty else None


@dataclass
class Histories:
    """Takes the frames of a journal in order; `orders` by id, in the order of their first record.

    `feeds` are the names of the node's feeds.
    """

    feeds: Sequence[str] = ()
    assets: dict[int, Asset] = field(default_factory=dict)
    orders: dict[int, OrderHistory] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

    def take_all(self, frames: Iterable[Frame]) -> Histories:
        """Take every frame, and return this."""
        for frame in frames:
            self.take(frame)
        return self

    def take(self, frame: Frame) -> None:
        """Take the next frame."""
        for i, kind in enumerate(frame.raw[:, 0]):
            if frame.is_decision and int(kind) in _DECISIONS:
                self._take_command(frame, frame.record(i))
            elif not frame.is_decision and int(kind) in _REPORTS:
                self._take_report(frame, frame.record(i))
            elif int(kind) == int(Type.INSTRUMENT):
                record = frame.record(i)
                self.assets[int(record["instrument"])] = read_asset(record)
                self._names = {}

    def asset_of(self, order: OrderHistory) -> Asset:
        """What the integers of an order mean."""
        return self.assets.get(order.instrument, UNKNOWN)

    def name_of(self, order: OrderHistory) -> str:
        """What people call the instrument of an order."""
        self._names = self._names or names_of(self.assets, self.feeds)
        return self._names.get(order.instrument, UNKNOWN.symbol)

    def _take_command(self, frame: Frame, row: Any) -> None:
        kind, order_id = Type(int(row["type"])), int(row["cl_ord_id"])
        if order_id == 0:  # a quote that could not be one
            return
        order = self.orders.get(order_id)
        if order is None and not row["side"]:  # a cancel or replace of what nobody knows
            return
        if order is None:
            order = self.orders[order_id] = OrderHistory(
                cl_ord_id=order_id,
                instrument=int(row["instrument"]),
                side=Side(int(row["side"])),
                tif=Tif(int(row["tif"])),
                tag=int(row["tag"]),
                px=int(row["px"]),
                qty=int(row["qty"]),
            )
        text = ""
        if kind == Type.REFUSED:
            text = refusal_text(row)
            if not order.steps:
                order.state = "REFUSED"
        elif int(kind) in _STOPS:
            order.state, text = _stop_told(kind, row)
        order.steps.append(_step(frame, kind, row, int(row["px"]), int(row["qty"]), text))

    def _take_report(self, frame: Frame, row: Any) -> None:
        order = self.orders.get(int(row["cl_ord_id"]))
        if order is None:
            return
        kind, px, qty = Type(int(row["type"])), int(row["px"]), int(row["leaves_qty"])
        if kind in (Type.FILLED, Type.CORRECTED, Type.BUSTED):
            px, qty = int(row["last_px"]), int(row["last_qty"])
        elif kind == Type.CANCELED:
            qty = int(row["last_qty"])
        text = Reason(int(row["reason"])).name if row["reason"] else ""
        if kind in (Type.SENT, Type.NOT_SENT):
            has_figures = kind == Type.NOT_SENT and (row["last_px"] or row["last_qty"])
            figures = f": limit {int(row['last_px'])}, found {int(row['last_qty'])}" if has_figures else ""
            text = f"{Type(int(row['command'])).name} {text}{figures}".rstrip()
        elif row["exec_id"]:
            text = f"match {int(row['exec_id'])} {text}".rstrip()
        order.steps.append(_step(frame, kind, row, px, qty, text))
        _apply(order, kind, row)


def refusal_text(row: Any) -> str:
    """What a Refused says: the reason, whose limit it was, what was allowed and what was found."""
    reason, scope, limit = Reason(int(row["reason"])).name, int(row["scope"]), int(row["kind"])
    whose = f" of {LimitScope(scope).name}" if scope else ""
    named = f" {LimitKind(limit).name}{whose}" if limit else whose
    return f"{reason}:{named} limit {int(row['limit'])}, found {int(row['observed'])}"


def _stop_told(kind: Type, row: Any) -> tuple[str, str]:
    """(state, text) of a stop order."""
    if kind == Type.STOP_HELD:
        return "STOP", f"stop at {int(row['prev_px'])}" + (f", trail {int(row['prev_qty'])}" if row["prev_qty"] else "")
    if row["reason"]:
        return "CANCELED", Reason(int(row["reason"])).name
    return "TRIGGERED", f"became {int(row['observed']):#x}"


def _step(frame: Frame, kind: Type, row: Any, px: int, qty: int, text: str) -> Step:
    return Step(frame.seq, frame.ts_seq, int(row["ts_event"]), kind, int(row["version"]), px, qty, text)


def _apply(order: OrderHistory, kind: Type, row: Any) -> None:
    """What a report makes of the order, as far as a summary shows it; the OMS is the authority."""
    last_px, last_qty = int(row["last_px"]), int(row["last_qty"])
    if kind in (Type.ACCEPTED, Type.REPLACED):
        order.order_id, order.px = int(row["order_id"]) or order.order_id, int(row["px"]) or order.px
        order.qty = order.cum_qty + int(row["leaves_qty"])
        order.state = "PARTIALLY_FILLED" if order.cum_qty else "NEW"
    elif kind == Type.FILLED:
        order.cum_qty += last_qty
        order.notional += last_px * last_qty
        order.state = "FILLED" if order.cum_qty >= order.qty else "PARTIALLY_FILLED"
    elif kind in _ENDS and (kind != Type.CANCELED or order.cum_qty + last_qty >= order.qty):
        order.state = _ENDS[kind]
    elif kind == Type.NOT_SENT and int(row["command"]) == int(Type.NEW_ORDER):
        order.state = "NOT_SENT"
