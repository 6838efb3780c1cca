"""Pre-trade checks that pass: every kind of limit in every scope that may have it, hot and out of the caches."""

import numpy as np

from bench.harness import Figure, Result, samples
from openbell import _native, events
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, RECORDS, LimitKind, LimitScope, Type

STRATEGIES, INSTRUMENTS, PAIRS = 256, 10_000, 4_096
CHECKS, REPETITIONS, COLD_CHECKS = 100_000, 31, 5_000
SECOND_NS = 10**9
ANY = (
    LimitScope.FIRM,
    LimitScope.ACCOUNT,
    LimitScope.STRATEGY,
    LimitScope.INSTRUMENT,
    LimitScope.STRATEGY_INSTRUMENT,
)
VALUES = {
    LimitKind.ORDER_QTY: 500,
    LimitKind.ORDER_NOTIONAL: 10**9,
    LimitKind.COLLAR_BPS: 100,
    LimitKind.POSITION_LONG: 10_000,
    LimitKind.POSITION_SHORT: 10_000,
    LimitKind.OPEN_ORDERS: 20,
    LimitKind.PERMISSION: 15,
    LimitKind.BOOK_AGE: SECOND_NS,
    LimitKind.DRIFT_BPS: 500,
    LimitKind.ORDER_RATE: 1_000,
    LimitKind.MESSAGE_RATE: 2_000,
    LimitKind.DUPLICATES: 1_000,
    LimitKind.REPEATS: 50,
    LimitKind.ORDERS_PER_TRADE: 1_000,
}
SUMS = {LimitKind.GROSS_NOTIONAL: 10**15, LimitKind.DAILY_LOSS: 10**15}
SCOPES = dict.fromkeys(VALUES, ANY) | {LimitKind.DRIFT_BPS: (LimitScope.INSTRUMENT,)}
WINDOWED = (LimitKind.DRIFT_BPS, LimitKind.ORDER_RATE, LimitKind.MESSAGE_RATE, LimitKind.DUPLICATES, LimitKind.REPEATS)
REQUIRED = list(VALUES)[:6]


def run() -> Result:
    """Time `Risk::check` of one order again and again, and of random ones whose limits are not in any cache."""
    return Result(
        name="risk",
        input=(
            f"a passive buy of 100; {STRATEGIES} strategies, {INSTRUMENTS:_} instruments, {PAIRS:_} pairs of them with "
            f"limits of their own; {len(VALUES)} kinds of limits in all five scopes (drift in one)"
        ),
        figures=[
            _hot("new order, hot, all checks", Type.NEW_ORDER, VALUES),
            _hot("replace, hot, all checks", Type.REPLACE_ORDER, VALUES),
            _hot("new order, hot, required limits only", Type.NEW_ORDER, {}),
            *_cold(),
        ],
        notes=f"hot: mean of {CHECKS:_} checks; cold: each by itself, after its lines were flushed from the caches",
    )


def _bench(values: dict[LimitKind, int]) -> _native.RiskBench:
    bench = _native.RiskBench(STRATEGIES, INSTRUMENTS, PAIRS)
    for kind in (LimitKind.ORDER_RATE, *SUMS):
        _set(bench, LimitScope.ACCOUNT, kind)
    for instrument in range(INSTRUMENTS):
        for kind in REQUIRED:
            _set(bench, LimitScope.INSTRUMENT, kind, instrument=instrument)
    for kind in values:
        for scope in SCOPES[kind]:
            strategies = range(STRATEGIES) if scope == LimitScope.STRATEGY else (NO_STRATEGY,)
            instruments = range(INSTRUMENTS) if scope == LimitScope.INSTRUMENT else (NO_INSTRUMENT,)
            if scope == LimitScope.STRATEGY_INSTRUMENT:
                for n in range(PAIRS):
                    _set(bench, scope, kind, n % STRATEGIES, 7 + n // STRATEGIES)
                continue
            for strategy in strategies:
                for instrument in instruments:
                    _set(bench, scope, kind, strategy, instrument)
    return bench


def _set(
    bench: _native.RiskBench,
    scope: LimitScope,
    kind: LimitKind,
    strategy: int = NO_STRATEGY,
    instrument: int = NO_INSTRUMENT,
) -> None:
    window_ns = SECOND_NS if kind in WINDOWED else 0
    where = {"strategy": strategy, "instrument": instrument, "window_ns": window_ns}
    if not bench.set_limit(events.limit(kind, (VALUES | SUMS)[kind], scope=scope, **where)):
        raise RuntimeError(f"expected a limit that is taken: {kind} of {scope}, {where}")


def _order(kind: Type) -> bytes:
    row = np.zeros(1, RECORDS["Order"])
    fields = {"type": kind, "side": 1, "instrument": 7, "strategy": 3, "px": 100_000}
    for name, value in (fields | {"qty": 100, "leaves_qty": 100, "prev_qty": 100}).items():
        row[name] = int(value)
    return row.tobytes()


def _hot(name: str, kind: Type, values: dict[LimitKind, int]) -> Figure:
    bench, order = _bench(values), _order(kind)
    bench.hot(order, CHECKS)
    return samples(name, "ns/check", [bench.hot(order, CHECKS) for _ in range(REPETITIONS)], target=60)


def _cold() -> list[Figure]:
    bench, order = _bench(VALUES), _order(Type.NEW_ORDER)
    first = bench.cold(order, COLD_CHECKS, seed=7, is_known=False)
    return [
        samples("new order, cold, all checks", "ns/check", bench.cold(order, COLD_CHECKS, seed=7), target=250),
        samples("the first of its strategy in its instrument, cold, all checks", "ns/check", first),
    ]
