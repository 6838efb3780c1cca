"""The samples of a soak as an SVG: one panel a quantity, time from left to right. Nothing but text is needed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, TOP = 860, 150, 90, 34
COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#57606a")


@dataclass(frozen=True)
class Panel:
    """One quantity: a line for each name, `None` where a sample does not have it."""

    title: str
    lines: Mapping[str, Sequence[float | None]]


def svg(title: str, hours: Sequence[float], panels: Sequence[Panel]) -> str:
    """A picture of all panels, one below the other, over the same `hours`."""
    height = TOP + len(panels) * (HEIGHT + 50)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + LEFT + 170}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-size="15">{escape(title)}</text>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, hours, TOP + number * (HEIGHT + 50))
    return "\n".join([*parts, "</svg>\n"])


def _panel(panel: Panel, hours: Sequence[float], top: int) -> list[str]:
    known = [value for line in panel.lines.values() for value in line if value is not None]
    most = max(known, default=1.0) * 1.05 or 1.0
    bottom, span = top + 16 + HEIGHT, hours[-1] or 1.0
    out = [
        f'<text x="{LEFT}" y="{top + 10}" font-weight="bold">{escape(panel.title)}</text>',
        f'<rect x="{LEFT}" y="{top + 16}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#d0d7de"/>',
    ]
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * HEIGHT
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{most * share:,.0f}</text>')
        out.append(
            f'<text x="{LEFT + share * WIDTH:.0f}" y="{bottom + 16}" text-anchor="middle">{span * share:.2f} h</text>'
        )
    for number, (name, values) in enumerate(panel.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(
            f"{LEFT + at / span * WIDTH:.1f},{bottom - value / most * HEIGHT:.1f}"
            for at, value in zip(hours, values, strict=True)
            if value is not None
        )
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
        out.append(f'<text x="{LEFT + WIDTH + 10}" y="{top + 30 + 18 * number}" fill="{colour}">{escape(name)}</text>')
    return out
