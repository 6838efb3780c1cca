"""The rules of the venue as configuration: what a file says becomes native rules, and a wrong file is taught."""

from datetime import date
from pathlib import Path

import pytest

from openbell._native import (
    Bands,
    Liquidity,
    MatchingEngine,
    Phase,
    Refusal,
    Schedule,
    StepKind,
    Terms,
)
from openbell.config import Settings, parse_toml
from openbell.errors import ConfigError
from openbell.exchange.bands_config import BandSettings
from openbell.exchange.fees_config import FeeSettings
from openbell.exchange.rules_config import InstrumentRulesSettings
from openbell.exchange.rules_types import under
from openbell.exchange.schedule_config import ScheduleSettings
from openbell.types import Side

ORIGIN = Path("/etc/openbell/exchange.toml")
HOUR = 3_600 * 10**9
TODAY = date(2024, 5, 6)


class Rules(Settings):
    """All of them in one file."""

    instrument: InstrumentRulesSettings = InstrumentRulesSettings()
    bands: BandSettings = BandSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    fees: FeeSettings = FeeSettings()

    def cross_check(self):
        for name in ("instrument", "bands", "schedule", "fees"):
            yield from under((name,), getattr(self, name).cross_check())


def rules(text: str) -> Rules:
    return parse_toml(text, Rules, ORIGIN)


def errors(text: str) -> list[str]:
    """The error lines of `text`, each without the file's name and line."""
    with pytest.raises(ConfigError) as caught:
        rules(text)
    _, *lines = str(caught.value).splitlines()
    return [line.split(": ", 1)[1] for line in lines]


def steps_of(settings: ScheduleSettings) -> list[tuple[float, str]]:
    """(hour, name) of every step."""
    return [(row[0] / HOUR, row[-1]) for row in settings.native().steps]


def engine_of(instrument: InstrumentRulesSettings, listed_px: int = 100_000) -> MatchingEngine:
    engine = MatchingEngine([instrument.native("AAPL", round_lot=100, listed_px=listed_px)], 100)
    engine.set_phase(0, Phase.CONTINUOUS)
    return engine


def band_changes(settings: BandSettings, tier: int, reference: int, *, at_hour: float = 10.0):
    bands = Bands(settings.native(tier, TODAY), [(0, 1), (10_000, 100)])
    bands.open(reference, 0, int(at_hour * HOUR))
    return bands.next(int(at_hour * HOUR))


def test_without_rules_the_venue_is_as_simple_as_it_can_be():
    plain = rules("")
    engine = engine_of(plain.instrument)

    assert engine.refuse(0, Side.BUY, Terms(1_999_999_900, 999_999)) == Refusal.NONE
    assert engine.refuse(0, Side.BUY, Terms(100, 1_000_000)) == Refusal.QTY_MAX
    assert plain.instrument.ticks == [(0, 100)]
    assert band_changes(plain.bands, 1, 100_000) is None
    assert steps_of(plain.schedule) == [(0.0, "open")]
    assert [plain.fees.native(TODAY).fee(0, liquidity, 100_000, 100) for liquidity in Liquidity] == [0] * 8


def test_an_instrument_says_ticks_lots_collars_and_allocation():
    instrument = rules(
        """
        [instrument]
        tick = "0.0001"
        tick_steps = [{ from_px = "1", tick = "0.01" }, { from_px = "100.00", tick = "0.05" }]
        lot = 10
        qty_max = 5000
        limit_collar_bps = 1000
        allocation = "pro_rata"
        pro_rata = { grants_top = true, fifo_pct = 40, min_allocation = 2 }
        """
    ).instrument
    engine = engine_of(instrument)

    assert instrument.ticks == [(0, 1), (10_000, 100), (1_000_000, 500)]
    assert [engine.refuse(0, Side.BUY, Terms(px, qty)) for px, qty in
            [(9_999, 10), (100_050, 10), (100_000, 15), (100_000, 5_010), (110_100, 10), (110_000, 5_000)]] == [
        Refusal.NONE, Refusal.TICK, Refusal.QTY, Refusal.QTY_MAX, Refusal.PRICE_COLLAR, Refusal.NONE,
    ]  # fmt: skip


def test_bands_of_the_us_by_tier_and_time():
    us = rules('[bands]\npreset = "us"').bands

    assert band_changes(us, 0, 100_000) is None
    assert band_changes(us, 1, 100_000)[2:4] == (95_000, 105_000)
    assert band_changes(us, 2, 100_000)[2:4] == (90_000, 110_000)
    assert band_changes(us, 1, 5_000)[2:4] == (3_500, 6_500)
    assert band_changes(us, 1, 100_000, at_hour=15.6)[2:4] == (90_000, 110_000)
    assert band_changes(us, 2, 100_000, at_hour=15.6)[2:4] == (90_000, 110_000)


def test_bands_take_the_latest_table_that_is_effective():
    table = '[[bands.tables]]\neffective = %s\ntier = 1\nwidths = [{ from_px = "0", bps = %d }]\n'
    bands = rules(table % ("2024-05-07", 300) + table % ("2020-01-01", 100) + table % ("2024-05-06", 200)).bands

    assert band_changes(bands, 1, 100_000)[2:4] == (98_000, 102_000)
    with pytest.raises(ConfigError, match="expected a table of tier 1 effective on 2019-12-31, found tier 1"):
        bands.native(1, date(2019, 12, 31))
    with pytest.raises(ConfigError, match="expected a table of tier 2"):
        bands.native(2, TODAY)


def test_the_us_day_closes_with_an_auction_or_a_call():
    assert steps_of(rules('[schedule]\npreset = "us_equity"').schedule) == [
        (9 + 28 / 60, "opening call"),
        (9.5, "open"),
        (15 + 50 / 60, "imbalance every 10 s"),
        (15 + 55 / 60, "imbalance every second"),
        (16.0, "closing auction"),
        (16.0, "close"),
    ]
    assert steps_of(rules('[schedule]\npreset = "us_equity"\nclosing_call = "15:55"').schedule)[2:] == [
        (15 + 50 / 60, "imbalance every 10 s"),
        (15 + 55 / 60, "closing call"),
        (16.0, "close"),
    ]


def test_a_day_may_be_written_step_by_step():
    settings = rules(
        """
        [schedule]
        call_imbalance_ms = 500
        steps = [
            { at = "08:00", phase = "opening_call", name = "pre-open" },
            { at = 08:30:15, phase = "continuous" },
            { at = "12:00", auction = "closing" },
            { at = "12:00", imbalance_ms = 0 },
        ]
        """
    ).schedule
    native = settings.native()

    assert steps_of(settings)[0] == (8.0, "pre-open")
    assert [row[1] for row in native.steps] == [StepKind.PHASE, StepKind.PHASE, StepKind.AUCTION, StepKind.IMBALANCE]
    assert native.steps[1][0] == (8 * 3_600 + 30 * 60 + 15) * 10**9
    assert native.call_interval_ns == 500_000_000
    schedule = Schedule(native)
    schedule.open_day(0)
    assert schedule.next(8 * HOUR) == (8 * HOUR, "pre-open")


def test_fees_follow_date_tier_and_liquidity():
    fees = rules(
        """
        [[fees.tables]]
        effective = 2024-01-01
        tiers = [
            { per_share = { taker = "0.0030", maker = "-0.0020" } },
            { volume_min = 1000000, per_share = { taker = "0.0028", maker = "-0.002950" } },
        ]
        [[fees.tables]]
        effective = 2025-01-01
        tiers = [{ per_share = { closing = "0.001" }, per_value = { taker = "0.003" } }]
        value_below_px = "1.00"
        charge_min = "0.01"
        charge_max = "20"
        """
    ).fees
    old, new = fees.native(TODAY), fees.native(date(2025, 1, 1))

    assert [old.fee(tier, Liquidity.TAKER, 100_000, 100) for tier in (0, 1)] == [3_000, 2_800]
    assert old.fee(old.tier(1_000_000), Liquidity.MAKER, 100_000, 100) == -2_950
    assert new.fee(0, Liquidity.CLOSING, 100_000, 1) == 100
    assert new.fee(0, Liquidity.TAKER, 5_000, 1_000) == 15_000
    assert new.fee(0, Liquidity.CLOSING, 100_000, 999_999) == 200_000
    assert fees.native(date(2023, 12, 31)).fee(0, Liquidity.TAKER, 100_000, 100) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('instrument = { tick = "0" }', """instrument.tick: expected at least "0.0001", found "0\""""),
        ('instrument = { tick = "0.00001" }', "instrument.tick: expected a price in quotes with at most 4 decimals"),
        ("instrument = { tick = 0.01 }", "instrument.tick: expected a decimal in quotes"),
        ('instrument = { tick = "200001" }', "instrument.tick: expected a price in quotes"),
        ("instrument = { lot = 0 }", "instrument.lot: expected at least 1, found 0"),
        ("instrument = { lot = 10, qty_max = 9 }", "instrument.qty_max: expected at least the lot, 10, found 9"),
        ('instrument = { allocation = "prorata" }', "instrument.allocation: expected one of 'fifo' or 'pro_rata'"),
        ("instrument = { collar = 5 }", "instrument.collar: unknown key"),
        ('instrument = { tick_steps = [{ from_px = "0", tick = "0.05" }] }',
         'instrument.tick_steps[0].from_px: expected more than "0", found "0"'),
        ('instrument = { tick_steps = [{ from_px = "1.02", tick = "0.05" }] }',
         'instrument.tick_steps[0].from_px: expected a multiple of both ticks, "0.01" and "0.05"'),
        ('instrument = { tick_steps = [{ from_px = "1", tick = "0" }] }', "instrument.tick_steps[0].tick: expected at"),
        ('bands = { preset = "eu" }', "bands.preset: expected one of 'none' or 'us', found 'eu'"),
        ("bands = { limit_ms = 5 }", "unknown key; the unit is part of the key: write 'limit_s', in seconds"),
        ('[[bands.tables]]\neffective = 2024-01-01\ntier = 1\nwidths = [{ from_px = "1", bps = 5 }]',
         'bands.tables[0].widths[0].from_px: expected "0", found "1"'),
        ('[[bands.tables]]\neffective = 2024-01-01\ntier = 1\nwidths = [{from_px = "0", bps = 5},'
         '{from_px = "0", bps = 6}]', 'bands.tables[0].widths[1].from_px: expected more than "0"'),
        ('[[bands.tables]]\neffective = "soon"\ntier = 1\nwidths = [{ from_px = "0", bps = 5 }]',
         "bands.tables[0].effective: expected"),
        ('[bands]\npreset = "us"\n[[bands.tables]]\neffective = 2024-01-01\ntier = 1\n'
         'widths = [{ from_px = "0", bps = 5 }]', 'bands.tables: expected no tables beside preset "us"'),
        ('schedule = { steps = [{ at = "24:00", phase = "closed" }] }',
         'schedule.steps[0].at: expected a time of day in quotes, "HH:MM" or "HH:MM:SS", found \'24:00\''),
        ('schedule = { steps = [{ at = 930, phase = "closed" }] }', "schedule.steps[0].at: expected a time of day"),
        ('schedule = { steps = [{ at = "09:30" }] }',
         "schedule.steps[0]: expected one of phase, auction and imbalance_ms, found none"),
        ('schedule = { steps = [{ at = "09:30", phase = "closed", imbalance_ms = 5 }] }',
         "schedule.steps[0]: expected one of phase, auction and imbalance_ms, found phase and imbalance_ms"),
        ('schedule = { steps = [{ at = "09:30", phase = "closed" }, { at = "09:29", phase = "closed" }] }',
         "schedule.steps[1].at: expected a time not before that of the step above"),
        ('schedule = { preset = "us_equity", steps = [{ at = "09:30", phase = "closed" }] }',
         "schedule.steps: expected no steps beside preset"),
        ('schedule = { closing_call = "15:55" }', 'schedule.closing_call: expected a time after "09:30"'),
        ('schedule = { preset = "us_equity", closing_call = "16:00" }', 'closing_call: expected a time after "09:30"'),
        ('fees = { tables = [{ effective = 2024-01-01, tiers = [{ per_share = { taker = 0.003 } }] }] }',
         "fees.tables[0].tiers[0].per_share.taker: expected a rate in quotes with at most 6 decimals"),
        ('fees = { tables = [{ effective = 2024-01-01, tiers = [{ per_share = { maker = "0.0000001" } }] }] }',
         "maker: expected a rate in quotes with at most 6 decimals"),
        ("fees = { tables = [{ effective = 2024-01-01, tiers = [{ volume_min = 5 }] }] }",
         "fees.tables[0].tiers[0].volume_min: expected 0, found 5"),
        ("fees = { tables = [{ effective = 2024-01-01, tiers = [{}, {}] }] }",
         "fees.tables[0].tiers[1].volume_min: expected more than 0"),
        ('fees = { tables = [{ effective = 2024-01-01, tiers = [{}], charge_min = "2", charge_max = "1" }] }',
         'fees.tables[0].charge_max: expected at least charge_min, "2"'),
        ("fees = { tables = [{ effective = 2024-01-01, tiers = [{}] }, { effective = 2024-01-01, tiers = [{}] }] }",
         "fees.tables[1].effective: 2024-01-01 stands here for the second time"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named_with_its_cure(text: str, expected: str):
    found = errors(text)

    assert any(expected in error for error in found), found
