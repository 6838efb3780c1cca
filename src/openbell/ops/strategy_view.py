"""The strategies of a node as a person sees them: whether they are called, where, and with which parameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openbell import _native as native
from openbell.errors import OpenbellError
from openbell.node.card import NodeCard

if TYPE_CHECKING:
    from openbell.node.record import StrategyRecord

FAILED = (native.StrategyLife.HALTED, native.StrategyLife.FLATTENING_HALTED)
"""Only a release lets these go on."""
IN_WORDS = {
    native.StrategyLife.RUNS: "runs",
    native.StrategyLife.HALTED: "halted",
    native.StrategyLife.STOPPED: "stopped",
    native.StrategyLife.FLATTENING: "flattening",
    native.StrategyLife.FLATTENING_HALTED: "flattening, halted",
}


@dataclass(frozen=True)
class StrategyRow:
    """One strategy. `process` is 0 in the trading thread; `behind` counts frames its own process has not taken yet."""

    name: str
    state: str
    speed: str
    process: int
    behind: int
    params: tuple[str, ...]


class StrategyLooks:
    """Looks at the strategies of one node again and again; their classes are read when a parameter has changed."""

    def __init__(self, card: NodeCard) -> None:
        self._card = card
        self.strategies = dict(card.strategies)
        self._read_at: tuple[list[tuple[int, int, int]], list[int]] | None = None
        self._engine: native.Engine | None = None
        self._params: dict[str, tuple[str, ...]] = {}
        self._records: dict[str, StrategyRecord] = {}

    def take(self, engine: native.Engine) -> tuple[StrategyRow, ...]:
        """Every strategy, in the order of the file; none before the first epoch."""
        self._engine = engine
        if (engine.parameters, self._numbers(engine)) != self._read_at:
            self._read(engine)
        return tuple(self._row(engine, one) for one in self._records.values())

    def _numbers(self, engine: native.Engine) -> list[int]:
        """The versions of their classes that replaced others while the node ran."""
        return [engine.strategy_version(number) for number in self.strategies.values()]

    def _read(self, engine: native.Engine) -> None:
        from openbell.node.record import read_record
        from openbell.node.versions import in_force
        from openbell.ops.control.tuning import Tuning

        record = read_record(Path(self._card.journal_dir))
        if record is None:
            return
        record = in_force(record, engine, Path(self._card.journal_dir))
        self._read_at = self.changed_parameters(), self._numbers(engine)
        self._records = {one.name: one for one in record.strategies}
        tuning = Tuning(self, {}, lambda: record)
        for name in self._records:
            try:
                shown = tuning.shown(name)[name]
            except OpenbellError:  # its file is another one now: nobody can say what its words mean
                self._params[name] = ("parameters unknown: its file has changed",)
                continue
            self._params[name] = tuple(
                f"{key}={one['value']}" + ("" if one["value"] == one["configured"] else f" (file: {one['configured']})")
                for key, one in shown.items()
            )

    def _row(self, engine: native.Engine, one: StrategyRecord) -> StrategyRow:
        state = IN_WORDS[engine.life_of(one.id)]
        process = behind = 0
        hot_dir = Path(self._card.hot_dir)
        if one.process == "own" and (hot_dir / f"strategy-{one.id}.cell").is_file():
            cell = native.StrategyCell.open(str(hot_dir), one.id)
            process, behind = cell.pid, max(0, engine.seq - cell.seen)
            if state == "runs" and not cell.is_on:
                state = "its process has not begun" if cell.is_held else "without a process"
        return StrategyRow(one.name, state, one.speed, process, behind, self._params.get(one.name, ()))

    # ---- what Tuning asks of a node

    def changed_parameters(self) -> list[tuple[int, int, int]]:
        """(strategy, word, bits) of parameters that were changed while their strategies ran."""
        return self._engine.parameters if self._engine else []

    def instruments(self) -> dict[str, int]:
        """No value is sent from here."""
        return {}

    def engine_now_ns(self) -> int:
        """The time of the last frame."""
        return self._engine.now_ns if self._engine else 0


def strategy_lines(rows: tuple[StrategyRow, ...]) -> list[str]:
    """`strategy maker runs, compiled, process 4711: size=9 (file: 5)`."""
    lines = []
    for row in rows:
        where = f", process {row.process}" if row.process else ""
        behind = f", {row.behind:,} frames behind" if row.behind > 1 else ""
        params = f": {', '.join(row.params)}" if row.params else ""
        lines.append(f"strategy {row.name} {row.state}, {row.speed}{where}{behind}{params}")
    return lines
