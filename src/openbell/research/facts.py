"""The table of stylised facts: twenty statistics of an observed market beside the ranges that real ones lie in.

The ranges are wide on purpose: they hold for liquid instruments of many markets and years. `stylised_facts.py` says
what each statistic is and who found it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from openbell.research import stylised_facts as sf
from openbell.research.estimate import Estimate
from openbell.research.observed import Observed

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
FLOW_STEP_NS = 10 * SECOND_NS
EDGE_NS = 30 * MINUTE_NS
MARKOUT_NS = 5 * SECOND_NS
LARGE_TICK_SPREAD = 1.5
"""Up to this mean spread, in ticks, an instrument is a large-tick one."""
METAORDERS_MIN = 100
"""With fewer, nothing is said of impact."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Verdict(StrEnum):
    """What the accepted range says of a value."""

    PASS = "pass"
    FAIL = "fail"
    UNSURE = "unsure"
    """In the range, but the interval covers all of it: too little data to say."""
    NOT_APPLICABLE = "n/a"


class Fact(NamedTuple):
    """One line of the table; some statistics have several. acf: autocorrelation function."""

    number: int
    name: str
    estimate: Estimate
    accept: tuple[float, float]

    @property
    def verdict(self) -> Verdict:
        """Whether the value lies in the accepted range."""
        (value, low, high), (least, most) = self.estimate, self.accept
        if math.isnan(value):
            return Verdict.NOT_APPLICABLE
        if not least <= value <= most:
            return Verdict.FAIL
        return Verdict.UNSURE if low < least and most < high else Verdict.PASS


class Worked(NamedTuple):
    """A metaorder: its sign, lots, and the times of its first and its last slice."""

    sign: int
    lots: int
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Sample:
    """What the table is computed from. Sessions follow each other without a break from the start of `seen` on."""

    seen: Observed
    session_ns: int
    metaorders: Sequence[Worked] = ()


def facts(sample: Sample) -> list[Fact]:
    """Return the whole table, by number."""
    parts = (_returns(sample.seen), _trades(sample), _orders(sample.seen), _book(sample.seen), _impact(sample))
    return sorted((fact for part in parts for fact in part), key=lambda fact: fact.number)


def _returns(seen: Observed) -> Iterator[Fact]:
    one = np.diff(seen.mid_at(seen.grid(MINUTE_NS)))
    grid = seen.grid(5 * MINUTE_NS)
    five = np.diff(seen.mid_at(grid))
    volume = np.histogram(seen.trade_ns, grid, weights=seen.trade_qty)[0]
    yield Fact(1, "5 min returns, mean acf of lags 2-20", sf.return_autocorrelation(five), (-0.05, 0.05))
    yield Fact(2, "mid changes, acf lag 1", sf.mid_change_autocorrelation(seen.mid), (-0.35, 0.05))
    yield Fact(3, "1 min returns, excess kurtosis", sf.return_kurtosis(one), (2, 50))
    yield Fact(4, "1 min returns, tail exponent", sf.return_tail(one), (2, 5))
    yield Fact(5, "excess kurtosis, 30 min / 1 min", sf.aggregational_gaussianity(one), (-math.inf, 0.5))
    yield Fact(6, "|1 min returns|, acf lag 1", sf.volatility_clustering(one), (0.1, 1))
    yield Fact(6, "|1 min returns|, mean acf lags 51-100", sf.volatility_memory(one), (0.005, 1))
    yield Fact(6, "|1 min returns|, acf decay exponent", sf.volatility_decay(one), (0.1, 0.5))
    yield Fact(7, "volume ~ |5 min return|, correlation", sf.volume_volatility(volume, five), (0.3, 0.8))
    yield Fact(19, "variance ratio, 10 x 1 min", sf.variance_ratio(one), (0.8, 1.2))


def _trades(sample: Sample) -> Iterator[Fact]:
    seen = sample.seen
    counts = np.histogram(seen.trade_ns, seen.grid(MINUTE_NS))[0]
    yield Fact(8, "trade signs, acf lag 1", sf.sign_autocorrelation(seen.trade_sign), (0.2, 0.7))
    yield Fact(8, "trade signs, acf decay exponent", sf.sign_memory(seen.trade_sign), (0.3, 0.8))
    yield Fact(9, "trade sizes, tail exponent", sf.size_tail(seen.trade_qty), (1.3, 3))
    yield Fact(10, "times between trades, sd / mean", sf.arrival_dispersion(seen.trade_ns), (1.2, math.inf))
    yield Fact(10, "trades, branching ratio", sf.branching_ratio(counts), (0.5, 0.95))
    sessions = (seen.end_ns - seen.start_ns) // sample.session_ns
    since_open = seen.trade_ns - seen.start_ns
    ratio = sf.intraday_ratio(since_open, seen.trade_qty, sessions, sample.session_ns, EDGE_NS)
    yield Fact(15, "volume, edges of the day / middle", ratio, (1.3, 4))
    later = seen.mid_at(seen.trade_ns + MARKOUT_NS)
    half = (seen.ask_px - seen.bid_px)[_before(seen.quote_ns, seen.trade_ns)] / 2
    markout = sf.passive_markout(seen.trade_sign, seen.trade_mid, later, half)
    yield Fact(20, "passive markout, 5 s, half spreads", markout, (0.2, 1.2))


def _orders(seen: Observed) -> Iterator[Fact]:
    limits, cancels, trades = len(seen.limit_ns), len(seen.cancel_ns), len(seen.trade_ns)
    yield Fact(11, "cancels / limit orders", sf.ratio_of_counts(cancels, limits), (0.8, 0.99))
    yield Fact(12, "limit orders / trades", sf.ratio_of_counts(limits, trades), (5, 100))


def _book(seen: Observed) -> Iterator[Fact]:
    spread = seen.ask_px - seen.bid_px
    mean = sf.time_mean(spread, seen.quote_ns, seen.end_ns)
    is_large_tick = mean.value <= LARGE_TICK_SPREAD
    if is_large_tick:
        share = sf.time_mean(spread == 1, seen.quote_ns, seen.end_ns)
        yield Fact(13, "spread of one tick, share of time", share, (0.85, 1))
    else:
        yield Fact(13, "mean spread, ticks", mean, (2, 15))
    yield Fact(14, "deepest level, ticks behind the touch", sf.depth_hump(seen.depth, round(mean.value)), (1, 6))
    grid = seen.grid(FLOW_STEP_NS)
    at = _before(seen.quote_ns, grid[:-1] + 1)
    imbalance = (seen.bid_qty - seen.ask_qty)[at] / (seen.bid_qty + seen.ask_qty)[at]
    auc = sf.imbalance_auc(imbalance, _next_moves(seen.mid)[at])
    yield Fact(16, "queue imbalance, AUC of the next move", auc, (0.6, 0.8) if is_large_tick else (0.52, 0.65))
    flow = sf.order_flow_imbalance(seen.bid_px, seen.bid_qty, seen.ask_px, seen.ask_qty)
    flows = np.histogram(seen.quote_ns[1:], grid, weights=flow)[0]
    r2 = sf.flow_r2(flows, np.diff(seen.mid_at(grid)))
    yield Fact(17, "order flow imbalance, 10 s, R2", r2, (0.3, 0.8))


def _impact(sample: Sample) -> Iterator[Fact]:
    seen = sample.seen
    whole = [m for m in sample.metaorders if seen.start_ns < m.start_ns and 2 * m.end_ns - m.start_ns < seen.end_ns]
    sign, lots, start, end = np.array(whole, dtype=np.int64).reshape(-1, 4).T
    before = seen.mid_at(start - 1)
    peak = sign * (seen.mid_at(end) - before)
    after = sign * (seen.mid_at(2 * end - start) - before)
    is_enough = len(whole) >= METAORDERS_MIN
    exponent = sf.impact_exponent(lots, peak) if is_enough else Estimate(math.nan)
    left = sf.impact_left(peak, after) if is_enough else Estimate(math.nan)
    yield Fact(18, "metaorder impact, exponent of size", exponent, (0.4, 0.7))
    yield Fact(18, "metaorder impact, left / peak", left, (0.5, 0.85))


def _before(quote_ns: Ints, times_ns: Ints) -> Ints:
    """The quote in force just before each time."""
    return np.maximum(np.searchsorted(quote_ns, times_ns, "left") - 1, 0)


def _next_moves(mids: Floats) -> Floats:
    """The next change of the mid after each quote, 0 after the last one."""
    changes = np.append(np.diff(mids), 0.0)
    moved = np.flatnonzero(changes)
    following = np.searchsorted(moved, np.arange(len(mids)), "left")
    return np.append(changes[moved], 0.0)[following]
