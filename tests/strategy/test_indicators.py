"""Indicators are those of Polars to 1e-12, do not drift, and are defined as in research."""

import math as system
import random
import statistics
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from openbell.backtest.tape_import import import_tape
from openbell.research import features
from openbell.strategy import Strategy
from openbell.strategy import indicators as ind
from research import market_tape

CLOSE = {"rel": 1e-12, "abs": 1e-12}


def walk(rng: random.Random, n: int, start: float = 100.0, step: float = 0.02) -> list[float]:
    """Prices that walk, in hundredths."""
    price, prices = start, []
    for _ in range(n):
        price = max(1.0, price + rng.gauss(0, step))
        prices.append(round(price, 2))
    return prices


def prints(rng: random.Random, n: int) -> tuple[list[int], list[int]]:
    """Prices as the engine's integers, and quantities."""
    return [round(px * 10_000) for px in walk(rng, n)], [rng.choice((1, 100, rng.randint(1, 5_000))) for _ in range(n)]


def expect_close(found: list[float], expected: pl.Series) -> None:
    assert len(found) == len(expected)
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        if other is not None:
            assert one == pytest.approx(other, **CLOSE), i


@pytest.mark.parametrize("span", [1.0, 2.5, 20.0, 500.0])
def test_ema_by_span_is_that_of_polars(span: float, rng: random.Random):
    prices = walk(rng, 2_000)
    ema = ind.Ema(span=span)
    expect_close([ema.update(x) for x in prices], pl.Series(prices).ewm_mean(span=span, adjust=False))


@pytest.mark.parametrize("half_life", [0.3, 5.0, 200.0])
def test_ema_by_half_life_is_that_of_polars(half_life: float, rng: random.Random):
    prices = walk(rng, 2_000)
    ema = ind.Ema(half_life=half_life)
    expect_close([ema.update(x) for x in prices], pl.Series(prices).ewm_mean(half_life=half_life, adjust=False))
    assert ind.Ema(alpha=ema.alpha).update(1.5) == 1.5


@pytest.mark.parametrize("half_life_ns", [1_000, 250_000_000, 60_000_000_000])
def test_ema_in_time_is_that_of_polars(half_life_ns: int, rng: random.Random):
    prices, now_ns, times = walk(rng, 2_000), 1_700_000_000_000_000_000, []
    for _ in prices:
        now_ns += rng.choice((0, rng.randint(1, 1_000), rng.randint(1, 10**9)))
        times.append(now_ns)
    frame = pl.DataFrame({"at": pl.Series(times).cast(pl.Datetime("ns")), "px": prices})
    ema = ind.TimeEma(half_life_ns=half_life_ns)

    found = [ema.update(at, px) for at, px in zip(times, prices, strict=True)]

    expect_close(found, frame.select(pl.col("px").ewm_mean_by("at", half_life=f"{half_life_ns}ns"))["px"])


def test_an_earlier_time_changes_nothing():
    ema = ind.TimeEma(half_life_ns=100)
    found = [ema.update(now_ns, x) for now_ns, x in ((1_000, 1.0), (1_000, 9.0), (900, 9.0), (1_100, 9.0))]
    assert found == [1, 1, 1, 5]


@pytest.mark.parametrize("window", [1, 2, 7, 100])
def test_rolling_mean_is_that_of_polars(window: int, rng: random.Random):
    prices = walk(rng, 1_000)
    mean = ind.rolling_mean(window)
    expect_close([mean.update(x) for x in prices], pl.Series(prices).rolling_mean(window, min_samples=1))


@pytest.mark.parametrize("window", [2, 7, 100])
def test_rolling_deviation_is_that_of_polars(window: int, rng: random.Random):
    prices = walk(rng, 1_000)
    deviation, ready = ind.rolling_std(window), []
    found = []
    for x in prices:
        found.append(deviation.update(x))
        ready.append(deviation.is_ready())
    expected = pl.Series(prices).rolling_std(window, min_samples=2)

    for i in range(2, len(prices)):
        exact = float(statistics.stdev(map(Fraction, prices[max(0, i - window + 1) : i + 1])))
        assert found[i] == pytest.approx(exact, rel=1e-12, abs=0), i
    expect_close(found, expected)
    assert ready == [False] * (window - 1) + [True] * (len(prices) - window + 1)


@pytest.mark.parametrize("window", [2, 50])
def test_rolling_volatility_is_that_of_polars(window: int, rng: random.Random):
    prices = walk(rng, 1_000)
    volatility = ind.rolling_volatility(window)
    found = [volatility.update(x) for x in prices]
    expected = pl.Series(prices).log().diff().rolling_std(window, min_samples=2)
    expect_close(found, expected)


def test_vwap_is_that_of_polars(rng: random.Random):
    prices, quantities = prints(rng, 2_000)
    frame = pl.DataFrame({"px": prices, "qty": quantities})
    vwap = ind.Vwap()

    found = [vwap.update(px, qty) for px, qty in zip(prices, quantities, strict=True)]

    expect_close(found, frame.select((pl.col("px") * pl.col("qty")).cum_sum() / pl.col("qty").cum_sum())["px"])
    vwap.reset()
    assert (vwap.value, vwap.update(10, 3)) == (0.0, 10.0)


@pytest.mark.parametrize("window", [1, 3, 200])
def test_rolling_vwap_is_that_of_polars(window: int, rng: random.Random):
    prices, quantities = prints(rng, 1_000)
    frame = pl.DataFrame({"px": prices, "qty": quantities})
    vwap = ind.rolling_vwap(window)

    found = [vwap.update(px, qty) for px, qty in zip(prices, quantities, strict=True)]

    notional = (pl.col("px") * pl.col("qty")).rolling_sum(window, min_samples=1)
    expect_close(found, frame.select(notional / pl.col("qty").rolling_sum(window, min_samples=1))["px"])


def test_vwap_of_large_numbers_neither_overflows_nor_loses_digits(rng: random.Random):
    vwap, notional, volume = ind.Vwap(), 0, 0
    for _ in range(5_000):
        px, qty = 10**12 + rng.randint(-5, 5), rng.randint(1, 10**14)
        notional, volume = notional + px * qty, volume + qty
        assert Fraction(vwap.update(px, qty)) == pytest.approx(Fraction(notional, volume), rel=1e-15)


UPDATES = 200_000


def test_rolling_sums_do_not_drift(rng: random.Random):
    """A level of 10^9 with steps of 1 leaves 7 digits to a variance: what drifts is seen here first."""
    mean, deviation, last = ind.rolling_mean(64), ind.rolling_std(64), []
    for i in range(UPDATES):
        x = 1e9 + rng.gauss(0, 1) + (1e12 if i % 10_007 == 0 else 0.0)
        mean.update(x)
        deviation.update(x)
        last.append(x)
        del last[:-64]
    exact = [Fraction(x) for x in last]

    assert UPDATES % 10_007 > 128  # the last of the large ones has left, and the window has gone round since
    assert mean.value == float(statistics.mean(exact))
    assert deviation.mean == pytest.approx(float(statistics.mean(exact)), rel=1e-15)
    assert deviation.value == pytest.approx(float(statistics.stdev(exact)), rel=1e-7)


def test_a_constant_has_no_deviation_and_no_score():
    deviation = ind.rolling_std(5)
    for _ in range(23):
        deviation.update(0.1)
    assert (deviation.value, deviation.score(0.3)) == (0.0, 0.0)
    deviation.update(0.2)
    assert deviation.score(deviation.mean + 2 * deviation.value) == pytest.approx(2.0)


def replayed(frame: pl.DataFrame) -> tuple[list[int], list[float], list[float]]:
    """(order flow, microprice, imbalance) of the indicators over the rows of one instrument."""
    flow, flows, prices, shares = ind.OrderFlow(), [], [], []
    for bid_px, bid_qty, ask_px, ask_qty in frame.select("bid_px", "bid_qty", "ask_px", "ask_qty").iter_rows():
        flow.update(bid_px, bid_qty, ask_px, ask_qty)
        flows.append(flow.take())
        prices.append(ind.microprice(bid_px, bid_qty, ask_px, ask_qty))
        shares.append(ind.imbalance(bid_qty, ask_qty))
    return flows, prices, shares


def expect_as_in_research(frame: pl.DataFrame) -> None:
    flows, prices, shares = replayed(frame)
    assert flows == frame["order_flow_imbalance"].to_list()
    np.testing.assert_allclose(prices, frame["microprice"].fill_nan(0.0), rtol=1e-12, atol=0)
    np.testing.assert_allclose(shares, frame["imbalance"].fill_nan(0.0), rtol=1e-12, atol=1e-15)


def test_imbalance_microprice_and_order_flow_are_those_of_research(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(market_tape, "RECORDS_PER_FRAME", 1)  # so that no change comes and goes within a frame
    tape = market_tape.write_market_tape(tmp_path / "tape", 2_000, seed, breaks=0)
    found = features(tape)
    for _, rows in found.group_by("instrument"):
        assert len(rows) > 400
        expect_as_in_research(rows)


def test_volatility_is_of_the_returns_that_research_sums(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(market_tape, "RECORDS_PER_FRAME", 1)
    tape = market_tape.write_market_tape(tmp_path / "tape", 1_000, seed, breaks=0)
    rows = features(tape, [0]).filter(pl.col("mid").is_finite())
    volatility, window = ind.rolling_volatility(50), []
    last = 0.0
    for mid, realised in rows.select("mid", "realised_volatility").iter_rows():
        volatility.update(mid)
        if last:
            window.append(system.copysign(realised, mid - last))
        last = mid
    assert volatility.value == pytest.approx(statistics.stdev(window[-50:]), rel=1e-12, abs=1e-15)


class Everything(Strategy):
    fast: ind.Ema = ind.Ema(span=20.0)
    slow: ind.TimeEma = ind.TimeEma(half_life_ns=1_000)
    mean: ind.RollingMean = ind.rolling_mean(10)
    deviation: ind.RollingStd = ind.rolling_std(12)
    other: ind.RollingStd = ind.rolling_std(12)
    volatility: ind.RollingVolatility = ind.rolling_volatility(5)
    vwap: ind.RollingVwap = ind.rolling_vwap(3)
    flow: ind.OrderFlow = ind.OrderFlow()


def test_indicators_are_declared_state():
    first, second = Everything(), Everything()
    first.mean.update(3.0)
    first.volatility.update(2.0)

    assert (second.mean.count, second.volatility.last) == (0, 0.0)
    assert type(first.deviation) is type(first.other)  # one layout, compiled once
    words = {cell.name: cell.words for cell in Everything.layout().cells}
    assert words == {
        "fast": 5,
        "slow": 4,
        "mean": 10 + 5,
        "deviation": 12 + 12,
        "other": 12 + 12,
        "volatility": 5 + 12 + 2,
        "vwap": 3 + 3 + 6,
        "flow": 5,
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ind.Ema().update(1.0), "expected alpha from 0 to 1"),
        (lambda: ind.Ema(span=0.5).update(1.0), "expected alpha from 0 to 1"),
        (lambda: ind.Ema(alpha=1.5).update(1.0), "expected alpha from 0 to 1"),
        (lambda: ind.TimeEma().update(1, 1.0), "half_life_ns above 0"),
        (lambda: ind.rolling_volatility(3).update(0.0), "a price above 0"),
    ],
)
def test_what_makes_no_sense_is_said(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


AMZN = "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_1.zip"


@pytest.fixture(scope="module")
def amazon(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Features of every message of a day of Amazon."""
    tape = tmp_path_factory.mktemp("amazon") / "tape"
    import_tape(shared_data / AMZN, tape)
    return features(tape)


def test_a_day_of_amazon_is_as_in_research(amazon: pl.DataFrame):
    assert len(amazon) > 50_000
    expect_as_in_research(amazon)


def test_a_day_of_amazon_is_as_in_polars(amazon: pl.DataFrame):
    """Where Polars' running deviation is itself off by 4e-12 (the prices are 3000 deviations), NumPy's two passes over
    each window decide."""
    window, prices = 300, amazon.filter(pl.col("mid").is_finite())["mid"][:30_000]
    returns = (prices / prices.shift()).log()
    mean, ema = ind.rolling_mean(window), ind.Ema(span=50.0)
    deviation, volatility = ind.rolling_std(window), ind.rolling_volatility(window)

    found = [(mean.update(x), ema.update(x), deviation.update(x), volatility.update(x)) for x in prices]

    expect_close([row[0] for row in found], prices.rolling_mean(window, min_samples=1))
    expect_close([row[1] for row in found], prices.ewm_mean(span=50.0, adjust=False))
    for column, series in ((2, prices), (3, returns)):
        running = series.rolling_std(window)
        for i in range(window, len(prices), 7):
            two_passes = np.std(series[i - window + 1 : i + 1].to_numpy(), ddof=1)
            assert found[i][column] == pytest.approx(two_passes, rel=1e-12, abs=0), i
            assert found[i][column] == pytest.approx(running[i], rel=1e-11, abs=0), i
