"""What a replay needs beside the journal, in one file of its directory: `backtest.json` or `node.json`.

The journal holds every input and every decision. It does not hold source code, paths and table sizes; this does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from openbell import _native as native
from openbell.config import Settings
from openbell.config_types import Place, Speed
from openbell.errors import JournalError, StrategyError
from openbell.journal.durable import replace_durably
from openbell.journal.segments import RUNS
from openbell.node.limit_lines import Line, currency_lines, lines_of, rates_of
from openbell.strategy.carry import Leaf, leaves_of
from openbell.strategy.loader import hashed, load_strategy, source_hash

if TYPE_CHECKING:
    from openbell.node.limits import LimitSet
    from openbell.strategy import Strategy
    from openbell.strategy.compiler.load import Compiled

FORMAT = 1
Params = dict[str, bool | int | float | str]
FILES = {"backtest": "backtest.json", "node": "node.json"}
VERSIONS = "versions"
"""Folder of the sources that ran, and of the versions that replaced a strategy while the node ran."""


class StrategyRecord(Settings):
    """One strategy as it ran; `source_hash` is of its file, in hexadecimal."""

    id: int
    name: str
    file: str
    class_name: str | None
    params: Params
    symbols: tuple[str, ...]
    source_hash: str
    speed: Speed = "interpreted"
    process: Place = "trading"
    object_hash: str = ""
    """Of the machine code that ran, in hexadecimal; empty where none did."""
    leaves: tuple[Leaf, ...] = ()
    """Where what it declares lies: a version that replaces it while the node runs takes that over."""

    @classmethod
    def of(
        cls,
        *,
        id: int,
        name: str,
        file: Path,
        class_name: str | None,
        params: Params,
        symbols: tuple[str, ...],
        speed: Speed,
        process: Place = "trading",
    ) -> StrategyRecord:
        """A strategy as it is about to run; it is loaded here, and a compiled one compiled.

        Raises:
            StrategyError: the file or class is not there, or the class cannot be compiled.
        """
        strategy_class = load_strategy(file, class_name)
        object_hash = machine_code(strategy_class).object_hash if speed == "compiled" else ""
        return cls(
            id=id,
            name=name,
            file=str(file),
            class_name=class_name,
            params=params,
            symbols=symbols,
            source_hash=source_hash(file).hex(),
            speed=speed,
            process=process,
            object_hash=object_hash,
            leaves=leaves_of(strategy_class),
        )

    def identity(self) -> bytes:
        """What a journal's Started record says of it: its source, and its machine code."""
        return bytes.fromhex(self.source_hash + self.object_hash)

    def is_unchanged(self) -> bool:
        """Whether the file still is what ran."""
        return Path(self.file).is_file() and source_hash(self.file).hex() == self.source_hash

    def made(self) -> tuple[Strategy, Compiled | None]:
        """An instance with its parameters, and its machine code where it is compiled.

        Raises:
            StrategyError: file, class or a parameter is not there any more, or it cannot be compiled.
        """
        strategy_class = load_strategy(self.file, self.class_name)
        return strategy_class(**self.params), machine_code(strategy_class) if self.speed == "compiled" else None


class CapacityRecord(Settings):
    """The size of every table of the engine, and the policies of its checks."""

    instruments_max: int
    book_orders_max: int
    orders_max: int
    strategies_max: int
    timers_max: int
    limits_max: int = 1_024
    checks: tuple[int, ...] = ()

    @classmethod
    def of(cls, capacity: native.EngineCapacity) -> CapacityRecord:
        """The same sizes, to be written down."""
        sizes = {name: getattr(capacity, name) for name in cls.model_fields}
        return cls(**sizes | {"checks": tuple(capacity.checks)})

    def native(self) -> native.EngineCapacity:
        """The same sizes, for an engine."""
        capacity = native.EngineCapacity()
        for name in type(self).model_fields:
            setattr(capacity, name, list(self.checks) if name == "checks" else getattr(self, name))
        return capacity


class LimitsRecord(Settings):
    """The limits of a run, as `limit_lines.Line` has them."""

    version: int
    lines: tuple[Line, ...]
    unlimited: tuple[str, ...] = ()
    """Kinds that an order may pass without, as the file says."""
    base_currency: str = ""
    conversions: dict[str, int] = Field(default_factory=dict)
    """What a unit of each other currency is worth, in 1e-8 of the base currency."""

    @property
    def compared(self) -> list[Line]:
        """What another set is compared with, as `limit_lines.compared_lines` has it."""
        return [*self.lines, *currency_lines(self.base_currency, self.conversions)]

    @classmethod
    def of(cls, limits: LimitSet) -> LimitsRecord:
        """A set as it comes into force."""
        return cls(
            version=limits.version,
            lines=tuple(lines_of(limits)),
            unlimited=limits.unlimited,
            base_currency=limits.base_currency,
            conversions=rates_of(limits),
        )


class TapeRecord(Settings):
    """The tape that fills the numbers a backtest's journal leaves out."""

    path: str
    hash: str
    feed_latency_ns: int


class EndRecord(Settings):
    """Where a finished run ended."""

    last_seq: int
    state_hash: str


class RunRecord(Settings):
    """The whole file. Of a node there is one for each epoch, in the folder RUNS; node.json is the newest."""

    format: Literal[1] = 1
    kind: Literal["backtest", "node"]
    capacity: CapacityRecord
    strategies: tuple[StrategyRecord, ...]
    tape: TapeRecord | None = None
    hot_dir: str | None = None
    limits: LimitsRecord | None = None
    end: EndRecord | None = None
    settings: dict[str, Any] = Field(default_factory=dict)

    def write(self, directory: Path, epoch: int = 0) -> None:
        """Put the file into `directory`, whole or not at all; that of an epoch is kept beside those of the others."""
        if epoch:
            for one in self.strategies:
                if one.is_unchanged():  # a standby has loaded it long ago
                    keep_source(directory, one)
            (directory / RUNS).mkdir(exist_ok=True)
            self._put(directory / RUNS / f"{epoch:06}.json")
        self._put(directory / FILES[self.kind])

    def _put(self, path: Path) -> None:
        replace_durably(path, (self.model_dump_json(indent=2) + "\n").encode())


def read_record(directory: Path, epoch: int = 0) -> RunRecord | None:
    """The record of the journal in `directory`, the newest or that of an epoch; None when there is none.

    Raises:
        JournalError: it is there and damaged, or of a later format.
    """
    for name in [f"{RUNS}/{epoch:06}.json"] if epoch else FILES.values():
        path = directory / name
        if path.is_file():
            try:
                return RunRecord.model_validate_json(path.read_bytes())
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"])) or "the file"
                raise JournalError(
                    f"{path}: expected the record of a run in format {FORMAT}, found a fault at {where}: "
                    f"{first['msg']}; restore the file, or give --config"
                ) from None
    return None


def kept_source(directory: Path, one: StrategyRecord) -> Path:
    """Where the journal in `directory` keeps the source that ran; under its own name, which tracebacks show."""
    return directory / VERSIONS / one.source_hash / Path(one.file).name


def keep_source(directory: Path, one: StrategyRecord) -> Path:
    """Copy the source of `one` into the journal's folder, so that it can be run again when its file has changed.

    Raises:
        JournalError: the disk refused.
        StrategyError: the file is not what was loaded.
    """
    path, text = kept_source(directory, one), Path(one.file).read_bytes()
    if hashed(text).hex() != one.source_hash:
        raise StrategyError(f"{one.file}: expected it as it was loaded a moment ago, found it changed; try again")
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, text)
    return path


def build_host(strategies: tuple[StrategyRecord, ...]) -> native.StrategyHost:
    """The strategies, loaded from their files with their parameters, in the order of their ids.

    Raises:
        StrategyError: a file, class or parameter is not there any more.
    """
    host = native.StrategyHost()
    for one in sorted(strategies, key=lambda s: s.id):
        (strategy, code), symbols = one.made(), list(one.symbols)
        if code is not None:
            host.add_compiled(one.id, one.name, strategy, symbols, code)
        else:
            host.add(one.id, one.name, strategy, symbols)
    return host


def machine_code(strategy_class: type[Strategy]) -> Compiled:
    """The machine code of a class; nothing of the compiler is imported where no strategy is compiled."""
    from openbell.strategy.compiler.load import compile_strategy

    return compile_strategy(strategy_class)
