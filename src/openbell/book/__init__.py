"""Order books by order (L3), by price (L2) and the touch (L1): the native `Books`, and the dtypes of its answers."""

import numpy as np

from openbell._native import BookFault, Books

__all__ = ["CHANGE", "LEVEL", "BookFault", "Books"]

CHANGE = np.dtype(
    [
        ("fault", "u1"),
        ("touched", "u1"),
        ("side", "u1"),
        ("pad", "u1"),
        ("handle", "<u4"),
        ("px", "<i8"),
        ("qty", "<i8"),
    ]
)
"""One row of `Books.changes(records).view(CHANGE)[:, 0]`: what a record did."""

LEVEL = np.dtype([("px", "<i8"), ("qty", "<i8"), ("orders", "<u4"), ("pad", "<u4")])
"""One row of `Books.depth(instrument, side, n).view(LEVEL)[:, 0]`, best first."""
