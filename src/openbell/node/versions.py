"""Versions of strategies that replaced one another while a node ran: where they are kept, and which one counts.

The journal says when a strategy's class was replaced, and by which version: a number, made of its source and the name
of its class. `versions/` beside the journal holds that source, and `ID-NUMBER.json` how it ran. A version counts from
its event on, over restarts too, until the node starts with another configuration or another file than those that it
replaced; then the file counts again, and a person has to acknowledge it as any other change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from openbell import _native as native
from openbell.config import Settings
from openbell.config_types import Speed
from openbell.errors import JournalError, StrategyError
from openbell.journal.durable import replace_durably
from openbell.node.record import VERSIONS, RunRecord, StrategyRecord, kept_source
from openbell.strategy.loader import hashed, source_hash

if TYPE_CHECKING:
    from openbell.strategy import Strategy
    from openbell.strategy.compiler.load import Compiled


class Version(Settings):
    """One version as it ran; `instead_of` is the hash of what the configured file held when it came."""

    strategy: StrategyRecord
    instead_of: str

    @property
    def number(self) -> int:
        """As the journal names it; never 0."""
        return number_of(self.strategy)

    def write(self, journal_dir: Path) -> None:
        """Keep it beside the journal, before its event."""
        path = _path(journal_dir, self.strategy.id, self.number)
        replace_durably(path, (self.model_dump_json(indent=2) + "\n").encode())


def number_of(one: StrategyRecord) -> int:
    """A number for the source and class of `one`."""
    digest = hashed(f"{one.source_hash} {one.class_name} {one.object_hash}".encode())
    return int.from_bytes(digest[:7], "little") + 1


def _path(journal_dir: Path, strategy: int, number: int) -> Path:
    return journal_dir / VERSIONS / f"{strategy}-{number:014x}.json"


def read_version(journal_dir: Path, strategy: int, number: int) -> Version:
    """The version of that number, its source where this journal keeps it.

    Raises:
        JournalError: it is not there, or damaged.
    """
    path = _path(journal_dir, strategy, number)
    try:
        version = Version.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise JournalError(
            f"expected the version {number:014x} of strategy {strategy}, which the journal names, at {path}, found "
            "none; bring the folder back that belongs to this journal"
        ) from None
    except ValidationError as error:
        raise JournalError(f"{path}: expected a version of a strategy, found {error.errors()[0]['msg']}") from None
    return version.model_copy(update={"strategy": _as_kept(journal_dir, version.strategy)})


def _as_kept(journal_dir: Path, one: StrategyRecord) -> StrategyRecord:
    kept = kept_source(journal_dir, one)
    return one.model_copy(update={"file": str(kept)}) if kept.is_file() else one


def as_it_ran(journal_dir: Path, one: StrategyRecord) -> StrategyRecord:
    """`one` from the source that the journal keeps, where it was replaced later; else from its file.

    Who edits a file and replaces the strategy by it leaves nothing else of what ran before.
    """
    was_replaced = any((journal_dir / VERSIONS).glob(f"{one.id}-*.json"))
    return _as_kept(journal_dir, one) if was_replaced else one


def in_force(record: RunRecord, engine: native.Engine, journal_dir: Path) -> RunRecord:
    """`record`, with the versions that the journal of `engine` names.

    Raises:
        JournalError: one of them is not there.
    """

    def now(one: StrategyRecord) -> StrategyRecord:
        number = engine.strategy_version(one.id)
        return read_version(journal_dir, one.id, number).strategy if number else one

    return record.model_copy(update={"strategies": tuple(map(now, record.strategies))})


def is_replaced_as_configured(configured: RunRecord, engine: native.Engine, journal_dir: Path) -> bool:
    """Whether the versions in force replaced what the configured files hold now; a standby has loaded them long ago."""
    for one in configured.strategies:
        if not (number := engine.strategy_version(one.id)):
            continue
        try:
            version = read_version(journal_dir, one.id, number)
        except JournalError:
            return False  # the file counts again, and the hash of what runs says so
        if not Path(one.file).is_file() or version.instead_of != source_hash(one.file).hex():
            return False
    return True


class Versions:
    """Finds what the journal names: (strategy, version) -> instance and machine code, for `StrategyHost.set_versions`.

    `strategies` are those of the epoch, which are version 0. `speed` stands for theirs.
    """

    def __init__(self, journal_dir: Path, strategies: tuple[StrategyRecord, ...], speed: Speed | None = None) -> None:
        self.journal_dir = journal_dir
        self._first = {one.id: one for one in strategies}
        self._speed = speed
        self._ready: dict[tuple[int, int], tuple[Strategy, Compiled | None]] = {}

    def prepare(self, strategy: int, number: int) -> None:
        """Load a version before it is asked for; of one strategy the newest is kept.

        Raises:
            OpenbellError: it is not there, or cannot be loaded.
        """
        made = self._load(strategy, number)
        self._ready = {key: one for key, one in self._ready.items() if key[0] != strategy} | {(strategy, number): made}

    def __call__(self, strategy: int, number: int) -> tuple[Strategy, Compiled | None]:
        """The version `number`.

        Raises:
            OpenbellError: it is not there, or cannot be loaded.
        """
        return self._ready.pop((strategy, number), None) or self._load(strategy, number)

    def _load(self, strategy: int, number: int) -> tuple[Strategy, Compiled | None]:
        if number:
            found = read_version(self.journal_dir, strategy, number).strategy
        elif (first := self._first.get(strategy)) is not None:
            found = as_it_ran(self.journal_dir, first)
        else:
            raise StrategyError(f"expected strategy {strategy} among those of the node, found none")
        return found.model_copy(update={"speed": self._speed or found.speed}).made()


def follow_versions(
    host: native.StrategyHost, journal_dir: Path, strategies: tuple[StrategyRecord, ...], speed: Speed | None = None
) -> Versions:
    """Let the strategies of `host` become what the journal names, from each event on."""
    versions = Versions(journal_dir, strategies, speed)
    host.set_versions(native.FoundVersions(versions))
    return versions
