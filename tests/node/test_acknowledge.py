"""What a person is told before they say that it is meant: of limits, what loosens first."""

from pathlib import Path

import pytest

from openbell import _native as native
from openbell import events
from openbell.node.acknowledge import TOLD_MAX, Running, running_of, told
from openbell.node.limits import LimitSet, parse_limits
from openbell.node.record import CapacityRecord, LimitsRecord, RunRecord, StrategyRecord

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


def record(limits: LimitSet | None, *strategies: StrategyRecord) -> RunRecord:
    capacity = CapacityRecord.of(native.EngineCapacity())
    kept = None if limits is None else LimitsRecord.of(limits)
    return RunRecord(kind="node", capacity=capacity, strategies=strategies, limits=kept)


def a_strategy(name: str, source: str, machine_code: str = "") -> StrategyRecord:
    return StrategyRecord(
        id=0,
        name=name,
        file=f"{name}.py",
        class_name=None,
        params={},
        symbols=(),
        source_hash=source * 32,
        object_hash=machine_code * 32,
    )


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


def test_strategies_that_differ_are_named_one_by_one():
    started = events.started(node=1, epoch=7, now_ns=1, seed=1)
    then = running_of(started)
    now = Running(b"c" * 16, b"d" * 16, then.limits, then.config)
    old = record(None, *(a_strategy(name, "a") for name in ("gone", "same", "source", "code")))
    changed = a_strategy("source", "b"), a_strategy("code", "a", "c")
    new = record(None, *(a_strategy(name, "a") for name in ("new", "same")), *changed)

    lines = list(told(started, now, old, new, "node"))

    assert lines[1:7] == [
        f"  binary: {'00' * 6} -> {'63' * 6}",
        f"  strategies: {'00' * 6} -> {'64' * 6}",
        f"    code: machine code none -> {'c' * 12}",
        "    gone: gone",
        "    new: new",
        f"    source: source {'a' * 12} -> {'b' * 12} (source.py)",
    ]
    assert list(told(started, now, None, new, "node")) == [*lines[:3], *lines[7:]]  # the record of then is lost


def test_settings_that_differ_are_named_by_their_keys():
    started = events.started(node=1, epoch=7, now_ns=1, seed=1)
    then = running_of(started)
    now = Running(then.binary, then.strategies, then.limits, b"d" * 16)
    kept = {"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}], "c": 4}
    old, new = (record(None).model_copy(update={"settings": settings}) for settings in kept)

    assert list(told(started, now, old, new, "node"))[2:4] == ["    a.1.b: 2 -> 3", "    c: absent -> 4"]
