"""Pre-trade risk, slow and obvious: a list of claims in order; the first that is false is the refusal.

Python integers do not overflow, and collars are compared as exact fractions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from openbell.types import ArmState, KillLevel, LimitKind, LimitScope, Reason, Tif, TradingState, Type
from oracles import money
from oracles.accounts import Accounts
from oracles.arming import Arming
from oracles.flow import Flow, width_of
from oracles.limits import REQUIRED, Limits

BUY, SELL = 1, 2
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
QTY_MAX, PX_MAX = 2**44, 2**48
MAY_BUY, MAY_SELL, MAY_SHORT, MAY_OPEN = 1, 2, 4, 8
OF_STRATEGY = (LimitScope.STRATEGY, LimitScope.STRATEGY_INSTRUMENT)
Claim = tuple[bool, "Verdict"]


class Verdict(NamedTuple):
    """Why not: the limit, what was observed, and which limit it is."""

    reason: Reason = Reason.NONE
    limit: int = 0
    observed: int = 0
    scope: int = 0
    kind: int = 0


@dataclass
class View:
    """What risk is shown: exposures are (position, open_buy, open_sell, orders)."""

    instrument: dict[str, int] | None
    touch: tuple[int, int, int, int]
    book_valid: bool
    trading: TradingState
    account: tuple[int, int, int, int]
    strategy: tuple[int, int, int, int]
    worth: Fraction | None
    now: int
    heard: int
    orders: int
    strategy_orders: int
    own_px: int
    accounts: Accounts | None = None


@dataclass
class Risk:
    """The same check as the native Risk, on dictionaries."""

    strategies_max: int
    instruments_max: int
    pairs_max: int = 1024
    mids: dict[int, tuple[int, list[tuple[int, int]]]] = field(default_factory=dict)  # eighth, (time, twice the mid)

    def __post_init__(self) -> None:
        self.arming = Arming(self.strategies_max, self.instruments_max)
        self.limits = Limits(self.strategies_max, self.instruments_max, self.pairs_max)
        self.flow = Flow(self.limits)

    # ---- what it is told

    def set_limit(self, r: dict[str, int]) -> bool:
        if not self.limits.set(r):
            return False
        self.flow.forget(lambda key: key[0] == LimitScope.STRATEGY_INSTRUMENT and key not in self.limits.rows)
        if r["flags"] & 1:
            return True
        key = self.limits._key_of(r)
        self.flow.on_limit(r, key)
        if r["kind"] == LimitKind.DRIFT_BPS:
            width = width_of(r["window_ns"])
            if self.mids.get(r["instrument"], (0,))[0] != width:
                self.mids[r["instrument"]] = (width, [])
        return True

    def clear_limits(self) -> None:
        self.limits.clear()
        self.flow.forget(lambda key: key[0] == LimitScope.STRATEGY_INSTRUMENT)

    def on_touch(self, instrument: int, touch: tuple[int, int, int, int], now: int) -> None:
        bid, ask = (touch[0] if touch[1] > 0 else 0), (touch[2] if touch[3] > 0 else 0)
        twice = bid + ask if bid > 0 and ask > 0 else 2 * (bid or ask)
        if twice > 0 and instrument in self.mids:
            self.mids[instrument][1].append((now, twice))

    def twice_mid_ago(self, instrument: int, now: int) -> int:
        """In force at the oldest of nine boundaries at which any was, else the last."""
        width, mids = self.mids.get(instrument, (1, []))
        for part in range(8, -1, -1):
            boundary = (now // width - part) * width
            before = [mid for t, mid in mids if t < boundary]
            if before:
                return before[-1]
        return mids[-1][1] if mids else 0

    # ---- may it be sent

    def check(self, order: dict[str, int], view: View) -> Verdict:
        for holds, verdict in self._claims(order, view):
            if not holds:
                return verdict._replace(limit=clamp(verdict.limit), observed=clamp(verdict.observed))
        return Verdict()

    def _claims(self, o: dict[str, int], view: View) -> Iterator[Claim]:
        leaves = o["leaves_qty"]
        killed = self.arming.killed(o["strategy"], o["instrument"])
        armed = self.arming.state(o["strategy"], o["instrument"])
        yield claim(killed < KillLevel.HARD, Reason.KILLED, 0, int(killed))
        yield claim(armed >= ArmState.REDUCE_ONLY, Reason.NOT_ARMED, int(ArmState.REDUCE_ONLY), int(armed))
        buying = o["side"] == BUY
        sign, open_at = (1, 1) if buying else (-1, 2)
        before = 0
        if o["type"] == Type.REPLACE_ORDER:
            executed = o["qty"] - leaves
            before = min(max(o["prev_qty"] - executed, 0), view.account[open_at])
        added = max(0, leaves - before)

        def exposure(scope: LimitScope) -> tuple[int, int, int, int]:
            return view.strategy if scope in OF_STRATEGY else view.account

        def worst(scope: LimitScope) -> int:
            return sign * exposure(scope)[0] + exposure(scope)[open_at] + added

        if armed == ArmState.REDUCE_ONLY:
            account_too = self.arming.account_is_lowered(o["instrument"])
            for held in (view.account, view.strategy) if account_too else (view.strategy,):
                reducible, asked = -sign * held[0], held[open_at] + added
                yield claim(asked <= reducible, Reason.REDUCE_ONLY, max(reducible, 0), asked)

        around = self.limits.around(0, o["strategy"], o["instrument"])
        for scope, key in around:
            if permission := self.limits.get(key, LimitKind.PERMISSION):
                needed = MAY_BUY if buying else MAY_SELL
                if worst(scope) > 0:
                    needed |= MAY_OPEN | (0 if buying else MAY_SHORT)
                held_back = needed & ~permission.value
                granted = (Reason.NOT_PERMITTED, permission.value, needed, scope, LimitKind.PERMISSION)
                yield claim(not held_back, *granted)

        known = view.instrument is not None and o["instrument"] < self.instruments_max
        yield claim(known, Reason.NO_INSTRUMENT, self.instruments_max, o["instrument"])
        known = o["strategy"] < self.strategies_max
        yield claim(known, Reason.UNKNOWN_STRATEGY, self.strategies_max, o["strategy"])
        yield claim(self.limits.fault is None, Reason.NO_LIMITS, 1, 0, *(self.limits.fault or (0, 0)))
        keys = dict(around)
        for scope, kinds in REQUIRED.items():
            for kind in kinds:
                is_there = self.limits.get(keys[scope], kind) is not None
                yield claim(is_there, Reason.NO_LIMITS, 1, 0, scope, kind)

        trading = int(TradingState.TRADING)
        is_collected = o.get("tif", 0) in (Tif.AT_OPEN, Tif.AT_CLOSE) and view.trading == TradingState.QUOTE_ONLY
        yield claim(view.trading == trading or is_collected, Reason.NOT_TRADING, trading, int(view.trading))
        yield claim(view.book_valid, Reason.BOOK_NOT_VALID, 1, 0)
        bid, bid_qty, ask, ask_qty = view.touch
        bid, ask = (bid if bid_qty > 0 else 0), (ask if ask_qty > 0 else 0)
        reference = (ask or bid) if buying else (bid or ask)
        yield claim(reference > 0, Reason.NO_REFERENCE, 1, 0)
        yield self._tightest(keys, Reason.BOOK_STALE, LimitKind.BOOK_AGE, lambda _: view.now - view.heard)

        tick, lot = view.instrument["tick"], view.instrument["lot"]
        yield claim(o["px"] > 0, Reason.PRICE_NOT_POSITIVE, 1, o["px"])
        yield claim(tick > 0 and o["px"] % tick == 0, Reason.PRICE_TICK, tick, o["px"])
        yield claim(0 < leaves <= o["qty"], Reason.QTY_NOT_POSITIVE, 1, min(leaves, o["qty"]))
        yield claim(lot > 0 and leaves % lot == 0, Reason.QTY_LOT, lot, leaves)
        yield claim(o["px"] <= PX_MAX, Reason.WOULD_OVERFLOW, PX_MAX, o["px"])
        yield claim(o["qty"] <= QTY_MAX, Reason.WOULD_OVERFLOW, QTY_MAX, o["qty"])

        yield self._tightest(keys, Reason.ORDER_QTY, LimitKind.ORDER_QTY, lambda _: leaves)
        if armed == ArmState.LIMITED:

            def allowed(scope: LimitScope) -> int:
                return self.limits.get(keys[scope], LimitKind.ORDER_QTY).value * self.arming.limited_percent // 100

            yield self._tightest(keys, Reason.LIMITED_SIZE, LimitKind.ORDER_QTY, lambda _: leaves, allowed)
        yield claim(view.worth is not None, Reason.NO_CONVERSION, 1, 0)
        worth = money.up(view.worth, o["px"] * leaves)
        yield self._tightest(keys, Reason.ORDER_NOTIONAL, LimitKind.ORDER_NOTIONAL, lambda _: worth)
        away = ceil(Fraction(abs(o["px"] - reference) * 10_000, reference))
        yield self._tightest(keys, Reason.PRICE_COLLAR, LimitKind.COLLAR_BPS, lambda _: away)
        if twice := self.twice_mid_ago(o["instrument"], view.now):
            drift = ceil(Fraction(abs(2 * o["px"] - twice) * 10_000, twice))
            yield self._tightest(keys, Reason.PRICE_DRIFT, LimitKind.DRIFT_BPS, lambda _: drift)
        yield claim(view.own_px == 0, Reason.SELF_CROSS, view.own_px, o["px"])

        for reason, kind, observed, at_most in self.flow.claims(o, view.now):
            if kind == LimitKind.REPEATS:
                limit, count, scope = self.flow.latched.get(o["strategy"], (0, 0, 0))
                yield claim(scope == 0, reason, limit, count, scope, kind)
            else:
                yield self._tightest(keys, reason, kind, observed, at_most)

        side = LimitKind.POSITION_LONG if buying else LimitKind.POSITION_SHORT
        yield self._tightest(keys, Reason.POSITION, side, worst)
        if o["type"] != Type.REPLACE_ORDER:
            open_orders = {
                LimitScope.STRATEGY: view.strategy_orders,
                LimitScope.INSTRUMENT: view.account[3],
                LimitScope.STRATEGY_INSTRUMENT: view.strategy[3],
            }
            yield self._tightest(
                keys, Reason.OPEN_ORDERS, LimitKind.OPEN_ORDERS, lambda scope: open_orders.get(scope, view.orders) + 1
            )

        if view.accounts:
            yield from self._money_claims(o, view, keys, before, worst)

    def _money_claims(
        self,
        o: dict[str, int],
        view: View,
        keys: dict[LimitScope, tuple],
        before: int,
        worst: Callable[[LimitScope], int],
    ) -> Iterator[Claim]:
        accounts, side, number = view.accounts, o["side"], o["instrument"]
        only_reduces = worst(LimitScope.ACCOUNT) <= 0 and worst(LimitScope.STRATEGY) <= 0
        yield claim(only_reduces or accounts.totals(None)["unpriced"] == 0, Reason.NO_CONVERSION, 1, 0)
        value = max(0, o["px"] * o["leaves_qty"] - o["prev_px"] * before)

        def row(scope: LimitScope) -> int | None:
            return o["strategy"] if scope == LimitScope.STRATEGY else None

        def bound(kind: str) -> Callable[[LimitScope], int]:
            def observed(scope: LimitScope) -> int:
                now = accounts.totals(row(scope))
                then = accounts.with_more(row(scope), (number, side, value))
                if kind == "net":
                    return then["if_bought" if side == BUY else "if_sold"]
                return then[kind] if then["gross"] > now["gross"] else 0

            return observed

        def lost(kind: str) -> Callable[[LimitScope], int]:
            def observed(scope: LimitScope) -> int:
                found = accounts.totals(row(scope))
                return 0 if worst(scope) <= 0 else found["drawdown"] if kind == "drawdown" else max(0, -found["day"])

            return observed

        yield self._tightest(keys, Reason.GROSS_NOTIONAL, LimitKind.GROSS_NOTIONAL, bound("gross"))
        yield self._tightest(keys, Reason.NET_NOTIONAL, LimitKind.NET_NOTIONAL, bound("net"))
        yield self._tightest(keys, Reason.MARGIN, LimitKind.MARGIN, bound("margin"))
        yield self._tightest(keys, Reason.DAILY_LOSS, LimitKind.DAILY_LOSS, lost("day"))
        yield self._tightest(keys, Reason.DRAWDOWN, LimitKind.DRAWDOWN, lost("drawdown"))

    def _tightest(
        self,
        keys: dict[LimitScope, tuple],
        reason: Reason,
        kind: LimitKind,
        observed: Callable[[LimitScope], int],
        allowed: Callable[[LimitScope], int] | None = None,
    ) -> Claim:
        """Every scope with that limit; of those that say no, the one with the smallest limit."""
        found = [(scope, limit) for scope, key in keys.items() if (limit := self.limits.get(key, kind))]
        asked = [(allowed(scope) if allowed else limit.value, observed(scope), scope) for scope, limit in found]
        wrong = [(limit, seen, scope) for limit, seen, scope in asked if seen > limit]
        if not wrong:
            return True, Verdict()
        limit, seen, scope = min(wrong, key=lambda w: w[0])
        return False, Verdict(reason, limit, seen, int(scope), int(kind))


def claim(holds: bool, reason: Reason, limit: int, observed: int, scope: int = 0, kind: int = 0) -> Claim:
    """A claim of its own."""
    return holds, Verdict(reason, limit, observed, int(scope), int(kind))


def clamp(v: int) -> int:
    """Saturate to int64, as the record's fields do."""
    return max(INT64_MIN, min(INT64_MAX, v))
