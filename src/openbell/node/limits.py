"""The file of limits: who answers for it, its version, and what each scope may do. docs/limits.md explains every key.

`load_limits("limits.toml")` returns it checked as a whole. A missing limit never means "no limit": where one is
required the file is refused without it, and every other kind stands where each order meets it or in `unlimited`, in
words. The unit ends each key; money is decimals in quotes, in `base_currency`.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from openbell.config import Problem, Settings, load_toml, parse_toml
from openbell.config_types import DecimalText

PAIRS_MAX = 65_536
CURRENCY = r"^[A-Z]{3,4}$"
Lots = int | None
WINDOWS = ("order_rate", "message_rate", "duplicates", "repeats")
Kind = Literal[
    "drift",
    "message_rate",
    "duplicates",
    "repeats",
    "orders_per_trade",
    "book_age",
    "permission",
    "net_notional",
    "margin",
    "drawdown",
]
NOT_REQUIRED: dict[Kind, str] = {
    "drift": "drift_bps",
    "message_rate": "message_rate_max",
    "duplicates": "duplicates_max",
    "repeats": "repeats_max",
    "orders_per_trade": "orders_per_trade_max",
    "book_age": "book_age_max_ms",
    "permission": "may",
    "net_notional": "net_notional_max",
    "margin": "margin_max",
    "drawdown": "drawdown_max",
}
"""Kinds of limits that a file may leave out, if it says so: the word in `unlimited`, and the key."""
WITHIN_GROSS = ("net_notional_max", "margin_max", "daily_loss_max", "drawdown_max")
ABSURD = 20
"""An order's notional this many times its largest quantity at the last price, or this small a part of it, is a typo."""


def lots(description: str) -> Any:
    """A quantity in lots, if there is a limit."""
    return Field(default=None, ge=0, le=10**12, description=description)


def count(description: str) -> Any:
    """A number of things, if there is a limit."""
    return Field(default=None, ge=0, le=10**9, description=description)


def window(what: str) -> Any:
    """The time over which something is counted."""
    return Field(default=None, ge=1, le=86_400_000, description=f"over which {what} are counted")


class ScopeLimits(Settings):
    """What may be limited in every scope."""

    order_qty_max_lots: Lots = lots("open at the venue after an order")
    order_notional_max: DecimalText | None = Field(default=None, description="price x quantity of an order")
    collar_bps: int | None = Field(default=None, ge=0, le=10_000, description="distance of a price from the live touch")
    position_long_max_lots: Lots = lots("held long in an instrument, open orders at their worst")
    position_short_max_lots: Lots = lots("held short in an instrument, a positive number")
    open_orders_max: int | None = count("orders open at once")
    order_rate_max: int | None = count("orders and replaces in the window")
    order_rate_window_ms: int | None = window("orders and replaces")
    message_rate_max: int | None = count("orders, replaces and cancels in the window")
    message_rate_window_ms: int | None = window("messages")
    message_rate_for_cancels: int = Field(default=0, ge=0, le=10**9, description="of them, kept for cancels")
    duplicates_max: int | None = count("equal orders in the window")
    duplicates_window_ms: int | None = window("equal orders")
    repeats_max: int | None = count("executions of a strategy in one instrument and side in the window")
    repeats_window_ms: int | None = window("executions")
    orders_per_trade_max: int | None = count("orders and replaces for each execution of the day")
    orders_per_trade_free: int = Field(default=0, ge=0, le=10**9, description="orders that do not count")
    book_age_max_ms: int | None = Field(default=None, ge=0, le=86_400_000, description="since the feed said anything")
    may: tuple[Literal["buy", "sell", "short", "open"], ...] | None = Field(
        default=None, description="what is permitted; without it everything is"
    )


class SumLimits(ScopeLimits):
    """`[firm]`, `[account]`, `[[strategies]]`: what is summed over instruments, in the base currency."""

    gross_notional_max: DecimalText | None = None
    net_notional_max: DecimalText | None = None
    margin_max: DecimalText | None = Field(default=None, description="that may be bound: the capital")
    daily_loss_max: DecimalText | None = None
    drawdown_max: DecimalText | None = None


class AccountLimits(SumLimits):
    """`[account]`: what all of it may be worth and lose is required, and the rate of orders."""

    gross_notional_max: DecimalText = Field(description="of everything held and open at its worst")
    daily_loss_max: DecimalText = Field(description="after which only what reduces is sent")

    order_rate_max: int = Field(ge=0, le=10**9, description="orders and replaces in the window")
    order_rate_window_ms: int = Field(ge=1, le=86_400_000, description="over which orders are counted")


class StrategyLimits(SumLimits):
    """`[[strategies]]`: one strategy, all its instruments."""

    strategy: str


class InstrumentLimits(ScopeLimits):
    """`[[instruments]]`: one instrument, whoever trades it; without one nothing trades in it."""

    symbol: str
    px_last: DecimalText = Field(description="a recent price, to find typos by; limits nothing")
    order_qty_max_lots: int = Field(ge=0, le=10**12, description="open at the venue after an order")
    order_notional_max: DecimalText = Field(description="price x quantity of an order, a decimal in quotes")
    collar_bps: int = Field(ge=0, le=10_000, description="largest distance of a price from the live touch")
    position_long_max_lots: int = Field(ge=0, le=10**12, description="held long, open orders at their worst")
    position_short_max_lots: int = Field(ge=0, le=10**12, description="held short, a positive number")
    open_orders_max: int = Field(ge=0, le=10**9, description="orders open at once")
    drift_bps: int | None = Field(default=None, ge=0, le=10_000, description="distance from the mid of a while ago")
    drift_window_ms: int | None = Field(default=None, ge=1, le=86_400_000, description="how long ago")
    margin_bps: int | None = Field(default=None, ge=0, le=10_000, description="margin that its notional binds")


class PairLimits(ScopeLimits):
    """`[[strategy_instruments]]`: one strategy in one instrument."""

    strategy: str
    symbol: str


class LimitSet(Settings):
    """A whole file of limits."""

    owner: str = Field(min_length=1, max_length=15, description="who answers for these limits")
    version: int = Field(ge=1, le=2**32 - 1, description="rises with every change")
    base_currency: str = Field(pattern=CURRENCY, description="that money is in")
    conversions: dict[str, DecimalText] = Field(default_factory=dict)
    unlimited: tuple[Kind, ...] = Field(
        default=(), max_length=len(NOT_REQUIRED), description="kinds that an order may pass without, on purpose"
    )
    firm: SumLimits = SumLimits()
    account: AccountLimits
    strategies: tuple[StrategyLimits, ...] = ()
    instruments: tuple[InstrumentLimits, ...] = Field(min_length=1)
    strategy_instruments: tuple[PairLimits, ...] = Field(default=(), max_length=PAIRS_MAX)

    def tables(self) -> Iterator[tuple[tuple[str | int, ...], ScopeLimits]]:
        """Every scope with its place in the file."""
        yield ("firm",), self.firm
        yield ("account",), self.account
        for name in ("strategies", "instruments", "strategy_instruments"):
            yield from (((name, index), one) for index, one in enumerate(getattr(self, name)))

    def cross_check(self) -> Iterable[Problem]:
        """Yield scopes that stand twice, halves of a pair of keys, and what cannot be meant."""
        yield from self._once()
        yield from self._said()
        for where, scope in self.tables():
            yield from _whole(where, scope)
            yield from _plausible(where, scope)
        for index, one in enumerate(self.instruments):
            yield from _priced(("instruments", index), one)
            yield from self._within_sums(("instruments", index), one)
        for where, scope in self.tables():
            yield from self._within_gross(where, scope)
        if self.base_currency in self.conversions:
            yield Problem(("conversions", self.base_currency), "is the base currency; it is worth 1 of itself")

    def fit(
        self, currencies: Mapping[str, str], strategies: set[str], traded: Iterable[str], orders_per_second_max: int
    ) -> Iterator[Problem]:
        """Yield what is wrong with these limits for a node with instruments of those currencies, and such a gate."""
        for where, scope in self.tables():
            yield from _below_gate(where, scope, orders_per_second_max)
            symbol, strategy = getattr(scope, "symbol", ""), getattr(scope, "strategy", "")
            if symbol and symbol not in currencies:
                message = f"{symbol!r} is not among [[instruments]] of the node's file; add it there or correct it"
                yield Problem((*where, "symbol"), message)
            if strategy and strategy not in strategies:
                yield Problem((*where, "strategy"), f"expected the name of a strategy, found {strategy!r}")
        for kind, key in NOT_REQUIRED.items():
            if kind not in self.unlimited and not self._is_met(key, strategies):
                yield Problem(
                    ("unlimited",),
                    f'{key} holds for some strategies only; add it to [account], to the others, or "{kind}" here',
                )
        limited = {one.symbol for one in self.instruments}
        worth = {self.base_currency, *self.conversions}
        for symbol in (symbol for symbol in traded if symbol in currencies):
            if symbol not in limited:
                yield Problem(("instruments",), f"{symbol} is traded and has no limits; add an [[instruments]] table")
            if (currency := currencies[symbol]) not in worth:
                yield Problem(("conversions",), f'{symbol} is in {currency}; expected its worth, {currency} = "1.0"')

    def _once(self) -> Iterator[Problem]:
        seen: set[tuple[str, ...]] = set()
        for where, scope in self.tables():
            names = tuple(str(getattr(scope, key)) for key in ("strategy", "symbol") if hasattr(scope, key))
            if names and (str(where[0]), *names) in seen:
                key = "symbol" if hasattr(scope, "symbol") else "strategy"
                yield Problem((*where, key), f"{' in '.join(names)} stands here for the second time; join the tables")
            seen.add((str(where[0]), *names))

    def _said(self) -> Iterator[Problem]:
        for kind, key in NOT_REQUIRED.items():
            if kind not in self.unlimited and not self._is_met(key, set()):
                yield Problem(
                    ("unlimited",),
                    f"expected {key} where every order meets it ([firm], [account], every [[instruments]], every "
                    f'[[strategies]]) or unlimited = ["{kind}"], found neither; say which is meant',
                )
            if kind in self.unlimited and self._is_met_by_all(key):
                yield Problem(("unlimited",), f'"{kind}" is limited by {key}; take the word or the limits out')

    def _is_met_by_all(self, key: str) -> bool:
        """Whether every order meets a limit of this kind, whoever sends it."""
        whole = (self.firm, self.account)
        return any(_has(one, key) for one in whole) or all(_has(one, key) for one in self.instruments)

    def _is_met(self, key: str, strategies: set[str]) -> bool:
        """The same of orders of these strategies."""
        limited = {one.strategy for one in self.strategies if _has(one, key)}
        return self._is_met_by_all(key) or (bool(limited) and strategies <= limited)

    @property
    def _gross(self) -> Decimal:
        """What everything may be worth."""
        account, firm = self.account.gross_notional_max, self.firm.gross_notional_max
        return account if firm is None else min(account, firm)

    def _within_sums(self, where: tuple[str | int, ...], one: InstrumentLimits) -> Iterator[Problem]:
        most = self._gross
        if one.order_notional_max > most:
            yield Problem(
                (*where, "order_notional_max"),
                f"expected at most gross_notional_max of the account or firm, {most:,}, found "
                f"{one.order_notional_max:,}; an order cannot be worth more than everything",
            )
        rate = min((Decimal(1), *self.conversions.values()))  # of the cheapest currency: the benefit of the doubt
        for key in ("position_long_max_lots", "position_short_max_lots"):
            if (worth := getattr(one, key) * one.px_last * rate) > most:
                yield Problem(
                    (*where, key),
                    f"expected lots that are worth at most gross_notional_max, {most:,}, found {getattr(one, key):,}, "
                    f"worth {worth:,} at px_last; such a position can never be reached",
                )

    def _within_gross(self, where: tuple[str | int, ...], scope: ScopeLimits) -> Iterator[Problem]:
        """Nobody loses, binds or nets more than they may hold: what is more limits nothing, and is a typo."""
        own = getattr(scope, "gross_notional_max", None)
        most = self.account.gross_notional_max if own is None else own
        for key in WITHIN_GROSS:
            if (found := getattr(scope, key, None)) is not None and found > most:
                yield Problem(
                    (*where, key),
                    f"expected at most gross_notional_max, {most:,}, found {found:,}, x{found / (most or 1):,.4g}; "
                    "more than all that is held limits nothing",
                )


def load_limits(path: Path | str) -> LimitSet:
    """Return the file of limits at `path`, checked as a whole.

    Raises:
        ConfigError: with one line per error.
    """
    return load_toml(path, LimitSet)


def parse_limits(text: str, origin: Path) -> LimitSet:
    """The same of a text; `origin` names it in errors."""
    return parse_toml(text, LimitSet, origin)


def draft_of(path: Path) -> Path:
    """Where a set that a running node is about to be told lies until it takes the place of the file at `path`."""
    return path.with_name(f"{path.name}.draft")


def _has(scope: ScopeLimits, key: str) -> bool:
    return getattr(scope, key, None) is not None


def _whole(where: tuple[str | int, ...], scope: ScopeLimits) -> Iterator[Problem]:
    """A count without its window, or a window without its count, says nothing."""
    pairs = [(f"{name}_max", f"{name}_window_ms") for name in WINDOWS]
    pairs += [("drift_bps", "drift_window_ms")] if isinstance(scope, InstrumentLimits) else []
    for most, window_ms in pairs:
        has_most, has_window = (getattr(scope, key) is not None for key in (most, window_ms))
        if has_most != has_window:
            there, missing = (most, window_ms) if has_most else (window_ms, most)
            yield Problem((*where, there), f"expected {missing} beside it, found none; both or neither")


def _plausible(where: tuple[str | int, ...], scope: ScopeLimits) -> Iterator[Problem]:
    held = [n for n in (scope.position_long_max_lots, scope.position_short_max_lots) if n is not None]
    if scope.order_qty_max_lots is not None and held and scope.order_qty_max_lots > 2 * max(held):
        yield Problem(
            (*where, "order_qty_max_lots"),
            f"expected at most twice the larger position limit, {max(held):,} lots, found "
            f"{scope.order_qty_max_lots:,}; an order may turn a position around, not more",
        )
    if scope.message_rate_max is not None and scope.message_rate_for_cancels > scope.message_rate_max:
        yield Problem(
            (*where, "message_rate_for_cancels"),
            f"expected at most message_rate_max, {scope.message_rate_max:,}, found {scope.message_rate_for_cancels:,}",
        )


def _priced(where: tuple[str | int, ...], one: InstrumentLimits) -> Iterator[Problem]:
    """Notional and quantity of one order, by a recent price: a factor between them is a typo in one."""
    if not one.order_qty_max_lots:
        return
    at_px = one.px_last * one.order_qty_max_lots
    if at_px and not Decimal(1) / ABSURD <= one.order_notional_max / at_px <= ABSURD:
        yield Problem(
            (*where, "order_notional_max"),
            f"expected about order_qty_max_lots x px_last, {at_px:,}, found {one.order_notional_max:,}, "
            f"x{one.order_notional_max / at_px:,.4g}; one of the three is a typo (a factor of up to {ABSURD} passes)",
        )


def _below_gate(where: tuple[str | int, ...], scope: ScopeLimits, orders_per_second_max: int) -> Iterator[Problem]:
    """A rate that the perimeter would never let through is a typo in one of the two."""
    if scope.order_rate_max is None or scope.order_rate_window_ms is None:
        return
    most = max(orders_per_second_max * scope.order_rate_window_ms // 1_000, orders_per_second_max)
    if scope.order_rate_max > most:
        yield Problem(
            (*where, "order_rate_max"),
            f"expected at most {most:,} in {scope.order_rate_window_ms:,} ms, as [node] orders_per_second_max = "
            f"{orders_per_second_max:,} lets pass, found {scope.order_rate_max:,}; correct one of the two",
        )
