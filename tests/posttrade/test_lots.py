"""Profit by lots: both methods against the slow truth, and against what the engine computes."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.posttrade.trades import order_id, trade

from openbell import _native
from openbell.posttrade.lots import AverageCost, Closed, FifoLots, played, unrealized
from openbell.types import RECORDS, Side, Type

TRADES = st.lists(st.tuples(st.integers(-30, 30).filter(bool), st.integers(1, 200)), max_size=40)


def trades_of(pairs):
    return [trade(qty, px, match) for match, (qty, px) in enumerate(pairs, start=1)]


def test_first_in_is_first_out():
    lots = played(FifoLots(), trades_of([(100, 10), (100, 12), (-150, 15)]))

    assert lots.closed == [Closed(100, 10, 15, 1, 3), Closed(50, 12, 15, 2, 3)]
    assert (lots.realized, lots.position, lots.cost) == (650, 50, 600)


def test_a_short_is_closed_by_buying():
    lots = played(FifoLots(), trades_of([(-100, 10), (60, 8)]))

    assert (lots.realized, lots.position, lots.cost) == (120, -40, -400)


def test_a_trade_through_flat_closes_and_opens():
    lots = played(FifoLots(), trades_of([(10, 100), (-25, 110)]))

    assert (lots.realized, lots.position, list(lots.lots)) == (100, -15, [(-15, 110, 2)])


def test_the_average_leaves_its_remainder_with_what_is_open():
    average = played(AverageCost(), trades_of([(1, 10), (2, 11), (-1, 20)]))

    assert (average.realized, average.cost, average.position) == (20 - 10, 22, 2)


@pytest.mark.parametrize("method", [FifoLots, AverageCost])
def test_a_busted_trade_never_was(method):
    trades = [trade(10, 100, 1), trade(5, 90, 2, is_busted=True), trade(-10, 120, 3)]

    assert played(method(), trades).realized == 200


def slow_fifo(pairs):
    """One share at a time."""
    open_shares, realized = deque(), 0
    for qty, px in pairs:
        sign = 1 if qty > 0 else -1
        for _ in range(abs(qty)):
            if open_shares and open_shares[0][0] != sign:
                was, at = open_shares.popleft()
                realized += was * (px - at)
            else:
                open_shares.append((sign, px))
    return realized, sum(s for s, _ in open_shares), sum(s * p for s, p in open_shares)


@given(TRADES)
def test_fifo_is_what_share_by_share_gives(pairs):
    lots = played(FifoLots(), trades_of(pairs))

    assert (lots.realized, lots.position, lots.cost) == slow_fifo(pairs)


@given(TRADES, st.integers(1, 300))
def test_both_methods_agree_on_the_total(pairs, mark):
    fifo, average = played(FifoLots(), trades_of(pairs)), played(AverageCost(), trades_of(pairs))

    for profit in (fifo, average):
        assert profit.cash == profit.realized - profit.cost
        assert profit.realized + unrealized(profit, mark) == profit.cash + profit.position * mark
    assert fifo.position == average.position


@given(TRADES)
def test_the_engine_computes_the_same_average(pairs):
    oms = _native.Oms(64, 8, 1)
    oms.on_started(row("Started", Type.STARTED, node=1, epoch=1))
    for number, (qty, px) in enumerate(pairs, start=1):
        side, cl_ord_id = (Side.BUY if qty > 0 else Side.SELL), order_id(number)
        terms = {"cl_ord_id": cl_ord_id, "side": int(side), "px": px, "qty": abs(qty), "version": 1, "strategy": 3}
        oms.on_command(row("Order", Type.NEW_ORDER, leaves_qty=abs(qty), **terms))
        oms.on_report(row("Report", Type.FILLED, cl_ord_id=cl_ord_id, exec_id=number, last_px=px, last_qty=abs(qty)))

    average, held = played(AverageCost(), trades_of(pairs)), oms.position(3, 0)

    assert (held["qty"], held["cash"], held["realized"]) == (average.position, average.cash, average.realized)


def row(name, kind, **fields):
    made = np.zeros(1, RECORDS[name])
    for field, value in {"type": int(kind), **fields}.items():
        made[field] = value
    return made.tobytes()
