"""Pre-trade checks without an engine around them: what the engine never asks is refused as well."""

import pytest

from openbell import _native, events
from openbell.errors import SnapshotError
from openbell.types import LimitKind, LimitScope, Reason, Type
from oracles.order_records import record

STRATEGIES, INSTRUMENTS = 2, 3
BUY, SELL = 1, 2
HELD, OPEN = 500, 100  # of the bench: its position, what is open on either side
NONE = (Reason.NONE, 0, 0, 0, 0)
GOLDEN = 0x9E37_79B9_7F4A_7C15
REQUIRED = {
    LimitKind.ORDER_QTY: 500,
    LimitKind.ORDER_NOTIONAL: 10**15,
    LimitKind.COLLAR_BPS: 1_000,
    LimitKind.POSITION_LONG: 10_000,
    LimitKind.POSITION_SHORT: 10_000,
    LimitKind.OPEN_ORDERS: 50,
}
OF_ACCOUNT = (LimitKind.ORDER_RATE, LimitKind.GROSS_NOTIONAL, LimitKind.DAILY_LOSS)


class Alone:
    """Risk with every required limit, and the shortest way to ask it."""

    def __init__(self, strategies: int = STRATEGIES, instruments: int = INSTRUMENTS, pairs: int = 4) -> None:
        self.risk = _native.RiskBench(strategies, instruments, pairs)
        for kind in OF_ACCOUNT:
            window_ns = 10**9 if kind == LimitKind.ORDER_RATE else 0
            self.limit(kind, 10**12, scope=LimitScope.ACCOUNT, window_ns=window_ns)
        for kind, value in REQUIRED.items():
            self.limit(kind, value, instrument=0)

    def limit(self, kind: LimitKind, value: int, *, is_shown: bool = True, **where: int) -> None:
        scope = where.pop("scope", LimitScope.INSTRUMENT)
        assert self.risk.set_limit(events.limit(kind, value, scope=scope, **where), is_shown)

    def ask(self, kind: Type = Type.NEW_ORDER, **terms: int) -> tuple[int, ...]:
        return self.risk.check(self.order(kind, **terms))

    def order(self, kind: Type = Type.NEW_ORDER, **terms: int) -> bytes:
        usual = {"side": BUY, "px": 100_000, "qty": 10, "leaves_qty": 10, "strategy": 0, "instrument": 0}
        return record("Order", type=kind, **usual | terms)


def test_an_order_of_a_strategy_that_is_not_there_is_refused():
    assert Alone().ask() == NONE
    assert Alone().ask(strategy=STRATEGIES - 1) == NONE
    assert Alone().ask(strategy=STRATEGIES)[:3] == (Reason.UNKNOWN_STRATEGY, STRATEGIES, STRATEGIES)


def test_an_account_that_is_not_there_has_no_limits():
    refused = (Reason.NO_LIMITS, 1, 0, LimitScope.ACCOUNT, LimitKind.ORDER_RATE)
    assert [Alone().ask(account=account) for account in (15, 16, 2**16 - 1)] == [refused] * 3


def test_more_open_than_there_is_in_all_is_none():
    assert Alone().ask(qty=9, leaves_qty=10)[:3] == (Reason.QTY_NOT_POSITIVE, 1, 9)


@pytest.mark.parametrize(
    ("executed", "prev_qty", "added"),
    [
        (0, 40, 10),  # 40 were open, 50 are
        (7, 47, 10),
        (0, OPEN, 0),
        (0, OPEN + 30, 0),  # never more than is open in all
        (60, 40, 50),  # and never less than nothing
    ],
)
def test_a_replace_adds_what_is_open_beyond_what_was(executed: int, prev_qty: int, added: int):
    alone = Alone()
    asked = {"qty": 50 + executed, "leaves_qty": 50, "prev_qty": prev_qty}
    alone.limit(LimitKind.POSITION_LONG, HELD + OPEN + added, instrument=0)
    assert alone.ask(Type.REPLACE_ORDER, **asked) == NONE
    alone.limit(LimitKind.POSITION_LONG, HELD + OPEN + added - 1, instrument=0)
    refused = alone.ask(Type.REPLACE_ORDER, **asked)
    assert refused[:3] == (Reason.POSITION, HELD + OPEN + added - 1, HELD + OPEN + added)


def test_a_drift_limits_nothing_before_any_price_was_known():
    alone = Alone()
    alone.limit(LimitKind.DRIFT_BPS, 0, instrument=0, window_ns=10**9, is_shown=False)
    assert alone.ask() == NONE
    alone.limit(LimitKind.DRIFT_BPS, 0, instrument=0, window_ns=10**9)
    assert alone.ask()[0] == Reason.PRICE_DRIFT


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"strategies": 3}, "expected 3 strategies x 3 instruments, found 2 x 3; recover with the capacity"),
        ({"instruments": 4}, "expected 2 strategies x 4 instruments, found 2 x 3; recover with the capacity"),
        ({"pairs": 5}, "expected limits_max 5, found 4; recover with the capacity"),
    ],
)
def test_a_snapshot_of_another_capacity_is_refused(other: dict[str, int], said: str):
    saved = Alone().risk.save()
    fresh = _native.RiskBench(STRATEGIES, INSTRUMENTS, 4)
    fresh.load(saved)
    assert fresh.save() == saved
    with pytest.raises(SnapshotError, match=said):
        Alone(**other).risk.load(saved)


def test_a_row_that_a_snapshot_cannot_have_is_refused():
    alone = Alone()
    alone.limit(LimitKind.ORDER_QTY, 4_711, instrument=2)
    saved = bytearray(alone.risk.save())
    at = saved.index((4_711).to_bytes(8, "little")) - 20  # before it the bits of the row, before them key and number
    rows = 2 + 16 + STRATEGIES + INSTRUMENTS + 4
    assert int.from_bytes(saved[at : at + 4], "little") == 2 + 16 + STRATEGIES + 2
    saved[at : at + 4] = rows.to_bytes(4, "little")
    with pytest.raises(SnapshotError, match=f"expected at most {rows} rows, found row {rows}"):
        Alone().risk.load(bytes(saved))


def mixed(n: int) -> int:
    h = n * GOLDEN % 2**64
    return h ^ h >> 32


def place_of_equals(px: int, qty: int, window_ns: int) -> int:
    """Among the sets in which equal orders of strategy 0 in instrument 0 are counted."""
    key = int(LimitKind.DUPLICATES)
    for part in (0, px << 8 | BUY, qty):
        key = (mixed(key ^ part) + GOLDEN) % 2**64
    return mixed(key ^ window_ns) >> 54


def test_where_more_orders_meet_than_are_counted_a_newcomer_counts_as_often_as_the_rarest():
    alone, window_ns = Alone(), 10**9
    alone.limit(LimitKind.DUPLICATES, 100, scope=LimitScope.ACCOUNT, window_ns=window_ns)
    home = place_of_equals(100_000, 1, window_ns)
    meet = (
        {"px": 100_000 - 100 * below, "qty": qty, "leaves_qty": qty}
        for below in range(90)
        for qty in range(1, 500)
        if place_of_equals(100_000 - 100 * below, qty, window_ns) == home
    )
    *four, fifth, sixth = (next(meet) for _ in range(6))
    for terms, times in zip(four, (4, 3, 2, 5), strict=True):
        for _ in range(times):
            alone.risk.hot(alone.order(**terms), 1)

    alone.limit(LimitKind.DUPLICATES, 2, scope=LimitScope.ACCOUNT, window_ns=window_ns)
    assert [alone.ask(**terms)[2] for terms in (*four, fifth)] == [5, 4, 3, 6, 3]  # with the one asked for
    alone.limit(LimitKind.DUPLICATES, 100, scope=LimitScope.ACCOUNT, window_ns=window_ns)
    alone.risk.hot(alone.order(**fifth), 1)
    alone.limit(LimitKind.DUPLICATES, 2, scope=LimitScope.ACCOUNT, window_ns=window_ns)
    assert [alone.ask(**terms)[2] for terms in (fifth, four[2], sixth)] == [4, 4, 4]  # never too little


def test_pairs_whose_keys_meet_keep_their_limits_whoever_goes():
    """Four strategies in instruments of ten places: all of them want the same one, or the next."""
    alone = Alone(strategies=256, instruments=8, pairs=4)  # an index of 16 places
    meet = [(s, i) for s in range(256) for i in range(8) if mixed(s << 32 | i) % 16 in (9, 10)][:12]
    for instrument in range(1, 8):
        for kind, value in REQUIRED.items():
            alone.limit(kind, value, instrument=instrument)
    there: dict[tuple[int, int], int] = {}

    def expect_all() -> None:
        for n, (s, i) in enumerate(meet):
            limit = there.get((s, i))
            refused = alone.ask(strategy=s, instrument=i, qty=100 + n, leaves_qty=100 + n)
            assert refused[:3] == ((Reason.ORDER_QTY, limit, 100 + n) if limit else NONE[:3])

    def remove(pair: tuple[int, int]) -> None:
        where = {"scope": LimitScope.STRATEGY_INSTRUMENT, "strategy": pair[0], "instrument": pair[1]}
        alone.limit(LimitKind.ORDER_QTY, 0, is_removed=True, **where)
        there.pop(pair, None)

    for n, (s, i) in enumerate(meet):
        if len(there) == 4:
            remove(list(there)[n % 4])
            expect_all()
        where = {"scope": LimitScope.STRATEGY_INSTRUMENT, "strategy": s, "instrument": i}
        alone.limit(LimitKind.ORDER_QTY, 50 + n, **where)
        there[s, i] = 50 + n
        expect_all()
