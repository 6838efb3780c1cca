"""A position moved by hand: what a person may book, in words for another one, and the records that do it.

What may be wrong with it is refused here; the engine only keeps to what its integers can hold. An order is none of it:
what was executed of an order, and whether it is open, stays what the venue has told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from openbell import events
from openbell.ops.control import requests as asked
from openbell.ops.control.names import find_instrument
from openbell.ops.control.permissions import Act
from openbell.ops.control.proposals import RefusedError
from openbell.ops.control.world import Target, Terms, World
from openbell.types import PX_MAX, QTY_MAX

DONE = 1
CASH_DECIMALS = 4
CASH_MAX = 10**15
"""In 1e-4 of a currency."""
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,12})?")


@dataclass(frozen=True)
class Adjusting:
    """One booking, exactly as it will be made. `says` is what the other person judges."""

    says: tuple[str, ...]
    world: World
    target: Target
    symbol: str
    instrument: int
    qty: int
    px: int
    cash: int
    match: int
    stood: bool  # a break of that match was open when it was asked for

    @property
    def names(self) -> dict[str, Any]:
        """Of what was moved, and what it was before."""
        before = self.world.position(self.target.strategy, self.instrument)
        return {"strategy": self.target.name.removeprefix("strategy "), "symbol": self.symbol, "before": before}

    def records(self, by: events.By) -> tuple[bytes, ...]:
        """Who asked and who approved, then the booking.

        Raises:
            RefusedError: the break that it closes has closed already: it would be booked twice.
        """
        if self.stood and not _stands(self.world, self.match):
            raise RefusedError(
                f"{self.says[0]}: expected the break of match {self.match} to be open still, found it closed; the "
                "execution was heard, or booked, meanwhile: openbell breaks NODE --ended shows it"
            )
        strategy = self.target.strategy
        told = events.asked(
            events.By(by.uid, by.approver_uid, self.says[0]),
            Act.ADJUST,
            DONE,
            strategy=strategy,
            instrument=self.instrument,
        )
        moved = events.adjustment(
            strategy, self.instrument, qty=self.qty, px=self.px, cash=self.cash, match=self.match, by=by
        )
        return (told, moved) if by.approver_uid >= 0 else (moved,)


def adjusting(request: asked.Adjust, target: Target, world: World) -> Adjusting:
    """What `request` books for the strategy `target`.

    Raises:
        RefusedError: it cannot be meant, or cannot be: what, where and the next step.
    """
    instrument = find_instrument(world, request.symbol)
    terms, where = world.terms(instrument), f"adjust {target.name} {request.symbol}"
    if not request.why.strip():
        raise RefusedError(f"{where}: expected why, found nothing; the other person and the journal have to know it")
    qty, px, cash = _amounts(request, terms, where)
    held = world.position(target.strategy, instrument)
    if abs(held + qty) > QTY_MAX:
        raise RefusedError(
            f"{where}: qty: expected a position of at most {_text(QTY_MAX, terms.asset.qty_decimals)} after it, found "
            f"{_text(held + qty, terms.asset.qty_decimals)}; is {request.qty} meant?"
        )
    of_match = f" of match {request.match}" if request.match else ""
    booked = [f"{request.qty} at {request.px}"] if qty else []
    booked += [f"cash {request.cash} {terms.asset.currency}"] if cash else []
    before, after = (_text(lots, terms.asset.qty_decimals) for lots in (held, held + qty))
    return Adjusting(
        says=(
            f"{target.name.removeprefix('strategy ')} {request.symbol} {', '.join(booked)}{of_match}",
            f"position {before} -> {after}, as it is now",
        ),
        world=world,
        target=target,
        symbol=request.symbol,
        instrument=instrument,
        qty=qty,
        px=px,
        cash=cash,
        match=request.match,
        stood=_stands(world, request.match),
    )


def _amounts(request: asked.Adjust, terms: Terms, where: str) -> tuple[int, int, int]:
    """Lots, price and cash as the engine's integers."""
    qty = _units(request.qty, terms.asset.qty_decimals, f"{where}: qty", terms.lot, QTY_MAX)
    px = _units(request.px, terms.asset.px_decimals, f"{where}: px", terms.tick, PX_MAX)
    cash = _units(request.cash, CASH_DECIMALS, f"{where}: cash", 1, CASH_MAX)
    if qty == 0 and cash == 0:
        raise RefusedError(
            f"{where}: expected a qty, a cash or both, found nothing to book; give --qty -100 --px 10.01"
        )
    if qty != 0 and px <= 0:
        raise RefusedError(
            f"{where}: px: expected the price of the {request.qty}, above 0, found {request.px or 'nothing'}; the "
            "venue's ledger has it"
        )
    if qty == 0 and px != 0:
        raise RefusedError(f"{where}: px: expected none without a qty, found {request.px}; leave it out, or give --qty")
    return qty, px, cash


def _units(text: str, decimals: int, what: str, step: int, most: int) -> int:
    """`text` in 10^-decimals; 0 for none."""
    if not text:
        return 0
    if not _DECIMAL.fullmatch(text):
        raise RefusedError(f"{what}: expected a decimal such as -100 or 10.01, found {text!r}; write it plainly")
    scaled = Decimal(text).scaleb(decimals)
    if scaled != scaled.to_integral_value() or int(scaled) % max(1, step):
        unit = _text(max(1, step), decimals)
        raise RefusedError(f"{what}: expected a multiple of {unit}, found {text}; look it up in the venue's ledger")
    if abs(scaled) > most:
        raise RefusedError(f"{what}: expected at most {_text(most, decimals)}, found {text}; a digit too many?")
    return int(scaled)


def _text(amount: int, decimals: int) -> str:
    return f"{Decimal(amount).scaleb(-decimals).normalize():f}"


def _stands(world: World, match: int) -> bool:
    return bool(match) and any(f" of match {match}:" in line for line in world.open_breaks())
