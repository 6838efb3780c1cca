"""One side of bench/peer_hftbacktest.py, in the peer's own environment: `run` on standard input is one backtest.

After shared bench/peers/bt_hftbacktest.py. The peer's exact FIFO queue for order-by-order data and its faster book
(a vector of prices); the exchange without partial fills, since its other one ends in an error on such flow (2.4.4).
"""

import json
import sys
import time

import hftbacktest
import numpy as np
from hftbacktest import (
    ADD_ORDER_EVENT,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    EXCH_EVENT,
    FILL_EVENT,
    GTX,
    LIMIT,
    LOCAL_EVENT,
    MODIFY_ORDER_EVENT,
    SELL_EVENT,
    BacktestAsset,
    ROIVectorMarketDepthBacktest,
    event_dtype,
)
from numba import njit, uint64

ADD, REDUCE, EXECUTE = range(3)
LATENCY_NS = 50_000
EVERY = 100
TICK = 0.01


def events_of(path):
    """An execution is a fill and what it leaves of the order: two events; the rate counts ours."""
    rows = np.load(path, mmap_mode="r")
    is_fill = rows["kind"] == EXECUTE
    repeats = np.where(is_fill, 2, 1)
    index = np.repeat(np.arange(len(rows)), repeats)
    first = np.zeros(len(index), bool)
    first[(np.cumsum(repeats) - repeats)[is_fill]] = True
    of = rows[index]
    left = np.where(of["left"] == 0, CANCEL_ORDER_EVENT, MODIFY_ORDER_EVENT)
    kind = np.where(first, FILL_EVENT, np.where(of["kind"] == ADD, ADD_ORDER_EVENT, left)).astype(np.uint64)
    events = np.zeros(len(of), event_dtype)
    side = np.where(of["is_buy"] == 1, BUY_EVENT, SELL_EVENT).astype(np.uint64)
    events["ev"] = kind | side | np.uint64(EXCH_EVENT) | np.uint64(LOCAL_EVENT)
    events["exch_ts"] = of["ts"]
    events["local_ts"] = of["ts"] + LATENCY_NS
    events["px"] = of["px"] / 10_000
    events["qty"] = np.where(first | (of["kind"] == ADD), of["qty"], of["left"])
    events["order_id"] = of["order_id"]
    return len(rows), events


@njit
def per_event(hbt, every):
    """Read the touch on every event; every hundredth cancel and join both touches."""
    order_id = uint64(1)
    seen = requotes = 0
    touch = 0.0
    while True:
        what = hbt.wait_next_feed(False, 10**15)
        if what != 2 and what != 3:
            return seen, requotes, touch
        seen += 1
        depth = hbt.depth(0)
        touch = depth.best_bid + depth.best_ask
        if seen % every == 0:
            requotes += 1
            hbt.clear_inactive_orders(0)
            orders = hbt.orders(0).values()
            while orders.has_next():
                one = orders.get()
                if one.cancellable:
                    hbt.cancel(0, one.order_id, False)
            hbt.submit_buy_order(0, order_id, depth.best_bid, 1.0, GTX, LIMIT, False)
            hbt.submit_sell_order(0, order_id + uint64(1), depth.best_ask, 1.0, GTX, LIMIT, False)
            order_id += uint64(2)


def run(events):
    asset = BacktestAsset().data([events]).linear_asset(1.0)
    asset.constant_order_latency(LATENCY_NS, LATENCY_NS).l3_fifo_queue_model().no_partial_fill_exchange()
    low, high = float(events["px"].min()) - 1, float(events["px"].max()) + 1
    asset.trading_value_fee_model(0.0, 0.0).tick_size(TICK).lot_size(1.0).last_trades_capacity(0)
    asset.roi_lb(low).roi_ub(high)
    backtest = ROIVectorMarketDepthBacktest([asset])
    began = time.perf_counter()
    seen, requotes, _ = per_event(backtest, EVERY)
    seconds = time.perf_counter() - began
    depth = backtest.depth(0)
    touch = [round(depth.best_bid * 10_000), round(depth.best_ask * 10_000)]
    fills = int(backtest.state_values(0).num_trades)
    backtest.close()
    return {"seconds": seconds, "callbacks": seen, "requotes": requotes, "fills": fills, "touch": touch}


def main():
    rows, events = events_of(sys.argv[1])
    began = time.perf_counter()
    run(events[:2_000].copy())
    first = time.perf_counter() - began
    print(json.dumps({"version": hftbacktest.__version__, "rows": rows, "compile_s": first}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run(events)), flush=True)


main()
