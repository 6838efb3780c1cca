"""The journal of a live node played again: two epochs on paper, fed over a loopback socket."""

import json

import pytest
from tests.node.lives import MAKER, OPENING, adds, run_epoch, write_node

from openbell.cli import main
from openbell.journal import open_journal
from openbell.types import Type


@pytest.fixture(params=["interpreted", "compiled"])
def node_file(tmp_path, request):
    node_file = write_node(tmp_path, request.param)
    run_epoch(node_file, 1, OPENING + adds(1, 40))
    run_epoch(node_file, 43, adds(41, 20))
    return node_file


def replay(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["replay", *map(str, arguments)])
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_two_epochs_replay_identically_and_a_changed_strategy_does_not(node_file, capsys):
    journal = node_file.parent / "journal"
    frames = list(open_journal(journal, node_file.parent / "hot"))
    intents = [f for f in frames if f.is_decision and f.raw[0, 0] == int(Type.INTENT)]
    assert {f.epoch for f in intents} == {1, 2}

    code, out, _ = replay(capsys, journal, "--verify")
    assert (code, out.splitlines()[1:]) == (0, ["core: identical", "strategy: identical", "replay: identical"])

    code, out, _ = replay(capsys, journal, "--verify", "--config", node_file)
    assert code == 0 and "replay: identical" in out

    for speed in ("interpreted", "compiled"):
        code, out, _ = replay(capsys, journal, "--verify", "--speed", speed)
        assert code == 0 and "strategy: identical" in out

    (node_file.parent / "maker.py").write_text(MAKER.replace("int(3 *", "int(300 *"))
    code, out, _ = replay(capsys, journal, "--verify", "--json")
    verdict = json.loads(out)
    assert code == 1 and verdict["core"]["differs_at"] == 0
    assert verdict["strategy"]["differs_at"] in [f.cause_seq for f in intents]
    assert "INTENT bid_px: expected" in verdict["strategy"]["what"]
    assert "strategy maker" in verdict["notes"][0] and "is not the source that ran" in verdict["notes"][0]


def test_the_record_beside_the_journal_holds_no_credential(node_file):
    text = (node_file.parent / "journal/node.json").read_text()

    assert "secret-word" not in text
    strategy = json.loads(text)["strategies"][0]
    assert strategy["params"] == {"size": 7}
    assert (strategy["object_hash"] != "") == (strategy["speed"] == "compiled")


def test_a_damaged_record_is_told(node_file, capsys):
    journal = node_file.parent / "journal"
    (journal / "node.json").write_text('{"kind": "node"}')

    code, _, err = replay(capsys, journal)

    assert code == 2 and "expected the record of a run in format 1, found a fault at" in err
