"""The vocabulary in Python: enums and NumPy dtypes of every record, taken from `native/records.h`.

Prices are integers in the instrument's fixed decimal (ITCH: 1e-4), quantities integers in lots of its
quantity unit, times integers in nanoseconds since the Unix epoch, UTC.
"""

import numpy as np

from openbell._native import (
    ArmState,
    BreakerKind,
    BreakNews,
    Check,
    CheckPolicy,
    IntentKind,
    KillLevel,
    LimitKind,
    LimitScope,
    OrderState,
    Reason,
    Side,
    Tif,
    TradingState,
    Trigger,
    Type,
    record_layouts,
)

__all__ = [
    "NO_INSTRUMENT",
    "NO_STRATEGY",
    "PX_MAX",
    "QTY_MAX",
    "RECORDS",
    "ArmState",
    "BreakNews",
    "BreakerKind",
    "Check",
    "CheckPolicy",
    "IntentKind",
    "KillLevel",
    "LimitKind",
    "LimitScope",
    "OrderState",
    "Reason",
    "Side",
    "Tif",
    "TradingState",
    "Trigger",
    "Type",
    "strategy_of",
]

NO_INSTRUMENT = 0xFFFF_FFFF
NO_STRATEGY = 0xFFFF
PX_MAX, QTY_MAX = 1 << 48, 1 << 44
"""Of one order, fill or adjustment (native/oms/exposure.h)."""

BUY = Side.BUY
SELL = Side.SELL


def strategy_of(cl_ord_id: int) -> int:
    """The strategy whose order it is: 10 bits of its id (native/records.h)."""
    return cl_ord_id >> 30 & 0x3FF


def _dtype(size: int, fields: list[tuple[str, str, int]]) -> np.dtype[np.void]:
    return np.dtype(
        {
            "names": [name for name, _, _ in fields],
            "formats": [form for _, form, _ in fields],
            "offsets": [offset for _, _, offset in fields],
            "itemsize": size,
        }
    )


RECORDS: dict[str, np.dtype[np.void]] = {
    name: _dtype(size, fields) for name, (size, fields) in record_layouts().items()
}
"""Record name -> NumPy structured dtype; `RECORDS["Market"]` reads the 48-byte market-data records."""
