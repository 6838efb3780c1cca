"""When a limit becomes looser, and by what factor: one table, by kind.

Looser is a change under which any orders pass that were refused before, however much else it refuses in return. The
factor is the largest of what its parts say: value, window and reserve each have a direction of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from openbell._native import MAY_BUY, MAY_OPEN, MAY_SELL, MAY_SHORT
from openbell.types import LimitKind, LimitScope

if TYPE_CHECKING:
    from openbell.node.limit_lines import Line

NO_LIMIT = None
NOTHING = 0
EVERYTHING = MAY_BUY | MAY_SELL | MAY_SHORT | MAY_OPEN
WHOLE_BPS = 10_000
INFINITE = float("inf")


class Rule(NamedTuple):
    """What makes a limit of a kind looser: which value, which window, which reserve; and what holds without it."""

    value: Literal["higher", "lower", "another", "another word"] = "higher"
    window: Literal["has none", "shorter", "another"] = "has none"
    reserve: Literal["has none", "smaller", "larger"] = "has none"
    without: int | None = NO_LIMIT


RULES: dict[LimitKind, Rule] = {
    LimitKind.ORDER_QTY: Rule("higher"),
    LimitKind.ORDER_NOTIONAL: Rule("higher"),
    LimitKind.COLLAR_BPS: Rule("higher"),
    LimitKind.DRIFT_BPS: Rule("higher", window="another"),
    LimitKind.POSITION_LONG: Rule("higher"),
    LimitKind.POSITION_SHORT: Rule("higher"),
    LimitKind.OPEN_ORDERS: Rule("higher"),
    LimitKind.GROSS_NOTIONAL: Rule("higher"),
    LimitKind.NET_NOTIONAL: Rule("higher"),
    LimitKind.MARGIN: Rule("higher"),
    LimitKind.MARGIN_BPS: Rule("lower", without=WHOLE_BPS),
    LimitKind.ORDER_RATE: Rule("higher", window="shorter"),
    LimitKind.MESSAGE_RATE: Rule("higher", window="shorter", reserve="smaller"),
    LimitKind.DUPLICATES: Rule("higher", window="shorter"),
    LimitKind.REPEATS: Rule("higher", window="shorter"),
    LimitKind.ORDERS_PER_TRADE: Rule("higher", reserve="larger"),
    LimitKind.BOOK_AGE: Rule("higher"),
    LimitKind.PERMISSION: Rule("another word", without=EVERYTHING),
    LimitKind.DAILY_LOSS: Rule("higher"),
    LimitKind.DRAWDOWN: Rule("higher"),
}
CURRENCIES: dict[str, Rule] = {
    "CONVERSION": Rule("another", without=NOTHING),  # it scales every sum of its instruments, losses and gains alike
    "BASE_CURRENCY": Rule("higher"),  # it only comes and goes, and then every sum of money is another
}
"""What limits are counted in: lines of the file too, and no limits by themselves."""
REQUIRED = {
    LimitScope.INSTRUMENT: (
        *(LimitKind.ORDER_QTY, LimitKind.ORDER_NOTIONAL, LimitKind.COLLAR_BPS),
        *(LimitKind.POSITION_LONG, LimitKind.POSITION_SHORT, LimitKind.OPEN_ORDERS),
    ),
    LimitScope.ACCOUNT: (LimitKind.ORDER_RATE, LimitKind.GROSS_NOTIONAL, LimitKind.DAILY_LOSS),
}
"""Without one of these the scope sends nothing at all: the first one opens it."""


def factor(before: Line | None, after: Line | None) -> float:
    """How many times as wide the limit becomes: above 1 it is looser, infinite where nothing was allowed or all is."""
    one = after or before
    assert one is not None
    rule, without = _rule_of(one), allowed_without(one)
    if without is NO_LIMIT and (before is None or after is None):
        return INFINITE if after is None else 0.0
    absent = one._replace(value=without or NOTHING)
    return max(_ratios(rule, before or absent, after or absent))


def allowed_without(line: Line) -> int | None:
    """The value that holds where there is no such limit."""
    if line.kind not in CURRENCIES and LimitKind[line.kind] in REQUIRED.get(LimitScope[line.scope], ()):
        return NOTHING
    return _rule_of(line).without


def _rule_of(line: Line) -> Rule:
    return CURRENCIES.get(line.kind) or RULES[LimitKind[line.kind]]


def _ratios(rule: Rule, before: Line, after: Line) -> Iterator[float]:
    yield VALUES[rule.value](before.value, after.value)
    if rule.window != "has none":
        yield WINDOWS[rule.window](before.window_ns, after.window_ns)
    if rule.reserve == "smaller":  # what is kept for cancels is no order's
        yield _higher(before.value - before.reserve, after.value - after.reserve)
    if rule.reserve == "larger":  # what is free comes on top of the first execution's
        yield _higher(before.value + before.reserve, after.value + after.reserve)


def _higher(before: int, after: int) -> float:
    if before == 0:
        return INFINITE if after > 0 else 1.0
    return after / before


def _lower(before: int, after: int) -> float:
    return _higher(after, before)


def _another_word(before: int, after: int) -> float:
    return INFINITE if after & ~before else 1.0 if after == before else 0.5


def _shorter(before_ns: int, after_ns: int) -> float:
    """What is counted counts for eight to nine eighths of its window: one that is a little longer may forget sooner."""
    return 1.0 if after_ns == before_ns else 9 * before_ns / (8 * after_ns)


def _another(before: int, after: int) -> float:
    """A price may be near that of one time ago and far from that of any other; nothing is worth anything at 0."""
    return max(_higher(before, after), _lower(before, after)) if after else 0.0


VALUES: dict[str, Callable[[int, int], float]] = {
    "higher": _higher,
    "lower": _lower,
    "another": _another,
    "another word": _another_word,
}
WINDOWS: dict[str, Callable[[int, int], float]] = {"shorter": _shorter, "another": _another}
