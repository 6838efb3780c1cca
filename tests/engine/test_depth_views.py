"""Depth without our own orders, and over the venues of one asset, against sums over the orders themselves."""

import random
from collections import defaultdict

from tests.engine import desk as d
from tests.engine.desk import Desk

from openbell import _native as native
from openbell.strategy import Strategy
from openbell.types import BUY, SELL, Side, Type
from oracles.order_records import record

LEVELS = 4
Order = tuple[int, int, Side, int, int]  # instrument, order id, side, px, qty
LEVEL_BY_LEVEL: dict[Side, list[tuple[int, int]]] = {}
SEEN: dict[tuple[int, Side], tuple[list[tuple[int, ...]], list[tuple[int, ...]]]] = {}


class Looks(Strategy):
    def on_book(self, _: native.Context, book: native.BookView) -> None:
        for side in (BUY, SELL):
            one_by_one = [(book.others_px(side, level), book.others_qty(side, level)) for level in range(LEVELS)]
            LEVEL_BY_LEVEL[side] = [level for level in one_by_one if level != (0, 0)]
            SEEN[book.instrument, side] = book.depth_without_own(side, LEVELS), book.consolidated_depth(side, LEVELS)


def look(desk: Desk, instruments: range) -> None:
    """Ask the views of every instrument, in one more frame that changes each book by an order far away."""
    host = native.StrategyHost()
    host.add(2, "looks", Looks(), [f"SYM{n}" for n in instruments])
    far = [d.add(10_000 + n, 1, 1, buy=True, instrument=n) for n in instruments]
    SEEN.clear()
    desk.probe.decide(b"".join(far), desk.seq + 1, desk.now + 1, d.FEED, strategies=host)


def levels_of(orders: list[Order], instrument: int, side: Side) -> list[tuple[int, int, int]]:
    """(px, qty, orders), best first: the slow way."""
    found = defaultdict(list)
    for number, _, own_side, px, qty in orders:
        if (number, own_side) == (instrument, side):
            found[px].append(qty)
    return [(px, sum(found[px]), len(found[px])) for px in sorted(found, reverse=side == BUY)]


def test_depth_without_own_is_that_of_the_others(rng: random.Random):
    for _ in range(20):
        desk = d.trading_desk()
        others = [(0, 1, BUY, 1_000_000, 100), (0, 2, SELL, 1_020_000, 100), (0, 10_000, BUY, 1, 1)]
        for order_id in range(100, 100 + rng.randrange(12)):
            side, away = rng.choice([BUY, SELL]), rng.randrange(4) * 100
            px = 1_000_000 - away if side == BUY else 1_020_000 + away
            others.append((0, order_id, side, px, rng.randrange(1, 50)))
            desk.feed(d.add(order_id, px, others[-1][4], buy=side == BUY))
        bid, ask = 1_000_000 - rng.randrange(4) * 100, 1_020_000 + rng.randrange(4) * 100
        desk.feed(d.add(50, 999_000, 1, buy=True), script=(d.quote(0, bid, 10, ask, 7),))
        others.append((0, 50, BUY, 999_000, 1))
        placed = desk.sent
        desk.outcomes()
        for order_id, c in zip((901, 902), placed, strict=True):
            confirmed = {"version": 1, "order_id": order_id, "px": c["px"], "leaves_qty": c["qty"]}
            desk.hear(d.report(Type.ACCEPTED, c["cl_ord_id"], **confirmed))
            desk.feed(d.add(order_id, c["px"], c["qty"], buy=c["side"] == BUY))

        look(desk, range(1))

        for side in (BUY, SELL):
            expected = levels_of(others, 0, side)[:LEVELS]
            assert SEEN[0, side][0] == expected
            assert LEVEL_BY_LEVEL[side] == [(px, qty) for px, qty, _ in expected]


def test_the_consolidated_book_is_that_of_every_valid_venue_of_the_asset(rng: random.Random):
    for _ in range(20):
        desk = Desk()
        desk.start()
        for number, asset in enumerate((7, 7, 8)):
            desk.feed(
                record("Instrument", type=Type.INSTRUMENT, instrument=number, venue=number + 3, tick=100, lot=1,
                       asset=asset, symbol=f"SYM{number}".encode())
            )  # fmt: skip
        orders = [(n, 10_000 + n, BUY, 1, 1) for n in range(3)]
        for order_id in range(1, rng.randrange(2, 40)):
            side, number = rng.choice([BUY, SELL]), rng.randrange(3)
            px = (100 - rng.randrange(3) if side == BUY else 101 + rng.randrange(3)) * 100
            orders.append((number, order_id, side, px, rng.randrange(1, 50)))
            desk.feed(d.add(order_id, px, orders[-1][4], buy=side == BUY, instrument=number))
        is_broken = rng.random() < 0.3
        if is_broken:
            desk.feed(d.market(Type.BOOK_CANCEL, 1, order_id=99_999, qty=1))

        look(desk, range(3))

        venues = {0: [0] if is_broken else [0, 1], 2: [2]}
        for number, of_asset in venues.items():
            for side in (BUY, SELL):
                rows = [(px, qty, n + 3, n) for n in of_asset for px, qty, _ in levels_of(orders, n, side)[:LEVELS]]
                rows.sort(key=lambda row: -row[0] if side == BUY else row[0])
                assert SEEN[number, side][1] == rows[:LEVELS]
