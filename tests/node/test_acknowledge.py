"""What a person is told before they say that it is meant: of limits, what loosens first."""

from pathlib import Path

import pytest

from openbell import _native as native
from openbell import events
from openbell.node.acknowledge import TOLD_MAX, Running, running_of, told
from openbell.node.limits import LimitSet, parse_limits
from openbell.node.record import CapacityRecord, LimitsRecord, RunRecord

TIGHTER = [
    ("order_qty_max_lots", 500, 400),
    ("collar_bps", 200, 100),
    ("drift_bps", 1_000, 900),
    ("open_orders_max", 20, 10),
    ("position_long_max_lots", 1_000, 900),
    ("position_short_max_lots", 1_000, 900),
]


@pytest.fixture
def example(repo: Path) -> str:
    text = (repo / "examples/limits.toml").read_text()
    return text.replace("[firm]", '[conversions]\nEUR = "1.08"\n[firm]', 1)


def read(text: str) -> LimitSet:
    return parse_limits(text, Path("limits.toml"))


def record(limits: LimitSet | None) -> RunRecord:
    capacity = CapacityRecord.of(native.EngineCapacity())
    kept = None if limits is None else LimitsRecord.of(limits)
    return RunRecord(kind="node", capacity=capacity, strategies=(), limits=kept)


def said(before: LimitSet | None, after: LimitSet | None) -> list[str]:
    started = events.started(node=1, epoch=7, now_ns=1, seed=1, limits=b"a" * 16)
    then = running_of(started)
    now = Running(then.binary, then.strategies, b"b" * 16, then.config)
    return list(told(started, now, record(before), record(after), "node"))


def test_the_worth_of_a_currency_is_shown_to_who_says_that_it_is_meant(example: str):
    after = read(example.replace('"1.08"', '"0.00108"', 1).replace("version = 1", "version = 2", 1))

    lines = said(read(example), after)

    assert "    version 1 -> 2" in lines
    assert "    EUR: conversion 1.08 -> 0.00108, x1,000  LOOSER" in lines


def test_what_loosens_most_is_told_before_what_is_cut_off(example: str):
    text = example.replace('"1.08"', '"0.00108"', 1)
    for key, old, new in TIGHTER:
        text = text.replace(f"{key} = {old}", f"{key} = {new}")
    after = read(text)

    lines = said(read(example), after)

    first = lines.index("    version 1 -> 1")
    assert lines[first + 1] == "    EUR: conversion 1.08 -> 0.00108, x1,000  LOOSER"
    assert lines[first + TOLD_MAX].startswith("    and ") and lines[first + TOLD_MAX].endswith(" more")


def test_limits_that_nobody_wrote_down_are_told_by_their_hash_alone(example: str):
    assert [line for line in said(None, read(example)) if line.startswith("    ")] == []
    assert "    as they were changed while it ran" in said(read(example), read(example))
