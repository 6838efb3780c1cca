"""A packed tape is the same tape: same hash, same backtest, less disk."""

import fcntl
import os

import pytest

from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.backtest.tape import INDEX_NAME, inspect_tape, tape_hash
from openbell.backtest.tape_pack import pack_tape
from openbell.errors import JournalDamagedError, JournalError, JournalLockedError
from openbell.journal.segments import segment_files
from tapes import write_tape

MAKER = "strategies/market_maker.py"


@pytest.fixture
def tape(tmp_path):
    return write_tape(tmp_path / "tape", events=4_000, segment_bytes=300_032 // 4096 * 4096)


def journal_of(repo, tape, out):
    result = run_backtest(BacktestSettings(tape=tape, strategy_file=repo / MAKER, out=out))
    return result.card.state_hash, tape_hash(out), result.card.tape_hash


def test_a_backtest_on_it_writes_the_same_journal(repo, tape, tmp_path):
    plain = journal_of(repo, tape, tmp_path / "plain")

    packed = pack_tape(tape)

    assert all(file.suffix == ".zst" for file in segment_files(tape)) and len(segment_files(tape)) > 1
    assert packed.packed_bytes * 2 < packed.plain_bytes
    assert journal_of(repo, tape, tmp_path / "packed") == plain


def test_its_facts_are_those_of_its_contents(tape):
    before = inspect_tape(tape)

    facts = pack_tape(tape, level=1).facts

    assert facts.is_packed and not before.is_packed
    assert (facts.hash, facts.types, facts.symbols) == (before.hash, before.types, before.symbols)
    assert facts == inspect_tape(tape)
    assert (tape / INDEX_NAME).exists()


def test_packing_again_changes_nothing(tape):
    pack_tape(tape)
    before = {path.name: path.read_bytes() for path in tape.iterdir()}

    again = pack_tape(tape)

    assert (again.plain_bytes, again.packed_bytes) == (0, 0)
    assert {path.name: path.read_bytes() for path in tape.iterdir()} == before


def test_what_does_not_read_back_leaves_the_plain_segment(tape, monkeypatch):
    before = tape_hash(tape)
    monkeypatch.setattr("openbell.journal.packing.contents_hash", lambda path: path.name.encode())

    with pytest.raises(JournalDamagedError, match=r"expected to read back what .* holds"):
        pack_tape(tape)

    assert tape_hash(tape) == before
    assert not list(tape.glob("*.zst"))


def test_an_interruption_leaves_a_whole_tape_that_can_be_packed_on(tape, monkeypatch):
    from openbell.backtest import tape_pack

    before, pack = tape_hash(tape), tape_pack.pack_segment

    def interrupted(plain, level):
        if plain.name.startswith("00000002"):
            raise KeyboardInterrupt
        pack(plain, level)

    monkeypatch.setattr(tape_pack, "pack_segment", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pack_tape(tape)
    assert tape_hash(tape) == before
    monkeypatch.undo()

    assert pack_tape(tape).facts.hash == before
    assert all(file.suffix == ".zst" for file in segment_files(tape))


def test_a_tape_that_is_being_written_is_left_alone(tape):
    folder = os.open(tape, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        with pytest.raises(JournalLockedError, match="tape has one writer"):
            pack_tape(tape)
    finally:
        os.close(folder)


def test_the_journal_of_a_node_is_left_alone(tape):
    (tape / "node.json").write_text("{}")

    with pytest.raises(JournalError, match="found the journal of a node"):
        pack_tape(tape)
