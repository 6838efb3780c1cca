"""What the desk does for running strategies: values that are sent to them, and their parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from openbell import events
from openbell.errors import OpenbellError
from openbell.node.record import RunRecord, StrategyRecord
from openbell.node.signals import SignalSettings
from openbell.ops.control.names import unknown
from openbell.ops.control.proposals import RefusedError
from openbell.strategy import Strategy
from openbell.strategy.fields import Cell, bits_of, value_of
from openbell.strategy.loader import load_strategy
from openbell.types import NO_INSTRUMENT, NO_STRATEGY

PARAMETERS_OF_ONE_CHANGE_MAX = 64
Number = bool | int | float


class TunedNode(Protocol):
    """What tuning asks of a node."""

    strategies: dict[str, int]

    def instruments(self) -> dict[str, int]: ...
    def engine_now_ns(self) -> int: ...
    def changed_parameters(self) -> list[tuple[int, int, int]]: ...


@dataclass
class Tuning:
    """Signals by name, and the run whose parameters can be changed; `run` refuses before the first epoch."""

    node: TunedNode
    signals: dict[str, SignalSettings]
    run: Callable[[], RunRecord]

    # ---- signals

    def signal(self, name: str, value: float, instrument: str, uid: int, pid: int) -> bytes:
        """The record of a value that was sent.

        Raises:
            RefusedError: no signal of this name, a value outside its bounds or no number, an unknown instrument.
        """
        one = self.signals.get(name)
        if one is None:
            known = ", ".join(sorted(self.signals)) or "none"
            raise RefusedError(f"signal {name!r}: expected one of [[signals]], found none of that name; it has {known}")
        if not one.low <= value <= one.high:  # NaN is not
            raise RefusedError(f"signal {name}: expected {one.low:g} <= value <= {one.high:g}, found {value:g}")
        number = NO_INSTRUMENT
        if instrument:
            ids = self.node.instruments()
            if instrument not in ids:
                raise unknown("instrument", instrument, ids)
            number = ids[instrument]
        strategy = self.node.strategies[one.strategy] if one.strategy else NO_STRATEGY
        now = self.node.engine_now_ns()
        return events.signal(one.id, value, ts_ns=now, strategy=strategy, instrument=number, uid=uid, pid=pid)

    # ---- parameters

    def shown(self, strategy: str) -> dict[str, dict[str, Any]]:
        """The parameters of one strategy, or of all, as they are in force."""
        names = [strategy] if strategy else [one.name for one in self.run().strategies]
        return {name: dict(self._parameters(self._find(name))) for name in names}

    def change(self, strategy: str, values: dict[str, Number]) -> tuple[list[bytes], list[str]]:
        """The records that change parameters together, and what they change, for people.

        Raises:
            RefusedError: the strategy or a parameter is not there, a value is not allowed, or the file is another now.
        """
        one = self._find(strategy)
        if len(values) > PARAMETERS_OF_ONE_CHANGE_MAX:
            raise RefusedError(f"params: expected at most {PARAMETERS_OF_ONE_CHANGE_MAX} at once, found {len(values)}")
        before, declared, cells = dict(self._parameters(one)), self._class(one).__fields__, self._cells(one)
        words, says = [], []
        for name, value in values.items():
            if name not in cells:
                raise RefusedError(
                    f"{strategy}: expected a parameter, found {name!r}; it has {', '.join(cells) or 'none'}"
                )
            try:
                checked = declared[name].check(value, strategy)
            except OpenbellError as error:
                raise RefusedError(str(error)) from None
            words.append((cells[name], checked))
            says.append(f"{strategy}.{name}: {before[name]['value']} -> {checked}")
        number = self.node.strategies[strategy]
        last = len(words) - 1
        records = [
            events.parameter(number, cell.offset, bits_of(cell.kind, value), cell.name, continues=i < last)
            for i, (cell, value) in enumerate(words)
        ]
        return records, says

    def _find(self, strategy: str) -> StrategyRecord:
        found = {one.name: one for one in self.run().strategies}
        if strategy not in found:
            known = ", ".join(sorted(found)) or "none"
            raise RefusedError(f"params: expected a strategy of the node, found {strategy!r}; it has {known}")
        return found[strategy]

    def _class(self, one: StrategyRecord) -> type[Strategy]:
        if not one.is_unchanged():
            raise RefusedError(
                f"{one.name}: expected {one.file} as it was when the node started, found it changed: its bounds may be "
                "others; restart the node with it, or restore it"
            )
        return load_strategy(one.file, one.class_name)

    def _cells(self, one: StrategyRecord) -> dict[str, Cell]:
        layout = self._class(one).layout()
        return {cell.name: cell for cell in layout.cells if cell.offset >= layout.state_words}

    def _parameters(self, one: StrategyRecord) -> Iterator[tuple[str, dict[str, Any]]]:
        strategy_class = self._class(one)
        configured = strategy_class(**one.params)
        changed = {word: bits for who, word, bits in self.node.changed_parameters() if who == one.id}
        for name, cell in self._cells(one).items():
            value, param = getattr(configured, name), strategy_class.__fields__[name].param
            assert param is not None
            said = {
                "value": value,
                "configured": value,
                "ge": param.ge,
                "le": param.le,
                "unit": param.unit,
                "doc": param.doc,
            }
            if cell.offset in changed:
                said["value"] = value_of(cell.kind, changed[cell.offset])
            yield name, said
