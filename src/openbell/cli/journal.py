"""`openbell journal`: verify a journal with a program that shares no code with it; pack, remove, cut."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter

app = cyclopts.App(name="journal", help="Verify a journal by an independent program; pack and remove what is old.")

GIB = 1 << 30


@app.command
def verify(
    journal: Path,
    /,
    *,
    anchor: str = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Check every byte of JOURNAL: formats, CRCs, sequence, causes, decision chain, seals; exit code 1 at damage.

    Parameters
    ----------
    journal
        Directory of a node's journal, a backtest's, or a tape.
    anchor
        A hash that was published earlier: the chain of seals must still hold it, or the past was rewritten.
    as_json
        Print what was found as JSON.
    """
    program = Path(__file__).parents[1] / "journal/verifier.py"
    options = [*(["--anchor", anchor] if anchor else []), *(["--json"] if as_json else [])]
    return subprocess.run([sys.executable, str(program), str(journal), *options]).returncode


@app.command
def archive(
    journal: Path,
    /,
    *,
    plain_segments: int | None = None,
    keep_days: float | None = None,
    keep_gib: float | None = None,
) -> int:
    """Pack sealed segments of JOURNAL and remove the oldest, as the archiver of a node does by its configuration.

    Parameters
    ----------
    journal
        Directory of a journal whose node does not run.
    plain_segments
        Pack all sealed segments but so many of the newest. Default: none is packed.
    keep_days
        Remove sealed segments that are older, but none that a recovery from the kept snapshots needs.
    keep_gib
        Remove the oldest sealed segments while all are larger, with the same exception.
    """
    from openbell._native import FolderLock
    from openbell.errors import JournalError, JournalLockedError
    from openbell.journal.lock import locked
    from openbell.journal.retention import Retention, retain
    from openbell.journal.seal import seal_finished

    if not journal.is_dir():
        raise JournalError(f"expected a journal's directory, found none at {journal}; check the path")
    keep_bytes = None if keep_gib is None else int(keep_gib * GIB)
    with FolderLock(str(journal), str(journal)), locked(journal) as is_ours:
        if not is_ours:
            raise JournalLockedError(
                f"expected {journal} to be free, found its archiver running; it retains by [retention]"
            )
        seal_finished(journal)
        done = retain(journal, Retention(plain_segments, keep_days, keep_bytes))
    print(f"packed {done.packed or 'none'}, removed {done.removed or 'none'}, held for recovery {done.held or 'none'}")
    return 0


@app.command
def cut(journal: Path, /, *, through: int | None = None) -> int:
    """Say where JOURNAL ends, after damage at its end or without its DURABLE; without --through only look.

    What is cut off stays beside the segments (`.torn`). Positions and open orders have to be reconciled with the venue
    afterwards: what was in the frames that are gone, nobody knows here.

    Parameters
    ----------
    journal
        Directory of the journal of a node that does not run.
    through
        The last frame that stays, as a look without this option has named it.
    """
    from openbell.errors import JournalError
    from openbell.journal.cut import cut as cut_journal
    from openbell.journal.cut import whole_part

    if not journal.is_dir():
        raise JournalError(f"expected a journal's directory, found none at {journal}; check the path")
    if through is None:
        whole = whole_part(journal)
        print(f"whole up to frame {whole.seq}, segment {whole.segment}, offset {whole.offset}")
        print(whole.why or "nothing that was promised is missing from there on, as far as the files say")
        print(f"nothing was cut; to end the journal there: openbell journal cut {journal} --through {whole.seq}")
        return 1
    whole = cut_journal(journal, through)
    print(f"{journal} ends at frame {whole.seq}; reconcile positions and open orders with the venue before it trades")
    return 0
