"""`openbell adjust` against a control process that is a list of answers: what is asked, what is said of the outcome."""

import json

import pytest
from tests.cli import test_arm
from tests.cli.test_arm import run

from openbell.cli import adjust as verb

answers = test_arm.answers
MOVE = (
    "adjust",
    "n",
    "--strategy",
    "maker",
    "--symbol",
    "OBEL",
    "--qty",
    "-100",
    "--px",
    "10.01",
    "--why",
    "late",
)
DONE = {"done": "maker OBEL", "adjusted": {"strategy": "maker", "symbol": "OBEL", "before": 300}}
WAITED = {"waiting": 0}


def looked(compared_ns: int, *breaks: str, position: int = 200) -> dict[str, object]:
    return {"position": position, "compared_ns": compared_ns, "breaks": [*breaks]}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(verb, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(verb, "COMPARED_WITHIN_S", 0.05)


def test_what_is_proposed_is_asked_as_it_was_written(answers, capsys):
    answers += [{"proposal": test_arm.PROPOSAL, "next": "bob"}]
    assert run(*MOVE, "--cash", "-0.30", "--match", "7") == 0
    assert answers.heard == [
        {"verb": "adjust", "strategy": "maker", "symbol": "OBEL", "qty": "-100", "px": "10.01", "cash": "-0.30",
         "match": 7, "why": "late"}
    ]  # fmt: skip
    assert capsys.readouterr().out == "p-1  by ann, 2:05 left: more volume\n    OBEL: x2\nnext: bob\n"


def test_what_was_booked_is_said_with_the_breaks_that_two_later_rounds_still_find(answers, capsys):
    answers += [DONE, WAITED, looked(1, "A", "B"), looked(1, "A", "B"), looked(2, "A"), looked(2, "A"), looked(3, "B")]
    assert run(*MOVE) == 0
    assert capsys.readouterr().out == (
        "n: maker OBEL; the journal says so\nmaker OBEL: position 300 -> 200\nstill open: B\n"
    )
    assert answers == []


def test_books_that_agree_are_said_to(answers, capsys):
    answers += [DONE, WAITED, looked(1, "A"), looked(2), looked(3)]
    assert run("approve", "n", "p-1") == 0
    assert capsys.readouterr().out.endswith("position 300 -> 200\nstill open: nothing\n")


def test_where_nobody_compares_that_is_said(answers, capsys):
    answers += [DONE, WAITED, looked(0)]
    assert run(*MOVE, "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == [
        "maker OBEL: position 300 -> 200",
        "nobody compares this node's books all day; openbell reconcile does it once",
    ]


def test_a_reconciliation_that_is_silent_is_not_waited_for(answers, capsys):
    answers += [DONE, WAITED, *[looked(1, "A")] * 1_000]
    assert run(*MOVE) == 0
    said = capsys.readouterr().out.splitlines()
    assert "not compared within 0 s; openbell breaks says later what remains" in said[2]
    assert said[3] == "still open: A"
