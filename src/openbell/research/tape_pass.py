"""A pass over a tape with its books, as bars and features need it; what they share."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from openbell import _native as native
from openbell.backtest.tape import TapeInstrument
from openbell.research.tape_query import (
    FIRST_NS,
    LAST_NS,
    Time,
    as_ns,
    chosen,
    known_instruments,
    with_symbols,
)

if TYPE_CHECKING:
    from openbell._native import Batches

Signs = Literal["auto", "lee-ready"]
Clock = Literal["event", "receipt"]
BOOK_ORDERS_MAX = 1 << 20
WITHOUT_SIDE = {"xnas"}
"""Venues whose prints against hidden orders do not tell the side: NASDAQ says "buy" for all of them since 2014."""


@dataclass(frozen=True)
class TapePass:
    """One pass over a tape: which instruments it is about, and what the native code needs."""

    tape: Path
    known: tuple[TapeInstrument, ...]
    wanted: list[TapeInstrument]
    start_ns: int
    end_ns: int
    config: native.PassConfig

    def read(self, batches: Batches, faults: Callable[[], tuple[int, int]]) -> pl.DataFrame:
        """Every batch as one frame; warns of records that contradicted their book, after which it gave no rows."""
        parts = []
        while (batch := batches.next()) is not None:
            parts.append(pl.DataFrame(batch))
        count, seq = faults()
        if count:
            warnings.warn(
                f"{self.tape}: expected records that fit their book, found {count:,} that do not, the first in the "
                f"frame of seq {seq}; books it made invalid are left out until the feed clears and recovers them",
                stacklevel=3,
            )
        frame = pl.concat(parts, rechunk=False) if parts else pl.DataFrame(batches)
        return with_symbols(frame, self.wanted)


def tape_pass(
    tape: Path | str,
    instruments: Sequence[str | int] | None,
    start: Time | None,
    end: Time | None,
    *,
    clock: Clock,
    signs: Signs,
    book_orders_max: int,
) -> TapePass:
    """Return what bars and features begin with.

    Raises:
        ConfigError: an instrument or time that is not acceptable.
        JournalError: there is no tape.
    """
    path = Path(tape)
    known = known_instruments(path)
    wanted = chosen(known, instruments, path)
    start_ns, end_ns = as_ns(start, FIRST_NS), as_ns(end, LAST_NS)
    config = native.PassConfig()
    config.tape_dir = str(path)
    config.instruments_max = max((one.id for one in known), default=-1) + 1
    config.orders_max = book_orders_max
    config.instruments = [one.id for one in wanted]
    config.prints_without_side = [one.id for one in wanted if one.venue in WITHOUT_SIDE]
    config.clock = native.PassClock.EVENT if clock == "event" else native.PassClock.RECEIPT
    config.sign_rule = native.SignRule.AUTO if signs == "auto" else native.SignRule.LEE_READY
    config.end_ns = end_ns
    return TapePass(path, known, wanted, start_ns, end_ns, config)
