"""The vocabulary in Python is the vocabulary in C++: sizes, offsets, no holes, no number used twice."""

import re
from enum import IntEnum
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from openbell import _native, types
from openbell.types import RECORDS

LAYOUTS = _native.record_layouts()
ENUMS = [
    "ArmState",
    "BreakerKind",
    "Check",
    "CheckPolicy",
    "IntentKind",
    "KillLevel",
    "LimitKind",
    "LimitScope",
    "OrderState",
    "Reason",
    "Side",
    "Tif",
    "TradingState",
    "Trigger",
    "Type",
]


@pytest.fixture(scope="module")
def header() -> str:
    """The vocabulary without its comments."""
    native = Path(__file__).parents[1] / "native"
    text = "".join((native / name).read_text() for name in ("reasons.h", "limit_kinds.h", "records.h"))
    return re.sub(r"//.*", "", text)


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_has_one_of_two_sizes(name: str):
    assert RECORDS[name].itemsize == LAYOUTS[name][0]
    assert RECORDS[name].itemsize in (48, 128)


@pytest.mark.parametrize("name", RECORDS)
def test_fields_tile_the_record_without_holes(name: str):
    spans = [(offset, offset + np.dtype(form).itemsize) for _, form, offset in LAYOUTS[name][1]]

    assert spans[0][0] == 0
    assert all(end == start for (_, end), (start, _) in pairwise(spans))
    assert spans[-1][1] == LAYOUTS[name][0]


@pytest.mark.parametrize("name", RECORDS)
def test_fields_are_naturally_aligned(name: str):
    for field, form, offset in LAYOUTS[name][1]:
        assert offset % np.dtype(form).base.alignment == 0, field


@pytest.mark.parametrize("name", RECORDS)
def test_numpy_reads_each_field_where_the_struct_has_it(name: str):
    assert {field: RECORDS[name].fields[field][1] for field, _, _ in LAYOUTS[name][1]} == {
        field: offset for field, _, offset in LAYOUTS[name][1]
    }


@pytest.mark.parametrize("name", RECORDS)
def test_every_member_of_the_struct_is_listed_in_order(name: str, header: str):
    body = re.search(rf"struct {name} \{{(.*?)\n\}};", header, re.DOTALL)
    assert body, f"struct {name} is not in records.h"

    declared = re.findall(r"^\s*\w+ (\w+)(?:\[\w+\])?;", body[1], re.MULTILINE)

    assert [field for field, _, _ in LAYOUTS[name][1]] == declared


def test_every_struct_is_shown_to_python(header: str):
    assert sorted(re.findall(r"^struct (\w+) \{", header, re.MULTILINE)) == sorted(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_records_begin_alike(name: str):
    assert RECORDS[name].fields["type"][1] == 0
    assert RECORDS[name].fields["instrument"][1] == 4
    assert RECORDS[name].fields["ts_event"][1] == 8


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


@pytest.mark.parametrize("name", ENUMS)
def test_enums_agree_with_the_header(name: str, header: str):
    body = re.search(rf"enum class {name} : \w+ \{{(.*?)\}};", header, re.DOTALL)
    assert body
    declared, value = {}, -1
    for member, number in re.findall(r"(\w+)(?:\s*=\s*(\d+))?\s*,?", body[1]):
        value = int(number) if number else value + 1
        declared[snake(member)] = value

    assert {member.name: member.value for member in getattr(types, name)} == declared


@pytest.mark.parametrize("name", ENUMS)
def test_no_number_is_used_twice(name: str):
    assert issubclass(getattr(types, name), IntEnum)
    members = getattr(types, name).__members__
    assert len({int(member) for member in members.values()}) == len(members)
