"""What is called not looser lets nothing pass that was refused before: every kind, held against slow oracles.

A stream is what a whole session asks for. Each kind has a world of small limits and all short streams; a change may be
called not looser only if every stream that passes after it passed before.
"""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations_with_replacement, product

import pytest

from openbell.node.limit_lines import KEYS, Line
from openbell.node.looser import CURRENCIES, REQUIRED, RULES, factor
from openbell.types import LimitKind, LimitScope
from oracles.flow import Flow, counted
from oracles.limits import REQUIRED as ORACLE_REQUIRED
from oracles.limits import Limits
from oracles.risk import Risk

INF = float("inf")
Stream = tuple[object, ...] | int
World = tuple[list[Line], Callable[[Line | None], frozenset[Stream]]]
SAMPLES = [8, 16, 40, 64, 72, 112, 128, 136, 144]
"""Windows; those of a file are multiples of 8 ns too. 136 is longer than 128 and forgets some things sooner."""


def line(kind: LimitKind, value: int, window_ns: int = 0, reserve: int = 0, scope: str = "STRATEGY") -> Line:
    symbol = "OBEL" if scope == "INSTRUMENT" else ""
    return Line(scope, "maker" if scope == "STRATEGY" else "", symbol, kind.name, value, window_ns, reserve)


def passing(streams: Iterable[Stream], passes: Callable[[Stream, Line], bool]):
    """Which of them pass under a limit; all, where there is none."""
    known = list(streams)
    return cache(lambda limit: frozenset(s for s in known if limit is None or passes(s, limit)))


def amounts(kind: LimitKind) -> World:
    """A stream is the largest amount that is asked for: a size, a distance, a sum, an age."""
    return [line(kind, value) for value in range(6)], passing(range(8), lambda asked, limit: asked <= limit.value)


def words(kind: LimitKind) -> World:
    """A stream is what it needs to be permitted."""
    return [line(kind, value) for value in range(16)], passing(range(16), lambda asked, limit: not asked & ~limit.value)


def margins(kind: LimitKind) -> World:
    """A stream is a notional, of which margin is bound and has to be at most 100; without a rate all of it is."""

    def passes(notional: int, limit: Line) -> bool:
        return -(-notional * limit.value // 10_000) <= 100

    whole = line(kind, 10_000)
    under = passing(range(0, 2_000, 7), passes)
    return [line(kind, bps) for bps in (0, 1, 5, 1_000, 5_000, 9_999, 10_000)], lambda limit: under(limit or whole)


def counts(kind: LimitKind) -> World:
    """A stream is up to three times at which the same is asked for."""

    def passes(times: tuple[int, ...], limit: Line) -> bool:
        said = [counted(list(times[:n]), times[n], limit.window_ns) + 1 <= limit.value for n in range(len(times))]
        return all(said)

    streams = [(), *((last - gap, last) for last in range(140, 170) for gap in range(150))]
    streams += combinations_with_replacement(range(80, 180, 9), 3)
    return [line(kind, value, window) for value in range(3) for window in SAMPLES], passing(streams, passes)


def messages(kind: LimitKind) -> World:
    """A stream is orders (+) and cancels (-), which are counted and never refused, at three times."""
    limits = [
        line(kind, value, window, kept) for value in range(4) for kept in range(value + 1) for window in (8, 16, 64)
    ]
    asked = [
        (*zip(times, verbs, strict=True),)
        for times in ((80, 80, 80), (80, 88, 98), (84, 90, 140))
        for verbs in product("+-", repeat=3)
    ]

    def passes(stream: Stream, limit: Line) -> bool:
        times = [at for at, _ in stream]
        most = limit.value - limit.reserve
        return all(
            verb == "-" or counted(times[:n], at, limit.window_ns) + 1 <= most for n, (at, verb) in enumerate(stream)
        )

    return limits, passing(asked, passes)


def executions(kind: LimitKind) -> World:
    """A stream is orders (+) and executions (x) of one day, and the oracle of the flow says what is over the ratio."""
    limits = [line(kind, value, 0, free) for value in range(4) for free in range(4)]

    def passes(stream: Stream, limit: Line) -> bool:
        known = Limits(1, 1, 1)
        known.rows[LimitScope.FIRM, 0, 0] = {kind: limit}
        flow, order = Flow(known), {"account": 0, "strategy": 0, "instrument": 0}
        today = flow.today[LimitScope.FIRM, 0, 0]
        observed = {k: seen for _, k, seen, _ in flow.claims(order, 0)}[kind]
        for verb in stream:
            if verb == "+" and observed(LimitScope.FIRM) > limit.value:
                return False
            today[0 if verb == "+" else 1] += 1
        return True

    return limits, passing([verbs for n in range(7) for verbs in product("+x", repeat=n)], passes)


def drifts(kind: LimitKind) -> World:
    """A stream is a path of mids and a price at its end, and the oracle of risk says what the mid was a window ago."""

    def passes(stream: Stream, limit: Line) -> bool:
        *mids, px = stream
        risk = Risk(1, 1)
        risk.mids[0] = (limit.window_ns // 8, [(20 * n, 2 * mid) for n, mid in enumerate(mids)])
        twice = risk.twice_mid_ago(0, 20 * len(mids))
        return 10_000 * abs(2 * px - twice) <= limit.value * twice

    limits = [
        line(kind, bps, window, scope="INSTRUMENT") for bps in (0, 500, 1_000, 2_000) for window in (8, 16, 40, 64)
    ]
    return limits, passing(product((100, 110, 130), repeat=5), passes)


def rates(kind: str) -> World:
    """A stream is what is held in another currency and in ours; net and gross of both may be worth at most 10."""

    def passes(held: tuple[int, int], limit: Line | None) -> bool:
        if limit is None:
            return False  # its worth is not known, so nothing is opened
        other, ours = held[0] * limit.value, held[1]
        return abs(other + ours) <= 10 and abs(other) + abs(ours) <= 30

    known = list(product(range(-40, 41), repeat=2))
    limits = [Line("CURRENCY", "", "EUR", kind, value) for value in (1, 2, 3, 5, 8, 10)]
    return limits, cache(lambda limit: frozenset(held for held in known if passes(held, limit)))


WORLDS: dict[LimitKind, Callable[[LimitKind], World]] = dict.fromkeys(KEYS, amounts) | {
    LimitKind.PERMISSION: words,
    LimitKind.MARGIN_BPS: margins,
    LimitKind.ORDER_RATE: counts,
    LimitKind.DUPLICATES: counts,
    LimitKind.REPEATS: counts,
    LimitKind.MESSAGE_RATE: messages,
    LimitKind.ORDERS_PER_TRADE: executions,
    LimitKind.DRIFT_BPS: drifts,
}


def test_every_kind_has_its_rule():
    assert RULES.keys() == KEYS.keys() == set(LimitKind) - {LimitKind.NONE}
    assert REQUIRED == ORACLE_REQUIRED


@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.name)
def test_what_lets_anything_more_pass_is_looser(kind: LimitKind):
    limits, under = WORLDS[kind](kind)
    judged = 0
    for before, after in product([None, *limits], repeat=2):
        if before == after:
            continue
        more = under(after) - under(before)
        judged += bool(more)
        assert factor(before, after) > 1 or not more, f"{before} -> {after} lets pass {sorted(more, key=str)[:3]}"

    assert judged > 10


@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.name)
def test_what_only_takes_away_is_not_called_looser(kind: LimitKind):
    """Where values alone differ it is exact; another window is judged for all that it may do."""
    limits, under = WORLDS[kind](kind)
    alike = [
        (a, b) for a, b in product(limits, repeat=2) if a != b and (a.window_ns, a.reserve) == (b.window_ns, b.reserve)
    ]
    tighter = [(a, b) for a, b in alike if under(b) < under(a)]

    assert tighter and all(factor(a, b) <= 1 for a, b in tighter)


def test_any_other_worth_of_a_currency_lets_something_pass():
    """What was too much is worth less, or what balanced it is worth more."""
    limits, under = rates("CONVERSION")
    for before, after in product(limits, repeat=2):
        if before != after:
            assert under(after) - under(before)
            assert factor(before, after) == max(after.value / before.value, before.value / after.value)
    for one in limits:
        assert (factor(None, one), factor(one, None)) == (INF, 0.0)


def test_money_in_another_currency_is_never_what_it_was():
    dollars = Line("CURRENCY", "", "USD", "BASE_CURRENCY", 10**8)
    assert (factor(None, dollars), factor(dollars, None)) == (0.0, INF)
    assert CURRENCIES.keys() == {"CONVERSION", "BASE_CURRENCY"}


@pytest.mark.parametrize("scope", REQUIRED, ids=lambda scope: scope.name)
def test_the_first_limit_of_what_sends_nothing_without_it_opens_it(scope: LimitScope):
    for kind in REQUIRED[scope]:
        one = line(kind, 10, 8, scope=scope.name)
        assert (factor(None, one), factor(one, None) <= 1) == (INF, True), kind
        elsewhere = line(kind, 10, 8)
        assert (factor(None, elsewhere), factor(elsewhere, None)) == (0.0, INF), kind


@pytest.mark.parametrize(
    ("kind", "before", "after", "times"),
    [
        (LimitKind.MARGIN_BPS, (5_000,), (5,), 1_000),
        (LimitKind.MARGIN_BPS, (5,), None, 0.0005),
        (LimitKind.MARGIN_BPS, None, (5_000,), 2),
        (LimitKind.MARGIN_BPS, None, (10_000,), 1),
        (LimitKind.MARGIN_BPS, (5,), (0,), INF),
        (LimitKind.ORDER_RATE, (1_000, 1_000), (60_000, 60_000), 60),
        (LimitKind.DUPLICATES, (1_000, 1_000), (86_400_000, 86_400_000), 86_400),
        (LimitKind.REPEATS, (10, 1_000), (10_000, 1_000_000), 1_000),
        (LimitKind.DRIFT_BPS, (100, 10_000), (100, 1), 10_000),
        (LimitKind.DRIFT_BPS, (100, 10_000), (100, 20_000), 2),
        (LimitKind.ORDERS_PER_TRADE, (5, 0, 1_000), (900, 0, 100), 180),
        (LimitKind.ORDERS_PER_TRADE, (5, 0, 0), (5, 0, 95), 20),
        (LimitKind.MESSAGE_RATE, (1_000, 8, 999), (1_000, 8, 0), 1_000),
        (LimitKind.ORDER_RATE, (10, 1_000), (10, 1_000), 1),
        (LimitKind.ORDER_RATE, (10, 1_000), (10, 1_125), 1),
        (LimitKind.ORDER_RATE, (10, 1_000), (10, 100), 11.25),
        (LimitKind.PERMISSION, None, (3,), 0.5),
        (LimitKind.PERMISSION, (3,), (5,), INF),
        (LimitKind.PERMISSION, (15,), None, 1),
    ],
)
def test_the_factor_is_the_largest_of_its_parts(kind: LimitKind, before, after, times: float):
    old, new = (line(kind, *one) if one else None for one in (before, after))
    assert factor(old, new) == pytest.approx(times)
