"""Pre-trade risk, slow and obvious: a list of claims in order; the first that is false is the refusal.

Python integers do not overflow, and collars are compared as exact fractions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from openbell.types import ArmState, KillLevel, Reason, TradingState, Type
from oracles.arming import Arming

BUY, SELL = 1, 2
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
QTY_MAX, PX_MAX = 2**44, 2**48
Claim = tuple[Reason, bool, int, int]  # reason, does it hold, limit, observed


@dataclass
class View:
    """What risk is shown: exposures are (position, open_buy, open_sell, orders)."""

    instrument: dict[str, int] | None
    touch: tuple[int, int, int, int]
    book_valid: bool
    trading: TradingState
    account: tuple[int, int, int, int]
    strategy: tuple[int, int, int, int]


@dataclass
class Risk:
    """The same check as the native Risk, on dictionaries."""

    strategies_max: int
    instruments_max: int
    limits: dict[tuple[int | None, int], dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.arming = Arming(self.strategies_max, self.instruments_max)

    def check(self, order: dict[str, int], leaves_after: int, view: View) -> tuple[Reason, int, int]:
        for reason, holds, limit, observed in self._claims(order, leaves_after, view):
            if not holds:
                return reason, clamp(limit), clamp(observed)
        return Reason.NONE, 0, 0

    def _claims(self, o: dict[str, int], leaves: int, view: View) -> Iterator[Claim]:
        killed = self.arming.killed(o["strategy"], o["instrument"])
        armed = self.arming.state(o["strategy"], o["instrument"])
        yield Reason.KILLED, killed < KillLevel.HARD, 0, int(killed)
        yield Reason.NOT_ARMED, armed >= ArmState.REDUCE_ONLY, int(ArmState.REDUCE_ONLY), int(armed)
        buying = o["side"] == BUY
        sign, open_at = (1, 1) if buying else (-1, 2)
        before = 0
        if o["type"] == Type.REPLACE_ORDER:
            executed = o["qty"] - leaves
            before = min(max(o["prev_qty"] - executed, 0), view.account[open_at])
        added = max(0, leaves - before)
        if armed == ArmState.REDUCE_ONLY:
            account_too = self.arming.account_is_lowered(o["instrument"])
            for exposure in (view.account, view.strategy) if account_too else (view.strategy,):
                reducible = -sign * exposure[0]
                asked = exposure[open_at] + added
                yield Reason.REDUCE_ONLY, asked <= reducible, max(reducible, 0), asked

        known = view.instrument is not None and o["instrument"] < self.instruments_max
        yield Reason.NO_INSTRUMENT, known, self.instruments_max, o["instrument"]
        yield Reason.UNKNOWN_STRATEGY, o["strategy"] < self.strategies_max, self.strategies_max, o["strategy"]
        account = self.limits.get((None, o["instrument"]))
        yield Reason.NO_LIMITS, account is not None, 1, 0
        own = self.limits.get((o["strategy"], o["instrument"]))
        scopes = [(account, view.account)] + ([(own, view.strategy)] if own else [])

        yield Reason.NOT_TRADING, view.trading == TradingState.TRADING, int(TradingState.TRADING), int(view.trading)
        yield Reason.BOOK_NOT_VALID, view.book_valid, 1, 0
        bid, bid_qty, ask, ask_qty = view.touch
        bid, ask = (bid if bid_qty > 0 else 0), (ask if ask_qty > 0 else 0)
        reference = (ask or bid) if buying else (bid or ask)
        yield Reason.NO_REFERENCE, reference > 0, 1, 0

        tick, lot = view.instrument["tick"], view.instrument["lot"]
        yield Reason.PRICE_NOT_POSITIVE, o["px"] > 0, 1, o["px"]
        yield Reason.PRICE_TICK, tick > 0 and o["px"] % tick == 0, tick, o["px"]
        yield Reason.QTY_NOT_POSITIVE, 0 < leaves <= o["qty"], 1, min(leaves, o["qty"])
        yield Reason.QTY_LOT, lot > 0 and leaves % lot == 0, lot, leaves
        yield Reason.WOULD_OVERFLOW, o["px"] <= PX_MAX, PX_MAX, o["px"]
        yield Reason.WOULD_OVERFLOW, o["qty"] <= QTY_MAX, QTY_MAX, o["qty"]

        qty_max = min(scope["order_qty_max"] for scope, _ in scopes)
        yield Reason.ORDER_QTY, leaves <= qty_max, qty_max, leaves
        if armed == ArmState.LIMITED:
            allowed = qty_max * self.arming.limited_percent // 100
            yield Reason.LIMITED_SIZE, leaves <= allowed, allowed, leaves
        notional_max = min(scope["order_notional_max"] for scope, _ in scopes)
        yield Reason.ORDER_NOTIONAL, o["px"] * leaves <= notional_max, notional_max, o["px"] * leaves
        bps_max = min(scope["collar_bps"] for scope, _ in scopes)
        distance_bps = Fraction(abs(o["px"] - reference) * 10_000, reference)
        yield Reason.PRICE_COLLAR, distance_bps <= bps_max, bps_max, ceil(distance_bps)
        for scope, exposure in scopes:
            worst = sign * exposure[0] + exposure[open_at] + added
            yield Reason.POSITION, worst <= scope["position_max"], scope["position_max"], worst
        for scope, exposure in scopes:
            fits = o["type"] == Type.REPLACE_ORDER or exposure[3] + 1 <= scope["open_orders_max"]
            yield Reason.OPEN_ORDERS, fits, scope["open_orders_max"], exposure[3] + 1


def clamp(v: int) -> int:
    """Saturate to int64, as the record's fields do."""
    return max(INT64_MIN, min(INT64_MAX, v))
