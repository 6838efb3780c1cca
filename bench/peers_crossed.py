"""Each peer on the other's tape: hftbacktest on the AMZN day, NautilusTrader on a part of the generated tape.

The same strategy as in `peer_hftbacktest` and `peer_nautilus`. NautilusTrader gets the first events only: all of them
would take it too long.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.amzn import amzn_tape
from bench.generated import generated_tape
from bench.harness import Figure, Result, throughput
from bench.peer_hftbacktest import ROW, run_once
from bench.peer_nautilus import TRADE, day_events
from bench.peers_venv import ask, peer

PAIRS = 3
PART = 50_000
COLUMNS = ("ts", "kind", "is_buy", "px", "qty", "order_id", "left")


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
    for column, name in enumerate(COLUMNS):
        rows[name] = kept[:, column]
    return rows


def pairs(name: str, script: str, tape: Path, rows: np.ndarray, touch: list[int]) -> tuple[list[Figure], str]:
    """The peer and both of our speeds, alternately."""
    theirs: list[dict[str, Any]] = []
    ours, interpreted = [], []
    with tempfile.TemporaryDirectory() as scratch:
        np.save(f"{scratch}/rows.npy", rows)
        with peer(script, name, f"{scratch}/rows.npy") as process:
            version = ask(process)["version"]
            ask(process, "run")
            run_once(tape, "compiled")
            for _ in range(PAIRS):
                theirs.append(ask(process, "run"))
                ours.append(run_once(tape, "compiled"))
                interpreted.append(run_once(tape, "interpreted"))
    for one in theirs:
        if one["touch"] != touch:
            raise RuntimeError(f"expected the peer's book to end at {touch}, found {one['touch']}")
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
    fills = f"fills openbell {ours[-1].instruments[0].fills:_}, {name} {version} {theirs[-1]['fills']:_}"
    return figures, f"{where}: callbacks {ours[-1].card.callbacks:_} and {theirs[-1]['callbacks']:_}, {fills}"
