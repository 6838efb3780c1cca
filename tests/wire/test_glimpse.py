"""native/wire/glimpse.h: the End of Snapshot message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell import _native as native


@given(st.integers(0, 2**64 - 1))
def test_the_end_of_a_snapshot_is_21_bytes(seq: int):
    message = native.glimpse_end(seq)

    assert message == b"G" + str(seq).rjust(20).encode()
    assert native.glimpse_parse_end(message) == seq


@pytest.mark.parametrize("number", ["7".rjust(20), "7".ljust(20), "7".rjust(20, "0"), "  7".ljust(20)])
def test_padding_of_either_side_is_read(number: str):
    assert native.glimpse_parse_end(b"G" + number.encode()) == 7


@pytest.mark.parametrize("number", ["", "x", "1x", "-1", "1 2", "1\0", str(2**64), "9" * 20])
def test_an_end_without_a_number_is_none(number: str):
    assert native.glimpse_parse_end(b"G" + number.rjust(20).encode()) is None


def test_another_type_or_length_is_none():
    whole = native.glimpse_end(1_048_577)

    assert {native.glimpse_parse_end(whole[:n]) for n in range(21)} == {None}
    assert native.glimpse_parse_end(whole + b" ") is None
    assert native.glimpse_parse_end(b"S" + whole[1:]) is None
