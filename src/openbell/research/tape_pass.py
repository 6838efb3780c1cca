"""A pass over a tape with its books, as bars and features need it; what they share."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from openbell import _native as native
from openbell.backtest.tape import TapeInstrument

if TYPE_CHECKING:
    from openbell._native import Batches

Signs = Literal["auto", "lee-ready"]
Clock = Literal["event", "receipt"]
BOOK_ORDERS_MAX = 1 << 20
WITHOUT_SIDE = {"xnas"}
"""Venues whose prints against hidden orders do not tell the side: NASDAQ says "buy" for all of them since 2014."""


def pass_config(
    tape: Path,
    known: Sequence[TapeInstrument],
    wanted: Sequence[TapeInstrument],
    *,
    clock: Clock,
    signs: Signs,
    book_orders_max: int,
    end_ns: int,
) -> native.PassConfig:
    """The native form."""
    config = native.PassConfig()
    config.tape_dir = str(tape)
    config.instruments_max = max((one.id for one in known), default=-1) + 1
    config.orders_max = book_orders_max
    config.instruments = [one.id for one in wanted]
    config.prints_without_side = [one.id for one in wanted if one.venue in WITHOUT_SIDE]
    config.clock = native.PassClock.EVENT if clock == "event" else native.PassClock.RECEIPT
    config.sign_rule = native.SignRule.AUTO if signs == "auto" else native.SignRule.LEE_READY
    config.end_ns = end_ns
    return config


def read_all(batches: Batches, faults: Callable[[], tuple[int, int]], tape: Path) -> pl.DataFrame:
    """Every batch as one frame; warns of records that contradicted their book, after which it gave no rows."""
    parts = []
    while (batch := batches.next()) is not None:
        parts.append(pl.DataFrame(batch))
    count, seq = faults()
    if count:
        warnings.warn(
            f"{tape}: expected records that fit their book, found {count:,} that do not, the first in the frame of seq "
            f"{seq}; books it made invalid are left out until the feed clears and recovers them",
            stacklevel=3,
        )
    return pl.concat(parts, rechunk=False) if parts else pl.DataFrame(batches)
