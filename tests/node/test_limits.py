"""The file of limits: every way to get it wrong is told, and a loosening by a typo does not load."""

import json
import re
from pathlib import Path

import pytest

from openbell.cli import main
from openbell.errors import ConfigError
from openbell.node.config import load_node
from openbell.node.limit_lines import (
    Line,
    changes,
    changing_records,
    compared_lines,
    digest_of,
    expect_meant,
    lines_of,
    record_of,
    spoken_lines,
)
from openbell.node.limits import NOT_REQUIRED, LimitSet, load_limits, parse_limits
from openbell.types import NO_INSTRUMENT, RECORDS, LimitKind, LimitScope
from oracles.order_records import fields_of

MAKER = '[[strategies]]\nstrategy = "maker"\n'


@pytest.fixture
def example(repo: Path) -> str:
    return (repo / "examples/limits.toml").read_text()


def read(text: str) -> LimitSet:
    return parse_limits(text, Path("limits.toml"))


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


def test_the_example_gives_each_limit_once_in_native_units(example: str):
    limits = read(example)
    lines = lines_of(limits)

    assert len({line.place for line in lines}) == len(lines)
    assert Line("INSTRUMENT", "", "OBEL", "ORDER_NOTIONAL", 1_500_000_000) in lines
    assert Line("ACCOUNT", "", "", "MESSAGE_RATE", 2_000, 10**9, 500) in lines
    assert Line("STRATEGY", "maker", "", "REPEATS", 500, 60 * 10**9) in lines
    (repeats,) = (line for line in lines if (line.scope, line.kind) == ("STRATEGY", "REPEATS"))
    record = fields_of(record_of(repeats, limits, {"maker": 3}), RECORDS["Limit"])[0]
    assert (record["scope"], record["kind"], record["strategy"]) == (LimitScope.STRATEGY, LimitKind.REPEATS, 3)
    assert record["version"] == limits.version


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "order_qty_max_lots = 500",
            "order_qty_max_lots = -1",
            "order_qty_max_lots: expected at least 0, found -1",
        ),
        ("order_qty_max_lots = 500", "order_qty_max_lots = nan", "order_qty_max_lots: expected"),
        ("order_qty_max_lots = 500", "order_qty_max_lots = 500.0", "expected an integer, found 500.0 (a float)"),
        ("order_qty_max_lots = 500", 'order_qty_max_lots = "500"', "expected an integer, found '500' (a string)"),
        ("order_qty_max_lots", "order_qty_max_shares", "write 'order_qty_max_lots', in lots"),
        ("order_qty_max_lots", "order_quantity_max_lots", "did you mean 'order_qty_max_lots'?"),
        (
            'order_notional_max = "150000.00"',
            "order_notional_max = false",
            "order_notional_max: expected a decimal",
        ),
        ('px_last = "50.00"', "px_last = false", "px_last: expected a decimal in quotes"),
        ('order_notional_max = "150000.00"', 'order_notional_max = "-1"', "expected a decimal in quotes"),
        ('order_notional_max = "150000.00"', 'order_notional_max = "NaN"', "expected a decimal in quotes"),
        (
            'order_notional_max = "150000.00"',
            'order_notional_max = "150000000.00"',
            "x6,000; one of the three is a",
        ),
        ("order_qty_max_lots = 500", "order_qty_max_lots = 500000", "expected at most twice the larger position"),
        ("drift_window_ms = 10000", "drift_window_s = 10", "write 'drift_window_ms', in milliseconds"),
        ("drift_window_ms = 10000", "", "drift_bps: expected drift_window_ms beside it, found none"),
        ("repeats_window_ms = 60000", "", "repeats_max: expected repeats_window_ms beside it"),
        ("collar_bps = 200", "", "collar_bps: expected this key, found none (largest distance"),
        ("order_rate_max = 1000", "", "account.order_rate_max: expected this key, found none"),
        ('gross_notional_max = "500000.00"', "", "account.gross_notional_max: expected this key, found none (of ev"),
        ('daily_loss_max = "10000.00"', "", "account.daily_loss_max: expected this key, found none (after which"),
        ('gross_notional_max = "500000.00"', 'gross_notional_max = "0.5"', "worth more than everything"),
        ("message_rate_for_cancels = 500", "message_rate_for_cancels = 2001", "at most message_rate_max, 2,000"),
        ('symbol = "RING"', 'symbol = "OBEL"', "OBEL stands here for the second time; join the tables"),
        ("version = 1", "version = 0", "version: expected at least 1, found 0"),
        ('owner = "desk"', 'owner = ""', "owner: expected"),
        ('base_currency = "USD"', 'base_currency = "dollars"', "base_currency: expected text like"),
        ("[firm]", '[conversions]\nUSD = "1.0"\n[firm]', "is the base currency; it is worth 1 of itself"),
        ('px_last = "50.00"', "", "px_last: expected this key, found none (a recent price, to find typos by"),
        ("[firm]", "[company]", "company: unknown key"),
        ("open_orders_max = 80", 'gross_notional_max = "1000"', "an order cannot be worth more than everything"),
        ("open_orders_max = 80", 'may = ["buy", "lend"]', "expected one of 'buy', 'sell', 'short' or 'open'"),
    ],
)
def test_a_wrong_file_is_refused_with_the_line_and_the_cure(example: str, old: str, new: str, expected: str):
    assert old in example

    text = example.replace(old, new, 1)
    said = refusal(text)

    assert expected in said
    assert "nothing was started" in said
    for number, path in re.findall(r"limits.toml:(\d+): ([^:]+):", said):
        line = text.splitlines()[int(number) - 1]
        assert line.startswith("[") or re.split(r"[.\[]", path.rstrip("0123456789[]"))[-1] in line


def test_a_file_without_a_scope_that_must_be_there_is_refused(example: str):
    start, end = example.index("[account]"), example.index("[[instruments]]")
    assert "account: expected this key, found none" in refusal(example[:start] + example[end:])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('symbol = "RING"', 'symbol = "MSTF"', "'MSTF' is not among [[instruments]]"),
        ('symbol = "RING"', 'symbol = "MSTF"', "RING is traded and has no limits"),
        ('strategy = "maker"', 'strategy = "baker"', "expected the name of a strategy, found 'baker'"),
        ('base_currency = "USD"', 'base_currency = "EUR"', 'OBEL is in USD; expected its worth, USD = "1.0"'),
    ],
)
def test_limits_of_nobody_are_refused(repo: Path, tmp_path: Path, example: str, old: str, new: str, expected: str):
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies/market_maker.py").write_text("class MarketMaker: ...\n")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples/node.toml").write_text((repo / "examples/node.toml").read_text())
    (tmp_path / "examples/limits.toml").write_text(example.replace(old, new, 1))

    with pytest.raises(ConfigError) as caught:
        load_node(tmp_path / "examples/node.toml")

    assert expected in str(caught.value)
    assert "limits.toml:" in str(caught.value)


# ---- compared with what is in force


def later(example: str, old: str = "version = 1", new: str = "version = 2") -> LimitSet:
    return read(example.replace("version = 1", "version = 2", 1).replace(old, new, 1))


def test_the_same_limits_are_no_change_whatever_their_order(example: str):
    lines = lines_of(read(example))
    assert changes(lines, lines[::-1]) == []
    expect_meant(compared_lines(read(example)), 1, read(example))


@pytest.mark.parametrize(
    ("old", "new", "said", "is_wide"),
    [
        ("collar_bps = 200", "collar_bps = 2000", "OBEL: collar_bps 200 -> 2,000, x10  LOOSER", False),
        ("collar_bps = 200", "collar_bps = 2001", "OBEL: collar_bps 200 -> 2,001, x10.005  LOOSER", True),
        ("collar_bps = 200", "collar_bps = 2", "OBEL: collar_bps 200 -> 2, x0.01", False),
        (
            "order_rate_window_ms = 1000",
            "order_rate_window_ms = 1",
            "1,000 in 1,000 ms -> 1,000 in 1 ms, x1,125, counted anew  LOOSER",
            True,
        ),
        ("message_rate_for_cancels = 500", "message_rate_for_cancels = 0", "x1.33333  LOOSER", False),
        ("order_rate_window_ms = 1000", "order_rate_window_ms = 9000", "ms -> 1,000 in 9,000 ms, counted anew", False),
        ("drift_window_ms = 10000", "drift_window_ms = 1", "1,000 in 1 ms, x10,000, counted anew  LOOSER", True),
        (
            "drift_bps = 1000",
            "drift_bps = 1000\nmargin_bps = 2000",
            "OBEL: margin_bps none -> 2,000, x5  LOOSER",
            False,
        ),
        ("drift_bps = 1000", "drift_bps = 1000\nmargin_bps = 100", "OBEL: margin_bps none -> 100, x100  LOOSER", True),
        ("open_orders_max = 80", "", "firm: open_orders_max 80 -> none  LOOSER", True),
        ("open_orders_max = 80", "open_orders_max = 0", "firm: open_orders_max 80 -> 0, x0", False),
    ],
)
def test_a_change_is_said_in_words_and_a_wide_one_must_be_meant(
    example: str, old: str, new: str, said: str, is_wide: bool
):
    before, after = read(example), later(example, old, new)

    (change,) = changes(lines_of(before), lines_of(after))

    assert said in str(change)
    if is_wide:
        with pytest.raises(ConfigError, match="say that it is meant with --accept-limits 2"):
            expect_meant(compared_lines(before), before.version, after)
        with pytest.raises(ConfigError, match="--accept-limits 2"):
            expect_meant(compared_lines(before), before.version, after, accepted=3)
        expect_meant(compared_lines(before), before.version, after, accepted=2)
    else:
        expect_meant(compared_lines(before), before.version, after)


def test_an_instrument_that_comes_is_opened_and_one_that_goes_is_closed(example: str):
    start, end = example.index('[[instruments]]\nsymbol = "RING"'), example.index("[[strategies]]")
    alone, both = example[:start] + example[end:], example

    opened = {c.after.kind: c for c in changes(lines_of(read(alone)), lines_of(later(both)))}
    closed = {c.before.kind: c for c in changes(lines_of(read(both)), lines_of(later(alone)))}

    expect_meant(compared_lines(read(alone)), 1, later(both))  # its limits have nothing beside which they would be wide
    assert str(opened["ORDER_QTY"]) == "RING: order_qty_max_lots none -> 500  LOOSER"
    assert str(closed["ORDER_QTY"]) == "RING: order_qty_max_lots 500 -> none"
    assert {kind for kind, one in closed.items() if one.is_loosening} == {"DRIFT_BPS"}


def test_an_instrument_in_which_nothing_may_be_ordered_has_no_notional_to_compare(example: str):
    closed = example.replace("order_qty_max_lots = 500", "order_qty_max_lots = 0", 1)
    assert read(closed).instruments[0].order_qty_max_lots == 0


def test_a_notional_fifteen_times_as_wide_does_not_load(example: str):
    plain = example.replace("50.00", "1000.00", 1).replace('max = "500000.00"', 'max = "500000000.00"')
    before = read(plain)
    after = later(plain, 'order_notional_max = "150000.00"', 'order_notional_max = "2250000.00"')

    with pytest.raises(ConfigError) as caught:
        expect_meant(compared_lines(before), before.version, after, origin="limits.toml")

    assert "OBEL: order_notional_max 150,000 -> 2,250,000, x15  LOOSER" in str(caught.value)
    assert "nothing was started" in str(caught.value)


def test_every_limit_of_the_example_a_thousand_times_as_wide_does_not_load(repo: Path, example: str):
    """Neither by itself nor beside the limits in force, whichever number has slipped."""
    before, node = read(example), load_node(repo / "examples/node.toml")
    by_itself = set()
    for found in re.finditer(r'^(\w+_(?:max\w*|bps)) = "?([\d.]+)"?', example, re.MULTILINE):
        was, (key, value) = found[0], found.groups()
        wide = f"{float(value) * 1000:.2f}" if "." in value else f"{int(value) * 1000}"
        at = found.start()
        text = example[:at] + was.replace(value, wide, 1) + example[at + len(was) :]
        text = text.replace("version = 1", "version = 2", 1)
        try:
            after = read(text)
            if problems := [str(problem) for problem in node.check_limits(after)]:
                raise ConfigError("; ".join(problems))
        except ConfigError:
            by_itself.add(key)
            continue
        with pytest.raises(ConfigError, match="--accept-limits 2"):
            expect_meant(compared_lines(before), before.version, after)

    assert by_itself == {
        "collar_bps",
        "daily_loss_max",
        "drawdown_max",
        "drift_bps",
        "net_notional_max",
        "order_notional_max",
        "order_qty_max_lots",
        "order_rate_max",
        "position_long_max_lots",
        "position_short_max_lots",
    }


@pytest.mark.parametrize("key", ["daily_loss_max", "drawdown_max", "net_notional_max", "margin_max"])
@pytest.mark.parametrize("table", ["[account]", "[firm]", '[[strategies]]\nstrategy = "maker"'])
def test_a_sum_within_what_may_be_held_loads_and_one_cent_more_does_not(example: str, table: str, key: str):
    plain = re.sub(rf"^{key} = .*\n", "", example, flags=re.MULTILINE)
    plain = plain.replace(', "margin"]', "]", 1) if key == "margin_max" else plain
    required = f'{key} = "1.00"\n' if key == "daily_loss_max" and table != "[account]" else ""
    plain = plain.replace("[account]\n", f"[account]\n{required}", 1)
    read(plain.replace(table, f'{table}\n{key} = "500000.00"', 1))

    said = refusal(plain.replace(table, f'{table}\n{key} = "500000.01"', 1))

    assert f"{key}: expected at most gross_notional_max, 500,000.00, found 500,000.01, x1" in said


def test_a_strategy_with_a_sum_of_its_own_may_lose_no_more_than_that(example: str):
    assert "daily_loss_max: expected at most gross_notional_max, 100" in refusal(
        example + 'gross_notional_max = "100"\ndaily_loss_max = "101"\n'
    )


def test_a_position_that_can_never_be_reached_is_a_typo(example: str):
    fits = example.replace("position_short_max_lots = 1000", "position_short_max_lots = 10000", 1)
    read(fits)
    said = refusal(fits.replace("position_short_max_lots = 10000", "position_short_max_lots = 10001", 1))
    assert "position_short_max_lots: expected lots that are worth at most gross_notional_max, 500,000.00" in said
    assert "found 10,001, worth 500,050.00 at px_last" in said
    cheaper = fits.replace("position_short_max_lots = 10000", "position_short_max_lots = 1000000", 1)
    read(cheaper.replace("[firm]", '[conversions]\nJPY = "0.0065"\n[firm]', 1))


@pytest.mark.parametrize(("rate", "window_ms"), [(1_000, 1_000), (1_000, 100), (60_000, 60_000)])
def test_a_rate_is_at_most_what_the_perimeter_lets_pass(repo: Path, example: str, rate: int, window_ms: int):
    node = load_node(repo / "examples/node.toml")

    def problems(most: int) -> list[str]:
        text = example.replace("order_rate_max = 1000", f"order_rate_max = {most}", 1)
        text = text.replace("order_rate_window_ms = 1000", f"order_rate_window_ms = {window_ms}", 1)
        return [problem.message for problem in node.check_limits(read(text))]

    assert problems(rate) == []
    (said,) = problems(rate + 1)
    assert said.startswith(f"expected at most {rate:,} in {window_ms:,} ms, as [node] orders_per_second_max = 1,000")


def test_other_limits_under_the_same_version_do_not_load(example: str):
    before, after = read(example), read(example.replace("collar_bps = 200", "collar_bps = 100", 1))
    with pytest.raises(
        ConfigError, match="version: expected more than 1, which is in force with other limits, found 1"
    ):
        expect_meant(compared_lines(before), before.version, after)


def test_permissions_widen_by_any_word_and_from_nothing_everything_is_wide(example: str):
    narrow = read(example + 'may = ["buy", "sell"]\nopen_orders_max = 0\n')
    wide = later(example + 'may = ["buy", "short"]\nopen_orders_max = 1\n')

    found = {str(change) for change in changes(lines_of(narrow), lines_of(wide))}

    assert "maker: may buy+sell -> buy+short, xinf  LOOSER" in found
    assert "maker: open_orders_max 0 -> 1, xinf  LOOSER" in found


def test_the_digest_covers_every_limit_and_the_worth_of_currencies(example: str):
    plain = digest_of(read(example))
    assert digest_of(later(example)) != plain
    assert digest_of(read(example.replace("[firm]", '[conversions]\nEUR = "1.08"\n[firm]', 1))) != plain
    assert digest_of(read(example)) == plain


KEYS_OF_KINDS = sorted(NOT_REQUIRED.items())
UNLIMITED = re.compile(r"^unlimited = \[.*\]$", re.MULTILINE)


def without(text: str, key: str) -> str:
    """The file with no limit of this kind in any scope."""
    beside = {"drift_bps": "drift_window_ms"}.get(key, key.replace("_max", "_window_ms"))
    keys = "|".join((key, beside, key.replace("_max", "_for_cancels")))
    return re.sub(rf"^({keys}) = .*\n", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("kind", "key"), KEYS_OF_KINDS)
def test_a_kind_that_stands_nowhere_is_refused_until_the_file_says_it_is_meant(example: str, kind: str, key: str):
    bare = UNLIMITED.sub("unlimited = [{}]", without(example, key))
    others = [one for one in ("orders_per_trade", "permission", "margin") if one != kind]

    said = refusal(bare.format(", ".join(f'"{one}"' for one in others)))

    assert f"unlimited: expected {key} where every order meets it" in said
    assert f'or unlimited = ["{kind}"], found neither' in said
    limits = read(bare.format(", ".join(f'"{one}"' for one in [*others, kind])))
    assert f"unlimited, on purpose: {', '.join(sorted([*others, kind]))}" in spoken_lines(limits)
    assert digest_of(limits) != digest_of(limits.model_copy(update={"unlimited": ()}))


def test_a_kind_of_which_only_some_instruments_have_a_limit_must_be_said(example: str):
    start = example.index('symbol = "RING"')
    partly = example[:start] + without(example[start:], "drift_bps")
    assert "expected drift_bps where every order meets it" in refusal(partly)
    read(partly.replace("unlimited = [", 'unlimited = ["drift", ', 1))


def test_a_kind_cannot_be_limited_and_unlimited(example: str):
    said = refusal(example.replace("unlimited = [", 'unlimited = ["duplicates", ', 1))
    assert 'unlimited: "duplicates" is limited by duplicates_max; take the word or the limits out' in said
    assert "expected one of" in refusal(example.replace("unlimited = [", 'unlimited = ["everything", ', 1))


def test_a_limit_of_one_strategy_is_none_of_the_others(example: str):
    start = example.index("[[strategies]]")
    alone = read(without(example[:start], "repeats_max") + example[start:])

    def problems(*strategies: str) -> list[str]:
        fit = alone.fit({"OBEL": "USD", "RING": "USD"}, {*strategies}, (), 1_000)
        return [problem.message for problem in fit]

    assert problems("maker") == []
    assert problems("maker", "taker") == [
        'repeats_max holds for some strategies only; add it to [account], to the others, or "repeats" here'
    ]


def test_a_session_says_the_limit_of_its_venue_or_that_it_has_none(repo: Path, tmp_path: Path):
    text = re.sub(r"^messages_per_second_max.*\n", "", (repo / "examples/node.toml").read_text(), flags=re.MULTILINE)
    (tmp_path / "node.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"messages_per_second_max: expected this key, found none \(the venue's own"):
        load_node(tmp_path / "node.toml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match="expected a configuration file, found none"):
        load_limits(tmp_path / "limits.toml")


def test_the_command_compares_two_files(tmp_path: Path, example: str, capsys: pytest.CaptureFixture[str]):
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(example)
    new.write_text(example.replace("collar_bps = 200", "collar_bps = 20", 1))

    def said(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["limits", *arguments])
        return int(str(ended.value.code)), capsys.readouterr().out

    assert said(str(new), "--against", str(old)) == (0, "OBEL: collar_bps 200 -> 20, x0.1\n")
    assert said(str(old), "--against", str(new)) == (1, "OBEL: collar_bps 20 -> 200, x10  LOOSER\n")
    code, out = said(str(old), "--against", str(old), "--json")
    assert (code, json.loads(out)["limits"]) == (0, ["no limit differs"])
    for path, worth in ((old, "1.08"), (new, "0.00108")):
        path.write_text(example.replace("[firm]", f'[conversions]\nEUR = "{worth}"\n[firm]', 1))
    assert said(str(new), "--against", str(old)) == (1, "EUR: conversion 1.08 -> 0.00108, x1,000  LOOSER\n")
    assert "limits of maker: repeats_max 500 in 60,000 ms" in said(str(old))[1]


def test_changes_become_records_for_a_running_node(example: str):
    before = read(example)
    after = later(example.replace("open_orders_max = 80\n", "", 1), "collar_bps = 200", "collar_bps = 20")

    found = changes(lines_of(before), lines_of(after))
    raw = changing_records(found, after, {"maker": 1}, {"OBEL@home": 4, "RING": 5, "OBEL@away": 6})

    rows = [fields_of(one, RECORDS["Limit"])[0] for one in raw]
    told = [(r["kind"], r["instrument"], r["value"], r["flags"], r["version"]) for r in rows]
    removed = (LimitKind.OPEN_ORDERS, NO_INSTRUMENT, 80, 1, 2)
    collars = [(LimitKind.COLLAR_BPS, instrument, 20, 0, 2) for instrument in (4, 6)]  # of both venues
    assert told == [*collars, removed]
    with pytest.raises(KeyError, match="OBEL"):
        changing_records(found, after, {"maker": 1}, {"RING": 5})
