"""What a verb takes for a number is the same in both speeds: at -1, at 0, at the largest, where records hold less."""

import re
from typing import Any

import pytest

from openbell import _native as native
from openbell.types import Side
from strategy.test_verbs import compiled, interpreted, said
from strategy.world import halted

MAX = 2**63 - 1
GIVEN = {
    "quote": {"instrument": 0, "bid_px": 10, "bid_qty": 1, "ask_px": 11, "ask_qty": 1},
    "order": {"instrument": 0, "side": Side.BUY, "px": 10, "qty": 2}
    | dict.fromkeys(("tag", "display_qty", "collar_bps", "expires_ns"), 0),
    "stop": {"instrument": 0, "side": Side.SELL, "qty": 2}
    | dict.fromkeys(("stop_px", "px", "trail", "tag", "collar_bps", "expires_ns"), 0),
    "became": {"stop_id": 1},
    "parent": {"instrument": 0, "side": Side.BUY, "qty": 9, "algorithm": 1}
    | dict.fromkeys(("px", "begins_ns", "ends_ns", "participation_bps", "urgency_bps", "tag"), 0),
    "target": {"instrument": 0, "position": 1, "px": 0, "qty_max": 0, "tag": 0},
    "target_off": {"instrument": 0},
    "replace": {"cl_ord_id": 77, "px": 10, "qty": 4},
    "cancel": {"cl_ord_id": 77},
    "mass_cancel": {"instrument": -1},
    "set_timer": {"timer_id": 4, "deadline_ns": 1_000_000},
    "position": {"instrument": 0},
}
NARROWER = {
    "algorithm": (65_535, 65_536, 65_537),
    "collar_bps": (9_999, 10_000),
    "instrument": (1, 2**32 - 1, 2**32),
}
VERBS = {text.partition("(")[0].removeprefix("ctx."): text for *_, text in native.compiled_functions() if text}


def in_order(verb: str, given: dict[str, Any]) -> list[int]:
    """The arguments of the C function: those given, the others at their defaults."""
    values = []
    for one in re.findall(r"\w+(?:=-?\d+)?", VERBS[verb].partition("(")[2]):
        name, _, default = one.partition("=")
        values.append(int(given.get(name, default or 0)))
    return values


def outcomes(verb: str, given: dict[str, Any]) -> tuple[tuple[list[bytes], str], tuple[list[bytes], str]]:
    """What both speeds said, and why they were halted, without the place."""
    both = interpreted(lambda ctx: getattr(ctx, verb)(**given)), compiled((verb, in_order(verb, given)))
    one, other = ((said(records), halted(records).partition(" (")[0]) for records in both)
    return one, other


@pytest.mark.parametrize("verb", GIVEN)
def test_every_number_of_a_verb_is_taken_or_refused_alike(verb: str):
    for name, usual in GIVEN[verb].items():
        if isinstance(usual, Side):
            continue
        for value in (-1, 0, MAX, *NARROWER.get(name, ())):
            one, other = outcomes(verb, GIVEN[verb] | {name: value})

            assert one[0] == other[0], (name, value)
            assert bool(one[1]) == bool(other[1]), (name, value, one, other)
            assert one[1] == other[1] or name in ("cl_ord_id", "stop_id"), (name, value)


@pytest.mark.parametrize("verb", GIVEN)
def test_no_number_beyond_64_bits_is_taken(verb: str):
    for name, usual in GIVEN[verb].items():
        if isinstance(usual, Side) or name in ("cl_ord_id", "stop_id"):
            continue
        given = GIVEN[verb] | {name: MAX + 1}
        assert halted(interpreted(lambda ctx, given=given: getattr(ctx, verb)(**given))).startswith("TypeError"), name


@pytest.mark.parametrize(
    ("verb", "changed", "why"),
    [
        ("set_timer", {"timer_id": -1}, "timer_id: expected 0 or more, found -1"),
        ("order", {"tag": -1}, "tag: expected 0 or more, found -1"),
        ("parent", {"algorithm": 65_537}, "algorithm: expected 0 to 65535, found 65537"),
        ("quote", {"instrument": -1}, "expected the id of a known instrument, found -1"),
        ("cancel", {"cl_ord_id": -1}, ""),
        ("replace", {"cl_ord_id": -1}, ""),
    ],
)
def test_what_a_record_cannot_hold_is_refused_and_never_cut(verb: str, changed: dict[str, int], why: str):
    for records, text in outcomes(verb, GIVEN[verb] | changed):
        assert records == [] and text and why in text


@pytest.mark.parametrize("side", [3, 7, 255, 256, 300, -1])
def test_a_side_that_is_none_is_no_mass_cancel(side: int):
    assert halted(interpreted(lambda ctx: ctx.mass_cancel(0, side))).startswith("TypeError: mass_cancel()")
    assert f"side: expected 0 to 2, found {side}" in halted(compiled(("mass_cancel", [0, side])))
