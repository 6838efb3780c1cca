"""The grid: where it rests, what a fill moves, and when it gives up."""

from tests.strategies.floor import Asked, Floor, asked_of, reference

from openbell.types import Side

BUY, SELL = Side.BUY, Side.SELL
SIZE = 100


def grid(**params) -> Floor:
    floor = Floor(reference("grid", **{"step_ticks": 5, "levels": 3, "stop_steps": 2} | params))
    floor.book(9_999, 10_001)
    floor.accept_all()
    return floor


def levels(floor: Floor) -> list[tuple[Side, float]]:
    return [(o.side, o.px) for o in floor.open_orders()]


def trade(floor: Floor, side: Side, px: float, qty: int = SIZE) -> None:
    """An order at that price is executed."""
    live = next(o for o in floor.probe.engine.live_orders() if (o.side, o.px) == (side, round(px * 100)))
    order = {"cl_ord_id": live.cl_ord_id, "version": live.version, "side": side, "instrument": 0, "tif": 0}
    floor.fill(order | {"qty": live.leaves_qty, "px": live.px}, qty)
    floor.accept_all()


def test_a_grid_rests_a_clip_at_every_step_around_where_it_began():
    floor = grid()

    assert levels(floor) == [
        *((BUY, 9_995), (BUY, 9_990), (BUY, 9_985)),
        *((SELL, 10_005), (SELL, 10_010), (SELL, 10_015)),
    ]
    assert {o.qty for o in floor.open_orders()} == {SIZE}


def test_what_was_bought_is_offered_one_step_up_and_bought_again_once_it_is_sold():
    floor = grid()

    floor.book(9_993, 9_997)
    trade(floor, BUY, 9_995)
    assert levels(floor) == [
        *((BUY, 9_990), (BUY, 9_985)),
        *((SELL, 10_000), (SELL, 10_005), (SELL, 10_010), (SELL, 10_015)),
    ]

    trade(floor, SELL, 10_000)
    assert levels(floor)[0] == (BUY, 9_995)
    assert floor.position() == 0


def test_half_a_clip_is_offered_while_the_other_half_still_rests():
    floor = grid()
    floor.book(9_993, 9_997)

    trade(floor, BUY, 9_995, qty=40)

    assert Asked(0, BUY, 9_995, 60) in floor.open_orders()
    assert Asked(0, SELL, 10_000, 40) in floor.open_orders()


def test_a_level_that_would_trade_at_once_waits_until_the_market_has_passed():
    floor = Floor(reference("grid", step_ticks=5, levels=1))
    floor.book(9_990, 10_010)
    floor.accept_all()
    floor.book(10_001, 10_003)
    trade(floor, BUY, 9_995)  # in the dip that we have not seen: sold at 10 000 it would meet the bid

    assert (SELL, 10_000) not in levels(floor)
    floor.book(9_997, 9_999)
    floor.accept_all()
    assert (SELL, 10_000) in levels(floor)


def test_beyond_its_last_level_a_grid_closes_and_begins_again_there():
    floor = grid()
    for px in (9_995, 9_990, 9_985):
        floor.book(px - 2, px + 2)
        trade(floor, BUY, px)
    assert floor.position() == 3 * SIZE

    floor.book(9_968, 9_970)  # 6 steps down
    floor.accept_all()
    floor.book(9_967, 9_969)
    for _ in range(3):
        (order,) = floor.new_orders()
        assert asked_of(order) == Asked(0, SELL, 9_967, SIZE)
        floor.fill(order)
        floor.book(9_967, 9_969, bid_qty=400 + floor.seq)

    assert floor.position() == 0
    floor.accept_all()
    assert levels(floor)[0] == (BUY, 9_963)
    assert floor.strategy.rounds == 1


def test_a_grid_that_is_stopped_ends_flat():
    floor = grid()
    floor.book(9_993, 9_997)
    trade(floor, BUY, 9_995)

    floor.stop()
    floor.fill_all()

    assert (floor.position(), floor.open_orders(), floor.refused) == (0, [], [])
