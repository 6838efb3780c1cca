"""What the rules of the venue are written with: exact prices and rates, times of day, tables with a date."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Protocol, TypeVar

from pydantic import AfterValidator, PlainValidator

from openbell.config import Problem
from openbell.config_types import DecimalText
from openbell.toml_lines import Path as KeyPath

PX_DECIMALS = 4
PX_MAX = 200_000
"""The largest price that the feed can carry."""
RATE_DECIMALS = 6
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

_RATE = re.compile(r"^-?[0-9]{1,6}(\.[0-9]{1,6})?$")
_TIME = re.compile(r"^([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?$")


def under(path: KeyPath, problems: Iterable[Problem]) -> Iterable[Problem]:
    """Yield `problems` of a part as those of the whole, where the part stands at `path`."""
    for problem in problems:
        yield Problem((*path, *problem.path), problem.message)


class TimeOfDay(int):
    """Nanoseconds since the exchange's midnight."""


def time_of_day(value: object) -> TimeOfDay:
    """Return "HH:MM" or "HH:MM:SS" as ns since midnight."""
    if isinstance(value, TimeOfDay):
        return value
    found = _TIME.match(value) if isinstance(value, str) else None
    if not found:
        raise ValueError('a time of day in quotes, "HH:MM" or "HH:MM:SS"')
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return TimeOfDay((hours * 3600 + minutes * 60 + seconds) * NS_PER_S)


def px_units(value: Decimal) -> int:
    """Return a price in 1e-4."""
    return int(value.scaleb(PX_DECIMALS))


def rate_units(value: Decimal) -> int:
    """Return a rate in 1e-6."""
    return int(value.scaleb(RATE_DECIMALS))


class Dated(Protocol):
    """A table that holds from a day on."""

    @property
    def effective(self) -> date: ...


D = TypeVar("D", bound=Dated)


def in_effect(tables: Sequence[D], day: date) -> D | None:
    """Return the latest of `tables` that is effective on `day`."""
    return max((t for t in tables if t.effective <= day), key=lambda t: t.effective, default=None)


def _px(value: Decimal) -> Decimal:
    if value > PX_MAX or px_units(value) != value.scaleb(PX_DECIMALS):
        raise ValueError(f'a price in quotes with at most {PX_DECIMALS} decimals, up to "{PX_MAX}"')
    return value


def _rate(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _RATE.match(value):
        raise ValueError('a rate in quotes with at most 6 decimals such as "0.0030", "-0.0020" for a rebate')
    return Decimal(value)


PxText = Annotated[DecimalText, AfterValidator(_px)]
RateText = Annotated[Decimal, PlainValidator(_rate)]
TimeText = Annotated[TimeOfDay, PlainValidator(time_of_day)]
