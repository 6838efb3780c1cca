"""The market of `bench.flow` times many: instruments interleaved at random, each with a hundred or two live orders.

References rise over all instruments together, as a venue gives them.
"""

import numpy as np

from bench import flow
from openbell.types import RECORDS, Type

LIVE = (100, 200)
WARM_UP = 400
"""Events an instrument after which its book is full; they are not timed."""
BASES = 16
"""Different sequences; every instrument plays one of them."""


def make(instruments: int, events: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return (warm-up, events) as Market records of instruments 0 to `instruments` - 1."""
    rng = np.random.default_rng(seed)
    total = instruments * WARM_UP + events
    who = np.concatenate(
        [rng.permutation(np.repeat(np.arange(instruments), WARM_UP)), rng.integers(0, instruments, events)]
    )
    nth = _nth_of_its_kind(who)
    bases = [flow.make(int(nth.max()) + 1, seed + i, live=LIVE) for i in range(min(BASES, instruments))]
    out = np.zeros(total, RECORDS["Market"])
    for i, base in enumerate(bases):
        here = who % len(bases) == i
        out[here] = base[nth[here]]
    out["instrument"] = who
    out["order_id"] = _venue_wide(out, who)
    out["ts_event"] = 1_700_000_000_000_000_000 + np.arange(total) * 1_000
    return out[: instruments * WARM_UP], out[instruments * WARM_UP :]


def _nth_of_its_kind(who: np.ndarray) -> np.ndarray:
    """How many equal values stand before each."""
    order = np.argsort(who, kind="stable")
    first = np.searchsorted(who[order], who[order])
    nth = np.empty(len(who), np.int64)
    nth[order] = np.arange(len(who)) - first
    return nth


def _venue_wide(records: np.ndarray, who: np.ndarray) -> np.ndarray:
    """References that rise with each add, instead of those that every instrument counts for itself."""
    own = who.astype(np.int64) << 32 | records["order_id"].astype(np.int64)
    is_add = records["type"] == Type.BOOK_ADD
    adds = own[is_add]
    by_own = np.argsort(adds)
    return 1 + by_own[np.searchsorted(adds[by_own], own)]
