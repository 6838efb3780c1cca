"""Trades and frames as the tests of post-trade write them."""

from typing import Any

import numpy as np

from openbell.journal import Frame, FrameClass
from openbell.journal.assets import Asset
from openbell.posttrade.blotter import Trade, TradeKey
from openbell.types import NO_INSTRUMENT, RECORDS, Side, Type

AAPL = Asset("AAPL", "USD", px_decimals=4, qty_decimals=0, multiplier=1)
SONY = Asset("SONY", "JPY", px_decimals=2, qty_decimals=0, multiplier=1)
COIN = Asset("BTCUSDT", "USDT", px_decimals=2, qty_decimals=5, multiplier=1)
STRATEGY = 3
NODE_BITS = 1 << 58 | 1 << 40


def order_id(number: int, strategy: int = STRATEGY) -> int:
    """An id of ours."""
    return NODE_BITS | strategy << 30 | number


def trade(qty: int, px: int, match: int = 1, *, strategy: int = STRATEGY, instrument: int = 0, **more: Any) -> Trade:
    """A trade of signed `qty`."""
    key = TradeKey(order_id(match, strategy), match)
    side = Side.BUY if qty > 0 else Side.SELL
    return Trade(key, instrument, side, px, abs(qty), "A", ts_event=match, seq=match, **more)


def frame(frame_class: int, seq: int, *records: bytes) -> Frame:
    """A frame of 128-byte records."""
    raw = np.frombuffer(b"".join(records), np.uint8).reshape(len(records), -1)
    return Frame(frame_class, seq, 1, 0, 0, 0, seq, seq, 0, raw)


def heard(seq: int, *records: bytes) -> Frame:
    return frame(FrameClass.IN, seq, *records)


def decided(seq: int, *records: bytes) -> Frame:
    return frame(FrameClass.OUT, seq, *records)


def record(name: str, type_: Type, /, **fields: Any) -> bytes:
    row = np.zeros(1, RECORDS[name])
    for field, value in {"type": int(type_), "instrument": NO_INSTRUMENT, **fields}.items():
        row[field] = value
    return row.tobytes()


def listed(number: int, asset: Asset) -> bytes:
    terms = {f: getattr(asset, f) for f in ("symbol", "currency", "px_decimals", "qty_decimals", "multiplier")}
    return record("Instrument", Type.INSTRUMENT, **terms | {"instrument": number})


def commanded(number: int, side: Side = Side.BUY, instrument: int = 0) -> bytes:
    return record("Order", Type.NEW_ORDER, cl_ord_id=order_id(number), side=int(side), instrument=instrument)


def told(kind: Type, number: int, match: int, px: int = 0, qty: int = 0) -> bytes:
    return record("Report", kind, cl_ord_id=order_id(number), exec_id=match, last_px=px, last_qty=qty)
