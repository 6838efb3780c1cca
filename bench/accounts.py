"""Money kept up to date: a touch that moved, by how many strategies hold it, and what an order is asked about money."""

import numpy as np

from bench.harness import Figure, Result, samples
from openbell import _native, events
from openbell.types import NO_STRATEGY, RECORDS, LimitKind, LimitScope, Side, Type

COUNT, REPETITIONS, STRATEGIES = 100_000, 31, 16
RATE_ONE = 10**8
MONEY = (LimitKind.GROSS_NOTIONAL, LimitKind.NET_NOTIONAL, LimitKind.MARGIN, LimitKind.DAILY_LOSS, LimitKind.DRAWDOWN)
REQUIRED = {
    LimitKind.ORDER_QTY: 500,
    LimitKind.ORDER_NOTIONAL: 10**9,
    LimitKind.COLLAR_BPS: 100,
    LimitKind.POSITION_LONG: 10_000,
    LimitKind.POSITION_SHORT: 10_000,
    LimitKind.OPEN_ORDERS: 20,
}


def run() -> Result:
    """Time marks with 0 to 16 holders, and checks with and without limits in money."""
    return Result(
        name="accounts",
        input=f"one instrument of 1e-4 in the base currency; marks of {COUNT:_} touches that move, then peaks",
        figures=[
            *(_marks(f"touch that moved, {holders} holders", holders) for holders in (0, 1, 2, 16)),
            _marks("touch that moved, 1 holder, another currency", 1, rate=108_512_345),
            _asked("what an order would bind, one row"),
            _checked("order check, required limits", ()),
            _checked("order check, required limits and five in money, 3 scopes", MONEY),
        ],
        notes=f"a sample is a mean of {COUNT:_}; with a holder, its row and the account's follow the touch",
    )


def _record(kind: str, **fields: int) -> bytes:
    row = np.zeros(1, RECORDS[kind])
    for name, value in fields.items():
        row[name] = int(value)
    return row.tobytes()


def _accounts(holders: int, rate: int) -> tuple[_native.Oms, _native.Accounts]:
    oms = _native.Oms(1_024, STRATEGIES, 4)
    accounts = _native.Accounts(oms)
    oms.on_started(_record("Started", type=Type.STARTED, node=1, epoch=1))
    accounts.set_instrument(oms, _record("Instrument", px_decimals=4, multiplier=1), rate)
    for strategy in range(holders):
        order = oms.reserve(strategy)
        terms = {"cl_ord_id": order, "strategy": strategy, "side": Side.BUY, "px": 1_000_000, "qty": 10, "version": 1}
        oms.on_command(_record("Order", type=Type.NEW_ORDER, **terms))
        fill = {"cl_ord_id": order, "version": 1, "last_px": 1_000_000, "last_qty": 10, "exec_id": strategy + 1}
        oms.on_report(_record("Report", type=Type.FILLED, **fill))
        accounts.refresh(strategy, 0)
    return oms, accounts


def _marks(name: str, holders: int, rate: int = RATE_ONE) -> Figure:
    _, accounts = _accounts(holders, rate)
    return samples(name, "ns/touch", [accounts.bench_marks(0, COUNT) for _ in range(REPETITIONS)])


def _asked(name: str) -> Figure:
    _, accounts = _accounts(2, RATE_ONE)
    return samples(name, "ns", [accounts.bench_worst(NO_STRATEGY, COUNT) for _ in range(REPETITIONS)])


def _checked(name: str, kinds: tuple[LimitKind, ...]) -> Figure:
    bench = _native.RiskBench(STRATEGIES, 64, 64)
    rate = events.limit(LimitKind.ORDER_RATE, 1_000, scope=LimitScope.ACCOUNT, window_ns=10**9)
    limits = [rate, *(events.limit(k, v, scope=LimitScope.INSTRUMENT, instrument=7) for k, v in REQUIRED.items())]
    sums = (LimitKind.GROSS_NOTIONAL, LimitKind.DAILY_LOSS)
    limits += [events.limit(kind, 10**15, scope=LimitScope.ACCOUNT) for kind in sums]
    for kind in kinds:
        limits += [events.limit(kind, 10**15, scope=scope) for scope in (LimitScope.FIRM, LimitScope.ACCOUNT)]
        limits.append(events.limit(kind, 10**15, scope=LimitScope.STRATEGY, strategy=3))
    for limit in limits:
        if not bench.set_limit(limit):
            raise RuntimeError("expected a limit that is taken; see bench/accounts.py")
    terms = {"side": 1, "instrument": 7, "strategy": 3, "px": 100_000, "qty": 100, "leaves_qty": 100, "prev_qty": 100}
    order = _record("Order", type=Type.NEW_ORDER, **terms)
    return samples(name, "ns/check", [bench.hot(order, COUNT) for _ in range(REPETITIONS)])
