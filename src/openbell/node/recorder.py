"""Records a market-data feed to a tape: the node's own feed handler and driver, without a strategy and without a venue.

What is on the tape is what a node would have journalled: the records with their real times of receipt, gaps,
recoveries, sessions. A tape needs no archiver; it is whole up to the last frame whenever the process ends.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from openbell import _native as native
from openbell.errors import JournalError
from openbell.node import assemble
from openbell.node.config import INSTRUMENTS_MAX, FeedSettings
from openbell.node.paths import SHARED_MEMORY

TURN_S = 0.25
"""Between two looks at Ctrl-C and at what to show."""


class Heard(NamedTuple):
    """What has been recorded so far; `faults` are records that contradicted their book."""

    seconds: float
    packets: int
    frames: int
    instruments: int
    gaps: int
    lost: int
    faults: int


@dataclass(frozen=True)
class Recording:
    """What to record: a feed, the symbols of it (all without any), and where to."""

    feed: FeedSettings
    out: Path
    symbols: Sequence[str] = ()
    book_orders_max: int = 1 << 20
    segment_mib: int = 64
    checks: native.EdgeConfig | None = None
    """What its node checks and leaves out; without, what a feed checks that is not configured."""


def record(recording: Recording, *, for_s: float = 0.0, told: Callable[[Heard], None] = lambda _: None) -> Heard:
    """Record until SIGINT or SIGTERM (`native.install_stop_handler`), or for so long; `told` hears of it all the while.

    Raises:
        JournalError: `out` holds something, or cannot be written.
        NetError: a socket could not be opened.
    """
    if recording.out.exists() and any(recording.out.iterdir()):
        raise JournalError(f"expected no tape at {recording.out} yet, found something there; choose another --out")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="openbell-record-", dir=SHARED_MEMORY.parent) as hot:
        config = _live_config(recording, hot)
        engine = native.Engine(config.capacity)
        strategies = native.StrategyHost()
        node = native.LiveNode(config, engine, strategies)

        def heard() -> Heard:
            counts = dict(native.Counters.attach(f"{hot}/counters").read())
            return Heard(
                time.monotonic() - began,
                counts["feed_packets"],
                node.last_seq,
                engine.instruments,
                counts["feed_gaps"],
                counts["feed_lost"],
                engine.book_faults,
            )

        try:
            while not native.is_stop_requested() and (not for_s or time.monotonic() - began < for_s):
                node.run(int(TURN_S * 1e9))
                told(heard())
        finally:
            node.close()
        return heard()


def _live_config(recording: Recording, hot: str) -> native.LiveConfig:
    config = native.LiveConfig()
    config.is_tape = True
    config.journal_dir = str(recording.out)
    config.hot_dir = hot
    config.segment_bytes = recording.segment_mib << 20
    capacity = native.EngineCapacity()
    capacity.instruments_max = len(recording.symbols) or INSTRUMENTS_MAX
    capacity.book_orders_max = recording.book_orders_max
    config.capacity = capacity
    feed = assemble.feed_config(recording.feed, list(recording.symbols))
    feed.checks = recording.checks or feed.checks
    config.feeds = [feed]
    return config
