"""What the samples of a soak say: what grew, what was lost, and a picture."""

from __future__ import annotations

from statistics import median
from typing import Any

from bench.soak.plot import Panel, svg
from bench.soak.watch import COUNTERS, QUANTILES

SETTLED = 0.1
"""Of the run: buffers are filled and pages are touched before anything is compared."""
GROWTH_KIB_PER_HOUR_MAX = 1_024.0
LATENCY_RATIO_MAX = 1.1
HOPS_JUDGED = ("decided", "durable", "sent")


def judge(samples: list[dict[str, float]], sent: dict[str, Any], ended: dict[str, Any], rate: float) -> list[str]:
    """What is wrong, in words."""
    settled = samples[int(len(samples) * SETTLED) :]
    out = []
    for name in _names(samples, "_kib"):
        slope = _slope(settled, name)
        if slope > GROWTH_KIB_PER_HOUR_MAX:
            out.append(f"{name}: expected less than {GROWTH_KIB_PER_HOUR_MAX:,.0f} KiB an hour, found {slope:,.0f}")
    for name in _names(samples, "_fds"):
        values = {sample[name] for sample in settled if name in sample}
        if max(values) - min(values) > 2:
            out.append(f"{name}: expected a steady number of descriptors, found {min(values):.0f} to {max(values):.0f}")
    quarter = max(1, len(settled) // 4)
    for hop in HOPS_JUDGED:
        first, last = (_median(part, f"{hop}_p999") for part in (settled[:quarter], settled[-quarter:]))
        if last > LATENCY_RATIO_MAX * first:
            out.append(
                f"p99.9 of {hop}: expected as in the first quarter, {first:,.0f} ns, found {last:,.0f} at the end"
            )
    if armed := sum(1 for s in samples if s["armed_again"]):
        out.append(f"disk: expected no wait of two seconds, found {armed} after which the node had to be armed again")
    if silent := sum(1 for s in samples if not s["orders"] and not s["armed_again"]):
        out.append(f"orders: expected some in every sample, found {silent} samples without")
    if sent["rate"] < 0.99 * rate:
        out.append(f"sender: expected {rate:,.0f} messages/s, found {sent['rate']:,.0f}")
    out += [
        f"{name}: expected 0, found {samples[-1][name]:.0f}"
        for name in ("feed_lost", "book_faults")
        if samples[-1][name]
    ]
    if ended.get("orders_open"):
        out.append(f"at the end: expected no open order, found {ended['orders_open']}")
    return out


def summary(samples: list[dict[str, float]]) -> dict[str, Any]:
    """The figures of the whole run: growth an hour after it settled, latency in its first and last quarter."""
    settled = samples[int(len(samples) * SETTLED) :]
    quarter = max(1, len(settled) // 4)
    parts = (settled[:quarter], settled[-quarter:])
    names = [f"{hop}_{q}" for hop in HOPS_JUDGED for q in QUANTILES]
    grown = {name: (settled[0][name], settled[-1][name], _slope(settled, name)) for name in _names(samples, "_kib")}
    return {
        "hours": samples[-1]["hours"],
        "frames_per_s": sum(s["frames"] for s in samples) / sum(s["seconds"] for s in samples),
        "kib at first, at last, growth an hour": {name: [round(v) for v in row] for name, row in grown.items()},
        "descriptors": {name: samples[-1][name] for name in _names(samples, "_fds")},
        "ns in the first and last quarter": {name: [_median(part, name) for part in parts] for name in names},
        "counters": {name: samples[-1][name] for name in COUNTERS},
    }


def picture(samples: list[dict[str, float]], rate: float) -> str:
    """Memory, descriptors and latency over the hours."""

    def lines(ending: str) -> dict[str, list[float | None]]:
        return {name.removesuffix(ending): [s.get(name) for s in samples] for name in _names(samples, ending)}

    quantiles = {
        f"{hop} {q}": [s[f"{hop}_{q}"] / 1_000 if f"{hop}_{q}" in s else None for s in samples]
        for hop in HOPS_JUDGED
        for q in ("p50", "p999")
    }
    panels = [
        Panel("private memory, KiB", lines("_kib")),
        Panel("journal and shared memory, MiB", lines("_mib")),
        Panel("descriptors", lines("_fds")),
        Panel("latency from the receive call, us", quantiles),
        Panel("frames in, a second", {"frames": [s["frames"] / s["seconds"] for s in samples]}),
    ]
    return svg(f"{rate:,.0f} messages a second", [s["hours"] for s in samples], panels)


def _names(samples: list[dict[str, float]], ending: str) -> list[str]:
    return [name for name in samples[-1] if name.endswith(ending)]


def _median(samples: list[dict[str, float]], name: str) -> float:
    return median(s.get(name, 0.0) for s in samples)


def _slope(samples: list[dict[str, float]], name: str) -> float:
    """Growth an hour: the straight line through all samples."""
    points = [(s["hours"], s[name]) for s in samples if name in s]
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    across = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / across if across else 0.0
