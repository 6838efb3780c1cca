"""Activity over a trading session: the U of volume, as a factor on the rates of agents."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

SECOND_NS = 1_000_000_000


class Profile:
    """A piecewise linear factor with mean 1, repeated session after session from `start_ns` on.

    `shape` holds (part of the session, activity), from part 0 to part 1.
    """

    def __init__(self, shape: Sequence[tuple[float, float]], session_s: float, start_ns: int) -> None:
        area = sum((b - a) * (x + y) / 2 for (a, x), (b, y) in pairwise(shape))
        self._parts = [part for part, _ in shape]
        self._values = [value / area for _, value in shape]
        self._session_ns = int(session_s * SECOND_NS)
        self._start_ns = start_ns
        self._flat = len(set(self._values)) == 1

    def at(self, now_ns: int) -> float:
        """Return the activity at `now_ns`."""
        if self._flat:
            return 1.0
        part = (now_ns - self._start_ns) % self._session_ns / self._session_ns
        n = bisect_right(self._parts, part)
        a, b = self._parts[n - 1], self._parts[n]
        x, y = self._values[n - 1], self._values[n]
        return x + (y - x) * (part - a) / (b - a)


FLAT = ((0.0, 1.0), (1.0, 1.0))
"""The same activity at any time."""
