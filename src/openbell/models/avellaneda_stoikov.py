"""Quotes of a market maker who dislikes inventory.

M. Avellaneda and S. Stoikov, High-frequency trading in a limit order book, Quantitative Finance 8 (2008), 217-224.

Symbols and units, the same everywhere: `mid` and quotes in price units; `q` inventory in lots, positive long; `gamma`
risk aversion, 1 / price unit; `sigma` volatility, price units / sqrt(time unit); `left` time to the horizon T - t, in
the same time units; `k` decay of the fill rate with the distance from mid, 1 / price unit.
"""

from openbell import math


def reservation_price(mid: float, q: float, gamma: float, sigma: float, left: float) -> float:
    """The price at which the maker is indifferent to one lot more or less: s - q gamma sigma^2 (T - t). *Callback.*

    Source: section 2.2, the mean of the reservation bid and ask.
    """
    return mid - q * gamma * sigma * sigma * left


def spread(gamma: float, sigma: float, k: float, left: float) -> float:
    """Ask minus bid: gamma sigma^2 (T - t) + (2 / gamma) ln(1 + gamma / k). *Callback.*

    Source: section 3.2, for fills at the rate A e^(-k distance).

    Raises:
        ValueError: 1 + gamma / k is not above 0.
    """
    return gamma * sigma * sigma * left + 2.0 / gamma * math.log1p(gamma / k)


def quotes(mid: float, q: float, gamma: float, sigma: float, k: float, left: float) -> tuple[float, float]:
    """(bid, ask), half the spread on either side of the reservation price. *Callback.*"""
    centre = reservation_price(mid, q, gamma, sigma, left)
    half = 0.5 * spread(gamma, sigma, k, left)
    return centre - half, centre + half


def average_spread(gamma: float, sigma: float, k: float, horizon: float) -> float:
    """The spread averaged over 0 <= t <= horizon; that of the paper's symmetric benchmark. *Callback.*"""
    return spread(gamma, sigma, k, 0.5 * horizon)


def endless_reservation_prices(mid: float, q: float, gamma: float, sigma: float, q_max: float) -> tuple[float, float]:
    """(bid, ask) reservation prices without a horizon, for an inventory of at most `q_max` lots. *Callback.*

    The prices at which one lot more or less leaves the value function of section 2.3 as it is,
    -e^(-gamma (x + q s)) / (omega - gamma^2 q^2 sigma^2 / 2) with omega = gamma^2 sigma^2 (q_max + 1)^2 / 2.

    Raises:
        ValueError: |q| is not below q_max. At +-q_max one more lot has no price: quote the other side alone.
    """
    variance = gamma * gamma * sigma * sigma
    room = variance * ((q_max + 1.0) * (q_max + 1.0) - q * q)
    bid = mid + math.log1p((-2.0 * q - 1.0) * variance / room) / gamma
    ask = mid - math.log1p((2.0 * q - 1.0) * variance / room) / gamma
    return bid, ask
