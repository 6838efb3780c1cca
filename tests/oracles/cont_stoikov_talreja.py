"""The best queues of a one-tick spread, stepped through time: exact values for Cont, Stoikov, Talreja (2010).

They invert Laplace transforms instead. While the spread is one tick the two queues know nothing of each other, and the
mid price moves when the first of them is empty. A queue gains an order at rate `LIMIT`, loses its first at rate
`MARKET`, and each of its orders at rate `CANCEL` (table 2 of the paper, distance 1). Probabilities are integrals over
time of one queue's density times the other's distribution; the equations of both are stepped by `STEP_MIN`.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

LIMIT, MARKET, CANCEL = 1.85, 0.94, 0.71
QUEUE_MAX = 24
"""Longer queues are left out: from 5 orders they come about once in 10^10."""
STEP_MIN, END_MIN = 0.005, 60.0


class Queue(NamedTuple):
    """Over time: the density of the event, and the probability that counts if the other queue's comes first."""

    density: np.ndarray
    distribution: np.ndarray


def up_first(bids: int, asks: int) -> float:
    """P(mid goes up first): the asks are used up while there are bids."""
    return _integral(emptied(asks).density * emptied(bids).distribution)


def filled_first(bids: int, asks: int) -> float:
    """P(the last of the bids, never canceled, is filled before the asks are used up)."""
    return _integral(own_filled(bids).density * emptied(asks).distribution)


def both_filled_first(bids: int, asks: int) -> float:
    """P(the last bid and the last ask, never canceled, are both filled before either queue is used up)."""
    bid, ask = own_filled(bids), own_filled(asks)
    return _integral(bid.density * ask.distribution + ask.density * bid.distribution)


@cache
def emptied(orders: int) -> Queue:
    """A queue until it is empty; the distribution is of its having orders still."""
    rates = np.zeros((QUEUE_MAX + 1, QUEUE_MAX + 1))
    for n in range(1, QUEUE_MAX + 1):
        _add(rates, n, n - 1, MARKET + n * CANCEL)
        if n < QUEUE_MAX:
            _add(rates, n, n + 1, LIMIT)
    path = _path(rates, orders)
    return Queue(density=path[:, 1] * (MARKET + CANCEL), distribution=path[:, 1:].sum(axis=1))


@cache
def own_filled(place: int) -> Queue:
    """A queue whose order `place` is ours, the last; the distribution is of our being filled and orders behind us left.

    States are (ahead of us, behind us); after our fill 0 is empty and `filled + n` has n orders.
    """
    behind = np.arange(QUEUE_MAX + 1)
    filled = place * behind.size
    rates = np.zeros((filled + behind.size, filled + behind.size))
    for n in behind:
        for ahead in range(place):
            here = ahead * behind.size + n
            _add(rates, here, here - behind.size if ahead else filled + n, MARKET + ahead * CANCEL)
            _turn_over(rates, here, n, CANCEL * n)
        if n:
            _turn_over(rates, filled + n, n, MARKET + CANCEL * n)
    path = _path(rates, filled - behind.size)
    return Queue(density=path[:, : behind.size].sum(axis=1) * MARKET, distribution=path[:, filled + 1 :].sum(axis=1))


def _turn_over(rates: np.ndarray, here: int, orders: int, loss: float) -> None:
    """Orders behind us come, and go at rate `loss`."""
    if orders < QUEUE_MAX:
        _add(rates, here, here + 1, LIMIT)
    if orders:
        _add(rates, here, here - 1, loss)


def _add(rates: np.ndarray, here: int, there: int, rate: float) -> None:
    rates[here, there] += rate
    rates[here, here] -= rate


def _path(rates: np.ndarray, start: int) -> np.ndarray:
    """The probability of each state at each step, from `start` on; a step is the fourth-order Runge-Kutta's."""
    h = rates * STEP_MIN
    one = np.eye(len(rates))
    step = one + h @ (one + h / 2 @ (one + h / 3 @ (one + h / 4)))
    path = np.zeros((round(END_MIN / STEP_MIN) + 1, len(rates)))
    path[0, start] = 1.0
    for n in range(len(path) - 1):
        path[n + 1] = path[n] @ step
    return path


def _integral(values: np.ndarray) -> float:
    """Simpson's rule."""
    return float((values[0] + values[-1] + 4 * values[1:-1:2].sum() + 2 * values[2:-1:2].sum()) * STEP_MIN / 3)
