"""Optimal quotes under inventory limits, exactly and near the middle.

- O. Gueant, C.-A. Lehalle, J. Fernandez-Tapia, Optimal portfolio liquidation with limit orders, SIAM Journal on
  Financial Mathematics 3 (2012), 740-764: `liquidation_distances`.
- O. Gueant, C.-A. Lehalle, J. Fernandez-Tapia, Dealing with the inventory risk, Mathematics and Financial Economics 7
  (2013), 477-507: the others.

Fills arrive at the rate A e^(-k distance). Units: distances in price units, from mid; `gamma` and `k` 1 / price unit;
`sigma` price units / sqrt(time unit); `arrival` (A) 1 / time unit; `mu` price units / time unit; inventory in lots.
"""

import itertools
from collections.abc import Sequence

from openbell import math

_TERM_MAX = 400  # of the exponential's series in one step
_STEP = 32.0


def half_spread(gamma: float, k: float) -> float:
    """(1 / gamma) ln(1 + gamma / k): the distance without inventory risk. *Callback.*"""
    return math.log1p(gamma / k) / gamma


def slope(gamma: float, sigma: float, k: float, arrival: float) -> float:
    """sqrt(sigma^2 gamma / (2 k A) (1 + gamma / k)^(1 + k / gamma)): distance a lot of inventory. *Callback.*

    Source: 2013, section 4, the closed form of the asymptotic quotes.
    """
    rate = sigma * sigma * gamma / (2.0 * k * arrival)
    return math.sqrt(rate * math.pow(1.0 + gamma / k, 1.0 + k / gamma))


def distances(q: float, base: float, per_lot: float) -> tuple[float, float]:
    """(bid, ask) distances of the asymptotic quotes from mid, given `half_spread` and `slope`. *Callback.*

    bid(q) = base + (2q + 1) / 2 slope, ask(q) = base - (2q - 1) / 2 slope. Near the inventory limit it is wrong: there
    the table of `stationary_distances` must be used.
    """
    return base + 0.5 * (2.0 * q + 1.0) * per_lot, base - 0.5 * (2.0 * q - 1.0) * per_lot


def quotes(mid: float, q: float, base: float, per_lot: float) -> tuple[float, float]:
    """(bid, ask) prices of the asymptotic quotes. *Callback.*"""
    bid, ask = distances(q, base, per_lot)
    return mid - bid, mid + ask


def market_making_distances(
    gamma: float, sigma: float, k: float, arrival: float, left: float, q_max: int
) -> tuple[list[float], list[float]]:
    """(bid, ask) distances for q = -q_max to q_max with `left` to the horizon; infinite where a side does not quote.

    Source: 2013, theorem 1: v_q' = alpha q^2 v_q - eta (v_{q-1} + v_{q+1}), v_q(T) = 1, alpha = k gamma sigma^2 / 2,
    eta = A (1 + gamma / k)^-(1 + k / gamma).
    """
    eta = _eta(gamma, k, arrival)
    decay = [0.5 * k * gamma * sigma * sigma * q * q for q in range(-q_max, q_max + 1)]
    return _both(_evolved([1.0] * len(decay), decay, eta, eta, left), gamma, k)


def stationary_distances(
    gamma: float, sigma: float, k: float, arrival: float, q_max: int
) -> tuple[list[float], list[float]]:
    """(bid, ask) distances for q = -q_max to q_max far from the horizon; infinite where a side does not quote.

    Source: 2013, theorem 2: the ground state of the same system, here by inverse iteration on the system plus 2 eta,
    which is positive definite.
    """
    eta = _eta(gamma, k, arrival)
    diagonal = [0.5 * k * gamma * sigma * sigma * q * q + 2.0 * eta for q in range(-q_max, q_max + 1)]
    state = [1.0] * len(diagonal)
    for _ in range(10_000):
        before = state
        state = _solved(diagonal, -eta, before)
        largest = max(state)
        state = [value / largest for value in state]
        if max(abs(new - old) / new for new, old in zip(state, before, strict=True)) < 1e-14:
            break
    return _both(state, gamma, k)


def liquidation_distances(
    gamma: float, sigma: float, k: float, arrival: float, left: float, q_max: int, final: float, mu: float = 0.0
) -> list[float]:
    """Ask distances that sell q = 1 to q_max lots with `left` to the horizon; what is left then is sold at
    mid - `final`.

    Source: 2012, theorem 1: w_q' = (alpha q^2 - beta q) w_q - eta w_{q-1}, w_0 = 1, w_q(T) = e^(-k q final),
    alpha = k gamma sigma^2 / 2, beta = k mu; delta(q) = ln(w_q / w_{q-1}) / k + ln(1 + gamma / k) / gamma.
    """
    decay = [0.5 * k * gamma * sigma * sigma * q * q - k * mu * q for q in range(q_max + 1)]
    last = [math.exp(-k * final * q) for q in range(q_max + 1)]
    state = _evolved(last, decay, _eta(gamma, k, arrival), 0.0, left)
    base = half_spread(gamma, k)
    return [math.log(state[q] / state[q - 1]) / k + base for q in range(1, q_max + 1)]


def _eta(gamma: float, k: float, arrival: float) -> float:
    return arrival * math.pow(1.0 + gamma / k, -(1.0 + k / gamma))


def _both(state: Sequence[float], gamma: float, k: float) -> tuple[list[float], list[float]]:
    base = half_spread(gamma, k)
    rises = [math.log(low / high) / k + base for low, high in itertools.pairwise(state)]
    falls = [math.log(high / low) / k + base for low, high in itertools.pairwise(state)]
    return [*rises, float("inf")], [float("inf"), *falls]


def _evolved(state: list[float], decay: list[float], from_below: float, from_above: float, left: float) -> list[float]:
    """e^(M left) state, M = -decay on the diagonal and the two rates beside it.

    As e^(-s) times the series of M + s, whose entries are not negative, so that nothing cancels (uniformization:
    W. Grassmann, Transient solutions in Markovian queueing systems, Computers and Operations Research 4, 1977).
    """
    shift = max(max(decay), 0.0)
    total = (shift - min(decay) + from_below + from_above) * left
    steps = max(1, math.ceil(total / _STEP))
    step = left / steps
    for _ in range(steps):
        term = summed = state
        for n in range(1, _TERM_MAX):
            term = _once(term, decay, shift, from_below, from_above, step / n)
            summed = [a + b for a, b in zip(summed, term, strict=True)]
            if n > total / steps and all(b <= 1e-18 * a for a, b in zip(summed, term, strict=True)):
                break
        shrink = math.exp(-shift * step)
        state = [shrink * value for value in summed]
    return state


def _once(
    state: list[float], decay: list[float], shift: float, from_below: float, from_above: float, scale: float
) -> list[float]:
    below, above = [0.0, *state[:-1]], [*state[1:], 0.0]
    return [
        scale * ((shift - d) * own + from_below * low + from_above * high)
        for d, own, low, high in zip(decay, state, below, above, strict=True)
    ]


def _solved(diagonal: list[float], beside: float, right: list[float]) -> list[float]:
    """The solution of a symmetric tridiagonal system, by elimination from above."""
    pivots, values = [diagonal[0]], [right[0]]
    for d, r in zip(diagonal[1:], right[1:], strict=True):
        factor = beside / pivots[-1]
        pivots.append(d - factor * beside)
        values.append(r - factor * values[-1])
    found = [values[-1] / pivots[-1]]
    for pivot, value in zip(pivots[-2::-1], values[-2::-1], strict=True):
        found.append((value - beside * found[-1]) / pivot)
    return found[::-1]
