"""Limits of every kind and scope, drawn at random; now and then one that makes no sense."""

import random

from tests.engine import desk as d

from openbell import events
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, LimitKind, LimitScope
from oracles.limits import REQUIRED, Key

USUAL: dict[LimitKind, list[int]] = {
    LimitKind.ORDER_QTY: [10, 1_000],
    LimitKind.ORDER_NOTIONAL: [10**7, 10**12],
    LimitKind.COLLAR_BPS: [50, 200, 1_000],
    LimitKind.DRIFT_BPS: [50, 200, 1_000],
    LimitKind.POSITION_LONG: [20, 200, 2_000],
    LimitKind.POSITION_SHORT: [20, 200, 2_000],
    LimitKind.OPEN_ORDERS: [2, 8, 50],
    LimitKind.ORDER_RATE: [0, 2, 10, 100],
    LimitKind.MESSAGE_RATE: [5, 7, 200],
    LimitKind.DUPLICATES: [0, 1, 5],
    LimitKind.REPEATS: [0, 1, 5],
    LimitKind.ORDERS_PER_TRADE: [1, 20],
    LimitKind.BOOK_AGE: [0, 1_500, 100_000],
    LimitKind.PERMISSION: [15, 15, 7, 11, 1],
    LimitKind.GROSS_NOTIONAL: [10**8, 10**9, 10**15],
    LimitKind.NET_NOTIONAL: [0, 10**8, 10**15],
    LimitKind.MARGIN: [10**7, 10**15],
    LimitKind.MARGIN_BPS: [1_000, 10_000, 20_000],
    LimitKind.DAILY_LOSS: [0, 10**6, 10**15],
    LimitKind.DRAWDOWN: [0, 10**6, 10**15],
}
SUMS = (LimitKind.GROSS_NOTIONAL, LimitKind.NET_NOTIONAL, LimitKind.MARGIN, LimitKind.DAILY_LOSS, LimitKind.DRAWDOWN)
WINDOWED = (LimitKind.DRIFT_BPS, LimitKind.ORDER_RATE, LimitKind.MESSAGE_RATE, LimitKind.DUPLICATES, LimitKind.REPEATS)
RESERVED = (LimitKind.MESSAGE_RATE, LimitKind.ORDERS_PER_TRADE)
WINDOWS_NS = [7_000, 40_000, 200_000, 2_000_000]


def random_limit(rng: random.Random) -> bytes:
    """One record that sets a limit, or takes one away again."""
    kind, scope = rng.choice(list(USUAL)), rng.choice(list(LimitScope)[1:])
    if rng.random() < 0.97:
        scope = sensible_scope(kind, scope)
    strategy, instrument = where(rng, scope)
    value = rng.choice(USUAL[kind]) if rng.random() < 0.995 else rng.choice([-1, 2**63 - 1])
    wide = rng.random() < 0.5  # so that orders get through
    return events.limit(
        kind,
        value if not wide or kind == LimitKind.PERMISSION else max(USUAL[kind]),
        scope=scope,
        strategy=strategy,
        instrument=instrument,
        window_ns=rng.choice(WINDOWS_NS) if kind in WINDOWED and rng.random() < 0.998 else 0,
        reserve=rng.choice([0, 2, 5]) if kind in RESERVED else 0,
        version=rng.randint(1, 9),
        is_removed=rng.random() < 0.4 and not is_required(kind, scope),
    )


def removed(key: Key, kind: LimitKind) -> bytes:
    """The record that takes a limit away."""
    scope, first, second = key
    where = {
        LimitScope.FIRM: {},
        LimitScope.ACCOUNT: {"account": first},
        LimitScope.STRATEGY: {"strategy": first},
        LimitScope.INSTRUMENT: {"instrument": first},
        LimitScope.STRATEGY_INSTRUMENT: {"strategy": first, "instrument": second},
    }[scope]
    return events.limit(kind, 0, scope=scope, is_removed=True, **where)


def optional(desk: d.Desk) -> list[tuple[Key, LimitKind]]:
    """Every limit in force that could be taken away."""
    rows = desk.twin.risk.limits.rows
    return [(key, kind) for key, row in rows.items() for kind in row if not is_required(kind, key[0])]


def sensible_scope(kind: LimitKind, scope: LimitScope) -> LimitScope:
    """A scope in which the kind means something."""
    if kind in (LimitKind.DRIFT_BPS, LimitKind.MARGIN_BPS):
        return LimitScope.INSTRUMENT
    if kind in SUMS and scope > LimitScope.STRATEGY:
        return LimitScope.FIRM
    return scope


def is_required(kind: LimitKind, scope: LimitScope) -> bool:
    """Whether nothing trades without it."""
    return kind in REQUIRED.get(scope, ())


def where(rng: random.Random, scope: LimitScope) -> tuple[int, int]:
    """Strategy and instrument of a scope."""
    strategy = rng.randint(0, 1) if scope in (LimitScope.STRATEGY, LimitScope.STRATEGY_INSTRUMENT) else NO_STRATEGY
    if scope not in (LimitScope.INSTRUMENT, LimitScope.STRATEGY_INSTRUMENT):
        return strategy, NO_INSTRUMENT
    return strategy, rng.randint(0, 1)
