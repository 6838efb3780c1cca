"""Strategies that are stopped, started, flattened and replaced at the desk: who may, what is refused, what is told."""

from dataclasses import replace

import pytest
from tests.ops.control.desks import ANN, BOB, CALM, OPS, TOM, VIC, Desk

from openbell._native import OperatorVerb
from openbell.ops.control.desk import PROPOSED
from openbell.ops.control.permissions import Act
from openbell.ops.control.replacing import Replacement
from openbell.ops.control.world import Target
from openbell.types import KillLevel, Type

MAKER = Target(strategy=0)


@pytest.mark.parametrize(
    ("act", "who", "verb", "qty_max"),
    [
        ("stop", OPS, OperatorVerb.STRATEGY_STOP, 0),
        ("start", TOM, OperatorVerb.STRATEGY_START, 0),
        ("flatten", OPS, OperatorVerb.STRATEGY_FLATTEN, 40),
    ],
)
def test_one_person_stops_starts_and_flattens(act, who, verb, qty_max):
    desk = Desk()
    desk.desk.clips = {"maker": 40}

    assert desk.ask(who, "strategy", strategy="maker", act=act)["done"] == f"{act} strategy maker"

    (told,) = desk.told(Type.OPERATOR)
    assert (told["code"], told["strategy"]) == (verb, 0)
    assert list(told["values"][:2]) == [qty_max, who]


def test_who_may_only_look_stops_nothing():
    desk = Desk()
    for act in ("stop", "start", "flatten"):
        assert "found vic with viewer" in desk.ask(VIC, "strategy", strategy="maker", act=act)["error"]
    assert "expected one of the node's" in desk.ask(OPS, "strategy", strategy="baker", act="stop")["error"]


def test_what_is_held_is_released_before_it_starts():
    desk = Desk()
    desk.node.scopes[MAKER] = replace(CALM, killed=KillLevel.HARD)
    said = desk.ask(TOM, "strategy", strategy="maker", act="start")["error"]
    assert "strategy maker is killed (hard): expected a release, found none" in said
    assert desk.ask(TOM, "strategy", strategy="maker", act="stop")["ok"]


def test_a_full_ring_is_told():
    desk = Desk()
    desk.node.room = 0
    said = desk.ask(OPS, "strategy", strategy="maker", act="stop")["error"]
    assert said.startswith("stop strategy maker: the trading thread takes no commands")


class FakeReplacing:
    """Has looked at the second time of asking; `is_current` is whether what runs is still what it was compared with."""

    def __init__(self) -> None:
        self.answers = [None, Replacement(("maker: source a -> b",), lambda: self.is_current, self._records)]
        self.is_current = True
        self.by = None

    def look(self, *asked):
        assert asked == ("maker", "maker.py", "")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _records(self, by):
        self.by = by
        return (b"\7" * 128,)


@pytest.fixture
def replaced():
    desk = Desk()
    desk.desk.replacing = FakeReplacing()
    return desk, {"strategy": "maker", "act": "replace", "file": "maker.py", "why": "a better one"}


def test_a_version_is_looked_at_proposed_and_approved_by_another_person(replaced):
    desk, request = replaced

    assert desk.ask(TOM, "strategy", **request)["looking"] == "maker"
    assert desk.ask(TOM, "strategy", **request)["proposal"]["says"] == ["maker: source a -> b"]
    assert desk.log()[-1] == (TOM, Act.REPLACE, PROPOSED)
    assert desk.ask(BOB, "approve", proposal="p-0")["done"] == "maker: source a -> b"

    assert b"\7" * 128 in desk.node.records
    assert (desk.desk.replacing.by.uid, desk.desk.replacing.by.approver_uid) == (TOM, BOB)


def test_a_version_that_was_overtaken_is_compared_again(replaced):
    desk, request = replaced
    for _ in range(2):
        desk.ask(TOM, "strategy", **request)
    desk.desk.replacing.is_current = False
    assert "compare again" in desk.ask(ANN, "approve", proposal="p-0")["error"]
    assert b"\7" * 128 not in desk.node.records


def test_a_version_without_a_reason_or_a_node_that_calls_none_is_refused(replaced):
    desk, request = replaced
    assert "expected why, found nothing" in desk.ask(TOM, "strategy", **request | {"why": ""})["error"]
    desk.desk.replacing = None
    assert "this node calls no strategies" in desk.ask(TOM, "strategy", **request)["error"]
