"""A statistic with its confidence interval."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

BLOCKS = 20
NORMAL_95 = 1.96
Array = npt.NDArray[Any]


class Estimate(NamedTuple):
    """A value and its 95 % interval; the interval is nan where none is computed."""

    value: float
    low: float = math.nan
    high: float = math.nan


def jackknife(statistic: Callable[..., float], *columns: Array, blocks: int = BLOCKS) -> Estimate:
    """Return `statistic(*columns)` with the interval that leaving out one block of consecutive rows at a time gives.

    Blocks, because neighbouring rows depend on each other. Source: H. Kuensch (1989), "The jackknife and the bootstrap
    for general stationary observations".
    """
    value = float(statistic(*columns))
    rows = len(columns[0])
    if rows < 2 * blocks or blocks < 2:
        return Estimate(value)
    without = np.array([statistic(*rest) for rest in _without_a_block(columns, blocks)])
    if not np.isfinite(without).all():
        return Estimate(value)
    error = math.sqrt((blocks - 1) / blocks * float(((without - without.mean()) ** 2).sum()))
    return Estimate(value, value - NORMAL_95 * error, value + NORMAL_95 * error)


def _without_a_block(columns: tuple[Array, ...], blocks: int) -> Iterator[list[Array]]:
    cuts = np.linspace(0, len(columns[0]), blocks + 1).astype(int)
    for a, b in pairwise(cuts):
        yield [np.concatenate([column[:a], column[b:]]) for column in columns]
