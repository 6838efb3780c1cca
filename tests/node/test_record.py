"""What a replay needs beside the journal: kept whole, read back, told where it is damaged."""

from pathlib import Path

import pytest

from openbell import _native as native
from openbell.errors import JournalError, StrategyError
from openbell.node.record import CapacityRecord, RunRecord, StrategyRecord, build_host, keep_source, read_record

SOURCE = """
from openbell.strategy import Strategy

class Maker(Strategy):
    pass
"""


def a_strategy(folder: Path, speed: str = "interpreted") -> StrategyRecord:
    file = folder / "maker.py"
    file.write_text(SOURCE)
    return StrategyRecord.of(id=0, name="maker", file=file, class_name="Maker", params={}, symbols=(), speed=speed)


def a_run(*strategies: StrategyRecord) -> RunRecord:
    return RunRecord(kind="node", capacity=CapacityRecord.of(native.EngineCapacity()), strategies=strategies)


def test_the_sizes_of_an_engine_are_those_that_were_written_down():
    capacity = native.EngineCapacity()
    capacity.orders_max = 77
    written = CapacityRecord.of(capacity)
    assert CapacityRecord.of(written.native()) == written
    assert written.native().orders_max == 77


def test_the_record_of_an_epoch_stays_beside_the_newest(tmp_path: Path):
    first, second = a_run(a_strategy(tmp_path)), a_run()
    first.write(tmp_path, 1)
    second.write(tmp_path, 2)
    assert (read_record(tmp_path, 1), read_record(tmp_path)) == (first, second)
    assert read_record(tmp_path, 3) is None


def test_a_damaged_record_says_where(tmp_path: Path):
    path = tmp_path / "node.json"
    path.write_text(a_run().model_dump_json().replace('"orders_max"', '"orders_most"'))
    with pytest.raises(
        JournalError, match=r"node.json: expected the record of a run in format 1, found a fault at cap"
    ):
        read_record(tmp_path)
    path.write_text("{")
    with pytest.raises(JournalError, match=r"found a fault at the file: .*; restore the file, or give --config"):
        read_record(tmp_path)


def test_a_source_that_has_changed_since_it_was_loaded_is_not_kept(tmp_path: Path):
    one = a_strategy(tmp_path)
    Path(one.file).write_text(SOURCE + "# later\n")
    with pytest.raises(StrategyError, match="expected it as it was loaded a moment ago, found it changed; try again"):
        keep_source(tmp_path, one)
    a_run(one).write(tmp_path, 1)  # the version that ran is kept, or nothing
    assert not (tmp_path / "versions").exists()


def test_a_kept_source_is_written_once(tmp_path: Path):
    one = a_strategy(tmp_path)
    path = keep_source(tmp_path, one)
    path.write_text("as it was")
    assert keep_source(tmp_path, one) == path
    assert path.read_text() == "as it was"


@pytest.mark.parametrize("speed", ["interpreted", "compiled"])
def test_the_strategies_of_a_record_are_loaded_again(tmp_path: Path, speed: str):
    one = a_strategy(tmp_path, speed)
    assert bool(one.object_hash) == (speed == "compiled")
    assert isinstance(build_host((one,)), native.StrategyHost)


def test_what_the_disk_refuses_is_told(tmp_path: Path):
    (tmp_path / "node.json.new").symlink_to("/dev/full")
    with pytest.raises(JournalError, match=r"cannot write .*node.json.new: No space left on device; check the disk"):
        a_run().write(tmp_path)
