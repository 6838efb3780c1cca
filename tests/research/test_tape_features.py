"""Features of the native pass are those of the slow one: integers exactly, floats to 1e-12."""

import math
import warnings
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from openbell.errors import CapacityError, ConfigError
from openbell.research import features
from openbell.types import Type
from oracles import market_pass as oracle
from research.market_tape import write_level_tape, write_market_tape

SUMS = ("order_flow_imbalance", "trades", "volume", "signed_volume")
INTS = ("ts", "instrument", "bid_px", "bid_qty", "ask_px", "ask_qty", *SUMS, "trade_sign")
FLOATS = ("mid", "microprice", "imbalance", "realised_volatility")


@pytest.fixture
def tape(tmp_path, seed):
    return write_market_tape(tmp_path / "tape", 700, seed)


def quiet(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return features(*arguments, **options)


def expect_same(found, rows):
    assert len(found) == len(rows) > 10
    for name in INTS:
        assert found[name].to_list() == [row[name] for row in rows], name
    for name in FLOATS:
        np.testing.assert_allclose(found[name], [row[name] for row in rows], rtol=1e-12, atol=0, err_msg=name)


@pytest.mark.parametrize("every_ns", [0, 500_000, 1_370_001])
@pytest.mark.parametrize("signs", ["auto", "lee-ready"])
@pytest.mark.parametrize("clock", ["event", "receipt"])
def test_the_slow_pass_says_the_same(tape, every_ns, signs, clock):
    found = quiet(tape, every=every_ns, signs=signs, clock=clock)

    expect_same(found, oracle.features(tape, [0, 1, 2], every=every_ns, signs=signs, clock=clock))


@pytest.mark.parametrize("levels", [2, 5, 64])
def test_imbalance_of_more_levels(tape, levels):
    expect_same(quiet(tape, levels=levels), oracle.features(tape, [0, 1, 2], levels=levels))


@pytest.mark.parametrize("every_ns", [0, 5_000_000])
@pytest.mark.parametrize("kinds", [(Type.BOOK_LEVEL,), (Type.QUOTE,), (Type.QUOTE, Type.BOOK_LEVEL)])
def test_books_by_price_and_by_quote(tmp_path, seed, kinds, every_ns):
    tape = write_level_tape(tmp_path / "tape", 600, seed, kinds)

    found = quiet(tape, levels=3, every=every_ns)

    expect_same(found, oracle.features(tape, [0], levels=3, every=every_ns))


def test_prints_of_nasdaq_have_no_side(tmp_path, seed):
    tape = write_market_tape(tmp_path / "tape", 500, seed, calendar="XNAS")

    expect_same(quiet(tape), oracle.features(tape, [0, 1, 2], sided=False))


@pytest.mark.parametrize("every_ns", [0, 500_000])
def test_a_part_of_the_tape_knows_the_book_before_it(tape, every_ns):
    whole = quiet(tape)["ts"]
    start, end = whole[len(whole) // 3], whole[2 * len(whole) // 3] + 5

    found = quiet(tape, start=start, end=end, every=every_ns)

    expect_same(found, oracle.features(tape, [0, 1, 2], start=start, end=end, every=every_ns))


def test_one_instrument_alone(tape):
    found = quiet(tape, instruments=["BETA"])

    assert found["symbol"].unique().to_list() == ["BETA"]
    expect_same(found, oracle.features(tape, [1]))


def test_order_flow_of_intervals_is_that_of_their_events(tmp_path, seed):
    tape = write_market_tape(tmp_path / "tape", 500, seed, breaks=0)
    events, seconds = features(tape), features(tape, every=timedelta(milliseconds=10))

    for name in SUMS:
        sums = [frame.group_by("symbol").sum().sort("symbol")[name].to_list() for frame in (events, seconds)]
        assert sums[0] == sums[1], name
    variances = [(f["realised_volatility"] ** 2).sum() for f in (events, seconds)]
    assert math.isclose(*variances, rel_tol=1e-12)


def test_rows_of_intervals_are_in_order_of_time(tape):
    found = quiet(tape, every=500_000)

    keys = list(zip(found["ts"], found["instrument"], strict=True))
    assert all(one < two for one, two in pairwise(keys))
    assert all(ts % 500_000 == 0 for ts in found["ts"])


def test_prices_can_be_exact_decimals_or_floats(tape):
    ints, decimals, floats = (quiet(tape, prices=p) for p in ("int", "decimal", "float"))

    assert [int(px.scaleb(4)) for px in decimals["bid_px"]] == ints["bid_px"].to_list()
    assert floats["ask_px"].to_list() == [px / 10_000 for px in ints["ask_px"]]
    np.testing.assert_allclose(decimals["mid"], ints["mid"] / 10_000, rtol=1e-15)


def test_a_contradiction_is_told(tape):
    with pytest.warns(UserWarning, match=r"expected records that fit their book, found \d"):
        features(tape)


def test_a_full_table_names_its_option(tape):
    with pytest.raises(CapacityError, match=r"their table full at seq \d+; raise book_orders_max"):
        features(tape, book_orders_max=16)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"instruments": ["ZETA"]}, "expected symbols of .*ALFA.*, found 'ZETA'"),
        ({"levels": 65}, "levels: expected 1 to 64, found 65"),
        ({"every": -1}, "every: expected 0 or more ns, found -1"),
        ({"start": "yesterday"}, "expected a time as .*found 'yesterday'"),
    ],
)
def test_what_is_not_acceptable_is_named(tape, options, message):
    with pytest.raises(ConfigError, match=message):
        features(tape, **options)
