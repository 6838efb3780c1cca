"""The AMZN level-5 day of LOBSTER as a tape, imported once into run/bench."""

import os
from pathlib import Path

from bench.harness import REPO, SkippedError

ZIP = "data/lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
TAPE = REPO / "run/bench/amzn5"


def amzn_zip() -> Path:
    """The file; skipped when the shared data is not there."""
    shared = Path(os.environ.get("OPENBELL_SHARED", REPO.parent / "shared"))
    if not (shared / ZIP).is_file():
        raise SkippedError(f"no {ZIP} in {shared}: set OPENBELL_SHARED to the folder that holds data/")
    return shared / ZIP


def amzn_tape() -> Path:
    """The tape: 185 772 records in 155 938 frames."""
    from openbell.backtest.tape_import import import_tape

    zip_file = amzn_zip()
    if not TAPE.is_dir():
        import_tape(zip_file, TAPE)
    return TAPE
