"""One pre-trade check that passes: nineteen rules, account and strategy scope, tables in the cache."""

from time import thread_time_ns

import numpy as np

from bench.harness import Figure, Result, samples
from openbell import _native
from openbell.types import NO_STRATEGY, RECORDS, ArmState, Reason, TradingState, Type

CHECKS, REPETITIONS = 200_000, 51
LIMITS = {
    "order_qty_max": 500,
    "order_notional_max": 10**9,
    "position_max": 10_000,
    "collar_bps": 100,
    "open_orders_max": 20,
}


def _record(kind: str, **fields: int) -> bytes:
    record = np.zeros(1, RECORDS[kind])
    for name, value in fields.items():
        record[name] = value
    return record.tobytes()


def run() -> Result:
    """Time `Risk::check` of a new order and of a replace, `CHECKS` at a time within one native call."""
    risk = _native.Risk(16, 64)
    risk.arm(ArmState.FULL)
    for strategy in (3, NO_STRATEGY):
        risk.set_limits(_record("Limits", strategy=strategy, instrument=7, **LIMITS))
    return Result(
        name="risk",
        input="a passive buy of 100 in one instrument, account and strategy limits set, 19 rules in both scopes",
        figures=[_figure(risk, "new order, hot", Type.NEW_ORDER), _figure(risk, "replace, hot", Type.REPLACE_ORDER)],
        notes=f"mean of {CHECKS:_} checks of the same order: caches and branches warm; processor time of the thread",
    )


def _figure(risk: _native.Risk, name: str, kind: Type) -> Figure:
    order = _record("Order", type=kind, side=1, instrument=7, strategy=3, px=100_000, qty=100, prev_qty=100)
    view = (_record("Instrument", tick=100, lot=1), (100_000, 300, 100_200, 400), True, TradingState.TRADING)
    exposure = (500, 100, 100, 2)
    spent = []
    for _ in range(REPETITIONS):
        start = thread_time_ns()
        reason, _, _ = risk.check(order, 100, *view, exposure, exposure, repeat=CHECKS)
        spent.append((thread_time_ns() - start) / CHECKS)
        if reason != Reason.NONE:
            raise RuntimeError(f"expected a check that passes, found {reason}; see bench/risk.py")
    return samples(name, "ns/check", spent, target=60)
