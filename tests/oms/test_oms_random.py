"""Long random lives of orders, legal and illegal: the native OMS and its slow twin agree on everything.

`OPENBELL_REPORTS=1000000 make test ARGS=tests/oms/test_oms_random.py` makes the lives longer.
"""

import os
import random

import pytest

from openbell import _native, events
from openbell.types import RECORDS, OrderState, Reason, Type
from oracles import oms as oracle
from oracles.order_records import ACCOUNT, commands_of, fields_of, orders_of, record

RUNS = 8
STEPS = int(os.environ.get("OPENBELL_REPORTS", "9600")) // RUNS
SUMS_EVERY = max(25, STEPS // 400)
"""Steps between two looks at what the twin adds up from the beginning."""
ORDERS, STRATEGIES, INSTRUMENTS, FILLS = 8, 2, 2, 12
REPORTS = [
    Type.ACCEPTED,
    Type.REJECTED,
    Type.REPLACED,
    Type.CANCELED,
    Type.CANCEL_REJECTED,
    Type.FILLED,
    Type.FILLED,
    Type.CORRECTED,
    Type.BUSTED,
    Type.EXPIRED,
    Type.SENT,
    Type.NOT_SENT,
]

S = OrderState
IN_FLIGHT = {S.PENDING_REPLACE, S.PENDING_CANCEL, S.IN_DOUBT}
WORKING = {S.NEW, S.PARTIALLY_FILLED} | IN_FLIGHT
ENDED = {S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED}
# I5: what may follow what in one step. Ended states are absorbing; PENDING_NEW never returns, except out of doubt
# or when a cancel of an order not yet acknowledged was refused.
MAY_FOLLOW = {
    S.PENDING_NEW: WORKING | ENDED,
    S.NEW: WORKING | ENDED - {S.REJECTED},
    S.PARTIALLY_FILLED: WORKING | ENDED - {S.REJECTED},
    S.PENDING_REPLACE: WORKING | ENDED - {S.REJECTED},
    S.PENDING_CANCEL: WORKING | ENDED | {S.PENDING_NEW},
    S.IN_DOUBT: WORKING | ENDED | {S.PENDING_NEW},
}


class Pair:
    """One OMS, twice."""

    def __init__(self) -> None:
        self.native = _native.Oms(ORDERS, STRATEGIES, INSTRUMENTS, FILLS)
        self.twin = oracle.Oms(ORDERS, STRATEGIES, INSTRUMENTS, FILLS)
        self.epoch = 0
        self.ids: list[int] = []
        self.start()

    def start(self) -> None:
        self.epoch += 1
        self.native.on_started(record("Started", type=Type.STARTED, node=3, epoch=self.epoch))
        self.twin.on_started()

    def command(self, **fields: int) -> None:
        data = record("Order", **fields)
        assert self.native.on_command(data) == self.twin.on_command(commands_of(data)[0])

    def report(self, **fields: int) -> None:
        data = record("Report", **fields)
        kind, ended, filled_in = self.native.on_report(data)
        before = fields_of(data, RECORDS["Report"])[0]
        twin_kind, twin_ended = self.twin.on_report(before)
        assert (kind.name, ended) == (twin_kind, twin_ended), (before, self.twin.find(before["cl_ord_id"]))
        order = self.twin.find(fields["cl_ord_id"])
        if order is not None:
            after = fields_of(filled_in, RECORDS["Report"])[0]
            expected = {
                "strategy": order.strategy,
                "side": order.side,
                "instrument": order.instrument,
                "tag": order.tag,
            }
            assert after == before | expected | {"leaves_qty": order.leaves}

    def adjust(self, strategy: int, instrument: int, qty: int, px: int, cash: int) -> None:
        by_hand = events.adjustment(strategy, instrument, qty=qty, px=px, cash=cash)
        assert self.native.adjust(by_hand) == self.twin.adjust(strategy, instrument, qty, px, cash)

    def resolve(self) -> None:
        reports = fields_of(self.native.on_resolved(0), RECORDS["Report"])
        assert all(r["reason"] == Reason.NEVER_REACHED_VENUE and r["type"] == Type.NOT_SENT for r in reports)
        assert [(r["cl_ord_id"], r["command"], r["version"]) for r in reports] == self.twin.on_resolved()

    def compare(self) -> None:
        assert orders_of(self.native.live_orders()) == [o.fields() for o in self.twin.live.values()]
        for cl_ord_id, order in self.twin.ended.items():
            assert orders_of(self.native.find(cl_ord_id)) == [order.fields()]
        assert (self.native.ended, self.native.recycled) == (len(self.twin.ended), self.twin.recycled)

    def compare_sums(self) -> None:
        self.native.audit()
        for instrument in range(INSTRUMENTS):
            for native_id, twin_id in [(0, 0), (1, 1), (ACCOUNT, None)]:
                assert self.native.exposure(native_id, instrument) == self.twin.exposure(twin_id, instrument)  # I7, I8
            for strategy in range(STRATEGIES):
                position = self.native.position(strategy, instrument)
                assert self.twin.position(strategy, instrument).items() <= position.items()
                assert position["qty"] == position["buys"] - position["sells"]
                assert position["cash"] == position["realized"] - position["cost"]
            parts = [self.native.position(s, instrument) for s in range(STRATEGIES)]
            account = self.native.position(ACCOUNT, instrument)
            for name in ("qty", "cash", "fills", "fees"):  # I12: strategies add up to the account
                assert account[name] == sum(p[name] for p in parts)
            fills = [f for f in self.twin.every_fill if f["instrument"] == instrument and not f["busted"]]
            signed = sum(f["qty"] if f["side"] == 1 else -f["qty"] for f in fills)
            signed += sum(qty for _, i, qty in self.twin.adjustments if i == instrument)
            assert account["qty"] == signed  # I12: the position is the sum of signed fills and adjustments
            assert account["fees"] == sum(fee for _, i, fee in self.twin.charges if i == instrument)

    def check_invariants(self, before: dict[int, OrderState]) -> None:
        for cl_ord_id in self.ids:
            order = self.twin.find(cl_ord_id)
            if order is None:
                continue
            if not order.overfilled:
                assert order.cum + order.leaves + order.gone == order.qty  # I6
            old, new = before.get(cl_ord_id), order.state()
            assert old is None or old == new or new in MAY_FOLLOW.get(old, set()), (old, new)  # I5

    def reload(self) -> None:
        saved = self.native.save()
        grown, recycled = self.native, self.native.recycled
        self.native = _native.Oms(ORDERS, STRATEGIES, INSTRUMENTS, FILLS)
        self.native.load(saved)
        assert self.native.save() == saved
        assert self.native.counters() == grown.counters()
        self.twin.recycled -= recycled  # a statistic of the process, not state


def likely_report(rng: random.Random, pair: Pair, cl_ord_id: int) -> dict[str, int]:
    """A report that a venue could plausibly send about that order now, right or wrong by a little."""
    order = pair.twin.find(cl_ord_id)
    version = 1
    if order:
        newest = order.newest
        version = rng.choice([order.version, max(0, order.version - 1), newest, newest, 0, newest + rng.randint(0, 1)])
    leaves = order.leaves if order else 10
    return {
        "type": rng.choice(REPORTS),
        "cl_ord_id": cl_ord_id,
        "order_id": rng.randint(0, 3),
        "version": version,
        "exec_id": rng.choice([0, *range(1, 40)]),
        "last_px": rng.choice([99, 100, 101, 101, 102, 0]),
        "last_qty": rng.choice([1, 10, 10, max(1, leaves // 2), leaves, leaves, leaves + 5, -3]),
        "px": rng.choice([0, 99, 100, 101]),
        "leaves_qty": rng.choice([leaves, leaves, leaves + 1, 10, 0, -1]),
        "command": rng.choice([Type.NEW_ORDER, Type.NEW_ORDER, Type.REPLACE_ORDER, Type.CANCEL_ORDER, 0]),
        "reason": rng.choice([0, Reason.USER_CANCEL]),
    }


def random_command(rng: random.Random, pair: Pair) -> dict[str, int]:
    kind = rng.choice([Type.NEW_ORDER, Type.REPLACE_ORDER, Type.REPLACE_ORDER, Type.CANCEL_ORDER])
    strategy = rng.choice([0, 0, 0, 1, 1, 1, 2])
    fields = {
        "type": kind,
        "strategy": strategy,
        "instrument": rng.choice([0, 0, 0, 1, 1, 2]),
        "ts_event": rng.randint(1, 9),
        "side": rng.choice([1, 1, 1, 2, 2, 2, 0]),
        "px": rng.choice([99, 100, 101, 0]),
        "tag": rng.randint(0, 5),
        "qty": rng.choice([10, 20, 50, 100, 100, 0, 2**44 + 1]),
        "version": 1,
    }
    if kind == Type.NEW_ORDER:
        fields["cl_ord_id"] = pair.native.reserve(strategy) or rng.choice([0, *pair.ids[-3:]])
        pair.ids.append(fields["cl_ord_id"])
    else:
        fields["cl_ord_id"] = rng.choice(pair.ids[-12:] or [1])
        order = pair.twin.find(fields["cl_ord_id"])
        newest = order.newest if order else 1
        step = 1 if kind == Type.REPLACE_ORDER else 0
        fields["version"] = rng.choice([newest + step] * 4 + [0, newest + 1 - step, 1])
    return fields


def step(rng: random.Random, pair: Pair) -> None:
    draw = rng.random()
    if draw < 0.25:
        pair.command(**random_command(rng, pair))
    elif draw < 0.27:
        px, cash = rng.choice([0, 99, 101, 2**48, -1]), rng.choice([0, 0, -30, 2**60])
        qty = rng.choice([0, 7, -7, 40, -40, 2**44, -(2**44), 2**44 + 1, -(2**63)])
        pair.adjust(rng.choice([0, 1, 1, 2, ACCOUNT]), rng.choice([0, 1, 1, 2]), qty, px, cash)
    elif draw < 0.98:
        known = [*list(pair.twin.live) * 3, *pair.twin.ended, *pair.ids[-10:], 12345]
        pair.report(**likely_report(rng, pair, rng.choice(known)))
    elif draw < 0.99:
        pair.start()
    else:
        pair.resolve()


@pytest.mark.parametrize("run", range(RUNS))
def test_random_lives_of_orders_agree_with_the_slow_twin(run: int, seed: int):
    rng = random.Random(f"{seed}-{run}")
    pair = Pair()

    for number in range(STEPS):
        before = {i: o.state() for i in pair.ids[-40:] if (o := pair.twin.find(i)) is not None}
        step(rng, pair)
        pair.ids = pair.ids[-40:]
        pair.compare()
        pair.check_invariants(before)
        if number % SUMS_EVERY == 0:
            pair.compare_sums()
        if number % 200 == 199:
            pair.reload()

    counters = pair.native.counters()
    kinds = ("applied", "ignored", "unknown", "duplicates", "illegal", "overfills", "beyond_asked")
    assert all(counters[name] > 0 for name in kinds)
