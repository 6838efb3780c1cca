"""What positions may lose over a history: against a plain computation, in one currency, or refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.posttrade.trades import AAPL, SONY, heard, trade

from openbell import events
from openbell.errors import ConfigError
from openbell.posttrade.blotter import Blotter
from openbell.posttrade.portfolio_risk import base_total, read_returns, risk_of, values_of
from openbell.posttrade.profit import profit_rows

USD = 10**18
WORTH = {"USD": 10**8, "JPY": 650_000}
TOUCHES = {0: (1_500_000, 100, 1_500_100, 200), 1: (200_000, 5, 200_100, 5)}


def rows():
    trades = [trade(100, 1_490_000, 1), trade(-50, 200_000, 2, instrument=1)]
    blotter = Blotter(assets={0: AAPL, 1: SONY}, trades={t.key: t for t in trades})
    return profit_rows(blotter, TOUCHES.__getitem__)


def test_the_worth_of_currencies_is_the_journals():
    blotter = Blotter().take_all([heard(1, events.conversion("JPY", 650_000), events.conversion("USD", 10**8))])
    assert blotter.worth == WORTH


def test_what_is_held_at_two_venues_is_one_asset():
    trades = [trade(100, 1_490_000, 1), trade(-50, 1_490_000, 2, instrument=1)]
    blotter = Blotter(assets={0: AAPL, 1: replace(AAPL, venue=1)}, trades={t.key: t for t in trades})
    rows = profit_rows(blotter, lambda _: TOUCHES[0], feeds=("home", "away"))

    assert [row.symbol for row in rows] == ["AAPL@home", "AAPL@away"]
    assert values_of(rows, WORTH) == pytest.approx({"AAPL": 100 * 150.0 - 50 * 150.01})


def test_totals_and_values_are_in_the_base_currency():
    bought, sold = rows()
    assert (bought.total, sold.total) == (100 * USD, -50 * USD)  # dollars, yen
    assert base_total(rows(), WORTH) == 100 * USD - 50 * USD * 65 // 10_000
    assert values_of(rows(), WORTH) == pytest.approx({"AAPL": 15_000.0, "SONY": -50 * 2001 * 0.0065})

    assert base_total(rows(), {"USD": 10**8}) is None
    with pytest.raises(ConfigError, match=r"SONY: expected a price to mark -50 at and the worth of JPY"):
        values_of(rows(), {"USD": 10**8})


def test_the_tail_is_that_of_what_would_have_been_earned(rng):
    returns = {name: np.array([rng.gauss(0, 0.01) for _ in range(500)]) for name in ("AAPL", "SONY", "OTHER")}
    values = {"AAPL": 15_000.0, "SONY": -650.0}

    risk = risk_of(values, returns, 0.95)

    earned = sorted(15_000.0 * a - 650.0 * b for a, b in zip(returns["AAPL"], returns["SONY"], strict=True))
    assert risk.historical == pytest.approx((-earned[24], -sum(earned[:25]) / 25))
    assert sum(risk.parts.values()) == pytest.approx(risk.ewma.value_at_risk)
    assert risk.ewma.expected_shortfall > risk.ewma.value_at_risk > 0
    assert risk.cornish_fisher.value_at_risk == pytest.approx(risk.historical.value_at_risk, rel=0.5)
    assert (risk.periods, list(risk.parts)) == (500, ["AAPL", "SONY"])


def test_nothing_held_loses_nothing():
    risk = risk_of({}, {"AAPL": np.full(30, 0.01)})
    assert (risk.historical, risk.ewma, risk.parts) == ((0, 0), (0, 0), {})


def test_what_is_held_needs_a_history():
    with pytest.raises(ConfigError, match=r"found none for \['SONY'\]"):
        risk_of({"SONY": 1.0}, {"AAPL": np.zeros(30)})


def test_a_history_is_read_by_symbol(tmp_path: Path):
    (tmp_path / "r.csv").write_text("A,B\n" + "0.01,-0.02\n" * 20)
    read = read_returns(tmp_path / "r.csv")
    assert {name: list(found) for name, found in read.items()} == {"A": [0.01] * 20, "B": [-0.02] * 20}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a line of different symbols and 20 periods or more"),
        ("A,A\n" + "0,0\n" * 20, "expected a line of different symbols"),
        ("A,B\n" + "0,0\n" * 19, r"found \['A', 'B'\] and 19"),
        ("A,B\n0,0\n0\n" + "0,0\n" * 20, r"r.csv:3: expected 2 returns as fractions"),
        ("A\n" + "0\n" * 20 + "nan\n", r"r.csv:22: expected 1 returns .* found nan"),
        ("A\n12%\n" + "0\n" * 20, r"r.csv:2: .* found 12%"),
        ("A\n-1.5\n" + "0\n" * 20, r"r.csv:2: .* found -1.5"),
        (None, "expected a readable CSV file of returns"),
    ],
)
def test_a_wrong_history_is_refused_with_the_line(tmp_path: Path, text: str | None, said: str):
    if text is not None:
        (tmp_path / "r.csv").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_returns(tmp_path / "r.csv")
