"""The pair, the trend and the portfolio: what makes them trade, how much, and how they end."""

import numpy as np
import pytest
from tests.strategies.floor import CENT, SECOND, Asked, Floor, asked_of, reference

from openbell.types import Side

BUY, SELL = Side.BUY, Side.SELL
MS = 1_000_000
Y, X = 0, 1


def pair(rng: np.random.Generator, looks: int = 200) -> Floor:
    """y is 5.00 + 0.9 x, x has walked, and the filter has seen it: nothing is held."""
    params = {"look_ms": 1_000, "warm_looks": looks - 1, "drift": 1e-9, "noise": 1e-4}
    floor = Floor(reference("pairs_kalman", **params), ticks=(CENT, CENT))
    x = 10_000
    for _ in range(looks):
        x += int(rng.integers(-8, 9))
        see(floor, x, 0)
    return floor


def see(floor: Floor, x: int, off: int) -> None:
    """x, and y so many cents from where it belongs; then a look."""
    y = 500 + 9 * x // 10 + off
    floor.book(x - 1, x + 1, instrument=X)
    floor.book(y - 1, y + 1, instrument=Y)
    floor.pass_ns(SECOND)


def test_the_filter_finds_the_ratio_and_trades_nothing_that_belongs_together(seed):
    floor = pair(np.random.default_rng(seed))

    assert floor.strategy.slope == pytest.approx(0.9, abs=0.06)
    assert floor.asked() == []


def test_y_that_is_dear_is_sold_and_x_bought_by_the_ratio_of_that_moment(seed):
    floor = pair(np.random.default_rng(seed))

    see(floor, 10_000, 20)

    (first,) = floor.new_orders()
    assert asked_of(first) == Asked(Y, SELL, 9_519, 100)
    floor.fill(first, qty=50)
    (second,) = floor.new_orders()
    assert asked_of(second) == Asked(X, BUY, 10_001, round(50 * floor.strategy.ratio))
    floor.fill(second)
    assert floor.strategy.leg.since_ns == 0


def test_a_pair_that_is_together_again_is_closed_both_legs(seed):
    floor = pair(np.random.default_rng(seed))
    see(floor, 10_000, 20)
    floor.fill_all()
    assert floor.position(Y) == -100 and floor.position(X) > 80

    see(floor, 10_000, 0)
    floor.fill_all()

    assert (floor.position(Y), floor.position(X)) == (0, 0)


def test_y_without_its_x_is_closed_where_x_does_not_trade(seed):
    floor = pair(np.random.default_rng(seed))
    see(floor, 10_000, 20)
    (first,) = floor.new_orders()
    floor.close_book(X)
    floor.fill(first)

    floor.pass_ns(500 * MS)

    assert asked_of(floor.new_orders()[0]) == Asked(Y, BUY, 9_521, 100)


def trend(**params) -> Floor:
    """Ten bars that go nowhere: 100.00 and 100.04 in turn."""
    usual = {"bar_s": 1.0, "entry_bars": 8, "exit_bars": 4, "volatility_span": 10.0, "target": 5.0, "leverage_max": 9.0}
    floor = Floor(reference("breakout", **usual | params))
    for n in range(12):
        bar(floor, 10_000 + 4 * (n % 2))
    assert floor.asked() == []
    return floor


def bar(floor: Floor, px: int) -> None:
    """A bar that ends at a price."""
    floor.book(px - 1, px + 1)
    floor.pass_ns(SECOND)


def test_a_break_of_the_channel_is_followed_and_the_opposite_exit_ends_it():
    floor = trend(position_max=300, size=300)

    bar(floor, 10_010)
    floor.fill_all()
    assert floor.position() == 300 and floor.strategy.direction == 1

    bar(floor, 10_005)  # a pause above the lowest of the last four bars
    floor.fill_all()
    assert floor.position() == 300
    bar(floor, 9_999)
    floor.fill_all()
    assert floor.position() <= 0


def test_a_break_down_is_sold():
    floor = trend(position_max=300, size=100)

    bar(floor, 9_990)

    (first,) = floor.new_orders()
    assert asked_of(first) == Asked(0, SELL, 9_989, 100)
    floor.fill(first)
    floor.fill_all()
    assert floor.position() == -300


def test_the_size_targets_volatility():
    calm = trend(position_max=10**6, size=10**6, target=0.1, leverage_max=100.0)
    bar(calm, 10_010)
    wild = trend(position_max=10**6, size=10**6, target=0.2, leverage_max=100.0)
    bar(wild, 10_010)

    of_calm, of_wild = calm.strategy.wanted, wild.strategy.wanted
    squares = calm.strategy.squares.value
    year_s = 252 * 6.5 * 3_600
    assert of_calm == pytest.approx(100_000 * 0.1 / (squares * year_s) ** 0.5 / 100.10, rel=0.01)
    assert of_wild == pytest.approx(2 * of_calm, abs=2)


ASSETS = 3


def portfolio(rng: np.random.Generator, scales: tuple[float, ...], looks: int = 120, **params) -> Floor:
    """Three assets at 100.00 whose returns are independent and of these sizes in cents; then the first rebalancing."""
    usual = {"warm_looks": looks - 2, "every_looks": looks - 1, "span": 200.0, "shrink": 0.5, "size": 10_000}
    floor = Floor(reference("rebalancer", **usual | params), ticks=(CENT,) * ASSETS)
    prices = [10_000] * ASSETS
    for _ in range(looks):
        for n in range(ASSETS):
            prices[n] = 10_000 + round(scales[n] * rng.normal())
            floor.book(prices[n] - 1, prices[n] + 1, instrument=n, bid_qty=9_000, ask_qty=9_000)
        floor.pass_ns(SECOND)
    return floor


def test_equal_risk_holds_less_of_what_moves_more(seed):
    floor = portfolio(np.random.default_rng(seed), (10.0, 20.0, 40.0), weight_max=1.0)

    floor.fill_all()

    held = [floor.position(n) for n in range(ASSETS)]
    total = sum(held)
    assert [h / total for h in held] == pytest.approx([4 / 7, 2 / 7, 1 / 7], abs=0.05)
    assert sum(h * 100.0 for h in held) == pytest.approx(100_000.0, rel=0.02)


def test_mean_variance_stays_within_its_bounds_and_may_be_short(seed):
    floor = portfolio(np.random.default_rng(seed), (10.0, 20.0, 40.0), is_risk_parity=False, weight_max=0.3, belief=1.0)

    floor.fill_all()

    weights = [floor.position(n) * 100.0 / 100_000.0 for n in range(ASSETS)]
    assert all(abs(weight) <= 0.301 for weight in weights)
    assert any(weights)


def test_a_weight_that_is_off_by_less_than_the_band_is_left_alone(seed):
    floor = portfolio(np.random.default_rng(seed), (10.0, 10.0, 10.0), band=0.9)

    assert floor.strategy.rebalanced == 1
    assert floor.asked() == []


@pytest.mark.parametrize("make", [lambda: trend(position_max=300), None], ids=["breakout", "rebalancer"])
def test_whoever_is_stopped_ends_flat(make, seed):
    floor = make() if make else portfolio(np.random.default_rng(seed), (10.0, 10.0, 10.0))
    if make:
        bar(floor, 10_010)
    floor.fill_all()
    assert floor.position() != 0

    floor.stop()
    floor.fill_all()

    assert all(floor.position(n) == 0 for n in range(len(floor.ticks)))
