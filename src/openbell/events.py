"""Builds the control records that people and configuration put into a journal.

Each function returns the bytes of one 128-byte record; the driver numbers and journals it.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbell._native import (
    AFTER_KILL,
    BREAKER_PARAMETERS,
    LIMIT_REMOVED,
    ROUTE_PARAMETER,
    SETTLES,
    STRATEGY_CARRY,
    STRATEGY_PARAMETER,
    UNACKNOWLEDGED,
    OperatorVerb,
)
from openbell.types import (
    NO_INSTRUMENT,
    NO_STRATEGY,
    RECORDS,
    ArmState,
    BreakerKind,
    KillLevel,
    LimitKind,
    LimitScope,
    Type,
)


def record(name: str, **fields: Any) -> bytes:
    """The bytes of one record `name` (see `RECORDS`); fields that are not given are zero."""
    row = np.zeros(1, RECORDS[name])
    for key, value in fields.items():
        row[key] = value
    return row.tobytes()


def control(
    kind: Type,
    *,
    code: int = 0,
    source: int = 0,
    values: tuple[int, ...] = (),
    text: str = "",
    flags: int = 0,
    strategy: int = NO_STRATEGY,
    instrument: int = NO_INSTRUMENT,
) -> bytes:
    """A `Control` record of type `kind`; `values` and `text` mean what its type says in records.h."""
    return record(
        "Control",
        type=int(kind),
        flags=flags,
        strategy=strategy,
        instrument=instrument,
        code=code,
        source=source,
        values=(*values, *(0,) * (4 - len(values))),
        text=text.encode()[:71].decode(errors="ignore").encode(),
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
    is_acknowledged: bool = True,
) -> bytes:
    """A new epoch begins; the hashes (16 bytes each) say with what, and whether a person knows of it."""

    def word(digest: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
        return np.frombuffer(digest.ljust(16, b"\0")[:16], np.uint8)

    return record(
        "Started",
        type=int(Type.STARTED),
        flags=0 if is_acknowledged else UNACKNOWLEDGED,
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


@dataclass(frozen=True)
class By:
    """Who asked for a command, who approved it (-1: nobody had to), and why."""

    uid: int = 0
    approver_uid: int = -1
    why: str = ""


def arm(
    state: ArmState,
    *,
    after_kill: bool = False,
    strategy: int = NO_STRATEGY,
    instrument: int = NO_INSTRUMENT,
    by: By = By(),
    limited_percent: int = 0,
    grant_until_ns: int = 0,
    kill_generation: int = 0,
    settles: bool = False,
) -> bytes:
    """Move one strategy, one instrument or (neither) the node to an arming state.

    `after_kill` also releases the kill and the doubt of that scope, and halted strategies. `limited_percent` (0: as it
    is) is what LIMITED leaves of the largest order. With `grant_until_ns`, engine time, the state holds until then and
    over a doubt, and at most 15 minutes: break-glass. `kill_generation` is what the kill cell said when the person
    looked: a kill asked for since then is not released. `settles`, with a release of the node: what is in doubt never
    reached the venue.
    """
    return control(
        Type.ARM,
        code=int(state),
        flags=(AFTER_KILL if after_kill else 0) | (SETTLES if settles else 0),
        strategy=strategy,
        instrument=instrument,
        values=(by.uid, by.approver_uid, limited_percent, grant_until_ns),
        text=by.why,
        source=kill_generation & 0xFFFF,
    )


def kill(
    level: KillLevel,
    why: str = "",
    *,
    strategy: int = NO_STRATEGY,
    instrument: int = NO_INSTRUMENT,
    uid: int = 0,
    ticket: int = 0,
) -> bytes:
    """Stop one strategy, one instrument or (neither) the node: SOFT only reduces, HARD cancels what is open.

    `ticket` is the kill cell's, of a kill that comes by the operator ring.
    """
    return control(
        Type.KILL, code=int(level), values=(uid, -1, ticket), text=why, strategy=strategy, instrument=instrument
    )


def recovered(*, snapshot_seq: int, frames: int, took_us: int, torn_bytes: int, text: str) -> bytes:
    """For the record: how a process came to the end of its journal; `text` says what it passed over and doubts."""
    values = (snapshot_seq, frames, took_us, torn_bytes)
    return control(Type.OPERATOR, code=int(OperatorVerb.RECOVERED), values=values, text=text)


def acknowledged(by: By, running: str, *, differs_at: int = 0) -> bytes:
    """A person meant what runs, `running`; with `differs_at` also that this core decides otherwise from that seq on."""
    values = (by.uid, by.approver_uid, differs_at)
    return control(Type.OPERATOR, code=int(OperatorVerb.ACKNOWLEDGED), values=values, text=running)


def left_open(*, cl_ord_id: int, version: int, leaves_qty: int, state: int, why: str, strategy: int) -> bytes:
    """For the record: an order that was open when its process ended, and why."""
    values = (cl_ord_id, version, leaves_qty, state)
    return control(Type.OPERATOR, code=int(OperatorVerb.LEFT_OPEN), values=values, text=why, strategy=strategy)


def cancel_all(why: str = "") -> bytes:
    """Cancel what is open and open nothing, until armed again."""
    return control(Type.OPERATOR, code=int(OperatorVerb.CANCEL_ALL), text=why)


def lifecycle(verb: OperatorVerb, strategy: int, *, by: By = By(), qty_max: int = 0) -> bytes:
    """Stop, flatten or start one strategy; `qty_max` lots at most in one order that flattens, 0: any."""
    values = (qty_max, by.uid)
    return control(Type.OPERATOR, code=int(verb), strategy=strategy, values=values, text=by.why)


def carry(strategy: int, new: int, old: int, count: int, bits: int, *, is_first: bool) -> bytes:
    """For the version that replaces a strategy's class next: `count` words of its state from `old` on become those from
    `new` on; without any, the word `new` gets `bits`. The first one of a change makes those told before void."""
    values = (old, count, _signed(bits))
    return control(
        Type.PARAMETERS, code=new, source=STRATEGY_CARRY, values=values, flags=int(is_first), strategy=strategy
    )


def replaced(strategy: int, version: int, *, state_bytes: int, strategies: bytes, source: str) -> bytes:
    """A strategy's class has another version from here on; `strategies` is the hash of all that run now."""
    halves = (int.from_bytes(strategies[at : at + 8], "little", signed=True) for at in (0, 8))
    verb = int(OperatorVerb.STRATEGY_REPLACE)
    values = (version, state_bytes, *halves)
    return control(Type.OPERATOR, code=verb, strategy=strategy, values=values, text=source)


def _signed(bits: int) -> int:
    return bits - (1 << 64) if bits >> 63 else bits


def adjustment(
    strategy: int, instrument: int, *, qty: int = 0, px: int = 0, cash: int = 0, match: int = 0, by: By = By()
) -> bytes:
    """Move a position by hand: signed lots at `px` without a fee, and `cash` in 1e-4 of the currency, positive: given.

    `match` is the venue's number of the execution that it stands for; 0: it names none.
    """
    values = (qty, px, cash, _signed(match))
    return control(Type.ADJUSTMENT, code=by.uid, values=values, text=by.why, strategy=strategy, instrument=instrument)


def conversion(currency: str, rate: int) -> bytes:
    """One unit of `currency` is worth `rate` in 1e-8 of the base currency; 0 takes the rate away."""
    return control(Type.CONVERSION, values=(rate,), text=currency)


def asked(by: By, act: int, outcome: int, *, strategy: int = NO_STRATEGY, instrument: int = NO_INSTRUMENT) -> bytes:
    """What became of a request of a person, for the record; `by.why` says it."""
    values = (by.uid, by.approver_uid, act, outcome)
    code = int(OperatorVerb.ASKED)
    return control(Type.OPERATOR, code=code, values=values, text=by.why, strategy=strategy, instrument=instrument)


def trading_day(day: datetime.date, zone: str, utc_offset_s: int) -> bytes:
    """A trading day begins (law 16): its date, and the zone that its times count from."""
    return control(Type.TRADING_DAY, values=(day.year * 10_000 + day.month * 100 + day.day, utc_offset_s), text=zone)


def fee_rate(
    flags: str,
    *,
    per_lot: int = 0,
    per_value: int = 0,
    value_below_px: int = 0,
    charge_min: int = 0,
    charge_max: int = 0,
) -> bytes:
    """What fills with these liquidity flags of the venue cost; without flags, those that no other record names.

    Rates in 1e-6 of the currency (for a lot, for a unit of value), negative for a rebate; bounds of one fill in 1e-4.
    Above 0, `value_below_px` says that cheaper fills pay by value alone and others by lot alone.
    """
    values = (per_lot, per_value, charge_min, charge_max)
    return control(Type.FEE_RATE, code=value_below_px, values=values, text=flags)


def route(feed: int, session: int) -> bytes:
    """Orders in what the feed `feed` tells of leave by the order session `session`; 0: by none. Both are sources."""
    return control(Type.PARAMETERS, source=ROUTE_PARAMETER, code=feed, values=(session,))


def breaker(
    kind: BreakerKind,
    *,
    to: ArmState,
    threshold: int,
    again_below: int,
    window_ns: int = 0,
    least: int = 0,
    strategy: int = NO_STRATEGY,
    instrument: int = NO_INSTRUMENT,
    owner: str = "",
) -> bytes:
    """A circuit breaker of the node or of one strategy: above `threshold` its scope moves down to the state `to`.

    It does not trip again until the measure has been at or below `again_below`. Units by kind: docs/breakers.md.
    """
    return control(
        Type.PARAMETERS,
        code=int(kind),
        source=BREAKER_PARAMETERS,
        values=(threshold, window_ns, again_below, int(to) | least << 8),
        text=owner,
        strategy=strategy,
        instrument=instrument,
    )


def signal(
    number: int,
    value: float,
    *,
    ts_ns: int,
    strategy: int = NO_STRATEGY,
    instrument: int = NO_INSTRUMENT,
    uid: int = 0,
    pid: int = 0,
) -> bytes:
    """A value from another process, for one strategy or all of them."""
    who = {"strategy": strategy, "instrument": instrument, "uid": uid, "pid": pid}
    return record("Signal", type=int(Type.SIGNAL), ts_event=ts_ns, signal_id=number, value=value, **who)


def parameter(strategy: int, word: int, bits: int, name: str = "", *, continues: bool = False) -> bytes:
    """A parameter of a running strategy: the word of its layout gets `bits`. With `continues` the next record belongs
    to the same change, and they hold together."""
    return control(
        Type.PARAMETERS,
        code=word,
        source=STRATEGY_PARAMETER,
        values=(_signed(bits),),
        text=name,
        flags=int(continues),
        strategy=strategy,
    )


def checkpoint() -> bytes:
    """Ask for a full state hash."""
    return control(Type.CHECKPOINT)


def limit(
    kind: LimitKind,
    value: int,
    *,
    scope: LimitScope,
    strategy: int = NO_STRATEGY,
    instrument: int = NO_INSTRUMENT,
    account: int = 0,
    window_ns: int = 0,
    reserve: int = 0,
    version: int = 1,
    owner: str = "",
    approver: str = "",
    is_removed: bool = False,
) -> bytes:
    """One limit of one scope, set or removed; units by kind (docs/limits.md)."""
    return record(
        "Limit",
        type=int(Type.LIMIT),
        flags=LIMIT_REMOVED if is_removed else 0,
        strategy=strategy,
        instrument=instrument,
        value=value,
        window_ns=window_ns,
        reserve=reserve,
        kind=int(kind),
        scope=int(scope),
        account=account,
        version=version,
        owner=owner.encode()[:15],
        approver=approver.encode()[:15],
    )
