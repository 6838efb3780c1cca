"""What a backtest found, read from its journal: nothing is counted that is not on the record."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from openbell import _native as native
from openbell.errors import InvariantError
from openbell.journal import Journal, open_journal
from openbell.journal.assets import Asset, names_of
from openbell.node.names import assets_in
from openbell.node.record import StrategyRecord
from openbell.types import Reason, Side, Type

DECISIONS = ("Intent", "Order", "TimerArmed")
"""Layouts of what an engine decides, states and halts aside."""


@dataclass(frozen=True)
class RunCard:
    """What was run. Times in ns since the epoch, UTC; `events` are records of the tape, `wall_s` without start-up."""

    tape: str
    tape_hash: str
    first_ns: int
    last_ns: int
    is_synthetic: bool
    strategy: str
    params: Mapping[str, Any]
    speed: str
    fill_model: str
    latency_ns: Mapping[str, int]
    seed: int
    is_whole: bool
    """False: Ctrl-C ended it before the tape did."""
    is_at_rest: bool
    """False: strategies went on sending after the tape, until the 65 536 events that they have for it were over."""
    events: int
    frames: int
    callbacks: int
    wall_s: float
    decisions: str
    """Hash of every intent, command and timer with its seq: equal in both speeds where the strategy decided alike."""
    state_hash: str
    """Of the engine at the end; what ran is part of it, so that another speed or another source is another hash."""
    journal: str

    @property
    def events_per_s(self) -> float:
        """Records of the tape per second of wall time."""
        return self.events / self.wall_s if self.wall_s else 0.0


@dataclass
class InstrumentResult:
    """One instrument. Quantities in lots, money in its currency; fees are none."""

    symbol: str
    currency: str
    orders: int = 0
    replaces: int = 0
    cancels: int = 0
    refusals: int = 0
    fills: int = 0
    volume: int = 0
    position: int = 0
    position_max: int = 0
    """Largest absolute position held."""
    realized: Decimal = Decimal(0)
    pnl: Decimal | None = None
    """Cash plus position at the mid; None when a position is open and the book is empty."""
    refused_for: dict[str, int] = field(default_factory=dict)

    @property
    def order_to_trade(self) -> float | None:
        """Messages to the venue per fill; None without fills."""
        return (self.orders + self.replaces + self.cancels) / self.fills if self.fills else None


@dataclass(frozen=True)
class Halt:
    """A strategy that raised: where in the journal, and what."""

    strategy: str
    seq: int
    why: str


@dataclass(frozen=True)
class BacktestResult:
    """The run card, the instruments in the order of their ids, and what went wrong."""

    card: RunCard
    instruments: Sequence[InstrumentResult]
    halts: Sequence[Halt]
    book_faults: int

    def as_dict(self) -> dict[str, Any]:
        """For machines: money as decimal text, everything else as JSON has it."""
        card = asdict(self.card) | {"events_per_s": round(self.card.events_per_s)}
        rows = [asdict(row) | {"order_to_trade": row.order_to_trade} for row in self.instruments]
        for row in rows:
            row["realized"] = str(row["realized"])
            row["pnl"] = None if row["pnl"] is None else str(row["pnl"])
        return {
            "card": card,
            "instruments": rows,
            "halts": [asdict(halt) for halt in self.halts],
            "book_faults": self.book_faults,
        }


def tally(
    journal_dir: Path, engine: native.Engine, strategies: Sequence[StrategyRecord]
) -> tuple[list[InstrumentResult], list[Halt]]:
    """Count what the journal holds of every subscribed instrument; money is the engine's.

    Raises:
        InvariantError: the fills of the journal do not add up to the engine's positions.
    """
    journal = open_journal(journal_dir)
    wanted = {symbol for one in strategies for symbol in one.symbols}
    rows: dict[int, InstrumentResult] = {}
    assets = assets_in(engine)
    for number, symbol in names_of(assets).items():
        asset = assets[number]
        if asset.symbol in wanted:
            rows[number] = InstrumentResult(symbol, asset.currency)
            _add_money(rows[number], engine, number, asset, [one.id for one in strategies])
    _count_commands(journal, rows)
    _count_fills(journal, rows)
    names = {one.id: one.name for one in strategies}
    return list(rows.values()), _halts(journal, names)


def decisions_hash(journal_dir: Path) -> str:
    """Of what was said and what became of it, in hexadecimal: of nothing that names the code that said it."""
    journal = open_journal(journal_dir)
    records, places = hashlib.blake2b(digest_size=8), hashlib.blake2b(digest_size=8)
    for layout in DECISIONS:
        for batch, seqs, _ in journal.batches(layout):
            records.update(batch.tobytes())
            places.update(seqs.tobytes())
    records.update(places.digest())
    return records.hexdigest()


def _add_money(
    row: InstrumentResult, engine: native.Engine, number: int, asset: Asset, strategy_ids: Sequence[int]
) -> None:
    held = [engine.position(one, number) for one in strategy_ids]
    row.position = sum(p["qty"] for p in held)
    row.realized = Decimal(sum(p["realized"] for p in held) * asset.multiplier).scaleb(-asset.decimals)
    bid, _, ask, _ = engine.touch(number)
    if row.position == 0 or bid or ask:
        mid2 = bid + ask if bid and ask else 2 * (bid or ask)
        twice = 2 * sum(p["cash"] for p in held) + row.position * mid2
        row.pnl = Decimal(twice * asset.multiplier).scaleb(-asset.decimals) / 2


def _count_commands(journal: Journal, rows: dict[int, InstrumentResult]) -> None:
    columns = {Type.NEW_ORDER: "orders", Type.REPLACE_ORDER: "replaces", Type.CANCEL_ORDER: "cancels"}
    for batch in journal.arrays("Order"):
        for number, row in rows.items():
            mine = batch[batch["instrument"] == number]
            for kind, name in columns.items():
                setattr(row, name, getattr(row, name) + int((mine["type"] == int(kind)).sum()))
            refused = Counter(mine["reason"][mine["type"] == int(Type.REFUSED)].tolist())
            row.refusals += refused.total()
            for reason, count in refused.items():
                name = Reason(reason).name
                row.refused_for[name] = row.refused_for.get(name, 0) + count


def _count_fills(journal: Journal, rows: dict[int, InstrumentResult]) -> None:
    held = dict.fromkeys(rows, 0)
    for batch in journal.arrays("Report"):
        fills = batch[batch["type"] == int(Type.FILLED)]
        for number, row in rows.items():
            mine = fills[fills["instrument"] == number]
            if not len(mine):
                continue
            signed = np.where(mine["side"] == int(Side.BUY), mine["last_qty"], -mine["last_qty"])
            path = held[number] + np.cumsum(signed)
            row.fills += len(mine)
            row.volume += int(mine["last_qty"].sum())
            row.position_max = max(row.position_max, int(np.abs(path).max()))
            held[number] = int(path[-1])
    for number, row in rows.items():
        if held[number] != row.position:
            raise InvariantError(
                f"{row.symbol}: expected the journal's fills to add up to the position {row.position}, found "
                f"{held[number]}; keep the journal and report it"
            )


def _halts(journal: Journal, names: dict[int, str]) -> list[Halt]:
    halts = []
    for batch, seqs, _ in journal.batches("Control"):
        for record, seq in zip(batch, seqs, strict=True):
            if record["type"] == int(Type.STRATEGY_HALTED):
                why = bytes(record["text"]).rstrip(b"\0").decode("utf-8", "replace")
                halts.append(Halt(names.get(int(record["strategy"]), "?"), int(seq), why))
    return halts
