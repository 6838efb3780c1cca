"""What a benchmark hands back, how it is summed up, and the machine it ran on."""

import math
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter_ns
from typing import Any

REPO = Path(__file__).resolve().parent.parent


class SkippedError(Exception):
    """What the benchmark compares with is not on this machine; the message says how to get it."""


@dataclass(frozen=True)
class Figure:
    """One measured quantity with its spread and its target."""

    name: str
    unit: str
    repetitions: int
    min: float
    median: float
    p99: float
    max: float
    target: float | None = None
    larger_is_better: bool = False
    more: Mapping[str, float] = field(default_factory=dict)

    @property
    def reached(self) -> bool | None:
        """Whether the median reaches the target; None without one."""
        if self.target is None:
            return None
        return self.median >= self.target if self.larger_is_better else self.median <= self.target


@dataclass(frozen=True)
class Result:
    """What one file of bench/ measured, on which input."""

    name: str
    input: str
    figures: Sequence[Figure]
    notes: str = ""


def samples(name: str, unit: str, values: Sequence[float], target: float | None = None) -> Figure:
    """Return the spread of `values`, durations or sizes where smaller is better; p99.9 is added from 1000 samples."""
    more = {"p99.9": percentile(values, 0.999)} if len(values) >= 1000 else {}
    return _figure(name, unit, values, target, larger_is_better=False, more=more)


def throughput(name: str, unit: str, rates: Sequence[float], target: float | None = None) -> Figure:
    """Return the spread of `rates`, one per repetition, where larger is better; p99 is the rate 99 % reach."""
    return _figure(name, unit, rates, target, larger_is_better=True, more={})


def repeat(work: Callable[[], Any], times: int, warm_up: int = 1) -> list[int]:
    """Return the duration of each of `times` calls of `work`, ns, after `warm_up` calls that do not count."""
    for _ in range(warm_up):
        work()
    durations = []
    for _ in range(times):
        start = perf_counter_ns()
        work()
        durations.append(perf_counter_ns() - start)
    return durations


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of `values` that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return float(ordered[max(0, math.ceil(share * len(ordered)) - 1)])


def _figure(
    name: str,
    unit: str,
    values: Sequence[float],
    target: float | None,
    larger_is_better: bool,
    more: Mapping[str, float],
) -> Figure:
    if not len(values):
        raise ValueError(f"{name}: expected at least one measurement, found none")
    return Figure(
        name=name,
        unit=unit,
        repetitions=len(values),
        min=float(min(values)),
        median=percentile(values, 0.5),
        p99=percentile(values, 0.01 if larger_is_better else 0.99),
        max=float(max(values)),
        target=target,
        larger_is_better=larger_is_better,
        more=more,
    )


def from_dict(result: Result | Mapping[str, Any]) -> Result:
    """Return `result` as a `Result`, whichever way the benchmark spelled it."""
    if isinstance(result, Result):
        return result
    figures = [f if isinstance(f, Figure) else Figure(**f) for f in result["figures"]]
    return Result(**{**result, "figures": figures})


def as_json(result: Result) -> dict[str, Any]:
    """Return `result` with the machine, ready for `json.dump`."""
    return {**asdict(result), "machine": machine()}


def machine() -> dict[str, Any]:
    """Return what a reader needs to judge a figure."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "compiler": _first_line("g++", "--version"),
        "commit": _first_line("git", "-C", str(REPO), "rev-parse", "--short", "HEAD"),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _first_line(*command: str) -> str:
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return output.partition("\n")[0].strip()
