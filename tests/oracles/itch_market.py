"""An ITCH 5.0 file as Market records, message by message: what native/feed does in a batch."""

from pathlib import Path

import numpy as np

from openbell.types import RECORDS, Type
from oracles import itch

IS_BUY, WHOLE, AT_ORDER_PX = 1, 2, 4


def messages(path: Path) -> list[bytes]:
    """The messages of a file with 2-byte big-endian lengths."""
    data, out, at = path.read_bytes(), [], 0
    while at < len(data):
        n = int.from_bytes(data[at : at + 2], "big")
        out.append(data[at + 2 : at + 2 + n])
        at += 2 + n
    return out


def market(m: dict) -> dict | None:
    """The record of a decoded message as field values; None when it does not concern the book."""
    own = {"order_id": m.get("order_id", 0), "qty": m.get("qty", 0), "ts_event": m["ts"], "tracking": m["tracking"]}
    match m["type"]:
        case "A" | "F":
            return own | {"type": Type.BOOK_ADD, "px": m["px"], "flags": IS_BUY * (m["side"] == "B")}
        case "E":
            return own | {"type": Type.BOOK_EXECUTE, "flags": AT_ORDER_PX, "ref": m["match_id"]}
        case "C":
            return own | {"type": Type.BOOK_EXECUTE, "px": m["px"], "ref": m["match_id"]}
        case "X":
            return own | {"type": Type.BOOK_CANCEL}
        case "D":
            return own | {"type": Type.BOOK_CANCEL, "flags": WHOLE}
        case "U":
            return own | {"type": Type.BOOK_MODIFY, "px": m["px"], "ref": m["new_order_id"]}
    return None


def records(path: Path) -> tuple[np.ndarray, list[int]]:
    """Book records of a file, instrument = locate, and for each message how many records it and all before made."""
    rows, counts = [], []
    for message in messages(path):
        decoded = itch.decode(message)
        row = market(decoded) if decoded else None
        if row:
            rows.append(row | {"instrument": decoded["locate"]})
        counts.append(len(rows))
    out = np.zeros(len(rows), RECORDS["Market"])
    for r, row in zip(out, rows, strict=True):
        for name, value in row.items():
            r[name] = int(value)
    return out, counts
