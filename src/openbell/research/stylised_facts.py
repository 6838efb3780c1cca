"""Statistics that real order flow is known for, as functions of arrays; `facts.py` has their accepted ranges.

The main source is R. Cont (2001), "Empirical properties of asset returns: stylized facts and statistical issues"; the
others stand with their statistics. Every function returns a number or an `Estimate`, nan where the data cannot say.
"""

import math

import numpy as np
import numpy.typing as npt

from openbell.research.estimate import Array, Estimate, jackknife

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# ---- parts -------------------------------------------------------------------------------------------------


def autocorrelation(series: Array, lags: int) -> Floats:
    """Return the autocorrelation at lag 0 to `lags`, all with the variance of the whole series."""
    x = np.asarray(series, dtype=float)
    x = x - x.mean()
    size = 1 << (2 * len(x) - 1).bit_length()
    power = np.abs(np.fft.rfft(x, size)) ** 2
    products = np.fft.irfft(power, size)[: lags + 1]
    return products / products[0] if products[0] > 0 else np.full(lags + 1, math.nan)


def decay_exponent(correlations: Floats) -> float:
    """Return a of C(lag) ~ lag^-a by least squares on logarithms, the lags from 1 on averaged in bins that double.

    A bin weighs as much as it is known: its mean times the root of its lags.
    """
    lags, means, weights, low = [], [], [], 1
    while low < len(correlations):
        high = min(2 * low, len(correlations))
        mean = float(correlations[low:high].mean())
        if mean > 0:
            lags.append(math.log(np.arange(low, high).mean()))
            means.append(math.log(mean))
            weights.append(mean * math.sqrt(high - low))
        low = high
    return -float(np.polyfit(lags, means, 1, w=weights)[0]) if len(lags) >= 3 else math.nan


def excess_kurtosis(values: Array) -> float:
    """Return the fourth standardized moment less 3."""
    x = values - values.mean()
    return float((x**4).mean() / (x**2).mean() ** 2 - 3.0)


def hill(values: Array, least: float = 0.02, most: float = 0.08) -> float:
    """Return the tail exponent of positive values, averaged over thresholds that the largest 2 % to 8 % exceed.

    Averaged, because values in whole ticks or lots make the estimate of any one threshold jump. Source: S. Resnick,
    C. Starica (1997), "Smoothing the Hill estimator".
    """
    logs = np.log(np.sort(values[values > 0])[::-1])
    counts = np.arange(max(int(len(logs) * least), 2), int(len(logs) * most))
    if not len(counts):
        return math.nan
    excess = float((np.cumsum(logs)[counts - 1] / counts - logs[counts]).mean())
    return 1.0 / excess if excess > 1e-9 else math.inf


# ---- returns -----------------------------------------------------------------------------------------------


def return_autocorrelation(returns: Floats, first: int = 2, last: int = 20) -> Estimate:
    """1. Mean autocorrelation of returns over the lags `first` to `last`: near zero, or prices could be foretold."""
    return jackknife(lambda r: autocorrelation(r, last)[first:].mean(), returns)


def mid_change_autocorrelation(mids: Floats) -> Estimate:
    """2. Lag-1 autocorrelation of the changes of the mid, in event time."""
    changes = np.diff(mids)
    return jackknife(lambda c: autocorrelation(c, 1)[1], changes[changes != 0])


def return_kurtosis(returns: Floats) -> Estimate:
    """3. Excess kurtosis of returns: heavy tails."""
    return jackknife(excess_kurtosis, returns)


def return_tail(returns: Floats) -> Estimate:
    """4. Tail exponent of absolute returns."""
    return jackknife(hill, np.abs(returns))


def aggregational_gaussianity(returns: Floats, factor: int = 30) -> Estimate:
    """5. Excess kurtosis of sums of `factor` returns over that of single ones: tails thin out with the horizon."""

    def ratio(rows: Floats) -> float:
        return excess_kurtosis(rows.sum(axis=1)) / excess_kurtosis(rows.ravel())

    return jackknife(ratio, returns[: len(returns) // factor * factor].reshape(-1, factor))


def volatility_clustering(returns: Floats) -> Estimate:
    """6. Lag-1 autocorrelation of absolute returns."""
    return jackknife(lambda r: autocorrelation(np.abs(r), 1)[1], returns)


def volatility_memory(returns: Floats, first: int = 51, last: int = 100) -> Estimate:
    """6. Mean autocorrelation of absolute returns over the lags `first` to `last`."""
    return jackknife(lambda r: autocorrelation(np.abs(r), last)[first:].mean(), returns)


def volatility_decay(returns: Floats, last: int = 100) -> Estimate:
    """6. Exponent of the decay of that autocorrelation."""
    return jackknife(lambda r: decay_exponent(autocorrelation(np.abs(r), last)), returns)


def volume_volatility(volumes: Floats, returns: Floats) -> Estimate:
    """7. Correlation of volume and absolute return."""
    return jackknife(lambda v, r: np.corrcoef(v, np.abs(r))[0, 1], volumes, returns)


def variance_ratio(returns: Floats, q: int = 10) -> Estimate:
    """19. Variance of q-step returns over q times that of one step; 1 for a random walk.

    Source: A. Lo, A. C. MacKinlay (1988), "Stock market prices do not follow random walks", with overlapping sums.
    """

    def ratio(r: Floats) -> float:
        sums = np.convolve(r - r.mean(), np.ones(q), "valid")
        return float((sums**2).mean() / (q * r.var()))

    return jackknife(ratio, returns)


# ---- trades ------------------------------------------------------------------------------------------------


def sign_autocorrelation(signs: Ints) -> Estimate:
    """8. Lag-1 autocorrelation of trade signs."""
    return jackknife(lambda s: autocorrelation(s, 1)[1], signs)


def sign_memory(signs: Ints, last: int = 500) -> Estimate:
    """8. Exponent of its decay. Source: F. Lillo, J. D. Farmer (2004), "The long memory of the efficient market"."""
    return jackknife(lambda s: decay_exponent(autocorrelation(s, last)), signs)


def size_tail(sizes: Ints) -> Estimate:
    """9. Tail exponent of trade sizes."""
    return jackknife(hill, sizes.astype(float))


def arrival_dispersion(times_ns: Ints) -> Estimate:
    """10. Standard deviation of the times between trades over their mean; 1 for Poisson arrivals."""
    return jackknife(lambda gaps: gaps.std() / gaps.mean(), np.diff(times_ns).astype(float))


def branching_ratio(counts: Ints) -> Estimate:
    """10. Share of events that other events caused, from counts in equal windows: 1 - sqrt(mean / variance).

    Source: S. Hardiman, J.-P. Bouchaud (2014), "Branching-ratio approximation for the self-exciting Hawkes process".
    """
    return jackknife(lambda c: 1.0 - math.sqrt(c.mean() / c.var()), counts)


def intraday_ratio(since_open_ns: Ints, volumes: Array, sessions: int, session_ns: int, edge_ns: int) -> Estimate:
    """15. Volume per time of the first and last `edge_ns` of sessions over that of their middle half.

    Sessions follow each other; a last one that is not whole does not count.
    """
    if sessions < 1:
        return Estimate(math.nan)
    session, at = np.divmod(since_open_ns, session_ns)
    whole = session < sessions
    edge = whole & ((at < edge_ns) | (at >= session_ns - edge_ns))
    middle = whole & (at >= session_ns // 4) & (at < session_ns - session_ns // 4)
    edges = np.bincount(session[edge], volumes[edge], sessions) / (2 * edge_ns)
    middles = np.bincount(session[middle], volumes[middle], sessions) / (session_ns / 2)
    return jackknife(lambda e, m: e.sum() / m.sum(), edges, middles, blocks=sessions // 2)


def passive_markout(signs: Ints, mids: Floats, later_mids: Floats, half_spreads: Floats) -> Estimate:
    """20. How far the mid goes against a passive fill, from just before it to later, in half spreads."""
    moves = signs * (later_mids - mids)
    return jackknife(lambda m, h: m.mean() / h.mean(), moves, half_spreads)


# ---- book and orders ---------------------------------------------------------------------------------------


def time_mean(values: Array, times_ns: Ints, end_ns: int) -> Estimate:
    """13. Mean over time of a value that holds from each of `times_ns` until the next."""
    weights = np.diff(np.append(times_ns, end_ns)).astype(float)
    return jackknife(lambda v, w: (v * w).sum() / w.sum(), values.astype(float), weights)


def ratio_of_counts(upper: int, lower: int) -> Estimate:
    """11, 12. One count over another."""
    return Estimate(upper / lower if lower else math.nan)


def depth_hump(depth: Floats, spread_ticks: float) -> Estimate:
    """14. Ticks behind the usual touch at which the mean book is deepest; 0 is a book without a hump.

    `depth[i]` is the mean quantity i + 1 ticks from the opposite best. Source: J.-P. Bouchaud, M. Mezard, M. Potters
    (2002), "Statistical properties of stock order books".
    """
    return Estimate(float(np.argmax(depth)) + 1.0 - spread_ticks)


def imbalance_auc(imbalances: Floats, next_moves: Floats) -> Estimate:
    """16. Probability that the imbalance before a rise exceeds that before a fall.

    Source: M. Gould, J. Bonart (2016), "Queue imbalance as a one-tick-ahead price predictor in a limit order book".
    """
    return jackknife(_auc, imbalances, next_moves)


def _auc(scores: Floats, moves: Floats) -> float:
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    first = np.searchsorted(ranked, scores, "left")
    last = np.searchsorted(ranked, scores, "right")
    ranks = (first + last + 1) / 2  # ties share their mean rank
    ups, downs = moves > 0, moves < 0
    n_up, n_down = int(ups.sum()), int(downs.sum())
    if not n_up or not n_down:
        return math.nan
    both = ups | downs
    # Ranks among rises and falls only; rows that neither rose nor fell do not count.
    if not both.all():
        return _auc(scores[both], moves[both])
    return float((ranks[ups].sum() - n_up * (n_up + 1) / 2) / (n_up * n_down))


def order_flow_imbalance(bid_px: Ints, bid_qty: Ints, ask_px: Ints, ask_qty: Ints) -> Ints:
    """Return what every quote but the first added to the bid less what it added to the ask.

    Source: R. Cont, A. Kukanov, S. Stoikov (2014), "The price impact of order book events", equation 2.
    """
    bid = (bid_px[1:] >= bid_px[:-1]) * bid_qty[1:] - (bid_px[1:] <= bid_px[:-1]) * bid_qty[:-1]
    ask = (ask_px[1:] <= ask_px[:-1]) * ask_qty[1:] - (ask_px[1:] >= ask_px[:-1]) * ask_qty[:-1]
    return np.asarray(bid - ask, dtype=np.int64)


def flow_r2(flows: Floats, moves: Floats) -> Estimate:
    """17. R2 of the regression of mid moves on the order flow imbalance of the same interval."""
    return jackknife(lambda f, m: np.corrcoef(f, m)[0, 1] ** 2, flows, moves)


# ---- metaorders --------------------------------------------------------------------------------------------


def impact_exponent(sizes: Array, impacts: Floats) -> Estimate:
    """18. Exponent d of mean impact ~ size^d, the slope on logarithms, by least squares over all metaorders.

    `impacts` are signed by the metaorder, from just before its first slice to its last. Each counts with 1 / size: the
    price's own noise while one is worked grows with its length. Source: B. Toth et al. (2011), "Anomalous price impact
    and the critical nature of liquidity in financial markets".
    """
    return jackknife(_impact_exponent, sizes.astype(float), impacts)


def _impact_exponent(sizes: Floats, impacts: Floats) -> float:
    exponents = np.linspace(0.0, 1.5, 151)
    powers = (sizes / np.median(sizes)) ** exponents[:, None]
    weighted = powers / sizes
    explained = (weighted @ impacts) ** 2 / (weighted * powers).sum(axis=1)
    return float(exponents[np.argmax(explained)])


def impact_left(impacts: Floats, later_impacts: Floats) -> Estimate:
    """18. Mean impact some time after the end of metaorders over that at their end."""
    return jackknife(lambda peak, after: after.mean() / peak.mean(), impacts, later_impacts)
