"""A journal of another format is known for what it is: refused by everybody, and never cut, removed or passed over."""

import struct

import pytest

from journal.crash.recovers import VERIFIER
from journal.frames import SMALL, append_all, random_frames, read_all
from openbell.errors import JournalError
from openbell.journal import Archiver, JournalReader, JournalWriter
from oracles.journal import crc32c

VERSION_AT, CRC_AT = 8, 40


@pytest.fixture(params=[0, 2, 60_000], ids=["older", "newer", "much-newer"])
def foreign(request, tmp_path):
    """The journal of an openbell with another format, as far as this one can know it: its header."""
    directory = tmp_path / "foreign"
    writer = JournalWriter(str(directory), **SMALL)
    append_all(writer, random_frames(1, 150))
    writer.close()
    for path in directory.glob("*.seg"):
        data = bytearray(path.read_bytes())
        struct.pack_into("<H", data, VERSION_AT, request.param)
        struct.pack_into("<I", data, CRC_AT, crc32c(bytes(data[:CRC_AT])))
        path.write_bytes(data)
    return directory


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.glob("*.seg")}


REFUSAL = r"journal is of another format: expected version 1, found \d+ in the header of segment \d+; read it with the"


def test_a_reader_refuses(foreign):
    with pytest.raises(JournalError, match=REFUSAL):
        read_all(JournalReader(str(foreign)))


def test_a_writer_refuses_and_touches_nothing(hot, foreign):
    before = contents(foreign)
    with pytest.raises(JournalError, match=REFUSAL):
        JournalWriter(str(foreign), str(hot), **SMALL)
    assert contents(foreign) == before


def test_a_writer_refuses_hot_segments(hot, disk, foreign):
    for path in foreign.glob("*.seg"):
        (hot / path.name).write_bytes(path.read_bytes())
    with pytest.raises(JournalError, match=REFUSAL):
        JournalWriter(str(disk), str(hot), **SMALL)
    assert contents(hot) == contents(foreign)


def test_the_verifier_refuses(foreign):
    assert "expected format version 1, found" in VERIFIER.verify(foreign).damage


def test_an_archiver_halts_at_a_segment_of_another_format(hot, disk, foreign):
    writer = JournalWriter(str(disk), str(hot), **SMALL)
    (hot / "00000001.seg").write_bytes((foreign / "00000001.seg").read_bytes())
    with pytest.raises(JournalError, match=REFUSAL):
        Archiver(str(hot), str(disk)).run_once()
    assert writer.is_archiver_failed
