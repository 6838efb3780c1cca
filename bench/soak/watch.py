"""What a running node takes: memory and descriptors of its processes, latency and events, sample by sample."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openbell import _native as native

KIB = 1024
COUNTERS = ("sent", "refusals", "book_faults", "feed_gaps", "feed_lost", "feed_dropped")
QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


@dataclass
class Watch:
    """Looks at the processes that `supervisor` has started, at the pages in `hot` and at the files in `journal`."""

    supervisor: int
    hot: Path
    journal: Path

    def __post_init__(self) -> None:
        self._counters = native.Counters.attach(str(self.hot / "counters"))
        self._before = self._counts()
        now = self._read()
        self._frames, self._sent = now["frames_in"], now["sent"]

    def sample(self) -> dict[str, float]:
        """Since the last sample: events and latencies of each hop (ns); now: kilobytes and descriptors by process."""
        out: dict[str, float] = {}
        for name, pid in self._processes().items():
            out[f"{name}_kib"] = _private_kib(pid)
            out[f"{name}_fds"] = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        now = self._read()
        out["frames"], self._frames = now["frames_in"] - self._frames, now["frames_in"]
        out["orders"], self._sent = now["sent"] - self._sent, now["sent"]
        out |= {name: now[name] for name in COUNTERS}
        out |= {"hot_mib": _size_mib(self.hot), "journal_mib": _size_mib(self.journal)}
        counts = self._counts()
        for hop, before, after in zip(native.LATENCY_HOPS, self._before, counts, strict=True):
            out |= {f"{hop}_{name}": value for name, value in _quantiles(after - before).items()}
        self._before = counts
        return out

    def _read(self) -> dict[str, int]:
        return dict(self._counters.read())

    def _counts(self) -> np.ndarray:
        return np.array(native.latency_counts(str(self.hot / "latency")), np.int64)

    def _processes(self) -> dict[str, int]:
        """Name -> pid; the one that trades is `trading`."""
        pids = Path(f"/proc/{self.supervisor}/task/{self.supervisor}/children").read_text().split()
        out = {"supervisor": self.supervisor}
        for pid in pids:
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if "-m" in words:
                out[words[words.index("-m") + 1].rpartition(".")[2]] = int(pid)
        return out


def _private_kib(pid: int) -> int:
    """Memory that is this process's own: neither files nor shared segments, which have their size from the start."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    raise OSError(f"expected RssAnon in /proc/{pid}/status, found none; this kernel does not say it")


def _size_mib(folder: Path) -> float:
    """Of the files in it; the archiver may remove one meanwhile."""
    size = 0
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            size += file.stat().st_size
    return size / KIB / KIB


def _quantiles(counts: np.ndarray) -> dict[str, float]:
    total = np.cumsum(counts)
    if total[-1] == 0:
        return {}
    edges = native.LATENCY_EDGES_NS
    return {name: float(edges[int(np.searchsorted(total, q * total[-1]))]) for name, q in QUANTILES.items()}
