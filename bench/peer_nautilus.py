"""The AMZN day in NautilusTrader and in openbell, alternately: a callback per event, requotes per 100."""

import statistics
from pathlib import Path

import numpy as np

from bench.amzn import amzn_tape
from bench.backtest import COUNTED, PER_EVENT, run_once
from bench.harness import Result, throughput
from bench.peers_venv import run_beside
from openbell.journal import open_journal
from openbell.types import Type

PAIRS = 7
ADD, REDUCE, EXECUTE, TRADE = range(4)
KINDS = {
    Type.BOOK_ADD: ADD,
    Type.BOOK_CANCEL: REDUCE,
    Type.BOOK_EXECUTE: EXECUTE,
    Type.TRADE: TRADE,
}
IS_BUY = 1


def run() -> Result:
    """At least 5 pairs in one run; the peer gets what helps it: no risk engine, no log, no analysis, no journal."""
    events, final_touch = day_events(amzn_tape())
    runs = (lambda: run_once(*PER_EVENT)), (lambda: run_once(*COUNTED))
    beside = run_beside("nautilus_day.py", "nautilus_trader", events, final_touch, PAIRS, *runs)
    hello, theirs, (ours, counted) = beside
    n = len(events)
    peer_rates = [n / one["seconds"] for one in theirs]
    our_rates = [one.card.events_per_s for one in ours]
    counted_rates = [one.card.events_per_s for one in counted]
    ratios = [a / b for a, b in zip(our_rates, peer_rates, strict=True)]
    counted_ratios = [a / b for a, b in zip(counted_rates, peer_rates, strict=True)]
    return Result(
        name="peer_nautilus",
        input=f"AMZN 2012-06-21 level 5, {n:_} records; NautilusTrader {hello['version']}",
        figures=[
            throughput("openbell, callback per event, requote per 100", "events/s", our_rates, target=1e6),
            throughput("NautilusTrader, the same", "events/s", peer_rates),
            throughput("ratio, pair by pair", "x", ratios, target=15.0),
            throughput("ratio with declared state journalled per event", "x", counted_ratios),
        ],
        notes=(
            f"callbacks: openbell {ours[-1].card.callbacks:_}, peer {theirs[-1]['callbacks']:_}; orders: openbell "
            f"{ours[-1].instruments[0].orders:_} and {ours[-1].instruments[0].replaces:_} replaces, peer "
            f"{theirs[-1]['orders']:_}; fills {ours[-1].instruments[0].fills:_} and {theirs[-1]['fills']:_}; openbell "
            "writes its journal and checks risk, the peer's risk engine is bypassed; both books end alike; ratio of "
            f"medians {statistics.median(our_rates) / statistics.median(peer_rates):.1f}"
        ),
    )


def day_events(tape: Path) -> "tuple[np.ndarray, list[int]]":
    """Rows (ts, kind, is_buy, px, qty, order_id, left, frame), and the touch at the end: bid px, qty, ask px, qty."""
    rows = []
    orders: dict[int, list[int]] = {}
    for batch, seqs, _ in open_journal(tape).batches("Market"):
        for record, seq in zip(batch.tolist(), seqs.tolist(), strict=True):
            type_, flags, _, _, ts, order_id, px, qty, _ = record
            kind = KINDS.get(Type(type_))
            if kind is None:
                continue
            if kind == TRADE:
                rows.append((ts, kind, flags & IS_BUY, px, qty, order_id, 0, seq))
                continue
            if kind == ADD:
                orders[order_id] = [flags & IS_BUY, px, qty]
            order = orders[order_id]
            if kind != ADD:
                qty = order[2] if kind == REDUCE and flags & 2 else qty
                order[2] -= qty
            rows.append((ts, kind, order[0], order[1], qty, order_id, order[2], seq))
            if order[2] == 0:
                del orders[order_id]
    return np.array(rows, np.int64), _touch(orders)


def _touch(orders: dict[int, list[int]]) -> list[int]:
    bid = max(px for is_buy, px, _ in orders.values() if is_buy)
    ask = min(px for is_buy, px, _ in orders.values() if not is_buy)
    at_bid = sum(left for is_buy, px, left in orders.values() if is_buy and px == bid)
    at_ask = sum(left for is_buy, px, left in orders.values() if not is_buy and px == ask)
    return [bid, at_bid, ask, at_ask]
