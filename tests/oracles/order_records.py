"""Records of orders in tests: named fields in, bytes out, and back."""

import numpy as np

from openbell import _native
from openbell.types import RECORDS

_size, _fields = _native.live_order_layout()
LIVE_ORDER = np.dtype(
    {
        "names": [name for name, _, _ in _fields],
        "formats": [form for _, form, _ in _fields],
        "offsets": [offset for _, _, offset in _fields],
        "itemsize": _size,
    }
)
ACCOUNT = 0xFFFF


def record(kind: str, /, **fields: int) -> bytes:
    """One record of that kind as bytes; fields not named are zero."""
    r = np.zeros(1, RECORDS[kind])
    for name, value in fields.items():
        r[name] = value if isinstance(value, (bytes, str, tuple)) else int(value)
    return r.tobytes()


def fields_of(data: bytes, dtype: np.dtype) -> list[dict[str, int]]:
    """The integer fields of each record in `data`."""
    names = [n for n in dtype.names if dtype[n].kind in "iu" and dtype[n].shape == ()]
    rows = np.frombuffer(data, dtype)
    return [{n: int(row[n]) for n in names} for row in rows]


def orders_of(data: bytes) -> list[dict[str, int]]:
    """LiveOrder records as dictionaries."""
    return fields_of(data, LIVE_ORDER)


def commands_of(data: bytes) -> list[dict[str, int]]:
    """Order records as dictionaries."""
    return fields_of(data, RECORDS["Order"])
