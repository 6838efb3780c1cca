"""Zero-intelligence flow through the matching engine against the exact chains of Cont, Stoikov, Talreja (2010).

`make cst` plays all 75 cells 400 000 times and follows the book for 20 million events; here is a part of it.
"""

import math

import pytest
from bench.cst import EVENTS, book, cells, is_in_range, paths

from openbell._native import FlowBook, PoissonRates, sky_perfect
from openbell.errors import ConfigError
from oracles import cont_stoikov_talreja as exact

TRIALS, SEED, SIGMAS = 40_000, 7, 4.5
PUBLISHED_UP_FIRST = [  # rows: 1 to 5 bids, columns: 1 to 5 asks
    [0.5000, 0.3352, 0.2590, 0.2158, 0.1878],
    [0.6648, 0.5000, 0.4069, 0.3479, 0.3072],
    [0.7410, 0.5931, 0.5000, 0.4366, 0.3906],
    [0.7842, 0.6521, 0.5634, 0.5000, 0.4523],
    [0.8122, 0.6928, 0.6094, 0.5477, 0.5000],
]
CELLS = [(1, 1), (1, 5), (5, 1), (2, 3), (4, 2), (5, 5)]
UNSTEADY = {"spread 3", "mid, kurtosis in 1 minute", "volatility of 370 trades at 743 ticks"}
"""Statistics that are not within 4 % before tens of millions of events."""


def flow_book(seed=SEED):
    return FlowBook(sky_perfect(5), seed)


def test_the_chains_give_the_published_table():
    table = [[exact.up_first(bids, asks) for asks in range(1, 6)] for bids in range(1, 6)]

    assert [[round(p, 4) for p in row] for row in table] == PUBLISHED_UP_FIRST


def test_the_chains_do_not_care_which_side_is_which():
    for bids, asks in CELLS:
        assert exact.up_first(bids, asks) + exact.up_first(asks, bids) == pytest.approx(1, abs=1e-7)
        assert exact.both_filled_first(bids, asks) == pytest.approx(exact.both_filled_first(asks, bids))


@pytest.mark.parametrize("event", EVENTS)
def test_frequencies_through_the_engine_are_the_probabilities_of_the_chains(event):
    for cell in cells(TRIALS, SEED, [(event, *cell) for cell in CELLS]):
        deviation = math.sqrt(cell.exact * (1 - cell.exact) / TRIALS)
        assert abs(cell.measured - cell.exact) < SIGMAS * deviation, f"seed {SEED}, {TRIALS} trials: {cell}"


def test_the_long_run_book_is_the_published_one():
    found = book(paths(3_000_000, SEED))

    outside = {name: value for name, value in found.items() if name not in UNSTEADY and not is_in_range(name, value)}
    assert outside == {}, f"seed {SEED}"
    assert all(is_in_range(name, found[name], tolerance=0.1) for name in UNSTEADY), f"seed {SEED}: {found}"


def test_one_seed_gives_one_flow():
    def signs(seed):
        return flow_book(seed).run(20_000).trade_signs

    assert signs(7) == signs(7)
    assert signs(7) != signs(8)


def test_orders_come_at_their_rates():
    path = flow_book().run(1_000_000)
    minutes = path.time

    assert path.limits == pytest.approx(2 * sum(sky_perfect(5).limit) * minutes, rel=0.01)
    assert len(path.trade_signs) == pytest.approx(2 * 0.94 * minutes, rel=0.03)


def test_beyond_the_table_the_rates_are_the_power_law():
    rates = sky_perfect(30)

    assert rates.limit[:5] == [1.85, 1.51, 1.09, 0.88, 0.77]
    assert rates.limit[5:] == pytest.approx([1.92 * i**-0.52 for i in range(6, 31)])
    assert (rates.market, rates.cancel) == (0.94, [0.71, 0.81, 0.68, 0.56, 0.47])
    assert sky_perfect(2).limit == [1.85, 1.51]


@pytest.mark.parametrize(
    "rates",
    [
        ([], 1.0, [1.0]),
        ([1.0], 1.0, []),
        ([1.0], -1.0, [1.0]),
        ([math.inf], 1.0, [1.0]),
        ([0.0], 1.0, [1.0]),
        ([1.0], 1.0, [0.0]),
    ],
)
def test_rates_that_are_none_are_refused(rates):
    with pytest.raises(ConfigError, match="rates: expected"):
        FlowBook(PoissonRates(*rates), SEED)


def test_a_trial_needs_both_queues():
    for event in EVENTS:
        for queues in ((0, 1), (1, 0)):
            with pytest.raises(ConfigError, match="at least 1 of each"):
                getattr(flow_book(), event)(*queues, 1)
