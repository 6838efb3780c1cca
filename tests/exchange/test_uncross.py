"""The auction's price: published cases, the rules one by one, and every tick tried."""

import random
from typing import NamedTuple

import pytest

from openbell._native import indicate, price_variation, uncross
from oracles.uncross import NO_HIGHEST, Levels, OracleAuction

WHOLE = [(0, 1)]


class Auction(NamedTuple):
    """A call as its price sees it; levels best first."""

    buys: Levels = ()
    sells: Levels = ()
    market_buys: int = 0
    market_sells: int = 0
    ticks: Levels = WHOLE
    reference: int = 0

    def uncross(self, lo: int = 1, hi: int = NO_HIGHEST) -> tuple[int, int, int]:
        return uncross(*self, lo, hi)


def random_levels(rng: random.Random, count_max: int, px_max: int, *, descending: bool) -> list[tuple[int, int]]:
    prices = rng.sample(range(1, px_max + 1), rng.randint(0, min(count_max, px_max)))
    return [(px, rng.choice((1, 5, 10, rng.randint(1, 40)))) for px in sorted(prices, reverse=descending)]


def random_auction(rng: random.Random) -> Auction:
    px_max = rng.choice((4, 12, 60))
    return Auction(
        random_levels(rng, 8, px_max, descending=True),
        random_levels(rng, 8, px_max, descending=False),
        rng.choice((0, 0, 10, rng.randint(0, 60))),
        rng.choice((0, 0, 10, rng.randint(0, 60))),
        rng.choice((WHOLE, WHOLE, [(0, 2)], [(0, 5)], [(0, 1), (10, 2)], [(0, 1), (6, 3), (30, 15)])),
        rng.choice((0, rng.randint(1, px_max), rng.randint(1, 80))),
    )


def random_range(rng: random.Random) -> tuple[int, int]:
    lo = rng.choice((1, rng.randint(1, 70)))
    return lo, rng.choice((NO_HIGHEST, lo + rng.randint(0, 30)))


PUBLISHED = {
    "A": (Auction([(103, 20), (102, 35), (101, 30), (100, 25), (99, 50)],
                  [(98, 15), (99, 20), (100, 40), (101, 45), (102, 30)], reference=100), (101, 85, -35)),
    "B": (Auction([(102, 100)], [(98, 100)], reference=101), (101, 100, 0)),
    "C": (Auction([(102, 150)], [(98, 100)], reference=100), (102, 100, 50)),
    "D": (Auction([(102, 100)], [(98, 150)], reference=100), (98, 100, -50)),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_cases_reproduce(name: str):
    auction, expected = PUBLISHED[name]

    assert auction.uncross() == expected
    assert OracleAuction(*auction).uncross() == expected


@pytest.mark.parametrize("block", range(10))
def test_every_tick_tried_finds_no_other_price(block: int, seed: int):
    for case in range(400):
        rng = random.Random(f"{seed} {block} {case}")
        auction, (lo, hi) = random_auction(rng), random_range(rng)

        assert auction.uncross() == OracleAuction(*auction).uncross(), f"{seed} {block} {case}: {auction}"
        assert auction.uncross(lo, hi) == OracleAuction(*auction).uncross(lo, hi), f"{auction} in {lo} {hi}"


def test_no_order_better_than_the_price_is_left_unfilled(rng: random.Random):
    for _ in range(3_000):
        auction = random_auction(rng)._replace(ticks=WHOLE)
        px, volume, _ = auction.uncross()
        better_buys = [qty for limit, qty in auction.buys if limit > px]
        better_sells = [qty for limit, qty in auction.sells if limit < px]

        assert not better_buys or auction.market_buys + sum(better_buys) <= volume, auction
        assert not better_sells or auction.market_sells + sum(better_sells) <= volume, auction


def test_orders_of_one_price_count_together_however_they_are_split(rng: random.Random):
    for _ in range(500):
        auction = random_auction(rng)
        split = [
            [(px, part) for px, qty in side for part in (qty // 3, qty - qty // 3)]
            for side in (auction.buys, auction.sells)
        ]

        assert auction._replace(buys=split[0], sells=split[1]).uncross() == auction.uncross(), auction


@pytest.mark.parametrize(
    ("rule", "auction", "expected"),
    [
        ("market orders only: the reference", Auction([], [], 10, 30, WHOLE, 50), (50, 10, -20)),
        ("equal market orders: the reference", Auction([], [], 30, 30, WHOLE, 50), (50, 30, 0)),
        ("market orders and no reference: no price", Auction([], [], 30, 30, WHOLE, 0), (0, 0, 0)),
        ("nothing at all: the reference", Auction([], [], 0, 0, WHOLE, 50), (50, 0, 0)),
        ("an off-tick reference: the nearest tick", Auction([], [], 10, 10, [(0, 5)], 52), (50, 10, 0)),
        ("an off-tick reference: the higher of two", Auction([], [], 10, 10, [(0, 4)], 50), (52, 10, 0)),
        ("no sells: nothing matches", Auction([(50, 10)], [], 0, 0, WHOLE, 48), (51, 0, 0)),
        ("no buys: nothing matches", Auction([], [(50, 10)], 0, 0, WHOLE, 52), (49, 0, 0)),
        ("book not crossed: between the touches", Auction([(50, 10)], [(54, 10)], 0, 0, WHOLE, 52), (52, 0, 0)),
        ("market buys above all asks: nearest to it", Auction([], [(50, 10)], 30, 0, WHOLE, 47), (50, 10, 20)),
        ("market buys above all asks: the reference", Auction([], [(50, 10)], 30, 0, WHOLE, 55), (55, 10, 20)),
        ("market sells below all bids: the reference", Auction([(50, 10)], [], 0, 30, WHOLE, 47), (47, 10, -20)),
        ("market sells below all bids: nearest to it", Auction([(50, 10)], [], 0, 30, WHOLE, 55), (50, 10, -20)),
        ("a bid that is not needed does not set the price",
         Auction([(50, 20)], [(48, 30)], 30, 0, WHOLE, 49), (51, 30, 0)),
        ("reference beyond the highest of equals", Auction([(55, 10)], [(50, 10)], 0, 0, WHOLE, 99), (55, 10, 0)),
        ("reference below the lowest of equals", Auction([(55, 10)], [(50, 10)], 0, 0, WHOLE, 9), (50, 10, 0)),
        ("surplus of both signs: the highest with buyers left",
         Auction([(28, 10)], [(18, 10), (29, 10)], 10, 0, WHOLE, 9), (28, 10, 10)),
        ("surplus of both signs: the lowest with sellers left",
         Auction([(28, 10)], [(18, 10), (29, 10)], 10, 0, WHOLE, 29), (29, 10, -10)),
        ("limits between ticks bind at the tick they accept",
         Auction([(53, 10)], [(51, 10)], 0, 0, [(0, 5)], 52), (50, 0, 10)),
        ("across a step of the tick table",
         Auction([(106, 10)], [(98, 10)], 0, 0, [(0, 1), (100, 5)], 103), (105, 10, 0)),
    ],
)  # fmt: skip
def test_rules_one_by_one(rule: str, auction: Auction, expected: tuple[int, int, int]):
    assert auction.uncross() == expected, rule
    assert OracleAuction(*auction).uncross() == expected, rule


@pytest.mark.parametrize(
    ("lo", "hi", "expected"),
    [
        (99, 100, (100, 75, 35)),
        (102, 110, (102, 55, -95)),
        (101, 101, (101, 85, -35)),
        (200, 300, (200, 0, -150)),
        (102, 101, (0, 0, 0)),
    ],
)
def test_a_range_holds_the_price_within(lo: int, hi: int, expected: tuple[int, int, int]):
    auction, _ = PUBLISHED["A"]

    assert auction.uncross(lo, hi) == expected
    assert OracleAuction(*auction).uncross(lo, hi) == expected


def test_a_range_that_holds_no_tick_gives_no_price():
    assert Auction([(103, 10)], [(103, 10)], ticks=[(0, 5)], reference=100).uncross(101, 104) == (0, 0, 0)


def test_quantities_beyond_64_bits_neither_overflow_nor_move_the_price():
    huge = 2**63 - 1
    lone = Auction([(100, huge), (99, huge)], [(98, 1)], huge, 0, WHOLE, 99)
    both = Auction([(100, huge), (99, huge)], [(98, huge), (99, huge), (100, 5)], huge, 0, WHOLE, 99)

    assert lone.uncross() == (101, 1, huge - 1)
    assert both.uncross() == (100, huge, -5)


def test_prices_up_to_the_largest_of_the_feed():
    top = 0x77359400
    auction = Auction([(top, 10)], [(top - 100, 10)], ticks=[(0, 1), (10_000, 100)], reference=top)

    assert auction.uncross() == (top, 10, 0)


def test_near_price_takes_the_book_and_far_price_only_what_came_for_the_auction():
    near = Auction([(103, 50)], [(101, 50)], 100, 70, WHOLE, 102)
    told = indicate([], [(101, 20)], near.buys, near.sells, 100, 70, WHOLE, 102)

    far_px, near_px, reference_px, paired, imbalance = told
    assert far_px == Auction([], [(101, 20)], 100, 70, WHOLE, 102).uncross()[0] == 102
    assert (near_px, paired, imbalance) == near.uncross() == (103, 120, 30)
    assert reference_px == near_px


def test_before_the_close_quantities_are_counted_inside_the_market():
    told = indicate([], [], [(103, 10)], [(104, 10)], 100, 0, WHOLE, 103, 103, 104)

    assert told == (0, 104, 104, 10, 90)


def test_an_indication_of_nothing_has_no_prices():
    assert indicate([], [], [], [], 5, 0, WHOLE, 100) == (0, 0, 100, 0, 5)


@pytest.mark.parametrize(
    ("near", "reference", "letter"),
    [(1000, 1000, "L"), (1009, 1000, "L"), (991, 1000, "L"), (1010, 1000, "1"), (901, 1000, "9"), (1100, 1000, "A"),
     (1199, 1000, "A"), (800, 1000, "B"), (1299, 1000, "B"), (1300, 1000, "C"), (9, 1000, "C"), (0, 1000, " "),
     (1000, 0, " ")],
)  # fmt: skip
def test_price_variation_is_told_in_whole_percent(near: int, reference: int, letter: str):
    assert price_variation(near, reference) == letter
