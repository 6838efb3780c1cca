"""Builds the control records that people and configuration put into a journal.

Each function returns the bytes of one 128-byte record; the driver numbers and journals it.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from openbell._native import AFTER_KILL, OperatorVerb
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, RECORDS, ArmState, KillLevel, Type


def record(name: str, **fields: Any) -> bytes:
    """The bytes of one record `name` (see `RECORDS`); fields that are not given are zero."""
    row = np.zeros(1, RECORDS[name])
    for key, value in fields.items():
        row[key] = value
    return row.tobytes()


def control(
    kind: Type, *, code: int = 0, source: int = 0, values: tuple[int, ...] = (), text: str = "", flags: int = 0
) -> bytes:
    """A `Control` record of type `kind`; `values` and `text` mean what its type says in records.h."""
    return record(
        "Control",
        type=int(kind),
        flags=flags,
        strategy=NO_STRATEGY,
        instrument=NO_INSTRUMENT,
        code=code,
        source=source,
        values=(*values, *(0,) * (4 - len(values))),
        text=text.encode()[:71],
    )


def started(
    *,
    node: int,
    epoch: int,
    now_ns: int,
    seed: int,
    binary: bytes = b"",
    strategies: bytes = b"",
    limits: bytes = b"",
    config: bytes = b"",
) -> bytes:
    """A new epoch begins; the hashes (16 bytes each) say with what."""

    def word(digest: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
        return np.frombuffer(digest.ljust(16, b"\0")[:16], np.uint8)

    return record(
        "Started",
        type=int(Type.STARTED),
        node=node,
        instrument=NO_INSTRUMENT,
        ts_event=now_ns,
        epoch=epoch,
        binary_hash=word(binary),
        strategies_hash=word(strategies),
        limits_hash=word(limits),
        config_hash=word(config),
        seed=seed,
    )


def arm(state: ArmState, *, after_kill: bool = False) -> bytes:
    """Move the node to an arming state; `after_kill` also releases a kill and halted strategies."""
    return control(Type.ARM, code=int(state), flags=AFTER_KILL if after_kill else 0)


def kill(level: KillLevel, why: str = "") -> bytes:
    """Stop: no new order from this frame on, cancels for everything open."""
    return control(Type.KILL, code=int(level), text=why)


def cancel_all(why: str = "") -> bytes:
    """Cancel what is open and open nothing, until armed again."""
    return control(Type.OPERATOR, code=int(OperatorVerb.CANCEL_ALL), text=why)


def conversion(currency: str, rate: int) -> bytes:
    """One unit of `currency` is worth `rate` in 1e-8 of the base currency; 0 takes the rate away."""
    return control(Type.CONVERSION, values=(rate,), text=currency)


def trading_day(day: datetime.date, zone: str, utc_offset_s: int) -> bytes:
    """A trading day begins (law 16): its date, and the zone that its times count from."""
    return control(Type.TRADING_DAY, values=(day.year * 10_000 + day.month * 100 + day.day, utc_offset_s), text=zone)


def checkpoint() -> bytes:
    """Ask for a full state hash."""
    return control(Type.CHECKPOINT)


def limits(
    *,
    instrument: int,
    strategy: int = NO_STRATEGY,
    order_qty_max: int,
    order_notional_max: int,
    position_max: int,
    collar_bps: int,
    open_orders_max: int,
    owner: str,
    version: int = 1,
) -> bytes:
    """Limits of one instrument, of the account or one strategy; quantities in lots, notional in px x qty units."""
    return record(
        "Limits",
        type=int(Type.LIMITS),
        strategy=strategy,
        instrument=instrument,
        order_qty_max=order_qty_max,
        order_notional_max=order_notional_max,
        position_max=position_max,
        collar_bps=collar_bps,
        open_orders_max=open_orders_max,
        version=version,
        owner=owner.encode()[:15],
    )
