"""Breakers and fees as configuration: each value with the unit of its kind, every mistake told with its cure."""

from pathlib import Path

import numpy as np
import pytest

from openbell.config import Settings, parse_toml
from openbell.errors import ConfigError
from openbell.node.breakers import BreakerSettings, breaker_records, check_breakers
from openbell.node.fees import FeeSettings, check_fees
from openbell.types import NO_STRATEGY, RECORDS, ArmState, BreakerKind, Type


class File(Settings):
    """The two sections by themselves."""

    breakers: tuple[BreakerSettings, ...] = ()
    fees: tuple[FeeSettings, ...] = ()

    def cross_check(self):
        yield from check_breakers(self.breakers, ["maker"], ["OBEL"], feeds=1)
        yield from check_fees(self.fees)


LOSS = """
[[breakers]]
kind = "loss"
strategy = "maker"
above_money = "5000.00"
again_below_money = "2500.0099"
to = "reduce_only"
owner = "risk"
"""
REJECTS = """
[[breakers]]
kind = "reject_rate"
above_count = 20
again_below_count = 5
window_ms = 10_000
to = "cancel_only"
owner = "risk"
"""
RATIO = REJECTS.replace("reject_rate", "fill_rate").replace("_count", "_bps")
UNFILLED = RATIO.replace("fill_rate", "unfilled_rate")
JUMP = REJECTS.replace("reject_rate", "position_jump").replace("_count", "_lots") + 'symbol = "OBEL"\n'
LATENCY = """
[[breakers]]
kind = "latency"
above_ms = 250
again_below_ms = 100
to = "limited"
owner = "risk"
"""


def read(text: str) -> File:
    return parse_toml(text, File, origin=Path("node.toml"))


def told(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        read(text)
    return str(error.value)


def records(text: str) -> list[tuple[str, np.void]]:
    rows = breaker_records(read(text).breakers, {"maker": 3})
    return [(row.symbol, np.frombuffer(row.record, RECORDS["Control"])[0]) for row in rows]


def test_every_unit_becomes_the_engine_s():
    (_, loss), (_, rejects), (_, ratio), (_, unfilled), (symbol, jump), (_, latency) = records(
        LOSS + REJECTS + RATIO + "least_count = 50\n" + UNFILLED + "least_count = 9\n" + JUMP + LATENCY
    )
    reduce, cancel = int(ArmState.REDUCE_ONLY), int(ArmState.CANCEL_ONLY)
    assert [int(v) for v in loss["values"]] == [50_000_000, 0, 25_000_099, reduce]
    assert (loss["type"], loss["code"], loss["strategy"]) == (Type.PARAMETERS, BreakerKind.LOSS, 3)
    assert bytes(loss["text"]) == b"risk"
    assert [int(v) for v in rejects["values"]] == [20, 10_000_000_000, 5, cancel]
    assert rejects["strategy"] == NO_STRATEGY
    assert [int(v) for v in ratio["values"]] == [20, 10_000_000_000, 5, cancel | 50 << 8]
    assert unfilled["code"] == BreakerKind.UNFILLED_RATE
    assert [int(v) for v in unfilled["values"]] == [20, 10_000_000_000, 5, cancel | 9 << 8]
    assert (symbol, jump["code"]) == ("OBEL", BreakerKind.POSITION_JUMP)
    assert [int(v) for v in latency["values"]] == [250_000_000, 0, 100_000_000, int(ArmState.LIMITED)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LOSS.replace("above_money = ", "above_ms = 5 #"), "above_ms: expected above_money"),
        (LOSS.replace("above_money = ", "above_count = 5 #"), "expected above_money, found none"),
        (LOSS.replace('again_below_money = "2500.0099"', ""), "expected again_below_money, found none"),
        (LOSS.replace("2500.0099", "5000.01"), "expected at most above_money"),
        (LOSS.replace('"5000.00"', "5000.00"), "a decimal in quotes"),
        (LOSS.replace('"5000.00"', '"-5000.00"'), "a decimal in quotes"),
        (LOSS.replace('"5000.00"', '"nan"'), "a decimal in quotes"),
        (LOSS.replace('"5000.00"', "false"), "a decimal in quotes"),
        (LOSS.replace("maker", "taker"), "expected one of ['maker']"),
        (LOSS.replace('"loss"', '"profit"'), "kind"),
        (LOSS.replace("reduce_only", "full"), "to"),
        (LOSS.replace("owner", "ownr"), "ownr"),
        (LOSS.replace('owner = "risk"', ""), "owner"),
        (LOSS + "window_ms = 5\n", "expected no window"),
        (LOSS + "least_count = 5\n", "no ratio and no mean"),
        (LOSS + 'symbol = "OBEL"\n', "expected none"),
        (LOSS + LOSS, "expected one breaker of its kind, scope and state"),
        (REJECTS.replace("window_ms", "window_s"), "window_s"),
        (UNFILLED.replace("above_bps", "below_bps"), "below_bps"),
        (UNFILLED.replace("window_ms = 10_000", ""), "expected the time over which it counts"),
        (REJECTS.replace("window_ms = 10_000", ""), "expected the time over which it counts"),
        (REJECTS.replace("= 20", "= -1"), "above_count"),
        (REJECTS.replace("= 20", "= 10_000_000_000_000"), "above_count"),
        (JUMP.replace("OBEL", "RING"), "expected one of ['OBEL']"),
        (JUMP.replace('symbol = "OBEL"', ""), "expected the instrument whose position it watches"),
        (LATENCY.replace("latency", "feed_stale") + 'strategy = "maker"\n', "of the whole node"),
    ],
)
def test_what_is_wrong_is_told(text: str, words: str):
    assert words in told(text)


def test_fees_in_the_units_of_the_record():
    text = """
        [[fees]]
        flags = "AJ"
        per_lot = "-0.0020"
        [[fees]]
        per_value = "0.000125"
        value_below_px = "1.00"
        charge_min = "0.01"
        charge_max = "5.00"
    """
    rebate, rest = (np.frombuffer(fee.record(), RECORDS["Control"])[0] for fee in read(text).fees)
    assert (bytes(rebate["text"]), [int(v) for v in rebate["values"]]) == (b"AJ", [-2_000, 0, 0, 0])
    assert (rest["type"], rest["code"], [int(v) for v in rest["values"]]) == (
        Type.FEE_RATE, 10_000, [0, 125, 100, 50_000],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[fees]]\nflags = "AA"\n', ""),
        ('[[fees]]\nflags = "A"\n[[fees]]\nflags = "RA"\n', 'expected the flag "A" once'),
        ("[[fees]]\n[[fees]]\n", "a table without flags once"),
        ("[[fees]]\nper_lot = 0.3\n", "a rate in quotes"),
        ('[[fees]]\nper_share = "0.3"\n', "per_share"),
        ('[[fees]]\ncharge_min = "1.00"\ncharge_max = "0.50"\n', "expected at least charge_min"),
    ],
)
def test_what_is_wrong_with_fees_is_told(text: str, words: str):
    assert words in (told(text) if words else str(read(text)))


@pytest.mark.parametrize(("feeds", "symbols", "problems"), [(1, 256, 0), (2, 128, 0), (2, 129, 1)])
def test_a_breaker_of_a_symbol_counts_for_each_feed(feeds: int, symbols: int, problems: int):
    (jump,) = read(JUMP).breakers
    names = [f"S{number}" for number in range(symbols)]
    breakers = tuple(jump.model_copy(update={"symbol": name}) for name in names)

    found = list(check_breakers(breakers, [], names, feeds))

    assert [problem.path for problem in found] == [("breakers",)] * problems
    assert all("expected at most 256, found 258" in problem.message for problem in found)
