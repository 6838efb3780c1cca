"""Decimal text to int64: exactly, or not at all."""

from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.errors import DecodeError
from openbell.feed.fixed import INT64_MAX, Scale, fixed


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [
        ("61737.63000000", 8, 6_173_763_000_000),
        ("61737.63000000", 2, 6_173_763),
        ("5", 3, 5_000),
        ("5.", 3, 5_000),
        ("-0.5", 1, -5),
        ("0.00000000", 0, 0),
        ("9223372036854775807", 0, INT64_MAX),
        ("-9.223372036854775807", 18, -INT64_MAX),
    ],
)
def test_digits_become_units(text, decimals, value):
    assert fixed(text, decimals) == value


@pytest.mark.parametrize(
    "text", ["", ".", "-", ".5", "1.2.3", "1e5", "NaN", "inf", " 1", "1 ", "+1", "1_000", "٣", "²", "1,5", "0x1", "--1"]
)
@pytest.mark.parametrize("decimals", [0, 8])
def test_what_is_no_plain_decimal_number_is_refused(text, decimals):
    with pytest.raises(DecodeError, match="expected a decimal number"):
        fixed(text, decimals)


@pytest.mark.parametrize(("text", "decimals"), [("1.234", 2), ("9223372036854775808", 0), ("10", 18), ("9" * 41, 0)])
def test_what_would_lose_a_digit_or_leaves_int64_is_refused(text, decimals):
    with pytest.raises(DecodeError, match="expected"):
        fixed(text, decimals)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6).map(lambda d: f"{d:f}"), st.integers(0, 9))
def test_the_value_is_that_of_decimal_or_an_error(text, decimals):
    exact = Decimal(text).scaleb(decimals)
    if exact == exact.to_integral_value() and abs(exact) <= INT64_MAX and len(text) <= 40:
        assert fixed(text, decimals) == int(exact)
    else:
        with pytest.raises(DecodeError):
            fixed(text, decimals)


@given(st.text(max_size=12), st.integers(0, 18))
def test_any_text_is_a_number_or_a_typed_error(text, decimals):
    try:
        value = fixed(text, decimals)
    except DecodeError:
        return
    try:
        assert Decimal(text).scaleb(decimals) == value
    except InvalidOperation:
        pytest.fail(f"{text!r} is no number, found {value}")


def test_a_scale_learns_decimals_and_the_step_they_share():
    scale = Scale()
    for text in ("30244", "30243.50000000", "0", "30250.25"):
        scale.see(text)
    assert (scale.decimals, scale.step) == (2, 25)
    assert Scale().step == 1


def test_merged_scales_have_seen_what_both_have():
    one, other, both = Scale(), Scale(), Scale()
    for scale, texts in ((one, ("1.50", "3")), (other, ("0.125", "2"))):
        for text in texts:
            scale.see(text)
            both.see(text)
    one.merge(other)
    assert (one.decimals, one.step) == (both.decimals, both.step) == (3, 125)
