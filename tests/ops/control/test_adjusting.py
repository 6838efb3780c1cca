"""A position moved by hand: by two people, written strictly, and never twice."""

import pytest
from tests.ops.control.desks import ANN, BOB, OPS, TOM, VIC, Desk

from openbell.ops.control.permissions import Act
from openbell.ops.control.proposals import VALID_FOR_NS
from openbell.types import KillLevel, Type

MOVE = {"strategy": "maker", "symbol": "OBEL", "qty": "-100", "px": "10.01", "match": 7, "why": "never told"}
BREAK = "MISSING_FILL OBEL of match 7: we have 0, venue has 100; for operations"


def desk(**more) -> Desk:
    made = Desk(**more)
    made.node.symbols = {"OBEL": 0, "COIN": 1}
    made.node.held = {(0, 0): 300}
    return made


def booked(made: Desk) -> list[tuple[int, ...]]:
    """(strategy, instrument, uid, qty, px, cash, match) of every adjustment."""
    rows = made.told(Type.ADJUSTMENT)
    return [(*(int(r[n]) for n in ("strategy", "instrument", "code")), *(int(v) for v in r["values"])) for r in rows]


def refused(made: Desk, **changed) -> str:
    answer = made.ask(ANN, "adjust", **MOVE | changed)
    assert not answer["ok"]
    assert booked(made) == []
    assert len(made.told(Type.OPERATOR)) == 1  # refusals are journalled
    return str(answer["error"])


def test_one_person_proposes_and_another_one_books():
    made = desk()
    proposal = made.ask(TOM, "adjust", **MOVE)["proposal"]
    assert proposal["says"] == ["maker OBEL -100 at 10.01 of match 7", "position 300 -> 200, as it is now"]
    assert (proposal["target"], proposal["why"]) == ("strategy maker", "never told")
    assert booked(made) == []

    answer = made.ask(BOB, "approve", proposal=proposal["id"])
    assert answer["adjusted"] == {"strategy": "maker", "symbol": "OBEL", "before": 300}
    assert booked(made) == [(0, 0, TOM, -100, 100_100, 0, 7)]
    (record,) = made.told(Type.ADJUSTMENT)
    assert bytes(record["text"]) == b"never told"
    assert made.log() == [(TOM, Act.ADJUST, 2), (TOM, Act.ADJUST, 1), (BOB, Act.APPROVE, 1)]
    (who,) = [row for row in made.told(Type.OPERATOR) if row["values"][2] == Act.ADJUST and row["values"][3] == 1]
    assert [int(v) for v in who["values"][:2]] == [TOM, BOB]
    assert [made.node.records.index(r.tobytes()) for r in (who, record)] == [1, 2]


def test_where_one_identity_is_enough_it_is_booked_at_once():
    made = desk(identities=1)
    assert (
        made.ask(ANN, "adjust", **MOVE)["done"]
        == "maker OBEL -100 at 10.01 of match 7; position 300 -> 200, as it is now"
    )
    assert booked(made) == [(0, 0, ANN, -100, 100_100, 0, 7)]
    assert made.log() == [(ANN, Act.ADJUST, 1)]


@pytest.mark.parametrize(
    ("changed", "says", "values"),
    [
        ({"qty": "", "px": "", "match": 0, "cash": "-0.3"}, "maker OBEL cash -0.3 USD", (0, 0, -3_000, 0)),
        ({"cash": "12.3456"}, "maker OBEL -100 at 10.01, cash 12.3456 USD of match 7", (-100, 100_100, 123_456, 7)),
        (
            {"symbol": "COIN", "qty": "0.5", "px": "9.99", "match": 0},
            "maker COIN 0.5 at 9.99",
            (500, 999, 0, 0),
        ),
        ({"match": 2**63 - 1, "qty": "1"}, f"maker OBEL 1 at 10.01 of match {2**63 - 1}", (1, 100_100, 0, 2**63 - 1)),
    ],
)
def test_amounts_are_in_the_instruments_own_units(changed, says, values):
    made = desk(identities=1)
    assert made.ask(ANN, "adjust", **MOVE | changed)["done"].split("; ")[0] == says
    assert booked(made)[0][3:] == values


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"strategy": "makr"}, "strategy 'makr': expected one of the node's, found none of that name; it has maker, "
                               "taker; did you mean 'maker'?"),
        ({"symbol": "OBL"}, "it has COIN, OBEL; did you mean 'OBEL'?"),
        ({"symbol": "XYZ"}, "instrument 'XYZ': expected one of the node's, found none of that name; it has COIN, OBEL"),
        ({"why": "  "}, "expected why, found nothing"),
        ({"why": ""}, "expected why, found nothing"),
        ({"why": "x" * 61}, "length <= 60"),
        ({"qty": "0", "px": ""}, "expected a qty, a cash or both, found nothing to book"),
        ({"qty": "", "px": "10.01"}, "expected a qty, a cash or both"),
        ({"qty": "", "cash": "1"}, "px: expected none without a qty, found 10.01"),
        ({"px": ""}, "px: expected the price of the -100, above 0, found nothing"),
        ({"px": "0"}, "px: expected the price of the -100, above 0, found 0"),
        ({"px": "-10.01"}, "above 0, found -10.01"),
        ({"px": "10.001"}, "adjust strategy maker OBEL: px: expected a multiple of 0.01, found 10.001"),
        ({"px": "10.00001"}, "px: expected a multiple of 0.01, found 10.00001"),
        ({"qty": "0.5"}, "qty: expected a multiple of 1, found 0.5"),
        ({"symbol": "COIN", "qty": "0.05"}, "qty: expected a multiple of 0.1, found 0.05"),
        ({"qty": "1e3"}, "qty: expected a decimal such as -100 or 10.01, found '1e3'"),
        ({"qty": "+5"}, "found '+5'"),
        ({"qty": "1,000"}, "found '1,000'"),
        ({"px": "10.01 "}, "found '10.01 '"),
        ({"qty": "17592186044417"}, "qty: expected at most 17592186044416, found 17592186044417; a digit too many?"),
        ({"qty": "17592186044416"}, "expected a position of at most 17592186044416 after it, found 17592186044716"),
        ({"px": "28147497671.07"}, "px: expected at most 28147497671.0656"),
        ({"cash": "0.00001"}, "cash: expected a multiple of 0.0001, found 0.00001"),
        ({"cash": "-100000000000.01"}, "cash: expected at most 100000000000, found -100000000000.01"),
        ({"match": -1}, ">= 0"),
        ({"match": 2**63}, "<= 9223372036854775807"),
        ({"qty": -100}, "Expected `str`, got `int`"),
        ({"uid": 0}, "expected no 'uid'"),
        ({"by": "ann"}, "unknown field `by`"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_what_would_be(changed, said):
    assert said in refused(desk(), **changed)


def test_at_the_largest_position_it_is_taken_and_one_lot_more_is_not():
    made = desk(identities=1)
    made.node.held = {(0, 0): -(2**44) + 100}
    assert made.ask(ANN, "adjust", **MOVE)["ok"]
    made.node.held = {(0, 0): -(2**44) + 99}
    assert "expected a position of at most" in made.ask(ANN, "adjust", **MOVE)["error"]


@pytest.mark.parametrize(("who", "said"), [(VIC, "vic with viewer"), (OPS, "ops with operator")])
def test_who_stops_does_not_book(who, said):
    made = desk()
    assert (
        f"adjust strategy maker: expected role risk, trader, found {said}" in made.ask(who, "adjust", **MOVE)["error"]
    )


def test_a_trader_books_for_their_own_strategies():
    made = desk(owners={"maker": "zoe"})
    assert "expected its owner zoe or role risk" in made.ask(TOM, "adjust", **MOVE)["error"]
    assert made.ask(ANN, "adjust", **MOVE)["ok"]


def test_nobody_approves_their_own_and_nothing_is_approved_twice():
    made = desk()
    number = made.ask(ANN, "adjust", **MOVE)["proposal"]["id"]
    assert "another person than ann" in made.ask(ANN, "approve", proposal=number)["error"]
    assert "expected role risk" in made.ask(TOM, "approve", proposal=number)["error"]
    assert "never made here" in made.ask(BOB, "approve", proposal="p-forged")["error"]
    assert "expected no 'approver'" in made.ask(BOB, "approve", proposal=number, approver="ann")["error"]
    assert booked(made) == []

    assert made.ask(BOB, "approve", proposal=number)["ok"]
    assert "was approved by bob" in made.ask(BOB, "approve", proposal=number)["error"]
    assert len(booked(made)) == 1


def test_a_proposal_that_expired_or_was_denied_books_nothing():
    made = desk()
    first, second = (made.ask(ANN, "adjust", **MOVE)["proposal"]["id"] for _ in range(2))
    assert made.ask(BOB, "deny", proposal=first, why="look again")["ok"]
    made.now_ns += VALID_FOR_NS
    for number, became in ((first, "was denied by bob"), (second, "has expired")):
        assert became in made.ask(BOB, "approve", proposal=number)["error"]
    assert booked(made) == []


def test_a_kill_does_not_overtake_it_because_books_are_put_right_while_nothing_trades():
    made = desk()
    number = made.ask(ANN, "adjust", **MOVE)["proposal"]["id"]
    made.ask(OPS, "kill", all=True)
    assert made.node.kills == [(KillLevel.HARD, OPS)]
    assert made.ask(BOB, "approve", proposal=number)["ok"]


def test_an_execution_that_was_heard_meanwhile_is_not_booked_again():
    made = desk()
    made.node.breaks = [BREAK]
    proposal = made.ask(ANN, "adjust", **MOVE)["proposal"]["id"]
    made.node.breaks = [BREAK.replace("match 7", "match 71")]
    error = made.ask(BOB, "approve", proposal=proposal)["error"]
    assert "expected the break of match 7 to be open still, found it closed" in error
    assert booked(made) == []


@pytest.mark.parametrize("is_told", [False, True], ids=["break not on the page yet", "break on the page still"])
def test_of_two_proposals_for_one_execution_only_one_is_booked(is_told):
    made = desk()
    made.node.breaks = [BREAK] if is_told else []
    first, second = (made.ask(ANN, "adjust", **MOVE)["proposal"]["id"] for _ in range(2))

    assert made.ask(BOB, "approve", proposal=first)["ok"]

    error = made.ask(BOB, "approve", proposal=second)["error"]  # nobody has compared the books again
    assert "expected no position to be moved by hand since it was made, found one moved" in error
    assert len(booked(made)) == 1


def test_what_a_full_ring_does_not_take_is_said():
    made = desk()
    number = made.ask(ANN, "adjust", **MOVE)["proposal"]["id"]
    made.node.room = len(made.node.records)
    assert "the trading thread takes no commands" in made.ask(BOB, "approve", proposal=number)["error"]
    assert booked(made) == []


def test_anybody_looks_at_a_position_and_at_what_differs():
    made = desk()
    made.node.breaks, made.node.compared = [BREAK], 5
    answer = made.ask(VIC, "position", strategy="maker", symbol="OBEL")
    assert answer == {"ok": True, "position": 300, "breaks": [BREAK], "compared_ns": 5}
    assert "did you mean 'maker'?" in made.ask(VIC, "position", strategy="maka", symbol="OBEL")["error"]
    assert "did you mean 'COIN'?" in made.ask(VIC, "position", strategy="maker", symbol="COINS")["error"]
