"""A file of limits as the engine takes it, limit by limit, and what another file would change.

A line is one limit of one scope in native units. Two sets of lines are compared line by line: what is looser, by what
factor, and which records turn one set into the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from openbell import events
from openbell._native import MAY_BUY, MAY_OPEN, MAY_SELL, MAY_SHORT
from openbell.config_types import native_units
from openbell.errors import ConfigError
from openbell.journal.assets import is_called
from openbell.node.limits import LimitSet, ScopeLimits
from openbell.node.looser import CURRENCIES, INFINITE, allowed_without, factor
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, LimitKind, LimitScope

MONEY_DECIMALS = 4
"""Money inside is an integer in 1e-4 of the base currency."""
RATE_DECIMALS = 8
RATE_ONE = 10**RATE_DECIMALS
"""A conversion of the base currency itself."""
LOOSEN_FACTOR_MAX = 10
"""A limit that becomes more than this many times as wide is taken for a typo until somebody says that it is meant."""
PERMISSIONS = {"buy": MAY_BUY, "sell": MAY_SELL, "short": MAY_SHORT, "open": MAY_OPEN}
MONEY = {
    LimitKind.ORDER_NOTIONAL: "order_notional_max",
    LimitKind.GROSS_NOTIONAL: "gross_notional_max",
    LimitKind.NET_NOTIONAL: "net_notional_max",
    LimitKind.MARGIN: "margin_max",
    LimitKind.DAILY_LOSS: "daily_loss_max",
    LimitKind.DRAWDOWN: "drawdown_max",
}
PLAIN = {
    LimitKind.ORDER_QTY: "order_qty_max_lots",
    LimitKind.COLLAR_BPS: "collar_bps",
    LimitKind.DRIFT_BPS: "drift_bps",
    LimitKind.POSITION_LONG: "position_long_max_lots",
    LimitKind.POSITION_SHORT: "position_short_max_lots",
    LimitKind.OPEN_ORDERS: "open_orders_max",
    LimitKind.MARGIN_BPS: "margin_bps",
    LimitKind.ORDER_RATE: "order_rate_max",
    LimitKind.MESSAGE_RATE: "message_rate_max",
    LimitKind.DUPLICATES: "duplicates_max",
    LimitKind.REPEATS: "repeats_max",
    LimitKind.ORDERS_PER_TRADE: "orders_per_trade_max",
    LimitKind.BOOK_AGE: "book_age_max_ms",
}
WINDOWS = {
    LimitKind.DRIFT_BPS: "drift_window_ms",
    LimitKind.ORDER_RATE: "order_rate_window_ms",
    LimitKind.MESSAGE_RATE: "message_rate_window_ms",
    LimitKind.DUPLICATES: "duplicates_window_ms",
    LimitKind.REPEATS: "repeats_window_ms",
}
RESERVES = {
    LimitKind.MESSAGE_RATE: "message_rate_for_cancels",
    LimitKind.ORDERS_PER_TRADE: "orders_per_trade_free",
}
KEYS = MONEY | PLAIN | {LimitKind.PERMISSION: "may"}
WORDS = {kind.name: key for kind, key in KEYS.items()} | {kind: kind.lower() for kind in CURRENCIES}
"""What a line is called, by its kind: a limit by its key, or what money is counted in."""
NS_PER_MS = 1_000_000


class Line(NamedTuple):
    """One limit: money in 1e-4 of the base currency, times in ns, everything else as its key says."""

    scope: str
    strategy: str
    symbol: str
    kind: str
    value: int
    window_ns: int = 0
    reserve: int = 0

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Which limit it is, whatever it allows."""
        return self[:4]


class Change(NamedTuple):
    """One limit, before and after; `factor` is how many times as wide it becomes (looser.py)."""

    before: Line | None
    after: Line | None
    factor: float

    @property
    def is_loosening(self) -> bool:
        """Whether anything is allowed that was not before."""
        return self.factor > 1

    @property
    def is_wide(self) -> bool:
        """Whether it is taken for a typo; what opens has nothing beside which it would be one."""
        opens = self.before is None and self.after is not None and allowed_without(self.after) == 0
        return self.factor > LOOSEN_FACTOR_MAX and not opens

    @property
    def begins_anew(self) -> bool:
        """Whether a running node forgets what it has counted: once more all that is allowed may pass."""
        return self.before is not None and self.after is not None and self.before.window_ns != self.after.window_ns

    def __str__(self) -> str:
        line = self.after or self.before
        assert line is not None
        before, after = (spoken(one) if one else "none" for one in (self.before, self.after))
        is_told = self.factor != 1 and (None not in (self.before, self.after) or 0 < self.factor < INFINITE)
        times = f", x{self.factor:,.6g}" if is_told else ""
        times += ", counted anew" if self.begins_anew else ""
        word = "  LOOSER" if self.is_loosening else ""
        return f"{where(line)}: {WORDS[line.kind]} {before} -> {after}{times}{word}"


def lines_of(limits: LimitSet) -> list[Line]:
    """Every limit of the file, in its order."""
    return [line for (name, *_), scope in limits.tables() for line in _lines_of_scope(str(name), scope)]


SCOPES = {
    "firm": LimitScope.FIRM,
    "account": LimitScope.ACCOUNT,
    "strategies": LimitScope.STRATEGY,
    "instruments": LimitScope.INSTRUMENT,
    "strategy_instruments": LimitScope.STRATEGY_INSTRUMENT,
}


def _lines_of_scope(table: str, scope: ScopeLimits) -> Iterator[Line]:
    head = (SCOPES[table].name, str(getattr(scope, "strategy", "")), str(getattr(scope, "symbol", "")))
    for kind in KEYS:
        found = getattr(scope, KEYS[kind], None)
        if found is None:
            continue
        value = _native_value(kind, found)
        window_ns = (getattr(scope, WINDOWS[kind]) or 0) * NS_PER_MS if kind in WINDOWS else 0
        yield Line(*head, kind.name, value, window_ns, getattr(scope, RESERVES[kind]) if kind in RESERVES else 0)


def _native_value(kind: LimitKind, found: Decimal | int | tuple[str, ...]) -> int:
    if isinstance(found, Decimal):
        return native_units(found, MONEY_DECIMALS)
    if isinstance(found, tuple):
        return sum(PERMISSIONS[word] for word in set(found))
    return found * NS_PER_MS if kind == LimitKind.BOOK_AGE else found


def rates_of(limits: LimitSet) -> dict[str, int]:
    """What a unit of each other currency is worth, in 1e-8 of the base currency."""
    return {currency: native_units(rate, RATE_DECIMALS) for currency, rate in limits.conversions.items()}


def compared_lines(limits: LimitSet) -> list[Line]:
    """Every limit of the file, and what money is counted in: a wrong rate makes all sums of its instruments wrong."""
    return [*lines_of(limits), *currency_lines(limits.base_currency, rates_of(limits))]


def currency_lines(base_currency: str, rates: Mapping[str, int]) -> Iterator[Line]:
    """What money is counted in, in 1e-8 of the base currency."""
    yield Line("CURRENCY", "", base_currency, "BASE_CURRENCY", RATE_ONE)
    yield from (Line("CURRENCY", "", currency, "CONVERSION", rate) for currency, rate in sorted(rates.items()))


def conversions_of(limits: LimitSet) -> list[bytes]:
    """The worth of each currency, as records."""
    rates = {limits.base_currency: RATE_ONE} | rates_of(limits)
    return [events.conversion(currency, rate) for currency, rate in sorted(rates.items())]


def record_of(
    line: Line, limits: LimitSet, strategies: Mapping[str, int], instrument: int = 0, *, is_removed: bool = False
) -> bytes:
    """The record that sets this limit, or takes it away; `instrument` counts in the scopes that have one."""
    return events.limit(
        LimitKind[line.kind],
        line.value,
        scope=LimitScope[line.scope],
        strategy=strategies[line.strategy] if line.strategy else NO_STRATEGY,
        instrument=instrument if line.symbol else NO_INSTRUMENT,
        window_ns=line.window_ns,
        reserve=line.reserve,
        version=limits.version,
        owner=limits.owner,
        is_removed=is_removed,
    )


def digest_of(limits: LimitSet) -> bytes:
    """16 bytes over all that the engine is given, and over what is left out on purpose."""
    said = (limits.owner, limits.version, lines_of(limits), sorted(limits.unlimited))
    parts = [repr(said).encode(), *conversions_of(limits)]
    return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest()


def spoken_lines(limits: LimitSet) -> list[str]:
    """Every limit in words, a line for each scope, and what has none."""
    scopes: dict[str, list[str]] = {}
    for line in lines_of(limits):
        scopes.setdefault(where(line), []).append(f"{WORDS[line.kind]} {spoken(line)}")
    head = f"limits version {limits.version}, owner {limits.owner}, money in {limits.base_currency}"
    worths = [f"{currency} {rate.normalize():,f}" for currency, rate in sorted(limits.conversions.items())]
    head += f", in which is worth: {', '.join(worths)}" if worths else ""
    spoken_scopes = [f"limits of {scope}: {', '.join(said)}" for scope, said in scopes.items()]
    return [head, *spoken_scopes, f"unlimited, on purpose: {', '.join(sorted(limits.unlimited)) or 'nothing'}"]


def where(line: Line) -> str:
    """The scope in words."""
    return " in ".join(filter(None, (line.strategy, line.symbol))) or line.scope.lower()


# ---- what another file would change ------------------------------------------------------------------


def changes(before: Sequence[Line], after: Sequence[Line]) -> list[Change]:
    """Every limit that differs, in the order of the new file; those that are taken away at the end."""
    old, new = {line.place: line for line in before}, {line.place: line for line in after}
    found = [Change(old.get(place), line, factor(old.get(place), line)) for place, line in new.items()]
    found += [Change(line, None, factor(line, None)) for place, line in old.items() if place not in new]
    return [change for change in found if change.before != change.after]


def expect_meant(
    before: Sequence[Line], version: int, limits: LimitSet, *, accepted: int | None = None, origin: object = "limits"
) -> None:
    """Refuse a file that loosens what is in force by more than `LOOSEN_FACTOR_MAX`, unless its version was accepted.

    `before` are the `compared_lines` of what is in force.

    Raises:
        ConfigError: it does, or it differs from the set in force and its version is not a later one.
    """
    differs = changes(before, compared_lines(limits))
    if differs and limits.version <= version:
        raise ConfigError(
            f"{origin}: version: expected more than {version}, which is in force with other limits, found "
            f"{limits.version}; nothing was started; raise it with every change:\n" + _listed(differs)
        )
    wide = [change for change in differs if change.is_wide]
    if wide and accepted != limits.version:
        raise ConfigError(
            f"{origin}: expected no limit to become more than {LOOSEN_FACTOR_MAX} times as wide as in version "
            f"{version}, found {len(wide)}; nothing was started; correct the file, or say that it is meant with "
            f"--accept-limits {limits.version}:\n" + _listed(wide)
        )


def _listed(found: Iterable[Change]) -> str:
    return "\n".join(f"  {change}" for change in found)


def spoken(line: Line) -> str:
    """The limit in words."""
    if line.kind in CURRENCIES:
        return f"{Decimal(line.value).scaleb(-RATE_DECIMALS).normalize():,f}"
    kind = LimitKind[line.kind]
    if kind == LimitKind.PERMISSION:
        return "+".join(word for word, bit in PERMISSIONS.items() if line.value & bit) or "nothing"
    if kind in MONEY:
        text = f"{Decimal(line.value).scaleb(-MONEY_DECIMALS).normalize():,f}"
    else:
        text = f"{line.value // NS_PER_MS if kind == LimitKind.BOOK_AGE else line.value:,}"
    text += f" in {line.window_ns // NS_PER_MS:,} ms" if line.window_ns else ""
    return text + (f" ({line.reserve:,} {RESERVES[kind].rpartition('_')[2]})" if line.reserve else "")


def changing_records(
    found: Sequence[Change], limits: LimitSet, strategies: Mapping[str, int], instruments: Mapping[str, int]
) -> list[bytes]:
    """The records that make these changes in a running node; `instruments` are ids by name.

    A limit of a symbol is of its instruments at every venue.

    Raises:
        KeyError: the symbol has none.
    """
    records = []
    for change in found:
        line = change.after or change.before
        assert line is not None
        numbers = [number for name, number in instruments.items() if is_called(name, line.symbol)]
        if line.symbol and not numbers:
            raise KeyError(line.symbol)
        for instrument in numbers if line.symbol else [0]:
            records.append(record_of(line, limits, strategies, instrument, is_removed=change.after is None))
    return records
