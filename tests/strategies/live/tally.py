"""What every reference did, counted in the node's journal."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.strategies.live.world import LIVE

from openbell.journal import open_journal
from openbell.journal.frames import records_view
from openbell.types import Reason, Side, Type, strategy_of


@dataclass
class Row:
    """One reference."""

    name: str
    orders: int = 0
    replaces: int = 0
    cancels: int = 0
    fills: int = 0
    volume: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    held: Counter[int] = field(default_factory=Counter)
    """Instrument -> lots at the end."""
    sides: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Order -> instrument, +1 or -1: reports name the order alone."""
    halted: str = ""

    def line(self) -> str:
        why = ", ".join(f"{reason} {n:,}" for reason, n in self.refused.most_common()) or "none"
        flat = self.halted or ("flat" if not +self.held and not -self.held else f"HOLDS {dict(self.held)}")
        return (
            f"{self.name:22}{self.orders:>9,}{self.replaces:>9,}{self.cancels:>9,}{self.fills:>8,}{self.volume:>10,}"
            f"  {flat:6} {why}"
        )


HEAD = f"{'':22}{'orders':>9}{'replaces':>9}{'cancels':>9}{'fills':>8}{'lots':>10}  end    refused"


def tally(journal: Path) -> list[Row]:
    """Rows in the order of the references."""
    rows = {live["id"]: Row(live["name"]) for live in LIVE}
    for frame in open_journal(journal):
        for raw in frame.raw:
            count(rows, Type(int(raw[0])), raw)
    return list(rows.values())


def count(rows: dict[int, Row], kind: Type, raw: Any) -> None:
    """One record."""
    names = {Type.NEW_ORDER: "orders", Type.REPLACE_ORDER: "replaces", Type.CANCEL_ORDER: "cancels"}
    if kind in names:
        order = read(raw, "Order")
        row = rows[int(order["strategy"])]
        row.sides[int(order["cl_ord_id"])] = int(order["instrument"]), 1 if order["side"] == Side.BUY else -1
        setattr(row, names[kind], getattr(row, names[kind]) + 1)
    elif kind == Type.REFUSED:
        order = read(raw, "Order")
        rows[int(order["strategy"])].refused[Reason(int(order["reason"])).name] += 1
    elif kind == Type.FILLED:
        fill = read(raw, "Report")
        row, qty = rows[strategy_of(int(fill["cl_ord_id"]))], int(fill["last_qty"])
        row.fills += 1
        row.volume += qty
        instrument, sign = row.sides[int(fill["cl_ord_id"])]
        row.held[instrument] += sign * qty
    elif kind == Type.STRATEGY_HALTED:
        halt = read(raw, "Control")
        rows[int(halt["strategy"])].halted = bytes(halt["text"]).rstrip(b"\0").decode()


def read(raw: Any, layout: str) -> Any:
    """A record by its layout."""
    return records_view(raw.reshape(1, -1), layout)[0]
