"""A standby: follows a live node's journal on the same host, runs its strategies too, takes over when it has died.

    python -m openbell.node.standby NODE.toml [--mode MODE]

It is hot because it plays the node's own frames in the node's own order: books, orders, positions and what strategies
know are those of the node, a moment later. What its strategies say is compared with what the node journalled, and goes
nowhere. The first difference is an alert and the end of the standby: a cold start is better than a wrong one.

The node is dead when the kernel says so: its descriptor (pidfd) is readable. Silence is not death; who is only stopped
is ended first, by the watchdog or a person. A process that has ended writes and sends nothing any more, its lock on the
journal is free, and the take-over is a start like any other: a new epoch, a login for the next unread report, nothing
sent before the venue has told the rest.
"""

from __future__ import annotations

import argparse
import gc
import os
import select
import sys
import time
from pathlib import Path

from openbell import _native as native
from openbell.errors import InvariantError
from openbell.journal import open_journal
from openbell.node import assemble, trading
from openbell.node.acknowledge import running_of
from openbell.node.config import NodeConfig, load_node
from openbell.node.page import read_page
from openbell.node.recovery import Recovered
from openbell.node.snapshots import usable_snapshots
from openbell.node.start import Start
from openbell.node.versions import follow_versions

LOOK_EVERY_S = 0.001
FRAMES_PER_LOOK = 50_000
WRITER_WITHIN_S = 60.0


class StandbyDiffersError(InvariantError):
    """The standby decides otherwise than the node."""


class Standby:
    """Stands by for the node of `config`, which runs."""

    def __init__(self, config: NodeConfig) -> None:
        self.config = config
        self.start = Start(config)
        self.strategies = assemble.build_strategies(config)
        follow_versions(self.strategies, config.node.journal_dir, self.start.configured.strategies)
        self._directories = config.node.journal_dir, config.node.hot_dir
        self.follower = self._begin()
        self.epoch = 0
        self.died_at = 0.0

    def _begin(self) -> native.Follower:
        """At the newest snapshot before the node's epoch: what a strategy has not journalled yet is in no snapshot."""
        journal_dir, hot_dir = map(str, self._directories)
        follower = native.Follower(assemble.capacity_of(self.config), journal_dir, hot_dir, self.strategies)
        starts = [int(seq) for _, seqs, _ in open_journal(*self._directories).batches("Started") for seq in seqs]
        before = (s for s in usable_snapshots(*self._directories) if not starts or s.seq < starts[-1])
        if snapshot := next(before, None):
            follower.load(snapshot.state)
        return follower

    def watch(self) -> bool:
        """Follow until the node's process has ended; whether it left its journal open, so that it has to be replaced.

        Raises:
            StandbyDiffersError: this process does not decide what the node does.
        """
        descriptor = self._writer()
        if descriptor is None:
            return False
        is_told = False
        try:
            while not native.is_stop_requested():
                played = self.follower.poll(FRAMES_PER_LOOK)
                self._expect_same()
                if not played and not is_told:
                    is_told = True
                    gc.collect()
                    gc.freeze()  # a collection in the middle of a take-over then finds little to look at
                    print(f"standing by at seq {self.follower.engine.seq:_}", file=sys.stderr, flush=True)
                if not played and select.select([descriptor], [], [], LOOK_EVERY_S)[0]:
                    break
        finally:
            os.close(descriptor)
        self.died_at = time.perf_counter()
        while self.follower.poll(FRAMES_PER_LOOK):
            pass
        self._expect_same()
        return not native.is_stop_requested() and read_page(self._directories[1]).is_open

    def _writer(self) -> int | None:
        """A descriptor of the process that writes the journal; None when a stop came first."""
        give_up = time.monotonic() + WRITER_WITHIN_S
        while not native.is_stop_requested():
            page = read_page(self._directories[1])
            if page.is_alive:
                descriptor = os.pidfd_open(page.writer_pid)
                if read_page(self._directories[1]).writer_pid == page.writer_pid:
                    return descriptor
                os.close(descriptor)
            if time.monotonic() > give_up:
                raise StandbyDiffersError(
                    f"standby: expected a node that writes {self._directories[0]}, found none within "
                    f"{WRITER_WITHIN_S:.0f} s; start it first"
                )
            self.follower.poll(FRAMES_PER_LOOK)
            select.select([], [], [], LOOK_EVERY_S)
        return None

    def _expect_same(self) -> None:
        report, engine = self.follower.report, self.follower.engine
        for what, differs_at in (("core", report.core_differs_at), ("strategy", report.strategy_differs_at)):
            if differs_at:
                raise StandbyDiffersError(
                    f"standby: expected the {what} to decide what the node has journalled for seq {differs_at}, found "
                    f"otherwise ({report.what}); it cannot take over and ends; openbell replay --verify shows more"
                )
        if engine.epoch == self.epoch or engine.epoch != read_page(self._directories[1]).epoch:
            return  # known, or of an earlier process
        self.epoch = engine.epoch
        self.start.take_versions(engine)
        if differs := self.start.running.parts_unlike(running_of(engine.started)):
            raise StandbyDiffersError(
                f"standby: expected to run what the node runs in epoch {engine.epoch}, found other "
                f"{', '.join(differs)}; it cannot take over and ends; start it again from the node's own files"
            )

    def take_over(self) -> trading.Summary:
        """Become the node, in a new epoch; its summary when it ends.

        Raises:
            JournalLockedError: another process writes the journal.
        """
        engine = self.follower.engine
        recovered = Recovered(0, engine.seq, 0, time.perf_counter() - self.died_at, by_standby=True)
        self.start.judge(engine, recovered)
        return trading.session(self.config, self.start, engine, recovered, self.strategies)


def main(arguments: list[str] | None = None) -> int:
    """Stand by; 0 when the node ended in order, else as the trading process."""
    parser = argparse.ArgumentParser(prog="python -m openbell.node.standby")
    parser.add_argument("config", type=Path)
    parser.add_argument("--mode", default="", help="a safer mode than the file's")
    options = parser.parse_args(arguments)

    def live() -> trading.Summary | None:
        config = load_node(options.config, options.mode)
        with native.FolderLock(str(config.node.journal_dir), str(config.node.hot_dir)):
            standby = Standby(config)
            return standby.take_over() if standby.watch() else None

    return trading.lived(live)


if __name__ == "__main__":
    sys.exit(main())
