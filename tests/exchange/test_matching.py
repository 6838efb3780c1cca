"""The matching engine against its oracle, and the rules one by one."""

import random

import pytest

from openbell._native import (
    MARKET_PX,
    MATCH_EVENT_FIELDS,
    InstrumentRules,
    MatchingEngine,
    OrderType,
    Phase,
    PostOnly,
    Refusal,
    Terms,
)
from openbell.types import Side, Tif
from oracles.matching import OracleMatching

BUY, SELL = Side.BUY, Side.SELL
NAMES = {1: "accepted", 2: "rested", 3: "executed", 4: "reduced", 5: "discarded", 6: "replaced"}
CAUSES = {0: "", 1: "user", 2: "ioc", 3: "post_only"}
PRIORITIES = {0: "", 1: "kept", 2: "lost", 3: "reentered"}


def terms(px, qty, tif=Tif.DAY, post_only=False, min_qty=0):
    return Terms(
        px,
        qty,
        tif=tif,
        type=OrderType.MARKET if px == MARKET_PX else OrderType.LIMIT,
        post_only=PostOnly.REJECT if post_only else PostOnly.NO,
        min_qty=min_qty,
    )


class Engine:
    """The native engine, speaking like the oracle: orders are numbered by first appearance."""

    def __init__(self, *, orders_max: int = 1 << 10, matches: bool = True) -> None:
        self.native = MatchingEngine([InstrumentRules("OBEL", ticks=[(0, 1)])], orders_max, matches)
        self.native.set_phase(0, Phase.CONTINUOUS)
        self.native.take_events()
        self.numbers: dict[int, int] = {}
        self.refs: dict[int, int] = {0: 0}

    def submit(self, side, *what):
        return self._number(self.native.submit(0, 0, side, terms(*what))[0])

    def replace(self, number, *what):
        return self._number(self.native.replace(self.refs.get(number, 0), terms(*what))[0])

    def reduce(self, number, leaves):
        return self.native.reduce(self.refs.get(number, 0), leaves)

    def events(self):
        return [self._event(row) for row in self.native.take_events()]

    def _number(self, ref):
        if ref == 0:
            return 0
        number = self.numbers.setdefault(ref, len(self.numbers) + 1)
        self.refs[number] = ref
        return number

    def _event(self, row):
        e = dict(zip(MATCH_EVENT_FIELDS, row, strict=True))
        return (
            NAMES[e["type"]], Side(e["side"]), CAUSES[e["cause"]], PRIORITIES[e["priority"]], self._number(e["ref"]),
            self._number(e["aggressor_ref"] or e["prev_ref"]), e["match_number"], e["px"], e["qty"], e["leaves"],
        )  # fmt: skip


def trades(engine):
    return [(order, aggressor, px, qty) for name, _, _, _, order, aggressor, _, px, qty, _ in engine.events()
            if name == "executed"]  # fmt: skip


def random_terms(rng: random.Random) -> tuple[int, int, Tif, bool, int]:
    px = MARKET_PX if rng.random() < 0.05 else rng.randint(95, 105)
    qty = rng.randint(1, 20)
    tif = rng.choices((Tif.DAY, Tif.IOC, Tif.FOK), (8, 1, 1))[0]
    post_only = tif == Tif.DAY and px != MARKET_PX and rng.random() < 0.1
    return px, qty, tif, post_only, rng.randint(1, qty) if tif == Tif.IOC and rng.random() < 0.5 else 0


@pytest.mark.parametrize("seed", range(30))
def test_random_sequences_make_engine_and_oracle_say_the_same(seed):
    rng = random.Random(seed)
    orders_max = rng.choice((8, 512))
    matches = seed % 5 != 0
    engine = Engine(orders_max=orders_max, matches=matches)
    oracle = OracleMatching(MARKET_PX, orders_max, matches)
    for _ in range(600):
        side, what, number = rng.choice((BUY, SELL)), random_terms(rng), rng.randint(0, oracle.refs + 1)
        verb = rng.random()
        if verb < 0.6:
            native, slow = engine.submit(side, *what), oracle.submit(side, *what)
        elif verb < 0.8:
            native, slow = engine.replace(number, *what), oracle.replace(number, *what)
        else:
            leaves = rng.choice((0, 0, 3, 25, -1))
            native, slow = engine.reduce(number, leaves), oracle.reduce(number, leaves)
        events = engine.events()

        assert (native, events) == (slow, oracle.events), f"seed {seed}"
        assert [engine.native.touch(0, s) for s in (BUY, SELL)] == [oracle.touch(s) for s in (BUY, SELL)]
        assert engine.native.open_orders == len(oracle.orders)
        oracle.events.clear()


def test_partial_fill_leaves_the_rest_at_the_front():
    engine = Engine()
    first, second = engine.submit(SELL, 1000, 50), engine.submit(SELL, 1000, 50)

    taker = engine.submit(BUY, 1000, 30)
    assert trades(engine) == [(first, taker, 1000, 30)]

    taker = engine.submit(BUY, 1000, 40)
    assert trades(engine) == [(first, taker, 1000, 20), (second, taker, 1000, 20)]


def test_market_order_walks_the_book_and_never_rests():
    engine = Engine()
    near, far = engine.submit(SELL, 1000, 10), engine.submit(SELL, 1900, 10)

    taker = engine.submit(BUY, MARKET_PX, 25)

    assert engine.events()[-3:] == [
        ("executed", SELL, "", "", near, taker, 1, 1000, 10, 0),
        ("executed", SELL, "", "", far, taker, 2, 1900, 10, 0),
        ("discarded", BUY, "ioc", "", taker, 0, 0, MARKET_PX, 5, 0),
    ]
    assert engine.native.open_orders == 0


def test_fok_trades_everything_or_nothing():
    engine = Engine()
    maker = engine.submit(SELL, 1000, 10)

    engine.submit(BUY, 1000, 11, Tif.FOK)
    assert trades(engine) == []

    taker = engine.submit(BUY, 1000, 10, Tif.FOK)
    assert trades(engine) == [(maker, taker, 1000, 10)]


def test_smaller_size_keeps_priority_and_a_larger_one_loses_it():
    engine = Engine()
    first, second = engine.submit(SELL, 1000, 50), engine.submit(SELL, 1000, 50)

    assert engine.replace(first, 1000, 20) == first
    grown = engine.replace(first, 1000, 21)
    engine.events()

    taker = engine.submit(BUY, 1000, 60)
    assert trades(engine) == [(second, taker, 1000, 50), (grown, taker, 1000, 10)]


def test_a_dead_reference_is_never_mistaken_for_the_order_that_took_its_slot():
    engine = Engine(orders_max=1)
    dead = engine.submit(SELL, 1000, 50)
    assert engine.reduce(dead, 0)
    engine.submit(SELL, 1000, 50)

    assert not engine.reduce(dead, 0)
    assert engine.replace(dead, 999, 50) == 0


def test_a_full_engine_refuses_and_says_so():
    engine = Engine(orders_max=1)
    engine.submit(SELL, 1000, 50)

    assert engine.native.submit(0, 0, BUY, terms(1000, 50)) == (0, Refusal.FULL)
