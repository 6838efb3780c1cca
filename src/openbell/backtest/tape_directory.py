"""What every importer of foreign files shares: where its tape goes, what it reports, and the day it is of."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from openbell.errors import ConfigError, JournalError
from openbell.types import Check

EXCHANGE_ZONE = ZoneInfo("America/New_York")
"""NASDAQ counts from midnight of the exchange's day."""
Progress = Callable[[int, int, int], None]
"""(done, total, messages): bytes of the file on disk, and messages read so far."""


@dataclass(frozen=True)
class Imported:
    """What an import read and wrote; `unsubscribed` messages were of symbols that were not asked for.

    `left_out` counts what could not be used, by its reason; a reason that never came is not in it.
    """

    messages: int
    unsubscribed: int
    records: int
    frames: int
    seconds: float
    left_out: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    """Checks of the edge by name, where one failed; docs/market-data.md says what followed."""


def only_met(**counts: int) -> dict[str, int]:
    """The counts that are not 0, for `Imported.left_out`."""
    return {name.replace("_", " "): count for name, count in counts.items() if count}


def failed_checks(edge: Mapping[str, Any]) -> dict[str, int]:
    """Of the counters of `EdgeChecks`: the checks that failed, by name, for `Imported.failed`."""
    return only_met(**{check.name.lower(): edge["failed"][check] for check in Check})


def kept_out(edge: Mapping[str, Any]) -> dict[str, int]:
    """Of the counters of `EdgeChecks`: the messages that are not on the tape, by why, for `only_met`."""
    return {
        "by_checks": edge["quarantined"],
        "by_filters": edge["filtered"],
        "of_orders_left_out": edge["follow_ups"],
    }


@contextmanager
def new_directory(out: Path) -> Iterator[Path]:
    """A directory beside `out` that becomes `out` when the body succeeds, and is removed when it fails.

    Raises:
        JournalError: `out` holds something, or cannot be made.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise JournalError(f"expected no tape at {out} yet, found something there; choose another --out or remove it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        unfinished.chmod(0o755)
    except OSError as error:
        raise JournalError(f"expected to make the directory {out}: {error}; choose another --out") from error
    try:
        yield unfinished
        unfinished.replace(out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def midnight_ns(day: date) -> int:
    """UTC ns of midnight at the exchange."""
    return int(datetime(day.year, day.month, day.day, tzinfo=EXCHANGE_ZONE).timestamp()) * 1_000_000_000


def date_in_name(name: str) -> date:
    """The date that a file's name states: 2020-01-30, 20200130, and NASDAQ's own 01302020 and S013020.

    Raises:
        ConfigError: it states none.
    """
    for pattern, order in (
        (r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)", "ymd"),
        (r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)", "ymd"),
        (r"(?<!\d)(\d\d)(\d\d)(\d{4})(?!\d)", "mdy"),
        (r"(?<![A-Za-z\d])S(\d\d)(\d\d)(\d\d)(?!\d)", "mdy"),
    ):
        for match in re.finditer(pattern, name):
            parts = dict(zip(order, map(int, match.groups()), strict=True))
            with suppress(ValueError):
                return date(parts["y"] + (2000 if parts["y"] < 100 else 0), parts["m"], parts["d"])
    raise ConfigError(f"expected a date in the file's name, as in 20200130, found {name!r}; give it with --date")
