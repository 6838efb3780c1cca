"""Makers: where they quote, how they lean, what they leave, and how they end."""

import math

import pytest
from tests.strategies.floor import CANCEL, SECOND, Asked, Floor, Quote, reference

from openbell.models import avellaneda_stoikov, gueant_lehalle
from openbell.types import Side

MAKERS = ("market_maker", "avellaneda_stoikov", "gueant_lehalle_tapia", "queue_imbalance")
STEADY = {"avellaneda_stoikov": {"sigma": 1.0}}
SIZE = 100


def maker(name: str, **params) -> Floor:
    return Floor(reference(name, **STEADY.get(name, {}) | params))


def filled(floor: Floor, side: Side) -> None:
    """The resting quote of a side trades whole."""
    order = next(c for c in floor.new_orders() if c["side"] == side)
    floor.fill(order)


def expected(bid: float, ask: float) -> tuple[float, float]:
    """Prices of the model in cents, on the tick and away from the market."""
    return math.floor(bid), math.ceil(ask)


def test_avellaneda_stoikov_quotes_the_formula_and_its_horizon_runs_down():
    floor = maker("avellaneda_stoikov", gamma=0.05, sigma=2.0, k=0.3, horizon_s=20.0)
    begun = SECOND

    for waited_s in (1, 12, 25):  # the last one in the second horizon
        floor.now = begun + waited_s * SECOND
        floor.book(10_000, 10_001)

        left = 20.0 - (floor.now - begun) / SECOND % 20.0
        quotes = avellaneda_stoikov.quotes(10_000.5, 0.0, 0.05, 2.0, 0.3, left)
        assert floor.quote() == Quote(expected(*quotes)[0], SIZE, expected(*quotes)[1], SIZE)
        floor.accept_all()


@pytest.mark.parametrize("horizon_s", [0.0, 100.0])
def test_avellaneda_stoikov_moves_both_quotes_against_its_inventory(horizon_s):
    params = {"gamma": 0.02, "sigma": 2.0, "k": 0.3, "horizon_s": horizon_s}
    floor = maker("avellaneda_stoikov", **params)
    floor.book(10_000, 10_001)
    flat = floor.quote()
    filled(floor, Side.BUY)

    floor.book(10_000, 10_001, bid_qty=400)

    long = floor.quote()
    assert long.bid < flat.bid and long.ask < flat.ask


def test_avellaneda_stoikov_without_a_volatility_measures_it_before_it_quotes():
    floor = maker("avellaneda_stoikov", sigma=0.0)
    for second in range(40):
        floor.now += SECOND
        floor.book(10_000 + 3 * (second % 2), 10_002 + 3 * (second % 2))
        if second < 20:
            assert not floor.said

    assert floor.quote().bid_qty == SIZE
    assert floor.strategy.variance.value == pytest.approx(9.0, rel=1e-3)


MODEL = {"gamma": 0.01, "sigma": 1.0, "arrival": 0.9, "k": 0.3}


@pytest.mark.parametrize("clips", [1, 2, 10, 64])
@pytest.mark.parametrize(
    "other", [{}, {"sigma": 0.0}, {"sigma": 30.0}, {"gamma": 1e-6, "sigma": 0.3}, {"gamma": 5.0, "k": 2.0}]
)
def test_gueant_lehalle_tapia_has_the_exact_distances_up_to_its_limit(clips, other):
    params = MODEL | other
    strategy = maker("gueant_lehalle_tapia", **params, clips_max=clips).strategy

    exact, _ = gueant_lehalle.stationary_distances(**params, q_max=clips)

    base = gueant_lehalle.half_spread(params["gamma"], params["k"])
    found = [strategy.base + strategy.exact.lean(float(q), clips) for q in range(-clips, clips)]
    assert strategy.base == base
    assert found == pytest.approx(exact[:-1], rel=1e-9, abs=1e-9)


def test_gueant_lehalle_tapia_quotes_the_exact_distances_and_not_the_closed_form():
    floor = maker("gueant_lehalle_tapia", **MODEL, clips_max=3)
    bids, asks = gueant_lehalle.stationary_distances(**MODEL, q_max=3)
    for held in range(3):
        floor.book(10_000, 10_001, bid_qty=400 + floor.seq)
        quotes = 10_000.5 - bids[3 + held], 10_000.5 + asks[3 + held]
        assert (floor.quote().bid, floor.quote().ask) == (expected(*quotes)[0], max(10_001, expected(*quotes)[1]))
        filled(floor, Side.BUY)


def test_gueant_lehalle_tapia_has_distances_where_states_are_beyond_a_float():
    params = MODEL | {"gamma": 10.0, "sigma": 1000.0}
    exact = maker("gueant_lehalle_tapia", **params, clips_max=64).strategy.exact

    table, _ = gueant_lehalle.stationary_distances(**params, q_max=10)  # which has no more of them
    base = gueant_lehalle.half_spread(params["gamma"], params["k"])
    assert [base + exact.lean(float(q), 64) for q in range(-9, 9)] == pytest.approx(table[1:-2], rel=1e-9)
    assert all(0.0 < exact.lean(q - 1.0, 64) < exact.lean(float(q), 64) < 1e3 for q in range(1, 64))
    assert exact.lean(0.5, 64) == 0.5 * (exact.lean(0.0, 64) + exact.lean(1.0, 64))


@pytest.mark.parametrize(("name", "most"), [("avellaneda_stoikov", "clips_max"), ("gueant_lehalle_tapia", "clips_max")])
def test_a_maker_at_its_limit_quotes_the_other_side_alone(name, most):
    floor = maker(name, **{most: 1})
    floor.book(10_000, 10_001)
    filled(floor, Side.BUY)

    floor.book(10_000, 10_001, bid_qty=400)

    assert (floor.quote().bid_qty, floor.quote().ask_qty) == (0, SIZE)


def test_a_maker_never_crosses_the_market_however_it_leans():
    floor = maker("gueant_lehalle_tapia", sigma=50.0)
    floor.book(10_000, 10_001)
    for _ in range(3):
        filled(floor, Side.BUY)
        floor.book(10_000, 10_001, bid_qty=400 + floor.seq)

    assert floor.strategy.exact.lean(3.0, 10) > 10.0
    assert floor.quote().ask == 10_001
    assert not floor.refused


@pytest.mark.parametrize(
    ("bid_qty", "ask_qty", "quote"),
    [
        (500, 500, Quote(10_000, SIZE, 10_001, SIZE)),
        (800, 200, Quote(10_000, SIZE, 10_002, SIZE)),  # buyers press: the ask steps back
        (200, 800, Quote(9_999, SIZE, 10_001, SIZE)),
        (950, 50, Quote(10_000, SIZE, 10_002, 0)),  # it is about to go: out
        (50, 950, Quote(9_999, 0, 10_001, SIZE)),
    ],
)
def test_queue_imbalance_leaves_the_queue_that_is_about_to_go(bid_qty, ask_qty, quote):
    floor = maker("queue_imbalance")

    floor.book(10_000, 10_001, bid_qty=bid_qty, ask_qty=ask_qty)

    assert floor.quote() == quote


@pytest.mark.parametrize("name", MAKERS)
def test_prices_of_others_between_ticks_are_answered_on_the_tick(name):
    floor = maker(name)

    floor.book(9_999.5, 10_000.5)

    quote = floor.quote()
    assert (quote.bid % 1.0, quote.ask % 1.0) == (0.0, 0.0)
    assert quote.bid < 10_000.5 and quote.ask > 9_999.5
    assert not floor.refused


@pytest.mark.parametrize("name", MAKERS)
def test_a_maker_pulls_when_the_book_is_not_to_be_trusted(name):
    floor = maker(name)
    floor.book(10_000, 10_001)
    floor.accept_all()
    assert len(floor.open_orders()) == 2

    floor.close_book()
    floor.book(10_000, 10_001, bid_qty=400)

    floor.accept_all()
    assert floor.open_orders() == []


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_maker_that_is_stopped_cancels_first_and_then_closes(name, side):
    floor = maker(name)
    floor.book(10_000, 10_001)
    filled(floor, side)
    floor.book(10_000, 10_001, bid_qty=400)
    floor.accept_all()
    held = SIZE if side == Side.BUY else -SIZE
    assert floor.position() == held

    floor.stop()
    assert {c["type"] for c in floor.sent} == {CANCEL}
    while floor.sent and floor.sent[0]["type"] == CANCEL:
        order = floor.sent.pop(0)
        floor.confirm(order)

    other, px = (Side.SELL, 10_000) if side == Side.BUY else (Side.BUY, 10_001)
    assert floor.asked() == [Asked(0, other, px, SIZE)]
    floor.fill_all()
    assert floor.position() == 0
    assert not floor.refused


@pytest.mark.parametrize("name", MAKERS)
def test_a_maker_that_was_stopped_quotes_again_once_the_node_is_back(name):
    floor = maker(name)
    floor.book(10_000, 10_001)
    floor.accept_all()
    floor.stop()
    floor.accept_all()
    assert floor.open_orders() == []

    floor.restart()
    floor.book(10_000, 10_001, bid_qty=400)

    assert floor.quote().bid_qty == SIZE
