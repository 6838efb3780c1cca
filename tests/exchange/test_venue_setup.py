"""The rules of the configuration file are the rules that the venue follows."""

import json
from datetime import date

import pytest

from exchange.harness import config
from openbell._native import Phase
from openbell.config import ConfigError
from openbell.exchange.config import load_exchange
from openbell.exchange.venue_setup import day_of, make_venue
from openbell.types import Side, Tif

MIDNIGHT = 1_767_571_200 * 10**9  # 2026-01-05 00:00 UTC, a Monday
SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def listed(**rules):
    return {"instruments": [{"symbol": "OBEL", "px": "50.00", **rules}]}


def test_a_pro_rata_instrument_shares_out_a_level():
    rules = {"allocation": "pro_rata", "pro_rata": {"grants_top": True, "min_allocation": 2}}
    venue = make_venue(config(**listed(**rules)), MIDNIGHT)
    makers = [venue.add_account(internal=True) for _ in range(5)]
    taker = venue.add_account(internal=True)
    venue.open_day(MIDNIGHT)
    for maker, qty in zip(makers, (10, 5, 20, 50, 75), strict=True):
        venue.submit(maker, 0, Side.SELL, 50_0000, qty, Tif.DAY, MIDNIGHT)

    venue.submit(taker, 0, Side.BUY, 50_0000, 60, Tif.IOC, MIDNIGHT)

    assert [-venue.holdings(maker)[0][0] for maker in makers] == [10, 3, 6, 16, 25]


def test_the_day_follows_its_schedule():
    venue = make_venue(config(**listed(), schedule={"preset": "us_equity"}), MIDNIGHT)
    venue.open_day(MIDNIGHT + 9 * HOUR)
    phases = []
    for at in (9 * HOUR, 9 * HOUR + 28 * MINUTE, 9 * HOUR + 30 * MINUTE, 15 * HOUR, 16 * HOUR):
        venue.advance(MIDNIGHT + at)
        phases.append(venue.phase(0))

    assert phases == [Phase.CLOSED, Phase.OPENING_CALL, Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.CLOSED]


def test_makers_earn_and_takers_pay_by_the_table_of_the_day():
    def table(day, taker):
        return {"effective": day, "tiers": [{"per_share": {"maker": "-0.0020", "taker": taker}}]}

    fees = {"tables": [table("2025-01-01", "0.0030"), table("2026-01-05", "0.0010"), table("2026-02-01", "0.0099")]}
    venue = make_venue(config(**listed(), fees=fees), MIDNIGHT)
    maker, taker = (venue.add_account(internal=True) for _ in range(2))
    venue.open_day(MIDNIGHT)
    venue.submit(maker, 0, Side.SELL, 50_0000, 100, Tif.DAY, MIDNIGHT)
    venue.submit(taker, 0, Side.BUY, 50_0000, 100, Tif.DAY, MIDNIGHT)

    assert venue.holdings(maker) == [(-100, 100 * 50_0000 + 2000)]
    assert venue.holdings(taker) == [(100, -100 * 50_0000 - 1000)]


def test_bands_around_the_listed_price_hold_back_what_would_trade_beyond_them():
    venue = make_venue(config(**listed(bands_tier=1), bands={"preset": "us"}), MIDNIGHT)
    maker, taker = (venue.add_account(internal=True) for _ in range(2))
    now = MIDNIGHT + 10 * HOUR
    venue.open_day(now)
    venue.submit(maker, 0, Side.SELL, 53_0000, 100, Tif.DAY, now)

    venue.submit(taker, 0, Side.BUY, 53_0000, 100, Tif.DAY, now)

    assert venue.holdings(taker) == [(0, 0)]
    assert venue.touch(0, Side.BUY) == (52_5000, 100)


def test_the_day_is_the_exchanges_own():
    assert day_of(config(utc_offset_s=-18_000), MIDNIGHT + 5 * HOUR) == date(2026, 1, 5)
    assert day_of(config(utc_offset_s=7_200), MIDNIGHT - 2 * HOUR) == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"tick": "0.00"}, "tick"),
        ({"px": "50.005"}, "px"),
        ({"bands_tier": 1}, "tier of [bands]"),
        ({"lot": 100, "qty_max": 50}, "qty_max"),
    ],
)
def test_rules_that_cannot_be_are_refused_with_their_line(tmp_path, rules, said):
    path = tmp_path / "exchange.toml"
    lines = ["[[instruments]]", 'symbol = "OBEL"', *(f"{k} = {json.dumps(v)}" for k, v in rules.items())]
    path.write_text("\n".join(lines))

    with pytest.raises(ConfigError, match=r"exchange\.toml") as caught:
        load_exchange(path)

    assert said in str(caught.value)
