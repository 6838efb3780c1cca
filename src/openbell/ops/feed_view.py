"""The feeds of a node as a person sees them: each line's losses and lag, what was recovered, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

PREFIX = "feed."
LINES = ("A", "B")
SILENT_MS = 5_000.0
"""A line says at least a heartbeat a second; one that is silent for so long is down."""


@dataclass(frozen=True)
class LineRow:
    """One line: `first` counts the messages that it brought before the other, `skipped` those that it lost."""

    name: str
    packets: int
    first: int
    skipped: int
    lag_ns: int
    lag_ns_max: int
    dropped: int
    silent_ms: float


@dataclass(frozen=True)
class FeedRow:
    """One feed, since the node's process began."""

    name: str
    lines: tuple[LineRow, ...]
    behind: int
    gaps: int
    requests: int
    recovered: int
    lost: int
    snapshots: int
    snapshot_tries: int
    snapshots_given_up: int
    recovering: int
    wrong_session: int
    strangers: int
    malformed: int
    waited_ns_max: int
    duplicates: int
    sessions: int
    silences: int
    stale: int
    mendings: int
    quarantined: int
    filtered: int
    follow_ups: int
    no_room: int
    failed_px_band: int
    failed_px_tick: int
    failed_qty_band: int
    failed_qty_lot: int
    failed_clock_back: int
    failed_malformed: int

    def alarms(self) -> Iterator[str]:
        """What a person should look at."""
        for line in self.lines:
            if line.dropped:
                yield (
                    f"line {line.name}: the kernel dropped {line.dropped:,} datagrams: raise receive_buffer_kib and "
                    "net.core.rmem_max, or wait busily"
                )
            if line.silent_ms > SILENT_MS and any(other.silent_ms <= SILENT_MS for other in self.lines):
                yield f"line {line.name}: silent for {line.silent_ms / 1000:.0f} s while the other one speaks"
        if self.stale:
            yield "silent: nothing was heard for stale_ms, the books are not valid until it speaks again"
        if self.no_room:
            yield (
                f"{self.no_room:,} orders should have been left out of their books and could not be: raise left_out_max"
            )
        if self.behind:
            yield f"{self.behind:,} messages behind: waiting for what was lost"
        if self.recovering:
            yield f"books are being built anew from a snapshot (login {self.snapshot_tries})"
        elif self.snapshots_given_up:
            yield "snapshots were given up: check [feeds.snapshots], restart to try again"
        if self.wrong_session:
            yield (
                f"{self.wrong_session:,} packets of another session refused: if the venue has begun a new one, "
                "restart with it as `session`"
            )


FAILED = tuple(name for name in FeedRow.__dataclass_fields__ if name.startswith("failed_"))


def take_feeds(counters: dict[str, int], now_ns: int) -> tuple[FeedRow, ...]:
    """Take the counters of feeds out of a node's, as rows; `now_ns` is the node's time."""
    of_feeds = {key: counters.pop(key) for key in list(counters) if key.startswith(PREFIX)}
    names = dict.fromkeys(key.split(".")[1] for key in of_feeds)
    return tuple(_feed(name, of_feeds, now_ns) for name in names)


def feeds_table(feeds: tuple[FeedRow, ...]) -> Table:
    """A row a line, and what was recovered beside the feed's name."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="grey62")
    for name in ("feed", "line", "packets", "first", "skipped", "lag", "lag max", "dropped"):
        table.add_column(name, justify="left" if name in ("feed", "line") else "right", no_wrap=True)
    for feed in feeds:
        for i, line in enumerate(feed.lines):
            figures = (line.packets, line.first, line.skipped)
            lags = (f"{ns / 1000:,.1f} µs" for ns in (line.lag_ns, line.lag_ns_max))
            table.add_row("" if i else feed.name, line.name, *(f"{n:,}" for n in figures), *lags, f"{line.dropped:,}")
    return table


def recovery_line(feed: FeedRow) -> str:
    """What a feed has missed, and what became of it."""
    return (
        f"{feed.name}: gaps {feed.gaps:,}, requests {feed.requests:,}, recovered {feed.recovered:,}, "
        f"lost {feed.lost:,}, snapshots {feed.snapshots:,}, "
        f"longest wait in a socket {feed.waited_ns_max / 1000:,.0f} µs"
    )


def checks_line(feed: FeedRow) -> str:
    """What was found fault with at the edge, and what was left out; empty when there was nothing."""
    figures = {
        **{name.removeprefix("failed_"): getattr(feed, name) for name in FAILED},
        "quarantined": feed.quarantined,
        "filtered": feed.filtered,
        "of orders left out": feed.follow_ups,
        "duplicates": feed.duplicates,
        "sessions": feed.sessions if feed.sessions > 1 else 0,
        "silences": feed.silences,
        "books mended": feed.mendings,
    }
    said = ", ".join(f"{name} {count:,}" for name, count in figures.items() if count)
    return f"{feed.name}: {said}" if said else ""


def _feed(name: str, counters: Mapping[str, int], now_ns: int) -> FeedRow:
    def value(key: str) -> int:
        return counters.get(f"{PREFIX}{name}.{key}", 0)

    keys = [field for field in FeedRow.__dataclass_fields__ if field not in ("name", "lines")]
    lines = tuple(
        LineRow(
            name=line,
            packets=value(f"{line}.packets"),
            first=value(f"{line}.first"),
            skipped=value(f"{line}.skipped"),
            lag_ns=value(f"{line}.lag_ns"),
            lag_ns_max=value(f"{line}.lag_ns_max"),
            dropped=value(f"{line}.dropped"),
            silent_ms=max(0.0, (now_ns - heard) / 1e6) if (heard := value(f"{line}.heard_ns")) else 0.0,
        )
        for line in LINES
        if f"{PREFIX}{name}.{line}.packets" in counters
    )
    return FeedRow(name=name, lines=lines, **{key: value(key) for key in keys})
