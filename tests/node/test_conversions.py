"""What a currency is worth scales every limit of money, so a rate that has slipped is found as a limit is."""

from pathlib import Path

import pytest

from openbell.errors import ConfigError
from openbell.node.limit_lines import compared_lines, expect_meant, spoken_lines
from openbell.node.limits import LimitSet, parse_limits


@pytest.fixture
def example(repo: Path) -> str:
    return (repo / "examples/limits.toml").read_text()


def read(text: str) -> LimitSet:
    return parse_limits(text, Path("limits.toml"))


def later(text: str) -> LimitSet:
    return read(text.replace("version = 1", "version = 2", 1))


def with_euros(example: str, worth: str) -> str:
    return example.replace("[firm]", f'[conversions]\nEUR = "{worth}"\n[firm]', 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.08", "0.00108", "EUR: conversion 1.08 -> 0.00108, x1,000  LOOSER"),
        ("1.08", "1080", "EUR: conversion 1.08 -> 1,080, x1,000  LOOSER"),
    ],
)
def test_a_worth_that_has_slipped_scales_every_sum_and_must_be_meant(example: str, old: str, new: str, said: str):
    before, after = read(with_euros(example, old)), later(with_euros(example, new))

    with pytest.raises(ConfigError, match="--accept-limits 2") as caught:
        expect_meant(compared_lines(before), 1, after)

    assert said in str(caught.value)
    expect_meant(compared_lines(before), 1, after, accepted=2)
    expect_meant(compared_lines(before), 1, later(with_euros(example, "1.09")))


def test_another_worth_needs_another_version_and_one_that_comes_is_no_typo(example: str):
    before = read(with_euros(example, "1.08"))
    with pytest.raises(ConfigError, match=r"EUR: conversion 1\.08 -> 1\.09, x1\.00926  LOOSER"):
        expect_meant(compared_lines(before), 1, read(with_euros(example, "1.09")))
    expect_meant(compared_lines(read(example)), 1, later(with_euros(example, "0.00108")))
    expect_meant(compared_lines(before), 1, later(example))


def test_money_in_another_currency_must_be_meant(example: str):
    euros = later(example.replace('base_currency = "USD"', 'base_currency = "EUR"', 1))
    with pytest.raises(ConfigError, match="USD: base_currency 1 -> none  LOOSER"):
        expect_meant(compared_lines(read(example)), 1, euros)


def test_what_currencies_are_worth_is_said(example: str):
    head = spoken_lines(read(with_euros(example, "1.080")))[0]
    assert head == "limits version 1, owner desk, money in USD, in which is worth: EUR 1.08"
