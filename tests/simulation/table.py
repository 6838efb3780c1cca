"""The table at the end of a run: each fault in each state of the node, how often."""

from __future__ import annotations

from collections import Counter

from tests.simulation.faults import FAULTS
from tests.simulation.states import STATES

STATES_LEAST = 8
"""Each fault has to be met in so many states."""
NAME_WIDTH = 26


def matrix(counts: Counter[str], cells: Counter[tuple[str, str]]) -> str:
    """Rows are faults, columns are states."""
    heads = list(STATES)
    lines = [" " * NAME_WIDTH + "F    all " + " ".join(f"{head[:7]:>7}" for head in heads)]
    for name, one in sorted(FAULTS.items(), key=lambda item: int(item[1].number[1:] or 99)):
        numbers = " ".join(f"{cells[name, head] or '-':>7}" for head in heads)
        lines.append(f"{name:<{NAME_WIDTH}}{one.number:<3}{counts[name]:>5} {numbers}")
    return "\n".join(lines)


def missing(cells: Counter[tuple[str, str]], least: int = 1) -> list[str]:
    """Faults that were not met in enough states, and which states are missing."""
    out = []
    for name in FAULTS:
        met = [state for state in STATES if cells[name, state] >= least]
        if len(met) < STATES_LEAST:
            out.append(f"{name}: in {len(met)} states, not in {', '.join(s for s in STATES if s not in met)}")
    return out


def zeros(cells: Counter[tuple[str, str]]) -> int:
    """Cells that nobody has been in."""
    return sum(not cells[name, state] for name in FAULTS for state in STATES)
