"""Every conversation of tests/scenarios/wire/*.txt, over real sockets."""

from pathlib import Path

import pytest
from tests.exchange.harness import run
from tests.exchange.wire_language import Conversation, play, read_conversations

from openbell.exchange.fault_desk import BY_NAME

FOLDER = Path(__file__).resolve().parents[1] / "scenarios/wire"
FILES = sorted(FOLDER.glob("*.txt"))
CASES = [
    pytest.param(case, id=f"{path.stem}: {case.name}")
    for path in FILES
    for case in read_conversations(path.read_text())
]


@pytest.mark.parametrize("case", CASES)
def test_the_conversation_goes_as_written(case: Conversation):
    run(play, case)


def test_every_fault_that_does_not_take_time_has_a_conversation():
    texts = "".join(path.read_text() for path in FILES)
    takes_time = {"delay", "clock-step", "slow-clock", "kill", "loss", "reorder"}
    assert [name for name in BY_NAME if f"fault {name}" not in texts and name not in takes_time] == []


ORDER = "case: x\n NODE1 T1 buy 100 @ 49.00 "


@pytest.mark.parametrize(
    "wrong",
    [
        ORDER,
        ORDER + "-> NODE1 accepted T1",
        ORDER + "-> lines A",
        ORDER + "-> NODE1 accepted T9; lines A",
        ORDER + "-> NODE1 accepted T1; line A A",
        ORDER + "-> NODE1 accepted T1; lines A A",
        ORDER + "-> NODE1 accepted T1; NODE2 accepted T1; lines A",
    ],
)
def test_a_conversation_that_goes_otherwise_fails(wrong: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tests.exchange.harness.TIMEOUT_S", 0.1)
    with pytest.raises((AssertionError, TimeoutError)):
        run(play, *read_conversations(wrong))
