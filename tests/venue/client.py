"""An OuchSession with its records as dicts, and the server's side of the conversation as bytes."""

from typing import Any

import numpy as np

from openbell._native import OuchSession
from openbell.types import RECORDS, Side, Tif, Type
from oracles import ouch, soup

SECOND_NS = 1_000_000_000
MIDNIGHT_NS = 1_700_000_000 * SECOND_NS
ORDER_ID = 0x0400_0100_C000_0007
HEARTBEAT = soup.packet("H")

INSTRUMENT = np.zeros((), RECORDS["Instrument"])
INSTRUMENT["type"], INSTRUMENT["symbol"], INSTRUMENT["px_decimals"] = Type.INSTRUMENT, b"AAPL", 4


class Client(OuchSession):
    """Reports carry `source_seq`; fields that are zero are left out."""

    def hear(self, data: bytes, now: int = 0) -> list[dict[str, Any]]:
        return [shown(seq, record) for seq, record in self.on_bytes(data, now)]

    def hang_up(self, now: int = 0) -> list[dict[str, Any]]:
        return [shown(seq, record) for seq, record in self.on_disconnected(now)]

    def say(self) -> bytes:
        """What it wants to send, all of it taken."""
        data = self.outgoing
        self.taken(len(data))
        return data


def client(**config: Any) -> Client:
    return Client(user="alice", password="secret", firm="OPEN", source=65, midnight_ns=MIDNIGHT_NS, **config)


def live(next_seq: int = 1, **config: Any) -> Client:
    """Logged in to session S1 at time 0."""
    c = client(**config)
    c.on_connected(0)
    c.say()
    c.hear(soup.login_accepted("S1", next_seq))
    return c


def shown(source_seq: int, record: bytes) -> dict[str, Any]:
    name = "Report" if Type(record[0]) < Type.STARTED else "Control"
    row = np.frombuffer(record, RECORDS[name])[0]
    fields = {f: row[f].tolist() for f in RECORDS[name].names}
    out = {f: v for f, v in fields.items() if v not in (0, b"", [0] * 3, [0] * 4)}
    return out | ({"source_seq": source_seq} if source_seq else {})


def control(kind: Type, **fields: Any) -> dict[str, Any]:
    return {"type": int(kind), "strategy": 0xFFFF, "instrument": 0xFFFF_FFFF, "source": 65} | fields


def sequenced(**message: Any) -> bytes:
    return soup.packet("S", ouch.encode(ouch.OUTBOUND, message))


def fill(qty: int = 100, match_id: int = 9, version: int = 1) -> bytes:
    terms = {"token": ouch.token(ORDER_ID, version), "qty": qty, "px": 1_500_000, "liquidity": "A"}
    return sequenced(type="E", ts=1, match_id=match_id, **terms)


def order(kind: Type = Type.NEW_ORDER, **fields: Any) -> bytes:
    row = np.zeros((), RECORDS["Order"])
    defaults = {"side": Side.BUY, "tif": Tif.DAY, "cl_ord_id": ORDER_ID, "px": 1_500_000, "qty": 100, "version": 1}
    for name, value in ({"type": kind} | defaults | fields).items():
        row[name] = value
    return row.tobytes()
