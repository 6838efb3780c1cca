"""What agents draw: sizes with a heavy tail, and distances from the opposite best."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate


class Sizes:
    """Whole lots from `lots_min` to `lots_max`; P(size > x) falls like x^-tail. Equal ends: always that many."""

    def __init__(self, rng: random.Random, lots_min: int, lots_max: int, tail: float) -> None:
        self._random = rng.random
        self._min, self._max = lots_min, lots_max
        self._power = -1.0 / tail

    def draw(self) -> int:
        """Return a size in lots."""
        if self._min == self._max:
            return self._min
        return min(self._max, int(self._min * (1.0 - self._random()) ** self._power))


class Choice:
    """Index n with the weight `weights[n]`."""

    def __init__(self, rng: random.Random, weights: Sequence[float]) -> None:
        self._random = rng.random
        self._sums = list(accumulate(weights))
        self._last = len(weights) - 1
        self.total = self._sums[-1] if weights else 0.0

    def draw(self) -> int:
        """Return an index."""
        return min(bisect_right(self._sums, self._random() * self.total), self._last)


def by_distance(near: Sequence[float], tail: tuple[float, float], depth_ticks: int) -> list[float]:
    """Return the weights of 1 to `depth_ticks` ticks: `near` as given, then k i^-a with `tail` = (k, a).

    Source: Cont, Stoikov, Talreja (2010), "A stochastic model for order book dynamics", section 3.2.
    """
    k, a = tail
    return [near[i - 1] if i <= len(near) else k * i**-a for i in range(1, depth_ticks + 1)]
