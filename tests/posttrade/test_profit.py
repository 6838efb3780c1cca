"""Profit by strategy and instrument: marks that would close the position, exact money, both methods."""

from dataclasses import replace

import pytest
from tests.posttrade.trades import AAPL, COIN, trade

from openbell.posttrade.blotter import Blotter
from openbell.posttrade.profit import closing_px, profit_rows

USD = 10**18
TOUCH = (1_500_000, 100, 1_500_100, 200)


def rows(*trades, touch=TOUCH, assets=(AAPL, COIN), **options):
    blotter = Blotter(assets=dict(enumerate(assets)), trades={t.key: t for t in trades})
    return profit_rows(blotter, lambda _: touch, **options)


def test_a_long_position_is_marked_at_the_bid():
    [row] = rows(trade(100, 1_490_000, 1), trade(-40, 1_510_000, 2))

    assert (row.trades, row.bought, row.sold, row.position) == (2, 100, 40, 60)
    assert (row.realized, row.unrealized, row.total) == (80 * USD, 60 * USD, 140 * USD)


def test_a_short_position_is_marked_at_the_ask():
    [row] = rows(trade(-100, 1_490_100, 1))

    assert row.unrealized == -100 * USD


def test_methods_differ_in_when_not_in_what():
    trades = trade(10, 1_400_000, 1), trade(10, 1_500_000, 2), trade(-10, 1_500_000, 3)
    [fifo], [average] = rows(*trades), rows(*trades, method="average")

    assert (fifo.realized, average.realized) == (100 * USD, 50 * USD)
    assert fifo.total == average.total


def test_fees_and_strategies_are_kept_apart():
    bought = trade(10, 1_500_000, 1, strategy=1, fee=1_000)
    trades = bought, trade(-10, 1_500_100, 2, strategy=2), trade(5, 100, 3, instrument=1)
    one, three, two = rows(*trades)

    assert (one.strategy, one.fees, one.total) == (1, 10**17, -(10**17))
    assert (three.strategy, three.symbol) == (2, "AAPL")
    assert (two.strategy, two.symbol, two.currency) == (3, "BTCUSDT", "USDT")


def test_busted_trades_do_not_count():
    [row] = rows(trade(10, 1_500_000, 1), trade(10, 1_500_000, 2, is_busted=True))

    assert (row.trades, row.bought) == (1, 10)


def test_a_symbol_of_two_venues_is_named_with_the_feed_and_stays_one_asset():
    home, away = trade(10, 1_500_000, 1), trade(-10, 1_500_100, 2, instrument=2)
    both = rows(home, away, assets=(AAPL, COIN, replace(AAPL, venue=1)), feeds=("home", "away"))
    other = rows(home, trade(5, 100, 3, instrument=1), assets=(AAPL, replace(COIN, venue=1)), feeds=("home", "away"))

    assert [(row.symbol, row.asset) for row in both] == [("AAPL@home", "AAPL"), ("AAPL@away", "AAPL")]
    assert [row.symbol for row in other] == ["AAPL", "BTCUSDT"]


@pytest.mark.parametrize(
    ("position", "touch", "mark"),
    [(5, (9, 0, 11, 1), None), (-5, (9, 1, 11, 0), None), (0, (9, 0, 11, 0), 0), (5, (9, 1, 0, 0), 9)],
)
def test_where_nobody_stands_there_is_no_mark(position, touch, mark):
    assert closing_px(position, touch) == mark


def test_a_total_without_a_mark_is_not_known():
    [row] = rows(trade(10, 1_500_000, 1), touch=(0, 0, 0, 0))

    assert (row.unrealized, row.total) == (None, None)
