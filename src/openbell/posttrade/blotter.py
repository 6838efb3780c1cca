"""The blotter: every execution that a journal holds, once, as it stands after busts and corrections.

It reads records only, never the engine, so that what the engine holds can be compared with it. An execution is
known by our order and the venue's match number (I11); a second copy changes nothing. A bust or correction that comes
before its execution waits for it. An adjustment is a trade without an order; it may name the match number of the
execution that it stands for, or puts right (adjusted.py). What names no order of ours, or a price or quantity that
cannot be, is kept apart in `disowned`: it is a claim, not our trade.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from openbell.journal import Frame
from openbell.journal.assets import Asset, read_asset
from openbell.posttrade.fees import FeeBook
from openbell.types import PX_MAX, QTY_MAX, Side, Type, strategy_of

STRATEGY_BIT, STRATEGY_MAX = 30, (1 << 10) - 1
"""Where an order id carries its strategy."""
UINT64_MAX = (1 << 64) - 1
_EXECUTIONS = frozenset({int(Type.FILLED), int(Type.BUSTED), int(Type.CORRECTED)})


class TradeKey(NamedTuple):
    """What makes an execution one and the same."""

    cl_ord_id: int
    exec_id: int


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution of ours, or an adjustment.

    `qty` is in the instrument's quantity units, of an adjustment 0 where only money was given; `px` in price units.

    `fee` is in 1e-4 of its currency, by the rates in force when it was told; negative is a rebate, and what an
    adjustment gave. `match` is of adjustments: the venue's number that they name, 0 for none; None: an execution.
    """

    key: TradeKey
    instrument: int
    side: Side
    px: int
    qty: int
    liquidity: str
    ts_event: int
    seq: int
    fee: int = 0
    is_busted: bool = False
    is_corrected: bool = False
    match: int | None = None

    @property
    def strategy(self) -> int:
        """The strategy that its order id carries; of an adjustment, that of an order that never was."""
        return strategy_of(self.key.cl_ord_id)

    @property
    def signed_qty(self) -> int:
        """What it did to the position; nothing once it is busted."""
        return 0 if self.is_busted else self.qty if self.side == Side.BUY else -self.qty


@dataclass
class Blotter:
    """Takes the frames of a journal in order; `trades` are in the order of their first report."""

    assets: dict[int, Asset] = field(default_factory=dict)
    trades: dict[TradeKey, Trade] = field(default_factory=dict)
    fees: FeeBook = field(default_factory=FeeBook)
    worth: dict[str, int] = field(default_factory=dict)
    disowned: list[tuple[int, TradeKey]] = field(default_factory=list)
    """(seq, key) of what names no order of ours, or cannot be."""
    seq: int = 0
    _orders: dict[int, tuple[int, Side]] = field(default_factory=dict)
    _untold: dict[TradeKey, tuple[Type, int, int]] = field(default_factory=dict)
    _adjustments: list[TradeKey] = field(default_factory=list)

    def take_all(self, frames: Iterable[Frame]) -> Blotter:
        """Take every frame, and return this."""
        for frame in frames:
            self.take(frame)
        return self

    def take(self, frame: Frame) -> None:
        """Take the next frame."""
        self.seq = frame.seq
        kinds = frame.raw[:, 0]
        if frame.is_decision:
            for i in (kinds == int(Type.NEW_ORDER)).nonzero()[0]:
                order = frame.record(int(i))
                self._orders[int(order["cl_ord_id"])] = int(order["instrument"]), Side(int(order["side"]))
        elif kinds[0] == int(Type.INSTRUMENT):
            for i in (kinds == int(Type.INSTRUMENT)).nonzero()[0]:
                record = frame.record(int(i))
                self.assets[int(record["instrument"])] = read_asset(record)
        elif int(Type.CONVERSION) in kinds or int(Type.FEE_RATE) in kinds:
            for i in (kinds == int(Type.CONVERSION)).nonzero()[0]:
                record = frame.record(int(i))
                self.worth[bytes(record["text"]).rstrip(b"\0").decode()] = int(record["values"][0])
            for i in (kinds == int(Type.FEE_RATE)).nonzero()[0]:
                self.fees.take(frame.record(int(i)))
        elif kinds[0] == int(Type.ADJUSTMENT):
            for i in (kinds == int(Type.ADJUSTMENT)).nonzero()[0]:
                self._take_adjustment(frame.record(int(i)), frame.ts_seq, frame.seq)
        elif int(Type.ACCEPTED) <= kinds[0] <= int(Type.NOT_SENT):
            for i, kind in enumerate(kinds):
                if int(kind) in _EXECUTIONS:
                    self._take_execution(Type(int(kind)), frame.record(i), frame.seq)

    @property
    def adjustments(self) -> list[Trade]:
        """In order."""
        return [self.trades[key] for key in self._adjustments]

    @property
    def order_ids(self) -> frozenset[int]:
        """Every order that was ever commanded."""
        return frozenset(self._orders)

    def position(self, instrument: int, strategy: int | None = None) -> int:
        """The sum of signed trades (I12), of one strategy or of all."""
        return sum(t.signed_qty for t in self.of(instrument, strategy))

    def of(self, instrument: int, strategy: int | None = None) -> list[Trade]:
        """The trades of an instrument in order, of one strategy or of all."""
        return [
            trade
            for trade in self.trades.values()
            if trade.instrument == instrument and strategy in (None, trade.strategy)
        ]

    def _take_execution(self, kind: Type, report: Any, seq: int) -> None:
        key = TradeKey(int(report["cl_ord_id"]), int(report["exec_id"]))
        px, qty = int(report["last_px"]), int(report["last_qty"])
        known, order = self.trades.get(key), self._orders.get(key.cl_ord_id)
        can_be = kind == Type.BUSTED or (px > 0 and qty > 0)
        if order is None or not can_be:
            self.disowned.append((seq, key))
        elif known is None and kind != Type.FILLED:
            if self._untold.get(key, (Type.FILLED,))[0] != Type.BUSTED:  # a bust is the last word
                self._untold[key] = kind, px, qty
        elif known is None:
            instrument, side = order
            flag = chr(report["liquidity"]) if report["liquidity"] else ""
            fee = self._fee(instrument, flag, px, qty)
            self.trades[key] = Trade(key, instrument, side, px, qty, flag, int(report["ts_event"]), seq, fee)
            if early := self._untold.pop(key, None):
                self._change(self.trades[key], *early)
        elif kind != Type.FILLED:
            self._change(known, kind, px, qty)

    def _take_adjustment(self, record: Any, ts_seq: int, seq: int) -> None:
        """What the engine takes; its number is below those of every venue."""
        strategy, instrument = int(record["strategy"]), int(record["instrument"])
        qty, px, cash, match = (int(value) for value in record["values"])
        key = TradeKey(strategy << STRATEGY_BIT, -1 - len(self._adjustments))
        if strategy > STRATEGY_MAX or instrument not in self.assets or abs(qty) > QTY_MAX or not 0 <= px <= PX_MAX:
            self.disowned.append((seq, key))
            return
        side = Side.BUY if qty > 0 else Side.SELL
        match &= UINT64_MAX
        self.trades[key] = Trade(key, instrument, side, px, abs(qty), "", ts_seq, seq, fee=-cash, match=match)
        self._adjustments.append(key)

    def _change(self, known: Trade, kind: Type, px: int, qty: int) -> None:
        if known.is_busted or (kind == Type.CORRECTED and (px, qty) == (known.px, known.qty)):
            return
        if kind == Type.BUSTED:
            self.trades[known.key] = replace(known, is_busted=True)
            return
        fee = self._fee(known.instrument, known.liquidity, px, qty)
        self.trades[known.key] = replace(known, px=px, qty=qty, fee=fee, is_corrected=True)

    def _fee(self, instrument: int, flag: str, px: int, qty: int) -> int:
        asset = self.assets.get(instrument)
        return self.fees.terms(flag).fee(px, qty, asset.multiplier, asset.decimals) if asset else 0
