import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal.frames import SMALL, append_all, random_frames, read_all
from openbell._native import JournalReader, JournalWriter
from openbell.errors import ConfigError, JournalError, JournalLockedError
from openbell.journal import FrameClass, open_journal
from openbell.types import RECORDS, Type
from oracles.journal import parse_journal, parse_segment


def test_what_is_appended_is_what_reader_and_oracle_read(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    expected = append_all(writer, random_frames(1, 500))

    assert writer.segment > 3
    assert parse_journal(hot) == expected
    assert read_all(JournalReader(str(disk), str(hot), True)) == expected


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 80))
def test_tape_holds_exactly_its_frames(tmp_path_factory, seed, count):
    tape = tmp_path_factory.mktemp("tape") / "t"
    writer = JournalWriter(str(tape), segment_bytes=32 << 10, frame_bytes_max=8192, epoch=9)
    expected = append_all(writer, random_frames(seed, count))
    writer.close()

    assert parse_journal(tape) == expected
    assert read_all(JournalReader(str(tape), check_crc=True)) == expected
    assert all(parse_segment(path.read_bytes())[1] for path in tape.glob("*.seg"))


def test_equal_frames_make_equal_tapes_byte_for_byte(tmp_path):
    for name in "ab":
        writer = JournalWriter(str(tmp_path / name), epoch=3, **SMALL)
        append_all(writer, random_frames(5, 300))
        writer.close()

    files = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in "ab"]
    assert len(files[0]) > 2
    assert files[0] == files[1]


def test_reader_follows_across_segments_as_they_are_written(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    reader = JournalReader(str(disk), str(hot))
    for batch in range(40):
        expected = append_all(writer, random_frames(batch, 10))
        assert read_all(reader) == expected
    assert reader.segment == writer.segment > 5


def test_reader_may_come_before_the_writer(hot, disk):
    reader = JournalReader(str(disk), str(hot))
    assert reader.next() is None

    writer = JournalWriter(str(disk), str(hot), **SMALL)
    expected = append_all(writer, random_frames(0, 3))

    assert read_all(reader) == expected


def test_seek_finds_every_frame(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    expected = append_all(writer, random_frames(2, 300))
    reader = JournalReader(str(disk), str(hot))

    for seq in [1, 150, 300, 2, 299, 77, 78]:
        reader.seek(seq)
        assert reader.next()[1] == seq
    reader.seek(250)
    assert read_all(reader) == expected[249:]
    reader.seek(302)
    assert reader.next() is None
    later = append_all(writer, random_frames(3, 2))
    assert read_all(reader) == later[1:]
    reader.seek(0)
    assert read_all(reader) == expected + later


def test_second_writer_is_refused_by_name(hot, disk):
    first = JournalWriter(str(disk), str(hot), **SMALL)
    with pytest.raises(JournalLockedError, match=r"locked by pid \d+"):
        JournalWriter(str(disk), str(hot), **SMALL)
    first.close()
    JournalWriter(str(disk), str(hot), **SMALL).close()


def test_closed_writer_takes_nothing(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    writer.close()
    assert writer.append(1, 0, 48, bytes_of(48)) is None


def test_full_hot_space_refuses_and_names_no_frame(hot, disk):
    writer = JournalWriter(str(disk), str(hot), **SMALL | {"hot_segments_max": 3})
    record = bytes_of(48 * 100)
    appended = 0
    while writer.append(1, 0, 48, record) is not None:
        appended += 1

    assert len(list(hot.glob("*.seg"))) == 3
    assert writer.last_seq == appended
    assert len(read_all(JournalReader(str(disk), str(hot), True))) == appended


def test_tape_is_never_overwritten(tmp_path):
    JournalWriter(str(tmp_path / "t"), **SMALL).close()
    with pytest.raises(JournalError, match="choose a new directory"):
        JournalWriter(str(tmp_path / "t"), **SMALL)


def test_options_that_cannot_work_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="segment_bytes"):
        JournalWriter(str(tmp_path), segment_bytes=8192)


def test_records_are_read_only_views(tmp_path):
    writer = JournalWriter(str(tmp_path / "t"), **SMALL)
    market = np.zeros(3, RECORDS["Market"])
    market["type"] = Type.BOOK_ADD
    market["px"] = [100, 101, 102]
    writer.append(FrameClass.IN, 16, 48, market.view(np.uint8), ts_recv=5)
    report = np.zeros(1, RECORDS["Report"])
    report["type"] = Type.FILLED
    report["last_px"] = 77
    writer.append(FrameClass.IN, 64, 128, report.view(np.uint8))
    writer.close()

    journal = open_journal(tmp_path / "t", check_crc=True)
    first, second = journal
    assert first.records["px"].tolist() == [100, 101, 102]
    assert not first.records.flags.writeable
    assert (first.seq, first.ts_recv, first.is_decision) == (1, 5, False)
    assert second.records["last_px"].tolist() == [77]
    assert second.record(0)["type"] == Type.FILLED
    assert [a["px"].tolist() for a in journal.arrays("Market")] == [[100, 101, 102]]
    assert journal.summary()["types"] == {Type.BOOK_ADD: 3, Type.FILLED: 1}


def bytes_of(n):
    return np.zeros(n, np.uint8)
