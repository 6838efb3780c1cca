"""Money of prices and quantities: exact, rounded against us, never wrapped around."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell import _native, events
from oracles import money as oracle
from oracles.order_records import record

RATE_ONE = 10**8
PX_MAX, QTY_MAX = 2**48, 2**44
DECIMALS = st.one_of(st.integers(0, 18), st.sampled_from([0, 2, 4, 8]))
RATES = st.one_of(st.integers(-1, 10**16), st.sampled_from([RATE_ONE, 99_980_000, 1, 0]))
MULTIPLIERS = st.one_of(st.integers(-1, 10**6), st.sampled_from([1, 1, 100, 2**62]))


def scale_of(px_decimals=4, qty_decimals=0, multiplier=1, rate=RATE_ONE):
    fields = {"px_decimals": px_decimals, "qty_decimals": qty_decimals, "multiplier": multiplier}
    return _native.MoneyScale(record("Instrument", **fields), rate)


def test_itch_units_of_the_base_currency_are_money_already():
    scale = scale_of()
    assert (scale.num, scale.den) == (1, 1)
    assert scale.to_money_up(1_500_000, 100) == 150_000_000  # 100 at 150.00 are 15,000.00


def test_eight_decimals_of_a_coin_in_another_currency():
    bitcoin = scale_of(px_decimals=2, qty_decimals=8, rate=108_500_000)  # 1 EUR = 1.085 USD
    # 0.5 at 43,210.10 EUR = 23,441.47925 USD, against us
    assert bitcoin.to_money_up(4_321_010, 50_000_000) == 234_414_793
    assert bitcoin.down(4_321_010 * 50_000_000) == 234_414_792


@pytest.mark.parametrize(("units", "up", "down"), [(1, 1, 0), (-1, 0, -1), (100, 1, 1), (-101, -1, -2), (0, 0, 0)])
def test_rounding_is_against_us_on_both_sides_of_zero(units: int, up: int, down: int):
    scale = scale_of(px_decimals=6)
    assert (scale.up(units), scale.down(units)) == (up, down)


def test_the_limit_itself_fits_and_one_unit_of_price_more_does_not():
    scale = scale_of(px_decimals=6)
    assert scale.fits(px=10_000, qty=1, limit=100)
    assert not scale.fits(px=10_001, qty=1, limit=100)


@pytest.mark.parametrize(
    "no", [{"rate": 0}, {"rate": -1}, {"multiplier": 0}, {"px_decimals": 29}, {"px_decimals": 0, "multiplier": 2**62}]
)
def test_what_has_no_worth_fits_nothing(no: dict[str, int]):
    scale = scale_of(**no)
    assert not scale.is_known
    assert not scale.fits(px=1, qty=1, limit=10**18)
    assert (scale.up(0), scale.down(0)) == (2**63 - 1, -(2**63))


@given(px=DECIMALS, qty=DECIMALS, multiplier=MULTIPLIERS, rate=RATES, data=st.data())
def test_money_agrees_with_exact_fractions(px: int, qty: int, multiplier: int, rate: int, data: st.DataObject):
    native, exact = scale_of(px, qty, multiplier, rate), oracle.scale(px, qty, multiplier, rate)
    assert native.is_known == (exact is not None)
    if exact is not None:
        assert (native.num, native.den) == (exact.numerator, exact.denominator)

    units = data.draw(st.one_of(st.integers(-(2**127), 2**127 - 1), st.integers(-(10**12), 10**12)))
    # A product beyond 127 bits saturates, wherever it would have come to after dividing.
    if exact is None or abs(units * exact.numerator) < 2**127:
        assert (native.up(units), native.down(units)) == (oracle.up(exact, units), oracle.down(exact, units))
    else:
        most = 2**63 - 1 if units > 0 else -(2**63)
        assert (native.up(units), native.down(units)) == (most, most)

    order_px, order_qty = data.draw(st.integers(0, PX_MAX)), data.draw(st.integers(0, QTY_MAX))
    worth = native.to_money_up(order_px, order_qty)
    near = st.integers(max(0, worth - 2), min(2**63 - 2, worth + 2))
    limit = data.draw(near if worth < 2**63 - 1 else st.integers(0, 2**63 - 2))
    assert native.fits(order_px, order_qty, limit) == (worth <= limit)


def probe():
    capacity = _native.EngineCapacity()
    capacity.instruments_max = capacity.strategies_max = 2
    return _native.EngineProbe(capacity)


def instrument(currency: bytes, number: int = 0):
    fields = {"px_decimals": 4, "multiplier": 1, "currency": currency, "instrument": number}
    return record("Instrument", type=_native.Type.INSTRUMENT, **fields)


def test_a_conversion_gives_instruments_their_worth_and_takes_it_away():
    desk = probe()
    desk.decide(instrument(b"EUR"), 1, 1)
    assert not desk.engine.money_scale(0).is_known

    desk.decide(events.conversion("EUR", 2 * RATE_ONE), 2, 2)
    desk.decide(instrument(b"EUR", 1), 3, 3)
    assert [desk.engine.money_scale(i).num for i in (0, 1)] == [2, 2]

    fresh = probe().engine
    fresh.load(desk.engine.save())
    assert fresh.save() == desk.engine.save()
    assert fresh.money_scale(1).num == 2

    desk.decide(events.conversion("EUR", 0), 4, 4)
    assert not desk.engine.money_scale(0).is_known


def test_the_sixty_fifth_currency_has_no_worth():
    desk = probe()
    for n in range(65):
        desk.decide(events.conversion(f"C{n:02}", RATE_ONE), n + 1, n + 1)
    desk.decide(instrument(b"C63"), 66, 66)
    desk.decide(instrument(b"C64", 1), 67, 67)
    assert [desk.engine.money_scale(i).is_known for i in (0, 1)] == [True, False]
