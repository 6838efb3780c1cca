"""Whether what a power cut left is recovered to what was promised: invariants I25, I28 and I29."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

from journal.crash.disk_model import Image
from journal.crash.lives import OPTIONS, folders, frames_of, put
from journal.crash.shim import REPO
from openbell.errors import OpenbellError
from openbell.journal import Archiver, JournalWriter, seal_finished, verify_seals
from openbell.journal.segments import removed_through
from openbell.node.snapshots import read_snapshot


def load_verifier():
    """The independent verifier, loaded as the program that it is, without the package around it."""
    spec = importlib.util.spec_from_file_location("verifier", REPO / "src/openbell/journal/verifier.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["verifier"] = module
    spec.loader.exec_module(module)
    return module


VERIFIER = load_verifier()


class ViolationError(AssertionError):
    """A promise that a power cut broke."""


def _must(claim: bool, invariant: str, message: str) -> None:
    if not claim:
        raise ViolationError(f"{invariant}: {message}")


def check(image: Image, frames: dict[int, bytes], promised_seq: int, promised_epoch: int) -> int:
    """Recover `image` with the journal's own code and hold it against `frames`, all that were ever appended.

    Returns the last that was recovered.

    Raises:
        ViolationError: a promised frame is missing, something is there that was not appended, or an epoch came twice.
    """
    with folders() as (journal, hot):
        put(image, journal.parent)
        try:
            return _check(journal, hot, frames, promised_seq, promised_epoch)
        except OpenbellError as error:
            raise ViolationError(f"I25: expected a recovery, found {type(error).__name__}: {error}") from error


def _check(journal: Path, hot: Path, frames: dict[int, bytes], promised_seq: int, promised_epoch: int) -> int:
    _check_files(journal)
    writer = JournalWriter(str(journal), str(hot), **OPTIONS)
    found = frames_of(journal) if writer.last_seq else {}
    kept, begin = max(found, default=0), min(found, default=1)
    _must(list(found) == list(range(begin, kept + 1)), "I25", f"expected no hole, found {list(found)}")
    _must(begin == 1 or removed_through(journal) > 0, "I25", f"expected the first frame, found {begin}")
    for seq, frame in found.items():
        _must(frames.get(seq) == frame, "I25", f"expected a prefix of what was appended, found another frame {seq}")
    _must(kept >= promised_seq, "I25", f"expected the promised frames up to {promised_seq}, found {kept}")
    _must(writer.last_seq == kept, "I25", f"expected the writer to go on after {kept}, found {writer.last_seq}")
    _must(writer.epoch > promised_epoch, "I29", f"expected an epoch above {promised_epoch}, found {writer.epoch}")
    writer.append(1, 16, 48, np.ones(48, np.uint8), ts_seq=kept + 1)
    archiver = Archiver(str(hot), str(journal))
    writer.close()
    while archiver.run_once():
        pass
    _must(writer.durable_seq == kept + 1, "I25", f"expected frame {kept + 1} durable, found {writer.durable_seq}")
    after = frames_of(journal)
    _must(after | found == after, "I25", "expected the recovered frames to stay, found others")
    seal_finished(journal)
    list(verify_seals(journal))
    return kept


def _check_files(journal: Path) -> None:
    """Before anything is recovered: no damage to an independent eye, and no file that is half of itself."""
    if journal.is_dir():
        report = VERIFIER.verify(journal)
        _must(not report.damage, "I28", f"expected at most a torn tail, found: {report.damage}")
    for path in (journal / "snapshots").glob("*.snap"):
        read_snapshot(path)
    record = journal / "node.json"
    _must(not record.exists() or "end" in json.loads(record.read_bytes()), "I25", "expected a whole node.json")
