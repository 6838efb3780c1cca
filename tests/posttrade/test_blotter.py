"""The blotter: one line for each execution, whatever the reports did."""

from hypothesis import given
from hypothesis import strategies as st
from tests.posttrade.trades import AAPL, STRATEGY, commanded, decided, heard, listed, order_id, told

from openbell.events import fee_rate
from openbell.posttrade.blotter import Blotter, TradeKey
from openbell.types import Side, Type


def blotter(*frames):
    return Blotter().take_all([heard(1, listed(0, AAPL)), *frames])


def test_an_execution_knows_its_order():
    book = blotter(decided(2, commanded(7, Side.SELL)), heard(3, told(Type.FILLED, 7, 1, px=1_500_000, qty=40)))

    [trade] = book.trades.values()
    assert (trade.side, trade.px, trade.qty, trade.strategy, trade.seq) == (Side.SELL, 1_500_000, 40, STRATEGY, 3)
    assert book.position(0) == book.position(0, STRATEGY) == -40
    assert book.position(0, strategy=1) == 0
    assert book.assets == {0: AAPL}
    assert book.order_ids == {order_id(7)}


def test_an_execution_told_twice_counts_once():
    fill = told(Type.FILLED, 7, 1, px=10, qty=40)
    book = blotter(decided(2, commanded(7)), heard(3, fill, fill), heard(4, fill))

    assert book.position(0) == 40


def test_one_match_between_two_of_our_orders_is_two_trades():
    fills = told(Type.FILLED, 7, 1, px=10, qty=40), told(Type.FILLED, 8, 1, px=10, qty=40)
    book = blotter(decided(2, commanded(7), commanded(8, Side.SELL)), heard(3, *fills))

    assert len(book.trades) == 2
    assert book.position(0) == 0


def test_a_bust_takes_an_execution_back_once():
    frames = [decided(2, commanded(7)), heard(3, told(Type.FILLED, 7, 1, px=10, qty=40))]
    busts = [heard(4, told(Type.BUSTED, 7, 1)), heard(5, told(Type.BUSTED, 7, 1))]
    book = blotter(*frames, *busts)

    assert book.position(0) == 0
    assert next(iter(book.trades.values())).is_busted


def test_a_correction_puts_price_and_quantity_in_place_of_the_old():
    frames = [decided(2, commanded(7)), heard(3, told(Type.FILLED, 7, 1, px=10, qty=40))]
    corrections = [heard(seq, told(Type.CORRECTED, 7, 1, px=11, qty=30)) for seq in (4, 5)]
    book = blotter(*frames, *corrections)

    [trade] = book.trades.values()
    assert (trade.px, trade.qty, trade.is_corrected) == (11, 30, True)


def test_what_is_of_nothing_known_is_the_venues_claim():
    strangers = [
        told(Type.FILLED, 9, 1, px=10, qty=40),
        told(Type.FILLED, 7, 2, px=0, qty=40),
        told(Type.FILLED, 7, 3, px=10, qty=0),
        told(Type.BUSTED, 9, 4),
        told(Type.CORRECTED, 7, 5, px=10, qty=0),
    ]
    book = blotter(decided(2, commanded(7)), heard(3, *strangers))

    assert book.trades == {}
    assert book.disowned == [(3, TradeKey(order_id(n), match)) for n, match in [(9, 1), (7, 2), (7, 3), (9, 4), (7, 5)]]


def test_a_bust_or_correction_that_comes_first_waits_for_its_execution():
    early = told(Type.BUSTED, 7, 1), told(Type.CORRECTED, 7, 2, px=11, qty=30)
    fills = told(Type.FILLED, 7, 1, px=10, qty=40), told(Type.FILLED, 7, 2, px=10, qty=40)
    book = blotter(decided(2, commanded(7)), heard(3, *early), heard(4, *fills))

    assert [(t.px, t.qty, t.is_busted) for t in book.trades.values()] == [(10, 40, True), (11, 30, False)]
    assert book.position(0) == 30


def test_fees_are_those_in_force_when_the_execution_was_told():
    frames = [
        heard(2, fee_rate("R", per_lot=-2_000), fee_rate("", per_lot=3_000)),
        decided(3, commanded(7)),
        heard(4, told(Type.FILLED, 7, 1, px=1_500_000, qty=40)),
        heard(5, fee_rate("", per_lot=10_000)),
        heard(6, told(Type.FILLED, 7, 2, px=1_500_000, qty=40)),
        heard(7, told(Type.CORRECTED, 7, 1, px=1_500_000, qty=10)),
    ]

    assert [t.fee for t in blotter(*frames[:3]).trades.values()] == [1_200]
    assert [t.fee for t in blotter(*frames).trades.values()] == [1_000, 4_000]


STEPS = st.lists(
    st.tuples(
        st.sampled_from([Type.FILLED, Type.BUSTED, Type.CORRECTED]),
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(1, 9),
    ),
    max_size=40,
)


@given(STEPS)
def test_the_position_is_what_the_venue_has_told(steps):
    """Against a dictionary that knows nothing but the last word on each execution."""
    stands, dead, early = {}, set(), {}
    for kind, order, match, qty in steps:
        key = (order, match)
        if kind == Type.FILLED and key not in stands and key not in dead:
            stands[key] = early.get(key, qty)
            if stands[key] is None:
                del stands[key]
                dead.add(key)
        elif kind == Type.BUSTED and key in stands:
            del stands[key]
            dead.add(key)
        elif kind == Type.CORRECTED and key in stands:
            stands[key] = qty
        elif kind != Type.FILLED and key not in dead and early.get(key, 1) is not None:
            early[key] = None if kind == Type.BUSTED else qty
    orders = decided(2, *(commanded(number) for number in (1, 2, 3)))

    book = blotter(orders, *(heard(3 + i, told(k, o, m, px=10, qty=q)) for i, (k, o, m, q) in enumerate(steps)))

    assert book.position(0) == sum(stands.values())
