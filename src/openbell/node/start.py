"""A start of the trading process: is what runs what ran, what recovery did, and what of both goes into the journal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from openbell import _native as native
from openbell import events
from openbell.errors import ConfigError
from openbell.node import acknowledge
from openbell.node.assemble import capacity_of, run_record, running_now
from openbell.node.config import NodeConfig
from openbell.node.record import LimitsRecord, read_record
from openbell.node.recovery import CoreDiffersError, Recovered, expect_both_halves, recover_engine
from openbell.node.snapshots import begin_with
from openbell.node.versions import in_force, is_replaced_as_configured


class Start:
    """One start of the node of `config`; `acknowledged` is what a person has said that runs, or empty.

    Raises:
        ConfigError: that is not what runs.
    """

    def __init__(self, config: NodeConfig, acknowledged: str = "") -> None:
        self.config = config
        self.configured = run_record(config)
        self.record = self.configured
        self.running = acknowledge.Running(**running_now(config, self.record))
        self._acknowledged = acknowledged
        self.is_meant = bool(acknowledged)
        self.is_acknowledged = True
        self.says: list[str] = []

    def take_versions(self, engine: native.Engine) -> None:
        """What runs is what `engine` stands at: versions that replaced strategies hold over a restart, until the node
        is configured otherwise.

        Raises:
            JournalError: a version that the journal names is not beside it.
        """
        self.record = self.configured
        journal_dir = self.config.node.journal_dir
        if is_replaced_as_configured(self.configured, engine, journal_dir):
            record = in_force(self.configured, engine, journal_dir)
            running = acknowledge.Running(**running_now(self.config, record))
            before = acknowledge.running_of(engine.started)
            if (running.strategies, running.config) == (before.strategies, before.config):
                self.record = record
        self.running = acknowledge.Running(**running_now(self.config, self.record))

    def recover(self) -> tuple[native.Engine, Recovered]:
        """The engine at the end of its journal; whether a person has to acknowledge what runs is known then.

        Raises:
            JournalDamagedError: bytes below the durable watermark are wrong.
            CoreDiffersError: this core decides otherwise than the one that wrote the journal, and nobody said that it
                is meant.
        """
        node = self.config.node
        expect_both_halves(node.journal_dir, node.hot_dir)
        try:
            engine, recovered = recover_engine(
                capacity_of(self.config), node.journal_dir, node.hot_dir, accepts_this_core=self.is_meant
            )
        except CoreDiffersError as error:
            raise CoreDiffersError(
                f"{error}; or, if this one is meant from here on: openbell run ... --acknowledge {self.running.name}, "
                "which opens nothing until a person has reconciled"
            ) from None
        self.judge(engine, recovered)
        return engine, recovered

    def judge(self, engine: native.Engine, recovered: Recovered) -> None:
        """Find out whether a person has to acknowledge what runs, on the journal that `engine` has played.

        Raises:
            ConfigError: they have acknowledged something else.
        """
        node = self.config.node
        self._take_limits(engine)
        self.take_versions(engine)
        if self._acknowledged not in ("", self.running.name):
            raise ConfigError(
                f"--acknowledge: expected {self.running.name}, which is what would run, found {self._acknowledged}; "
                "nothing was started; look at what differs, then say it again"
            )
        held = acknowledge.held_limits(engine, self.config.limits, node.limits)
        differs = held or acknowledge.question(engine, self.running)
        if recovered.differs_at:
            begin_with(node.journal_dir / "snapshots", engine)
        # Where the core decides otherwise its orders may not be those that left, and where frames are lost nobody knows
        # which have: a person has to look even so.
        self.is_acknowledged = not recovered.doubts and (not differs or self._settles(engine))
        if not self.is_acknowledged:
            old = read_record(node.journal_dir)
            doubts = recovered.doubts
            self.says = list(acknowledge.told(engine.started, self.running, old, self.record, node.name, held, doubts))

    def _take_limits(self, engine: native.Engine) -> None:
        """A standby has read the file before the node was told others and the file replaced."""
        if engine.limits_version <= self.config.limits.version:
            return
        with contextlib.suppress(ConfigError):  # what was read stays, and a person is asked about it
            self.config.take_limits(self.config.read_limits())
            self.configured = self.configured.model_copy(update={"limits": LimitsRecord.of(self.config.limits)})

    def _settles(self, engine: native.Engine) -> bool:
        """What an earlier start was asked about is answered by a release: orders may have been left in doubt since."""
        return self.is_meant and not acknowledge.is_unacknowledged(engine)

    def records(self, recovered: Recovered, doubts: int, torn_bytes: int) -> Iterator[bytes]:
        """What the journal is told of this start, after its Started."""
        told = [recovered.lost] if recovered.lost else []  # first: the record cuts what is long
        told += ["by the standby"] if recovered.by_standby else []
        told += [f"{doubts} in doubt"] if doubts else []
        told += [f"passed over {one}" for one in recovered.passed_over]
        yield events.recovered(
            snapshot_seq=recovered.snapshot_seq,
            frames=recovered.frames,
            took_us=int(recovered.seconds * 1e6),
            torn_bytes=torn_bytes,
            text="; ".join(told),
        )
        if self.is_meant:
            yield events.acknowledged(events.By(os.getuid()), self.running.name, differs_at=recovered.differs_at)
