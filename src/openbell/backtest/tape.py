"""What a tape is: its hash, its span, its instruments, what it holds, and the small index file that remembers this."""

from __future__ import annotations

import datetime
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from openbell._native import SYNTHETIC_TIME, JournalReader
from openbell.errors import JournalError
from openbell.journal import Frame, open_journal, records_view
from openbell.journal.segments import open_segment, segment_files
from openbell.types import Type

HASH_CHUNK_BYTES = 1 << 22
LOST, STALE = 1, 3
"""Code of a Gap that nobody will fill."""
INDEX_NAME = "tape.json"
INDEX_FORMAT = 1
BATCH_RECORDS = 1 << 16
ZONES = {"xnas": "America/New_York", "glbx": "America/Chicago"}
"""Where the days of a venue begin and end; UTC for every other."""


@dataclass(frozen=True)
class TapeInstrument:
    """An instrument of a tape. Prices are in 10^-px_decimals, quantities in lots of 10^-qty_decimals."""

    id: int
    symbol: str
    venue: str
    currency: str
    px_decimals: int
    qty_decimals: int
    tick: int
    lot: int
    multiplier: int


@dataclass(frozen=True)
class TapeFacts:
    """A tape as a whole; times are ns since the epoch, UTC."""

    path: Path
    hash: str
    """Over its contents: packed or not, the same."""
    frames: int
    records: int
    first_ns: int
    last_ns: int
    types: dict[str, int]
    """Records by type."""
    gaps: int
    """Times at which messages were missing, until they came, or books were not there yet."""
    missing: int
    """Messages that never came."""
    instruments: tuple[TapeInstrument, ...]
    is_synthetic: bool
    """Times of receipt were not measured: they are the event times."""
    files: dict[str, int]
    """Segments on disk and their sizes in bytes."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols in the order of their ids, each once."""
        return tuple(dict.fromkeys(one.symbol for one in self.instruments))

    @property
    def venue(self) -> str:
        """The venue of the first instrument, in lower case; "unknown" when no instrument names one."""
        return next((one.venue for one in self.instruments if one.venue), "unknown")

    @property
    def dates(self) -> tuple[datetime.date, datetime.date]:
        """The first and the last day, as the venue counts days."""
        zone = ZoneInfo(ZONES.get(self.venue, "UTC"))
        first, last = (
            datetime.datetime.fromtimestamp(ns // 10**9, zone).date() for ns in (self.first_ns, self.last_ns)
        )
        return first, last

    @property
    def is_packed(self) -> bool:
        """Whether a segment is compressed."""
        return any(name.endswith(".zst") for name in self.files)

    def moved_to(self, path: Path) -> TapeFacts:
        """The same tape in another folder."""
        return replace(self, path=path.resolve())

    def as_dict(self) -> dict[str, Any]:
        """For JSON: everything but the path, and the venue with it."""
        return {"format": INDEX_FORMAT, "venue": self.venue} | {
            name: value for name, value in asdict(self).items() if name != "path"
        }


def inspect_tape(path: Path) -> TapeFacts:
    """Read the whole tape.

    Raises:
        JournalError: there is none, or it is empty.
        JournalDamagedError: it is damaged; the message names the position.
    """
    files = files_of(path)
    journal = open_journal(path)
    counts = journal.summary()
    if not counts["frames"]:
        raise JournalError(f"tape {path}: expected frames, found none; import it again")
    large = large_facts(path)
    return TapeFacts(
        path=path.resolve(),
        hash=tape_hash(path),
        frames=counts["frames"],
        records=counts["records"],
        first_ns=counts["first_ts_recv"],
        last_ns=counts["last_ts_recv"],
        types={name_of(number): count for number, count in counts["types"].items()},
        gaps=large.gaps,
        missing=large.missing,
        instruments=large.instruments,
        is_synthetic=large.is_synthetic,
        files=files,
    )


def tape_facts(path: Path) -> TapeFacts:
    """What the tape's index says of it; without one, or when the segments are not the ones it names, made anew.

    Raises:
        JournalError, JournalDamagedError: as `inspect_tape`.
    """
    return read_index(path) or write_index(path)


def tape_instruments(path: Path) -> tuple[TapeInstrument, ...]:
    """The instruments of a tape or journal: from its index when it has one, else read from its records."""
    facts = read_index(path) if path.is_dir() else None
    return facts.instruments if facts else large_facts(path).instruments


def write_index(path: Path) -> TapeFacts:
    """Read the whole tape and put what it is into its index file, whole or not at all."""
    facts = inspect_tape(path)
    unfinished = path / f".{INDEX_NAME}"
    unfinished.write_text(json.dumps(facts.as_dict(), indent=1) + "\n")
    unfinished.replace(path / INDEX_NAME)
    return facts


def read_index(path: Path) -> TapeFacts | None:
    """The facts of the index file; None when it is absent, of another format, or about other segments."""
    try:
        found = json.loads((path / INDEX_NAME).read_bytes())
        if found.pop("format") != INDEX_FORMAT or found["files"] != files_of(path):
            return None
        del found["venue"]
        instruments = tuple(TapeInstrument(**one) for one in found.pop("instruments"))
        return TapeFacts(path=path.resolve(), instruments=instruments, **found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def files_of(path: Path) -> dict[str, int]:
    """Segments of the tape and their sizes on disk.

    Raises:
        JournalError: there is none.
    """
    files = segment_files(path) if path.is_dir() else []
    if not files:
        raise JournalError(
            f"expected a tape (a directory of .seg files) at {path}, found none; make one with "
            f"`openbell tape import FILE --out {path}`"
        )
    return {file.name: file.stat().st_size for file in files}


def tape_hash(path: Path) -> str:
    """32 hexadecimal digits over the contents of every segment, in order; packing a segment does not change it."""
    digest = hashlib.blake2b(digest_size=16)
    for segment in segment_files(path):
        with open_segment(segment) as file:
            while chunk := file.read(HASH_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def name_of(number: int) -> str:
    """BOOK_ADD; "type 200" for one of a later version."""
    try:
        return Type(number).name
    except ValueError:
        return f"type {number}"


class LargeFacts(NamedTuple):
    """What the large records of a tape or journal say."""

    instruments: tuple[TapeInstrument, ...]
    gaps: int
    missing: int
    is_synthetic: bool


def large_facts(path: Path, hot: Path | None = None) -> LargeFacts:
    """The last record of every instrument id, how many gaps there were, how many messages never came, whose times."""
    reader = JournalReader(str(path), str(hot) if hot else "")
    types = [int(Type.INSTRUMENT), int(Type.GAP), int(Type.RECOVERED)]
    rows: dict[int, Any] = {}
    open_gaps: set[tuple[int, int]] = set()  # by feed and instrument
    gaps = missing = 0
    while True:
        raw, seqs, _ = reader.gather(128, types, BATCH_RECORDS)
        if not len(seqs):
            reader.expect_end()
            break
        is_instrument = raw[:, 0] == int(Type.INSTRUMENT)
        known = records_view(raw[is_instrument], "Instrument")
        rows |= {int(record["instrument"]): record.copy() for record in known}
        for control in records_view(raw[~is_instrument], "Control"):
            where = int(control["source"]), int(control["instrument"])
            if control["type"] == int(Type.RECOVERED):
                open_gaps.discard(where)
                continue
            if control["code"] == STALE:
                continue  # nothing is known to be missing
            gaps += where not in open_gaps
            open_gaps.add(where)
            missing += int(control["values"][1] - control["values"][0]) if control["code"] == LOST else 0
    reader.seek(0)
    first = reader.next()
    is_synthetic = first is not None and bool(Frame._make(first).flags & SYNTHETIC_TIME)
    return LargeFacts(tuple(_instrument(rows[number]) for number in sorted(rows)), gaps, missing, is_synthetic)


def _instrument(row: Any) -> TapeInstrument:
    def text(name: str) -> str:
        return bytes(row[name]).rstrip(b"\0").decode("ascii", "replace")

    numbers = {name: int(row[name]) for name in ("px_decimals", "qty_decimals", "tick", "lot", "multiplier")}
    return TapeInstrument(int(row["instrument"]), text("symbol"), text("calendar").lower(), text("currency"), **numbers)
