"""The independent verifier against recovery and reader: any change of any byte, a cut at any place, both must say."""

import ast
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import openbell
from journal.crash.recovers import VERIFIER
from openbell.errors import OpenbellError
from openbell.journal import Archiver, JournalReader, JournalWriter, seal_finished, verify_seals
from openbell.types import Type
from oracles.journal import crc32c

PROGRAM = Path(openbell.__file__).parent / "journal/verifier.py"
OPTIONS = {"segment_bytes": 8192, "frame_bytes_max": 1024}
HARMS = 400


def grow(journal, hot, frames=50):
    """Inputs, each answered by a decision; archived, three segments sealed and one begun."""
    rng = random.Random(5)
    writer = JournalWriter(str(journal), str(hot), **OPTIONS)
    for _ in range(frames):
        records = np.frombuffer(rng.randbytes(48 * 3), np.uint8).copy()
        records[::48] = Type.BOOK_ADD
        at = writer.append(1, 16, 48, records, ts_seq=1)
        decision = np.frombuffer(rng.randbytes(128), np.uint8).copy()
        decision[0] = Type.INTENT
        writer.append(2, 0, 128, decision, cause_seq=at, ts_seq=1)
    archiver = Archiver(str(hot), str(journal))
    while archiver.run_once():
        pass
    writer.close()
    seal_finished(journal)


@pytest.fixture
def grown(hot, disk):
    grow(disk, hot)
    shutil.rmtree(hot)
    return disk


def test_it_imports_nothing_of_openbell():
    tree = ast.parse(PROGRAM.read_text())
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    names += [n.module.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]

    assert set(names) <= {*sys.stdlib_module_names, "zstandard"}, names


def test_its_crc_is_that_of_the_standard():
    data = random.Random(1).randbytes(300)
    assert VERIFIER.crc32c(data) == crc32c(data)


def test_a_whole_journal_is_whole(grown):
    report = VERIFIER.verify(grown)

    assert (report.damage, report.torn, report.last_seq, report.decisions) == ("", "", 100, 50)
    assert report.sealed_through == report.segments - 1 > 2


def core_says(journal, hot):
    """The last frame, or None at damage: by recovery, by a reader that checks everything, and by the seals."""
    try:
        writer = JournalWriter(str(journal), str(hot), **OPTIONS)
        last = writer.last_seq
        writer.close()
        reader = JournalReader(str(journal), "", True)
        found = reader.summary()["last_seq"] if last else 0
        reader.expect_end()
        list(verify_seals(journal))
    except OpenbellError:
        return None
    return last if found == last else None


def harmed(data, rng):
    at = rng.randrange(len(data))
    if rng.random() < 0.4:
        return data[:at], at
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :], at


@pytest.mark.parametrize("latest", ["whole", "torn"])
def test_any_harm_is_judged_as_recovery_judges_it(grown, tmp_path, seed, latest):
    rng = random.Random(seed)
    if latest == "torn":
        (grown / "DURABLE").write_bytes((grown / "DURABLE").read_bytes()[:4096])
    segments = sorted(grown.glob("*.seg"))
    for n in range(HARMS // 2):
        copy, hot = tmp_path / f"copy{n}", tmp_path / f"hot{n}"
        shutil.copytree(grown, copy)
        victim = copy / rng.choice([*segments, segments[-1], *grown.glob("*.seal")]).name
        data, at = harmed(victim.read_bytes(), rng)
        victim.write_bytes(data)

        report = VERIFIER.verify(copy)
        expected = core_says(copy, hot)

        where = f"{victim.name} at {at} of {len(data)}: {report.damage or report.torn}"
        if 48 <= at < 4096 and victim == copy / segments[-1].name and len(data) > 4096:
            continue  # the rest of the header's page: it says nothing
        assert (None if report.damage else report.last_seq) == expected, where
        shutil.rmtree(copy)
        shutil.rmtree(hot, ignore_errors=True)


def test_a_forged_past_does_not_hold_the_anchor(grown):
    anchor = VERIFIER.verify(grown).hash
    assert not VERIFIER.verify(grown, anchor).damage
    for seal in grown.glob("*.seal"):
        seal.unlink()
    data = bytearray((grown / "00000001.seg").read_bytes())
    data[4096 + 64 + 9] ^= 1
    length = int.from_bytes(data[4096:4100], "little")
    data[4100:4104] = VERIFIER.crc32c(bytes(data[4104 : 4096 + length])).to_bytes(4, "little")
    (grown / "00000001.seg").write_bytes(data)
    seal_finished(grown)

    assert not VERIFIER.verify(grown).damage
    assert "expected the anchor" in VERIFIER.verify(grown, anchor).damage


@pytest.mark.parametrize(
    ("at", "value", "found"),
    [
        (32, 7, "expected the decision on an input"),
        (10, 3, "expected class 1 or 2"),
        (20, 0, "expected epoch 1 or later"),
    ],
)
def test_whole_bytes_that_contradict_their_fellows_are_damage(grown, at, value, found):
    """As one would write who knows the CRC."""
    path = grown / "00000001.seg"
    data = bytearray(path.read_bytes())
    frame = 4096 + int.from_bytes(data[4096:4100], "little")  # the first decision
    data[frame + at] = value
    end = frame + int.from_bytes(data[frame : frame + 4], "little")
    data[frame + 4 : frame + 8] = VERIFIER.crc32c(bytes(data[frame + 8 : end])).to_bytes(4, "little")
    path.write_bytes(data)

    assert found in VERIFIER.verify(grown).damage


def test_the_command_says_it_by_its_exit_code(grown):
    command = [sys.executable, "-m", "openbell", "journal", "verify", str(grown)]
    whole = subprocess.run(command, capture_output=True, text=True)
    (grown / "00000002.seal").unlink()
    broken = subprocess.run(command, capture_output=True, text=True)

    assert (whole.returncode, whole.stdout.splitlines()[-1]) == (0, "whole")
    assert (broken.returncode, "DAMAGED" in broken.stdout) == (1, True)
