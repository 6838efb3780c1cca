"""A tape with everything that bars and features look at: several instruments, prints, crosses, gaps, contradictions."""

import random
from pathlib import Path

import numpy as np
from bench.flow import make

from openbell._native import JournalWriter
from openbell.types import NO_INSTRUMENT, RECORDS, Type

FEED, NODE, IN = 16, 0, 1
IS_BUY, AT_ORDER_PX, PRINTABLE, SNAPSHOT = 1, 4, 8, 16
LOST, FROM_SNAPSHOT = 1, 1
SYMBOLS = ("ALFA", "BETA", "GAMA")
RECORDS_PER_FRAME = 4


def write_market_tape(directory: Path, events: int, seed: int, *, calendar: str = "TEST", breaks: int = 3) -> Path:
    """`events` records of each of three instruments; `breaks` gaps and as many contradictions."""
    rng = random.Random(seed)
    journal = JournalWriter(str(directory), segment_bytes=1 << 20)
    records = _merged(events, seed, rng)
    first_ns = int(records["ts_event"][0])
    for number, symbol in enumerate(SYMBOLS):
        _append(journal, instrument(number, symbol, calendar), first_ns - 1_000)
    interruptions = sorted(rng.sample(range(len(records)), 2 * breaks))
    at = 0
    while at < len(records):
        count = rng.randint(1, RECORDS_PER_FRAME)
        frame = records[at : at + count]
        _append(journal, frame, int(frame["ts_event"].max()) + rng.randint(0, 50_000))
        at += count
        while interruptions and interruptions[0] < at:
            interruptions.pop(0)
            _interrupt(journal, rng, int(frame["ts_event"].max()))
    journal.close()
    return directory


def write_level_tape(directory: Path, events: int, seed: int, kinds: tuple[Type, ...]) -> Path:
    """One instrument whose book is told by levels, by quotes, or both: with a snapshot, a resync, prints, a mistake."""
    rng = random.Random(seed)
    journal = JournalWriter(str(directory))
    start = 1_700_000_000_000_000_000
    _append(journal, instrument(0, "ALFA", "BINANCE"), start)
    _append(journal, _control(Type.GAP, 0, code=LOST), start, NODE)
    for n in range(events):
        ts = start + 1_000_000 * n
        if n in (5, events // 2):
            _append(journal, market(Type.BOOK_CLEAR, ts, flags=SNAPSHOT), ts)
            snapshot = [level(Type.BOOK_LEVEL, ts, rng, flags=SNAPSHOT) for _ in range(5)]
            if Type.BOOK_LEVEL in kinds:
                _append(journal, np.concatenate(snapshot), ts)
            _append(journal, _control(Type.RECOVERED, 0, code=FROM_SNAPSHOT), ts, NODE)
        if rng.random() < 0.2:
            side = rng.choice((0, IS_BUY))
            px = 1_000_000 + 100 * rng.randint(-6, 6)
            _append(journal, market(Type.TRADE, ts, px=px, qty=rng.randint(1, 9), flags=PRINTABLE | side), ts)
        frame = [level(rng.choice(kinds), ts if rng.random() < 0.9 else 0, rng) for _ in range(rng.randint(1, 3))]
        _append(journal, np.concatenate(frame), ts + 500)
        if n == events // 3:
            _append(journal, market(kinds[0], ts, qty=-1), ts)
            _append(journal, _control(Type.GAP, 0, code=LOST), ts, NODE)
    journal.close()
    return directory


def level(kind: Type, ts: int, rng: random.Random, flags: int = 0) -> np.ndarray:
    """A level or quote near 100; bids and asks may cross, as a feed's may."""
    side = rng.choice((0, IS_BUY))
    px = 1_000_000 + 100 * (-rng.randint(-1, 8) if side else rng.randint(-1, 8))
    return market(kind, ts, px=px, qty=rng.choice((0, rng.randint(1, 99))), flags=flags | side)


def market(kind: Type, ts: int, **fields: int) -> np.ndarray:
    """A Market record as an array of one."""
    record = np.zeros(1, RECORDS["Market"])
    record["type"], record["ts_event"] = kind, ts
    for name, value in fields.items():
        record[name] = value
    return record


def instrument(
    number: int, symbol: str, calendar: str = "TEST", px_decimals: int = 4, qty_decimals: int = 0
) -> np.ndarray:
    """An Instrument record as an array of one."""
    record = np.zeros(1, RECORDS["Instrument"])
    record["type"], record["instrument"], record["symbol"], record["calendar"] = (
        Type.INSTRUMENT,
        number,
        symbol.encode(),
        calendar.encode(),
    )
    record["currency"], record["px_decimals"], record["qty_decimals"] = b"USD", px_decimals, qty_decimals
    record["tick"], record["lot"], record["multiplier"] = 100, 1, 1
    return record


def _merged(events: int, seed: int, rng: random.Random) -> np.ndarray:
    flows = []
    for number in range(len(SYMBOLS)):
        flow = make(events, seed=seed + number, instrument=number)
        flow["order_id"] += number << 40
        executed = flow["type"] == int(Type.BOOK_EXECUTE)
        flow["flags"][executed] |= PRINTABLE
        for at in np.flatnonzero(executed)[::5]:  # at another price than the order's
            flow["flags"][at] &= ~AT_ORDER_PX & 0xFF
            flow["px"][at] += rng.choice((-100, 0, 100))
        for at in np.flatnonzero(executed)[::7]:
            flow["flags"][at] &= ~PRINTABLE & 0xFF
        flows += [flow, _prints(flow, rng)]
    records = np.concatenate(flows)
    return records[np.argsort(records["ts_event"], kind="stable")]


def _prints(flow: np.ndarray, rng: random.Random) -> np.ndarray:
    """Trades against hidden orders and crosses, between the records of `flow`."""
    out = flow[rng.sample(range(len(flow)), len(flow) // 10)].copy()
    out["type"] = int(Type.TRADE)
    for record in out:
        is_cross = rng.random() < 0.1
        record["flags"] = PRINTABLE if is_cross else PRINTABLE * (rng.random() < 0.9) | rng.choice((0, IS_BUY))
        record["order_id"] = ord("O") if is_cross else 0
        record["px"] += rng.choice((-150, -50, 0, 50, 150))
        record["qty"] = rng.randint(1, 500)
        record["ts_event"] += 1
    return out


def _interrupt(journal: JournalWriter, rng: random.Random, ts: int) -> None:
    """A gap that is filled, of the feed or of one instrument; or a contradiction, after which its book stays broken."""
    _append(journal, _control(Type.RECOVERED, NO_INSTRUMENT), ts, NODE)  # of an earlier gap
    if rng.random() < 0.5:
        of = rng.choice((NO_INSTRUMENT, 0, 1))
        _append(journal, _control(Type.GAP, of), ts, NODE)
        if rng.random() < 0.5:
            return  # filled later, or never
        _append(journal, _control(Type.RECOVERED, of), ts, NODE)
        return
    wrong = np.zeros(1, RECORDS["Market"])
    wrong["type"], wrong["ts_event"], wrong["order_id"] = Type.BOOK_CANCEL, ts, 1 << 60
    wrong["instrument"], wrong["flags"] = rng.choice((0, 2)), 2
    _append(journal, wrong, ts)


def _control(kind: Type, of: int, code: int = 0) -> np.ndarray:
    record = np.zeros(1, RECORDS["Control"])
    record["type"], record["instrument"], record["source"], record["code"] = kind, of, FEED, code
    return record


def _append(journal: JournalWriter, records: np.ndarray, ts: int, source: int = FEED) -> None:
    raw = np.ascontiguousarray(records).view(np.uint8)
    journal.append(IN, source, records.dtype.itemsize, raw, ts_recv=ts, ts_seq=ts)
