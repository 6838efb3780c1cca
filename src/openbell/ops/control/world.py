"""What the control desk sees of a running node and may do to it: its engine by the journal, its kill cell, its ring."""

from __future__ import annotations

import fcntl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from openbell import _native as native
from openbell.journal.assets import Asset, read_asset
from openbell.node.acknowledge import is_unacknowledged, running_of
from openbell.node.card import NodeCard
from openbell.node.names import Names
from openbell.node.reconciliation_page import compared_ns, open_breaks
from openbell.node.record import RunRecord, read_record
from openbell.node.snapshots import NoBeginError
from openbell.node.versions import in_force
from openbell.ops.control.proposals import RefusedError
from openbell.ops.find import read_page
from openbell.ops.follow import follow
from openbell.ops.strategy_view import FAILED
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, RECORDS, ArmState, KillLevel, OrderState, Side

FRAMES_PER_POLL = 4_096
CATCH_UP_S = 0.02
"""A request waits so long for what was journalled just before it; a long journal is caught up with in between."""
RING_SLOT_BYTES = 128
"""A smaller record leaves the rest of its slot empty."""
LOCK_WITHIN_S = 0.1
"""A producer holds the ring for microseconds; one that was stopped in between must not stop others."""


@dataclass(frozen=True)
class Target:
    """One strategy, one instrument or (neither) the node."""

    strategy: int = NO_STRATEGY
    instrument: int = NO_INSTRUMENT
    name: str = "the node"

    @property
    def ids(self) -> dict[str, int]:
        """For the builders of records."""
        return {"strategy": self.strategy, "instrument": self.instrument}


@dataclass(frozen=True)
class Armed:
    """How a scope stands by itself."""

    state: ArmState
    unkilled: ArmState
    killed: KillLevel
    doubted: bool
    granted_until_ns: int
    halted: bool = False

    @property
    def is_held(self) -> bool:
        """Only a release lets it go on."""
        return bool(self.held)

    @property
    def held(self) -> str:
        """By what, for people; empty where nothing holds it."""
        held = [f"killed ({self.killed.name.lower()})"] if self.killed != KillLevel.NONE else []
        held += ["in doubt: a person has to reconcile"] if self.doubted else []
        held += ["halted"] if self.halted else []
        return " and ".join(held)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "state": self.state.name,
            "armed": self.unkilled.name,
            "kill": self.killed.name,
            "doubted": self.doubted,
            "halted": self.halted,
            "granted_until_ns": self.granted_until_ns,
        }


class Terms(NamedTuple):
    """What an instrument's integers mean, and what they are multiples of."""

    asset: Asset
    tick: int
    lot: int


class World(Protocol):
    """The seam between the desk and a node; tests stand on it."""

    strategies: dict[str, int]

    def find_instrument(self, symbol: str) -> int | None: ...
    def instruments(self) -> dict[str, int]: ...
    def terms(self, instrument: int) -> Terms: ...
    def position(self, strategy: int, instrument: int) -> int: ...
    def armed(self, target: Target) -> Armed: ...
    def unacknowledged(self) -> str: ...
    def limits_version(self) -> int: ...
    def in_doubt(self) -> list[str]: ...
    def open_breaks(self) -> list[str]: ...
    def compared_ns(self) -> int: ...
    def engine_now_ns(self) -> int: ...
    def set_kill(self, level: KillLevel, uid: int) -> None: ...
    def ask_scoped(self) -> int: ...
    def push(self, record: bytes) -> bool: ...
    def kill_generation(self) -> int: ...
    def waiting(self) -> int: ...


class LiveWorld:
    """The node of a card."""

    def __init__(self, card: NodeCard) -> None:
        self.card = card
        self.strategies = dict(card.strategies)
        self.hot_dir = Path(card.hot_dir)
        self._follower: native.Follower | None = None
        self._cell = native.KillCell.open(str(self.hot_dir / "kill"))
        self._names = Names(card.feeds)

    def poll(self, for_s: float = CATCH_UP_S) -> bool:
        """Follow the journal; whether it is caught up with."""
        if self._follower is None:
            if not read_page(self.hot_dir).epoch:
                return False
            try:
                self._follower = follow(self.card)
            except NoBeginError:  # before a start that accepts this core has written the first snapshot of it
                return False
        give_up = time.monotonic() + for_s
        while self._follower.poll(FRAMES_PER_POLL):
            if time.monotonic() > give_up:
                return False
        return True

    @property
    def engine(self) -> native.Engine | None:
        """As it stood when it was last looked at; None before the node's first epoch."""
        return self._follower.engine if self._follower else None

    def run(self) -> RunRecord:
        """What runs, with the versions that replaced strategies meanwhile.

        Raises:
            RefusedError: the node has not begun.
        """
        journal_dir = Path(self.card.journal_dir)
        record = read_record(journal_dir)
        if record is None:
            raise RefusedError("the node has not begun its first epoch; ask again when it runs")
        return in_force(record, self.engine, journal_dir) if self.engine else record

    def instruments(self) -> dict[str, int]:
        """Ids by name, of those that the node has heard of."""
        return {name: number for number, name in self._names.of(self.engine).items()} if self.engine else {}

    def find_instrument(self, symbol: str) -> int | None:
        """The id of a name; None if the node has not heard of it, or of a symbol at several venues."""
        return self.instruments().get(symbol)

    def terms(self, instrument: int) -> Terms:
        """Of an instrument that `find_instrument` has named."""
        record = np.frombuffer(self._named_by().instrument_record(instrument), RECORDS["Instrument"])[0]
        return Terms(read_asset(record), int(record["tick"]), int(record["lot"]))

    def position(self, strategy: int, instrument: int) -> int:
        """Of one strategy, with all that was journalled by now."""
        self.poll()
        return int(self._named_by().position(strategy, instrument)["qty"])

    def _named_by(self) -> native.Engine:
        assert self.engine is not None, "who has an instrument's id has it of an engine"
        return self.engine

    def armed(self, target: Target) -> Armed:
        """How a scope stands by the journal; the node's kill is the cell's."""
        if (engine := self.engine) is None:
            return Armed(ArmState.OFF, ArmState.OFF, KillLevel.NONE, False, 0)
        state, unkilled, killed, doubted, until = engine.arming(target.strategy, target.instrument)
        halted = [number for number in self.strategies.values() if engine.life_of(number) in FAILED]
        is_node = target.strategy == NO_STRATEGY and target.instrument == NO_INSTRUMENT
        if is_node:
            killed = max(killed, self._cell.level)
        return Armed(state, unkilled, killed, doubted, until, target.strategy in halted or (is_node and bool(halted)))

    def unacknowledged(self) -> str:
        """What runs and nobody has acknowledged, by its name; empty where all is as it was."""
        if (engine := self.engine) is None or not is_unacknowledged(engine):
            return ""
        return running_of(engine.started).name

    def limits_version(self) -> int:
        """Of the limits that the node was told last; 0: of none yet."""
        return self.engine.limits_version if self.engine else 0

    def in_doubt(self) -> list[str]:
        """Orders with a command of which nobody knows whether the venue has it."""
        if (engine := self.engine) is None:
            return []
        doubted = (o for o in engine.live_orders() if o.state == OrderState.IN_DOUBT)
        names = self._names.of(engine)
        return [f"order {o.cl_ord_id} {Side(o.side).name} {o.leaves_qty} {names[o.instrument]}" for o in doubted]

    def open_breaks(self) -> list[str]:
        """As reconciliation has said last; nothing where the node has none."""
        return open_breaks(self.hot_dir, time.time_ns())

    def compared_ns(self) -> int:
        """When reconciliation last ended a round; 0: nobody compares."""
        return compared_ns(self.hot_dir)

    def changed_parameters(self) -> list[tuple[int, int, int]]:
        """(strategy, word, bits) of parameters that were changed while their strategies ran."""
        return self.engine.parameters if self.engine else []

    def life_of(self, strategy: int) -> native.StrategyLife:
        """Whether a strategy is called."""
        return self.engine.life_of(strategy) if self.engine else native.StrategyLife.RUNS

    def version_of(self, strategy: int) -> int:
        """The version of its class that replaced another while the node ran; 0: none did."""
        return self.engine.strategy_version(strategy) if self.engine else 0

    def engine_now_ns(self) -> int:
        """The engine's time, from its last frame or its counters, whichever is later."""
        counters = self.hot_dir / "counters"
        shown = dict(native.Counters.attach(str(counters)).read()).get("now_ns", 0) if counters.is_file() else 0
        return max(shown, self.engine.now_ns if self.engine else 0)

    def set_kill(self, level: KillLevel, uid: int) -> None:
        """Close the gate: needs nobody else."""
        self._cell.request(level, time.time_ns(), uid)

    def ask_scoped(self) -> int:
        """Close the gate until the record with this ticket is taken."""
        return self._cell.ask_scoped()

    def kill_generation(self) -> int:
        """Counts the requests at the kill cell."""
        return self._cell.generation

    def waiting(self) -> int:
        """Commands that the trading thread has not taken yet."""
        return len(native.Ring.attach(str(self.hot_dir / "operator.ring")))

    def push(self, record: bytes) -> bool:
        """Give the trading thread one record; False when its ring is full."""
        is_pushed = push_record(self.hot_dir, record)
        self._cell.ring()
        return is_pushed


def push_record(hot_dir: Path, record: bytes) -> bool:
    """Put `record` into the operator ring; False when it is full, or another producer holds it for too long.

    Raises:
        JournalError: no node has run here.
    """
    with (hot_dir / "operator.lock").open("w") as lock:
        give_up = time.monotonic() + LOCK_WITHIN_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the ring has one producer at a time
                slot = np.frombuffer(record.ljust(RING_SLOT_BYTES, b"\0"), np.uint8)
                return native.Ring.attach(str(hot_dir / "operator.ring")).push(slot)
            except BlockingIOError:
                if time.monotonic() > give_up:
                    return False
                time.sleep(0.001)
