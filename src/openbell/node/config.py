"""The node's configuration file: who it is, what it hears, where it sends, what it may do, and which strategies decide.

`load_node("node.toml")` returns it checked as a whole. `examples/node.toml` shows every section.
"""

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, PrivateAttr

from openbell.config import Problem, Settings, load_toml
from openbell.config_types import (
    NAME_PATTERN,
    Address,
    AddressText,
    DecimalText,
    DurabilityName,
    NearPath,
    Place,
    SecretText,
    Speed,
    is_ipv4,
)
from openbell.node.breakers import BREAKERS_MAX, BreakerSettings, check_breakers
from openbell.node.fees import FeeSettings, check_fees
from openbell.node.limits import LimitSet
from openbell.node.modes import in_mode
from openbell.node.paths import SHARED_MEMORY
from openbell.node.people import ControlSettings, OperatorSettings, WatchdogSettings, check_watchdog
from openbell.node.reconciliation import ReconciliationSettings
from openbell.node.retention import RetentionSettings
from openbell.node.sessions import (
    FEEDS_MAX,
    SESSIONS_MAX,
    SessionSettings,
    check_compared,
    check_exposed,
    check_sessions,
)
from openbell.node.signals import SIGNALS_MAX, SignalSettings, check_signals

NODE_ID_MAX = 63
STRATEGY_ID_MAX = 1022
SENDERS_MAX = 16
INSTRUMENTS_MAX = 10_000
STRATEGIES_MAX = 256
FEES_MAX = 64
OPERATORS_MAX = 64

Policy = Literal["mark", "drop", "halt"]
LEAVE_OUT = {
    "trade": "P", "cross": "Q", "trade_bust": "B", "imbalance": "I", "auction_collar": "J", "direct_listing": "O",
    "breaker": "VW", "short_sale": "Y", "participant": "L", "ipo_quoting": "K", "retail_interest": "N",
}  # fmt: skip
"""What a feed may leave out: name in the file -> letters of the ITCH messages."""
ITCH_PX_MAX = Decimal("429496.7295")
ITCH_QTY_MAX = 2**32 - 1
SYMBOL_PATTERN = r"^[A-Z0-9][A-Z0-9.+=^#-]{0,15}$"


class NodeSettings(Settings):
    """`[node]`: identity, mode, where the journal lives, and how cautiously the node starts."""

    name: str = Field(pattern=NAME_PATTERN, description="lower-case name of the node, unique on this host")
    id: int = Field(ge=0, le=NODE_ID_MAX, description="0 to 63, part of every order id")
    mode: Literal["paper", "live", "shadow"]
    run_dir: NearPath | None = None
    journal_dir: NearPath
    limits: NearPath = Field(description="the file of limits; examples/limits.toml shows every key")
    durability: DurabilityName = "local"
    seed: int | None = Field(
        default=None, ge=0, le=2**63 - 1, description="of the strategies' random source; drawn by the system if absent"
    )
    wait: Literal["block", "busy"] = "block"
    arm_at_start: Literal["off", "shadow", "cancel_only", "reduce_only", "limited", "full"] = "cancel_only"
    segment_mib: int = Field(default=64, ge=1, le=1024)
    limited_percent: int = Field(default=10, ge=1, le=100, description="of the largest order, in state LIMITED")
    book_orders_max: int = Field(default=262_144, ge=1024, le=1 << 24, description="resting orders of all books")
    orders_per_second_max: int = Field(default=1_000, ge=1, description="of the perimeter, per second")
    snapshot_every_s: float = Field(default=10.0, gt=0, le=86_400, description="or after so many frames or bytes")
    snapshot_every_frames: int = Field(default=1_000_000, ge=1_000, le=10**9)
    snapshot_every_mib: int = Field(default=256, ge=1, le=1 << 20, description="of the journal")
    standby: bool = Field(default=False, description="a second process follows, and takes over when the first one dies")
    snapshots_kept: int = Field(default=3, ge=1, le=100)
    callback_budget_ms: int = Field(
        default=100, ge=1, le=60_000, description="of an interpreted callback; one over it halts its strategy"
    )

    @property
    def hot_dir(self) -> Path:
        """The folder of the shared-memory segments, rings and kill cell."""
        return self.run_dir or SHARED_MEMORY / self.name


class SnapshotSettings(Settings):
    """`[feeds.snapshots]`: the GLIMPSE server to ask when lost messages can be had nowhere else."""

    connect: AddressText
    user: str = Field(min_length=1, max_length=6)
    password: SecretText = Field(description='"env:NAME" or "file:PATH"')
    retry_ms: int = Field(default=100, ge=1, le=60_000, description="after the first failure; doubled by each one")
    tries_max: int = Field(default=10, ge=1, le=1_000, description="logins for one loss; then a person has to look")
    buffer_mib: int = Field(default=64, ge=1, le=4_096, description="for what the feed says while a snapshot is read")


class FeedSettings(Settings):
    """`[[feeds]]`: a market-data feed to listen to, on one line or two (A and B) that carry the same packets."""

    name: str = Field(pattern=NAME_PATTERN)
    kind: Literal["itch_moldudp64"]
    listen: AddressText = Field(description='line A: "host:port", or a multicast group')
    listen_b: AddressText | None = Field(default=None, description="line B, another port or group")
    interface: str = "127.0.0.1"
    interface_b: str = Field(default="", description="of line B, if it comes by another one")
    senders: tuple[str, ...] = Field(
        default=(), max_length=SENDERS_MAX, description="IPv4 addresses that the lines are heard from; empty: all"
    )
    receive_buffer_kib: int = Field(default=8_192, ge=4, le=1_048_576, description="of each line's socket")
    retransmit: AddressText | None = None
    retransmit_keeps: int = Field(
        default=0, ge=0, description="messages before the newest that the request server still has; 0: all"
    )
    gap_wait_us: int = Field(
        default=2_000, ge=0, le=1_000_000, description="for the other line, before anybody is asked"
    )
    retry_ms: int = Field(default=250, ge=1, le=60_000, description="for an answer, before the request is repeated")
    tries_max: int = Field(default=5, ge=1, le=100, description="requests for the same messages")
    snapshots: SnapshotSettings | None = None
    stale_ms: int = Field(
        default=5_000,
        ge=0,
        le=86_400_000,
        description="silence of both lines, heartbeats included, after which the books are not valid; 0: never",
    )
    clock_back_us: int = Field(
        default=0, ge=0, le=3_600_000_000, description="the venue's time may go back by so much from message to message"
    )
    leave_out: tuple[str, ...] = Field(
        default=(), max_length=len(LEAVE_OUT), description="kinds of messages that are dropped and counted"
    )
    left_out_max: int = Field(
        default=65_536, ge=1, le=1 << 22, description="orders that are left out of their books at one time"
    )
    session: str = Field(
        default="", max_length=10, description="the only one to hear; empty: the first that is heard, until its end"
    )
    date: datetime.date | None = Field(default=None, description="the venue's day; today when absent")
    zone: str = Field(default="UTC", description="time zone of the venue's midnight, as in the IANA database")

    @property
    def lines(self) -> tuple[tuple[Address, str], ...]:
        """Address and interface of each line, A first."""
        line_a = (self.listen, self.interface)
        return (line_a, (self.listen_b, self.interface_b or self.interface)) if self.listen_b else (line_a,)


class InstrumentSettings(Settings):
    """`[[instruments]]`: an instrument to subscribe to; everything else on the feed is dropped and counted."""

    symbol: str = Field(pattern=SYMBOL_PATTERN)
    tick: DecimalText = Decimal("0.01")
    lot_shares: int = Field(default=1, ge=1, le=ITCH_QTY_MAX)
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3,4}$")
    px_low: DecimalText = Field(default=Decimal(0), description="a lower price fails the check px_band")
    px_high: DecimalText = Field(default=ITCH_PX_MAX, description="a higher price fails the check px_band")
    px_band_bps: int = Field(
        default=0, ge=0, le=100_000, description="so far from the last print that says its price is px_band too; 0: any"
    )
    qty_max_shares: int = Field(
        default=0, ge=0, le=ITCH_QTY_MAX, description="of one order or print, more fails the check qty_band; 0: any"
    )
    keep_px_low: DecimalText = Field(default=Decimal(0), description="lower orders are left out of the book")
    keep_px_high: DecimalText = Field(default=ITCH_PX_MAX, description="higher orders are left out of the book")

    def cross_check(self) -> Iterable[Problem]:
        """Yield bands in which no price lies, and prices that the feed cannot say."""
        for low, high in (("px_low", "px_high"), ("keep_px_low", "keep_px_high")):
            for key in (low, high):
                value: Decimal = getattr(self, key)
                if value > ITCH_PX_MAX or value != round(value, 4):
                    yield Problem(
                        (key,), f'expected at most 4 decimals and "{ITCH_PX_MAX}", as ITCH has prices, found "{value}"'
                    )
            if getattr(self, low) > getattr(self, high):
                yield Problem((high,), f'expected at least {low} = "{getattr(self, low)}": no price lies between')
        if not self.tick or self.tick != round(self.tick, 4):
            yield Problem(("tick",), f'expected a multiple of "0.0001" above zero, found "{self.tick}"')


class StrategySettings(Settings):
    """`[[strategies]]`: one strategy class with its parameters."""

    name: str = Field(pattern=NAME_PATTERN)
    id: int | None = Field(default=None, ge=0, le=STRATEGY_ID_MAX)
    owner: str = Field(default="", max_length=15)
    file: NearPath
    class_name: str = Field(alias="class", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    instruments: tuple[str, ...] = Field(min_length=1, max_length=INSTRUMENTS_MAX)
    params: dict[str, bool | int | float | str] = Field(default_factory=dict)
    speed: Speed = "interpreted"
    """`compiled`: as machine code, see docs/strategies.md; refused where the class cannot be compiled."""
    process: Place | None = None
    """`own`: in a process of its own, `trading`: in the trading thread. Absent: an interpreted strategy of a live node
    has its own, every other one is in the trading thread; `load_node` has filled it in."""
    age_max_ms: int = Field(default=100, ge=1, le=60_000, description="own process: older intents are refused LATE")
    age_max_frames: int = Field(default=10_000, ge=1, le=1 << 30, description="own process: the same, in frames")
    lag_max_ms: int = Field(default=1_000, ge=10, le=60_000, description="own process: for a frame to be taken")


class ChecksSettings(Settings):
    """`[checks]`: what follows when a check of a book or of a feed's edge fails; see docs/market-data.md.

    `mark` tells strategies, `drop` leaves out in silence, `halt` tells them and the book is not valid.
    """

    unknown_order: Policy = "halt"
    duplicate_order: Policy = "halt"
    negative_qty: Policy = "halt"
    over_executed: Policy = "halt"
    book_full: Policy = "halt"
    other_kind: Policy = "halt"
    crossed: Literal["mark", "halt"] = "halt"
    locked: Literal["mark", "halt"] = "mark"
    px_band: Policy = "drop"
    px_tick: Policy = "mark"
    qty_band: Policy = "drop"
    qty_lot: Policy = "mark"
    clock_back: Literal["mark", "halt"] = "mark"
    malformed: Policy = "halt"


class PaperSettings(Settings):
    """`[paper]`: the venue in process that fills paper orders."""

    latency_ns: int = Field(default=0, ge=0, le=10_000_000_000)


class NodeConfig(Settings):
    """A whole node file."""

    node: NodeSettings
    feeds: tuple[FeedSettings, ...] = Field(min_length=1, max_length=FEEDS_MAX)
    sessions: tuple[SessionSettings, ...] = Field(default=(), max_length=SESSIONS_MAX)
    instruments: tuple[InstrumentSettings, ...] = Field(min_length=1, max_length=INSTRUMENTS_MAX)
    strategies: tuple[StrategySettings, ...] = Field(default=(), max_length=STRATEGIES_MAX)
    breakers: tuple[BreakerSettings, ...] = Field(default=(), max_length=BREAKERS_MAX)
    fees: tuple[FeeSettings, ...] = Field(default=(), max_length=FEES_MAX)
    paper: PaperSettings = PaperSettings()
    reconciliation: ReconciliationSettings | None = None
    checks: ChecksSettings = ChecksSettings()
    control: ControlSettings = ControlSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
    retention: RetentionSettings = RetentionSettings()
    operators: tuple[OperatorSettings, ...] = Field(default=(), max_length=OPERATORS_MAX)
    signals: tuple[SignalSettings, ...] = Field(default=(), max_length=SIGNALS_MAX)

    _limits: LimitSet | None = PrivateAttr(default=None)

    @property
    def limits(self) -> LimitSet:
        """The file of limits that `[node] limits` names."""
        assert self._limits is not None, "a configuration comes from load_node"
        return self._limits

    def take_limits(self, limits: LimitSet) -> None:
        """The limits that belong to this file."""
        self._limits = limits

    def read_limits(self) -> LimitSet:
        """The file of limits as it is now.

        Raises:
            ConfigError: with one line per error.
        """
        return load_toml(self.node.limits, LimitSet, self.check_limits)

    def check_limits(self, limits: LimitSet) -> Iterator[Problem]:
        """Yield what is wrong between this file and that of the limits, in the latter."""
        currencies = {instrument.symbol: instrument.currency for instrument in self.instruments}
        traded = {symbol: "" for strategy in self.strategies for symbol in strategy.instruments}
        names = {strategy.name for strategy in self.strategies}
        return limits.fit(currencies, names, traded, self.node.orders_per_second_max)

    def strategy_ids(self) -> dict[str, int]:
        """Return the id of every strategy: its own, or the lowest free one in the order of the file.

        Orders carry this id, so a file that will be edited between restarts should give ids.
        """
        taken = {strategy.id for strategy in self.strategies}
        free = (number for number in range(STRATEGY_ID_MAX + 1) if number not in taken)
        return {s.name: next(free) if s.id is None else s.id for s in self.strategies}

    def reconciliations(self) -> dict[int, ReconciliationSettings]:
        """Whose books ours are compared with, by number of the session; nobody's but live orders are anywhere else."""
        if self.node.mode != "live":
            return {}
        of_sessions = {number: session.reconciliation for number, session in enumerate(self.sessions)}
        found = {0: self.reconciliation, **of_sessions} if self.reconciliation is None else {0: self.reconciliation}
        return {number: settings for number, settings in found.items() if settings is not None}

    def feed_names(self) -> tuple[str, ...]:
        """By number."""
        return tuple(feed.name for feed in self.feeds)

    def feeds_of(self, session: SessionSettings) -> list[FeedSettings]:
        """The feeds whose instruments that session trades."""
        return [feed for feed in self.feeds if not session.feeds or feed.name in session.feeds]

    def cross_check(self) -> Iterable[Problem]:
        """Yield names used twice, references to nothing, missing limits and exposed credentials."""
        yield from self._names_once()
        yield from self._feeds_fit()
        yield from self._edges_fit()
        yield from check_sessions(self.sessions, [feed.name for feed in self.feeds], self.node.mode)
        yield from self._strategies_allowed()
        yield from self._identities_fit()
        strategies, symbols = [one.name for one in self.strategies], [one.symbol for one in self.instruments]
        yield from check_breakers(self.breakers, strategies, symbols, len(self.feeds))
        yield from check_fees(self.fees)
        yield from check_signals(self.signals, strategies)
        yield from self._comparisons_fit()

    def _names_once(self) -> Iterator[Problem]:
        yield from _repeats("feeds", "name", [feed.name for feed in self.feeds])
        yield from _repeats("sessions", "name", [session.name for session in self.sessions])
        yield from _repeats("strategies", "name", [strategy.name for strategy in self.strategies])
        yield from _repeats("strategies", "id", [strategy.id for strategy in self.strategies])
        yield from _repeats("instruments", "symbol", [instrument.symbol for instrument in self.instruments])
        yield from _repeats("operators", "name", [operator.name for operator in self.operators])
        yield from _repeats("operators", "uid", [operator.uid for operator in self.operators])

    def _feeds_fit(self) -> Iterator[Problem]:
        for index, feed in enumerate(self.feeds):
            if feed.listen_b == feed.listen and feed.listen.port:
                yield Problem(
                    ("feeds", index, "listen_b"), f"{feed.listen} is line A; line B needs an address of its own"
                )
            for sender in feed.senders:
                if not is_ipv4(sender):
                    yield Problem(
                        ("feeds", index, "senders"), f'expected IPv4 addresses such as "10.0.0.1", found {sender!r}'
                    )
            if feed.snapshots:
                yield from check_exposed(("feeds", index, "snapshots"), feed.snapshots)

    def _edges_fit(self) -> Iterator[Problem]:
        for index, instrument in enumerate(self.instruments):
            for path, message in instrument.cross_check():
                yield Problem(("instruments", index, *path), message)
        has_bands = any(instrument.px_band_bps for instrument in self.instruments)
        for index, feed in enumerate(self.feeds):
            where = ("feeds", index, "leave_out")
            for kind in feed.leave_out:
                if kind not in LEAVE_OUT:
                    yield Problem(where, _not_left_out(kind))
                elif kind == "trade" and has_bands:
                    yield Problem(
                        where, 'px_band_bps of [[instruments]] follows "trade": keep it, or use px_low and px_high'
                    )

    def _identities_fit(self) -> Iterator[Problem]:
        yield from check_watchdog(self.watchdog, len(self.sessions), self.node.mode)
        away = [session for session in self.sessions if not session.connect.is_loopback]
        if self.node.mode == "live" and self.control.identities == 1 and away:
            yield Problem(
                ("control", "identities"),
                f"expected 2, because session {away[0].name} trades at {away[0].connect.host}; found 1: one person may "
                "loosen limits and release kills only where every session is on loopback",
            )

    def _comparisons_fit(self) -> Iterator[Problem]:
        yield from check_compared(self.sessions, self.reconciliation is not None, self.node.mode)
        if self.reconciliation is None:
            return
        yield from self.reconciliation.cross_check()
        if len(self.sessions) > 1 or any(session.reconciliation for session in self.sessions):
            yield Problem(
                ("reconciliation",), "each session has a table of its own here: write it as [sessions.reconciliation]"
            )

    def _strategies_allowed(self) -> Iterator[Problem]:
        symbols = {instrument.symbol for instrument in self.instruments}
        for index, strategy in enumerate(self.strategies):
            if not strategy.file.is_file():
                yield Problem(("strategies", index, "file"), f"expected a Python file, found none at {strategy.file}")
            for symbol in strategy.instruments:
                where = ("strategies", index, "instruments")
                if symbol not in symbols:
                    yield Problem(where, _no_instrument(symbol))


def load_node(path: Path | str, mode: str = "") -> NodeConfig:
    """Return the node file at `path`, checked as a whole; with a `mode`, as `in_mode` turns it.

    Raises:
        ConfigError: with one line per error, or the mode is less safe than the file's.
    """
    config = load_toml(path, NodeConfig)
    config.take_limits(config.read_limits())
    return _with_places(in_mode(config, mode) if mode and mode != config.node.mode else config)


def _with_places(config: NodeConfig) -> NodeConfig:
    """Every strategy with its place: what somebody's Python does to itself does not reach the thread that trades."""

    def placed(one: StrategySettings) -> StrategySettings:
        is_apart = config.node.mode == "live" and one.speed == "interpreted"
        return one.model_copy(update={"process": one.process or ("own" if is_apart else "trading")})

    return config.model_copy(update={"strategies": tuple(map(placed, config.strategies))})


def _repeats(table: str, key: str, values: list[object]) -> Iterator[Problem]:
    counts: Counter[object] = Counter()
    for index, value in enumerate(values):
        if value is not None and counts[value]:
            yield Problem((table, index, key), f"{value!r} stands here for the second time; it must be unique")
        counts[value] += 1


def _not_left_out(kind: str) -> str:
    return (
        f"expected some of {', '.join(LEAVE_OUT)}, found {kind!r}; books and trading states need every other message, "
        "and orders are left out by keep_px_low and keep_px_high of [[instruments]]"
    )


def _no_instrument(symbol: str) -> str:
    return f"{symbol!r} is not among [[instruments]]; add it there or correct it"
