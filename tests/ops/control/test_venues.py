"""At the desk of a node on two venues: a symbol alone is stopped at both, and what is armed is one."""

import pytest
from tests.ops.control.desks import ANN, OPS, Desk

from openbell.types import Type


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.node.symbols = {"OBEL@home": 0, "RING": 1, "OBEL@away": 2}
    return desk


@pytest.mark.parametrize(("symbol", "killed"), [("OBEL", [0, 2]), ("OBEL@away", [2]), ("RING", [1])])
def test_a_kill_of_a_symbol_is_one_at_every_venue(desk: Desk, symbol: str, killed: list[int]):
    assert desk.ask(OPS, "kill", level="hard", why="odd", instrument=symbol)["ok"]
    assert [int(kill["instrument"]) for kill in desk.told(Type.KILL)] == killed
    assert len({int(kill["values"][2]) for kill in desk.told(Type.KILL)}) == len(killed)  # a ticket each


def test_an_instrument_of_one_venue_is_armed_by_its_own_name(desk: Desk):
    assert desk.ask(ANN, "arm", state="cancel_only", instrument="OBEL@away")["ok"]
    assert [int(arm["instrument"]) for arm in desk.told(Type.ARM)] == [2]


def test_a_symbol_of_several_venues_arms_nothing_and_the_refusal_names_them(desk: Desk):
    answer = desk.ask(ANN, "arm", state="cancel_only", instrument="OBEL")
    assert not answer["ok"]
    assert "it has OBEL@away, OBEL@home, RING" in answer["error"]
    assert desk.told(Type.ARM) == []


def test_an_instrument_with_the_longest_names_can_be_named(desk: Desk):
    longest = f"{'S' * 16}@{'f' * 32}"
    desk.node.symbols = {longest: 3}
    assert desk.ask(OPS, "kill", level="hard", why="odd", instrument=longest)["ok"]
    assert [int(kill["instrument"]) for kill in desk.told(Type.KILL)] == [3]
