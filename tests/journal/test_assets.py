"""What the instruments of a journal are called: the venue is said where the symbol alone does not tell."""

from dataclasses import replace

import pytest

from openbell.journal.assets import Asset, is_called, names_of

OBEL = Asset("OBEL", "USD", 4, 0, 1)
RING = replace(OBEL, symbol="RING")


def test_a_symbol_of_one_venue_is_its_name():
    assert names_of({0: OBEL, 1: replace(RING, venue=1)}, ("home", "away")) == {0: "OBEL", 1: "RING"}


def test_a_symbol_of_two_venues_is_named_with_the_feed():
    assets = {0: OBEL, 1: RING, 2: replace(OBEL, venue=1)}

    assert names_of(assets, ("home", "away")) == {0: "OBEL@home", 1: "RING", 2: "OBEL@away"}
    assert names_of(assets, ("home",)) == {0: "OBEL@home", 1: "RING", 2: "OBEL@1"}  # a journal of before


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("OBEL", ["OBEL@home", "OBEL@away"]), ("OBEL@away", ["OBEL@away"]), ("RING", ["RING"]), ("OB", []), ("", [])],
)
def test_a_symbol_alone_means_that_of_every_venue(asked: str, meant: list[str]):
    assert [name for name in ("OBEL@home", "RING", "OBEL@away") if is_called(name, asked)] == meant
