"""The exchange's configuration file: what it lists, who may trade, where it listens, and what flow fills the book.

`load_exchange("exchange.toml")` returns it checked as a whole. `examples/exchange.toml` shows every section.
Port 0 lets the system choose; the ready file says what it chose.
"""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from pydantic import Field

from openbell._native import InstrumentRules
from openbell.config import Problem, Settings, load_toml
from openbell.config_types import AddressText, DecimalText, NearPath, Secret
from openbell.exchange.bands_config import BandSettings
from openbell.exchange.feed_config import FeedOutSettings
from openbell.exchange.fees_config import FeeSettings
from openbell.exchange.flow_config import FlowSettings, NoFlow, passes_through
from openbell.exchange.journal_config import JournalSettings
from openbell.exchange.rules_config import InstrumentRulesSettings
from openbell.exchange.rules_types import PxText, px_units, under
from openbell.exchange.schedule_config import ScheduleSettings
from openbell.exchange.session_config import (
    LOCALHOST,
    SESSIONS_MAX,
    AccountSettings,
    DropCopySettings,
    GlimpseSettings,
    OrderEntrySettings,
)

SYMBOL_PATTERN = r"^[A-Z0-9][A-Z0-9.+=^#-]{0,7}$"
FLOW_ACCOUNT = "*FLOW*"
"""The internal account that the background flow trades for; no login can have its name."""
INSTRUMENTS_MAX = 10_000
DROP_COPIES_MAX = 16


class ListedSettings(InstrumentRulesSettings):
    """`[[instruments]]`: an instrument that is listed, and its rules; the n-th has stock locate n."""

    symbol: str = Field(pattern=SYMBOL_PATTERN)
    round_lot: int = Field(default=100, ge=1, le=10_000)
    px: PxText = Field(default=Decimal("100.00"), description="reference before the first trade; where agents begin")

    def cross_check(self) -> Iterable[Problem]:
        """Yield rules that contradict each other, and a first price that no order can have."""
        if problems := list(super().cross_check()):
            yield from problems
        elif not self.start_px or self.start_px % self.start_tick:
            yield Problem(("px",), f'expected a multiple of the tick "{self.tick}"')

    @property
    def tick_px(self) -> int:
        """The tick of the lowest prices, in 1e-4."""
        return px_units(self.tick)

    @property
    def start_px(self) -> int:
        """The reference before the first trade, where agents begin, in 1e-4."""
        return px_units(self.px)

    @property
    def start_tick(self) -> int:
        """The tick at `start_px`, in 1e-4: what agents count in."""
        return self._tick_at(self.start_px)

    def _tick_at(self, px: int) -> int:
        return [tick for from_px, tick in self.ticks if from_px <= px][-1]

    @property
    def rules(self) -> InstrumentRules:
        """The rules as the venue has them."""
        return self.native(self.symbol, round_lot=self.round_lot, listed_px=self.start_px)


class ControlSettings(Settings):
    """`[control]`: JSON lines for status, ledger and shutdown; on loopback or a Unix socket only."""

    listen: AddressText = LOCALHOST
    unix: NearPath | None = None


class LimitSettings(Settings):
    """`[limits]`: how much the venue remembers of a day; at the end of it the day ends."""

    orders_max: int = Field(default=1 << 18, ge=1, le=(1 << 24) - 1, description="open at once")
    tokens_max: int = Field(default=8_000_000, ge=1, le=2**32 - 2)
    messages_max: int = Field(default=100_000_000, ge=1, description="of the feed, and of each account")
    memory_dir: NearPath | None = Field(default=None, description="the day's messages lie in files there")


class ExchangeConfig(Settings):
    """A whole exchange file."""

    session: str = Field(default="", pattern=r"^[A-Za-z0-9]{0,10}$", description="empty: made from the time of start")
    utc_offset_s: int = Field(default=0, ge=-50_400, le=50_400, description="of the exchange's midnight")
    ready_file: NearPath | None = None
    instruments: tuple[ListedSettings, ...] = Field(min_length=1, max_length=INSTRUMENTS_MAX)
    accounts: tuple[AccountSettings, ...] = Field(default=(), max_length=SESSIONS_MAX)
    drop_copies: tuple[DropCopySettings, ...] = Field(default=(), max_length=DROP_COPIES_MAX)
    order_entry: OrderEntrySettings = OrderEntrySettings()
    feed: FeedOutSettings = FeedOutSettings()
    glimpse: GlimpseSettings | None = None
    control: ControlSettings = ControlSettings()
    flow: FlowSettings = NoFlow()
    limits: LimitSettings = LimitSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    bands: BandSettings = BandSettings()
    fees: FeeSettings = FeeSettings()
    index_close: DecimalText | None = Field(
        default=None, description="of the market's index, the day before: the market-wide circuit breaker"
    )
    journal: JournalSettings | None = None

    def cross_check(self) -> Iterable[Problem]:
        """Yield names used twice, ticks that are none, and exposed credentials or controls."""
        yield from _twice("instruments", "symbol", [i.symbol for i in self.instruments])
        names = [a.name.upper() for a in self.accounts]
        yield from _twice("accounts", "name", names)
        yield from self._check_drop_copies(names)
        yield from self._check_rules()
        if self.journal and passes_through(self.flow):
            yield Problem(("journal",), "expected none beside a tape that is passed through; leave out one of them")
        yield from self._check_passwords("accounts", [a.password for a in self.accounts])
        yield from self._check_passwords("drop_copies", [d.password for d in self.drop_copies])
        yield from self._check_glimpse()
        yield from self.feed.problems()
        if not self.control.listen.is_loopback:
            yield Problem(("control", "listen"), f"expected a loopback address, found {self.control.listen}")

    def _check_rules(self) -> Iterable[Problem]:
        for index, instrument in enumerate(self.instruments):
            yield from under(("instruments", index), instrument.cross_check())
            if instrument.bands_tier not in {0, *self.bands.tiers}:
                found = f"expected a tier of [bands], found {instrument.bands_tier}"
                yield Problem(("instruments", index, "bands_tier"), f'{found}; write [bands] preset = "us"')
        yield from under(("schedule",), self.schedule.cross_check())
        yield from under(("bands",), self.bands.cross_check())
        yield from under(("fees",), self.fees.cross_check())

    def _check_glimpse(self) -> Iterable[Problem]:
        if self.glimpse and self.glimpse.password.is_plain and not self.glimpse.listen.is_loopback:
            yield Problem(("glimpse", "password"), '"plain:" is for loopback only; write "env:NAME"')

    def _check_passwords(self, table: str, passwords: list[Secret]) -> Iterable[Problem]:
        for index, password in enumerate(passwords):
            if password.is_plain and not self.order_entry.listen.is_loopback:
                yield Problem((table, index, "password"), '"plain:" is for loopback only; write "env:NAME"')

    def _check_drop_copies(self, accounts: list[str]) -> Iterable[Problem]:
        yield from _twice("drop_copies", "name", [d.name.upper() for d in self.drop_copies])
        for index, copy in enumerate(self.drop_copies):
            if copy.name.upper() in accounts:
                yield Problem(
                    ("drop_copies", index, "name"), f"{copy.name!r} is an account; it needs a name of its own"
                )
            for unknown in {name.upper() for name in copy.accounts}.difference(accounts):
                yield Problem(("drop_copies", index, "accounts"), f"expected names of accounts, found {unknown!r}")


def load_exchange(path: Path | str) -> ExchangeConfig:
    """Return the exchange file at `path`, checked as a whole.

    Raises:
        ConfigError: with one line per error.
    """
    return load_toml(path, ExchangeConfig)


def _twice(table: str, key: str, values: list[str]) -> Iterable[Problem]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield Problem((table, index, key), f"{value!r} stands here for the second time; it must be unique")
        seen.add(value)
