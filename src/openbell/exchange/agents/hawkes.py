"""Hawkes processes: arrivals that excite further arrivals, of their own kind and of others.

The intensity of kind i is `base[i]` plus, for every past event of kind j at time s and every kernel,
`children[i][j] / after * exp(-(t - s) / after)`: one j causes `children[i][j]` of i directly, on average, with a mean
delay of `after`. With n the sum of the kernels' children, mean rates are (1 - n)^-1 base; they exist while the spectral
radius of n, the branching ratio, is below 1.

Simulated exactly, as the family tree it is: immigrants come at the bases, and every event draws its children and when
they will come. Source: A. Hawkes, D. Oakes (1974), "A cluster process representation of a self-exciting process".
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
import numpy.typing as npt

from openbell.errors import CapacityError, ConfigError
from openbell.exchange.agents.draws import Choice

COMING_MAX = 1_000_000
"""Children that are drawn and have not come yet."""
RATIO_SAFE = 0.95


@dataclass(frozen=True)
class Kernel:
    """`children[i][j]`: mean number of i that one j causes; `after_s`: their mean delay, exponentially distributed."""

    children: Sequence[Sequence[float]]
    after_s: float


def branching_ratio(kernels: Sequence[Kernel]) -> float:
    """Return the spectral radius of all children together.

    Raises:
        ConfigError: it is 1 or more.
    """
    if not kernels:
        return 0.0
    ratio = float(np.abs(np.linalg.eigvals(_children(kernels))).max())
    if ratio >= 1.0:
        raise ConfigError(
            f"Hawkes: expected a branching ratio (spectral radius of the children) below 1, found {ratio:.3f}: each "
            "event would cause as many or more, without end; scale every number of children by "
            f"{RATIO_SAFE / ratio:.3f} or less"
        )
    return ratio


def base_of(rates: Sequence[float], kernels: Sequence[Kernel]) -> list[float]:
    """Return the bases that make `rates` the mean rates.

    Raises:
        ConfigError: the branching ratio is 1 or more, or a kind has more children than its rate allows.
    """
    branching_ratio(kernels)
    wanted = np.asarray(rates, dtype=float)
    born = _children(kernels) @ wanted if kernels else np.zeros(len(wanted))
    kind = int(np.argmin(wanted - born))
    if wanted[kind] < born[kind]:
        raise ConfigError(
            f"Hawkes: expected no more children of a kind than its mean rate, found {born[kind]:g}/s for kind {kind} "
            f"with a rate of {wanted[kind]:g}/s; raise that rate, or lower the children of the kinds that cause it"
        )
    return [float(rate) for rate in wanted - born]


class Hawkes:
    """A process at its present time; `next` moves it to its next event."""

    def __init__(self, rng: random.Random, base: Sequence[float], kernels: Sequence[Kernel]) -> None:
        branching_ratio(kernels)
        if min(base) < 0 or max(base) <= 0:
            raise ConfigError(f"Hawkes: expected bases of 0 or more and one above 0, found {list(base)}")
        self._random = rng.random
        self._immigrants = Choice(rng, base)
        self._families = [_Family(rng, kernels, kind) for kind in range(len(base))]
        self._coming: list[tuple[float, int]] = []
        self._now_s = 0.0

    def next(self, activity: float = 1.0) -> tuple[float, int]:
        """Return the seconds to the next event and its kind, with bases `activity` times as high until then."""
        at_s = self._now_s - math.log(1.0 - self._random()) / (self._immigrants.total * activity)
        coming = self._coming
        if coming and coming[0][0] <= at_s:
            at_s, kind = heappop(coming)
        else:
            kind = self._immigrants.draw()
        for delay_s, child in self._families[kind].children():
            heappush(coming, (at_s + delay_s, child))
        if len(coming) > COMING_MAX:
            raise CapacityError(
                f"Hawkes: expected at most {COMING_MAX} children to come, found more; lower their number"
            )
        wait_s, self._now_s = at_s - self._now_s, at_s
        return wait_s, kind


class _Family:
    """Draws the children of one kind: how many, of which kinds, and after how long."""

    def __init__(self, rng: random.Random, kernels: Sequence[Kernel], kind: int) -> None:
        self._random = rng.random
        self._born = [(kernel.after_s, child) for kernel in kernels for child in range(len(kernel.children))]
        self._which = Choice(rng, [row[kind] for kernel in kernels for row in kernel.children])
        self._none = math.exp(-self._which.total)

    def children(self) -> list[tuple[float, int]]:
        """Return (delay in s, kind) of each. Their number is Poisson: D. Knuth's product of uniforms."""
        children = []
        product = self._random()
        while product > self._none:
            after_s, child = self._born[self._which.draw()]
            children.append((-math.log(1.0 - self._random()) * after_s, child))
            product *= self._random()
        return children


def _children(kernels: Sequence[Kernel]) -> npt.NDArray[np.float64]:
    total: npt.NDArray[np.float64] = np.array([kernel.children for kernel in kernels], dtype=np.float64).sum(axis=0)
    return total
