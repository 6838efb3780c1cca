"""Each peer on the other's tape: hftbacktest on the AMZN day, NautilusTrader on a part of the generated tape.

The same strategy as in `peer_hftbacktest` and `peer_nautilus`. NautilusTrader gets the first events only: all of them
would take it too long.
"""

from pathlib import Path

import numpy as np

from bench.amzn import amzn_tape
from bench.generated import generated_tape
from bench.harness import Figure, Result, throughput
from bench.peer_hftbacktest import ROW, run_once
from bench.peer_nautilus import TRADE, day_events
from bench.peers_venv import run_beside

PAIRS = 3
PART = 50_000


def run() -> Result:
    """Pairs in one run, each after a warm-up; rates are of the events that the peer was given."""
    figures, notes = [], []
    for name, script, tape in (
        ("hftbacktest", "hftbacktest_flow.py", amzn_tape()),
        ("nautilus_trader", "nautilus_day.py", generated_tape(PART)),
    ):
        events, touch = day_events(tape)
        rows = without_trades(events) if name == "hftbacktest" else events
        ends = touch[::2] if name == "hftbacktest" else touch
        found, note = pairs(name, script, tape, rows, ends)
        figures += found
        notes.append(note)
    return Result(
        name="peers_crossed",
        input=f"AMZN 2012-06-21 level 5; the first {PART:_} events of the generated tape",
        figures=figures,
        notes="; ".join(notes),
    )


def without_trades(events: np.ndarray) -> np.ndarray:
    """As `peer_hftbacktest` hands them over; its queue model knows no print without an order."""
    kept = events[events[:, 1] != TRADE]
    rows = np.zeros(len(kept), ROW)
    for column, (name, _) in enumerate(ROW):
        rows[name] = kept[:, column]
    return rows


def pairs(name: str, script: str, tape: Path, rows: np.ndarray, touch: list[int]) -> tuple[list[Figure], str]:
    """The peer and both of our speeds, alternately."""
    speeds = (lambda: run_once(tape, "compiled")), (lambda: run_once(tape, "interpreted"))
    hello, theirs, (ours, interpreted) = run_beside(script, name, rows, touch, PAIRS, *speeds)
    rates = [len(rows) / one["seconds"] for one in theirs]
    fast, slow = ([one.card.events_per_s for one in runs] for runs in (ours, interpreted))
    where = tape.name
    figures = [
        throughput(f"{where}: {name}", "events/s", rates),
        throughput(f"{where}: openbell, compiled", "events/s", fast),
        throughput(f"{where}: openbell, interpreted", "events/s", slow),
        throughput(f"{where}: compiled, pair by pair", "x", [a / b for a, b in zip(fast, rates, strict=True)]),
        throughput(f"{where}: interpreted, pair by pair", "x", [a / b for a, b in zip(slow, rates, strict=True)]),
    ]
    fills = f"fills openbell {ours[-1].instruments[0].fills:_}, {name} {hello['version']} {theirs[-1]['fills']:_}"
    return figures, f"{where}: callbacks {ours[-1].card.callbacks:_} and {theirs[-1]['callbacks']:_}, {fills}"
