"""`openbell arm`, `approve` and `limits` against a control process that is a list of answers."""

import json

import pytest

from openbell.cli import arm as verbs
from openbell.cli import main
from openbell.ops import find
from openbell.ops.control import client

PROPOSAL = {"id": "p-1", "proposer": "ann", "expires_in_s": 125.0, "why": "more volume", "says": ["OBEL: x2"]}


@pytest.fixture
def answers(monkeypatch, tmp_path):
    """Answers given in their order; the requests stand in `answers.heard`."""

    class Answers(list):
        def __call__(self, _, request):
            self.heard.append(request)
            return self.pop(0)

    made = Answers()
    made.heard = []
    monkeypatch.setattr(client, "ask", made)
    monkeypatch.setattr(find, "find_hot_dir", lambda node: tmp_path / node)
    monkeypatch.setattr(verbs, "TAKEN_WITHIN_S", 0.02)
    return made


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(words))
    return int(end.value.code or 0)


def test_what_was_done_is_said_when_the_trading_thread_has_taken_it(answers, capsys):
    answers += [{"done": "full of maker", "next": "look"}, {"waiting": 2}, {"waiting": 0}]
    assert run("arm", "n", "full", "--strategy", "maker", "--why", "opens") == 0
    assert capsys.readouterr().out == "n: full of maker; the journal says so\nnext: look\n"
    assert [request["verb"] for request in answers.heard] == ["arm", "waiting", "waiting"]
    assert answers.heard[0]["strategy"] == "maker"


def test_what_a_stuck_thread_has_not_taken_is_said(answers, capsys):
    answers += [{"done": "full"}, *[{"waiting": 1}] * 1_000]
    assert run("arm", "n", "full", "--all") == 2
    assert "the trading thread has not taken it within" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "request_", "answer", "said"),
    [
        (("approve", "n"), {"verb": "proposals"}, {"proposals": []}, "n: nothing is proposed\n"),
        (
            ("approve", "n"), {"verb": "proposals"}, {"proposals": [PROPOSAL]},
            "p-1  by ann, 2:05 left: more volume\n    OBEL: x2\n",
        ),
        (
            ("approve", "n", "p-1", "--deny", "--why", "no"), {"verb": "deny", "why": "no", "proposal": "p-1"},
            {"denied": "p-1"}, "n: p-1 is denied\n",
        ),
        (("limits", "n"), {"verb": "limits", "why": ""}, {"limits": ["a", "b"]}, "a\nb\n"),
        (
            ("arm", "n", "full", "--all", "--release"), None, {"proposal": PROPOSAL, "next": "bob approves"},
            "p-1  by ann, 2:05 left: more volume\n    OBEL: x2\nnext: bob approves\n",
        ),
    ],
)  # fmt: skip
def test_every_answer_is_said_in_words_and_for_machines(answers, capsys, words, request_, answer, said):
    answers += [answer, answer]
    assert run(*words) == 0
    assert capsys.readouterr().out == said
    assert request_ is None or answers.heard[0] == request_
    assert run(*words, "--json") == 0
    assert json.loads(capsys.readouterr().out) == answer


def test_an_approval_is_carried_out(answers):
    answers += [{"done": "full"}, {"waiting": 0}]
    assert run("approve", "n", "p-1") == 0
    assert answers.heard[0] == {"verb": "approve", "proposal": "p-1"}


def test_other_limits_go_with_their_text(answers, tmp_path):
    file = tmp_path / "other.toml"
    file.write_text("version = 2\n")
    answers += [{"done": "tightened"}, {"waiting": 0}]
    assert run("limits", "n", str(file), "--why", "calm") == 0
    assert answers.heard[0] == {"verb": "limits", "why": "calm", "file": "version = 2\n"}


@pytest.mark.parametrize("bytes_", [None, b"\xff\xfe"])
def test_limits_that_cannot_be_read_are_not_asked_for(answers, tmp_path, capsys, bytes_):
    file = tmp_path / "other.toml"
    if bytes_ is not None:
        file.write_bytes(bytes_)
    assert run("limits", "n", str(file)) == 2
    assert "expected a readable file of limits" in capsys.readouterr().err
    assert answers.heard == []
