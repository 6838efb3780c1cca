"""The exchange's configuration file: what it lists, who may trade, where it listens, and what flow fills the book.

`load_exchange("exchange.toml")` returns it checked as a whole. `examples/exchange.toml` shows every section.
Port 0 lets the system choose; the ready file says what it chose.
"""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from pydantic import Field

from openbell.config import Problem, Settings, load_toml
from openbell.config_types import AddressText, DecimalText, NearPath, Secret, native_units
from openbell.exchange.feed_config import FeedOutSettings
from openbell.exchange.flow_config import FlowSettings, NoFlow
from openbell.exchange.session_config import (
    LOCALHOST,
    SESSIONS_MAX,
    AccountSettings,
    DropCopySettings,
    GlimpseSettings,
    OrderEntrySettings,
)

PX_DECIMALS = 4
SYMBOL_PATTERN = r"^[A-Z0-9][A-Z0-9.+=^#-]{0,7}$"
FLOW_ACCOUNT = "*FLOW*"
"""The internal account that the background flow trades for; no login can have its name."""
INSTRUMENTS_MAX = 10_000
DROP_COPIES_MAX = 16


class ListedSettings(Settings):
    """`[[instruments]]`: an instrument that is listed; the n-th has stock locate n."""

    symbol: str = Field(pattern=SYMBOL_PATTERN)
    tick: DecimalText = Decimal("0.01")
    round_lot: int = Field(default=100, ge=1, le=10_000)
    px: DecimalText = Field(default=Decimal("100.00"), description="where the agents begin")

    @property
    def tick_px(self) -> int:
        """The tick in 1e-4."""
        return native_units(self.tick, PX_DECIMALS)

    @property
    def start_px(self) -> int:
        """Where the agents begin, in 1e-4."""
        return native_units(self.px, PX_DECIMALS)


class ControlSettings(Settings):
    """`[control]`: JSON lines for status, ledger and shutdown; on loopback or a Unix socket only."""

    listen: AddressText = LOCALHOST
    unix: NearPath | None = None


class LimitSettings(Settings):
    """`[limits]`: how much the venue remembers of a day; at the end of it the day ends."""

    orders_max: int = Field(default=1 << 18, ge=1, le=(1 << 24) - 1, description="open at once")
    tokens_max: int = Field(default=8_000_000, ge=1, le=2**32 - 2)
    messages_max: int = Field(default=100_000_000, ge=1, description="of the feed, and of each account")


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

    def cross_check(self) -> Iterable[Problem]:
        """Yield names used twice, ticks that are none, and exposed credentials or controls."""
        yield from _twice("instruments", "symbol", [i.symbol for i in self.instruments])
        names = [a.name.upper() for a in self.accounts]
        yield from _twice("accounts", "name", names)
        yield from self._check_drop_copies(names)
        for index, instrument in enumerate(self.instruments):
            if instrument.tick_px < 1:
                yield Problem(("instruments", index, "tick"), f'expected at least "0.0001", found "{instrument.tick}"')
            elif not instrument.start_px or instrument.start_px % instrument.tick_px:
                yield Problem(("instruments", index, "px"), f'expected a multiple of the tick "{instrument.tick}"')
        yield from self._check_passwords("accounts", [a.password for a in self.accounts])
        yield from self._check_passwords("drop_copies", [d.password for d in self.drop_copies])
        yield from self._check_glimpse()
        yield from self.feed.problems()
        if not self.control.listen.is_loopback:
            yield Problem(("control", "listen"), f"expected a loopback address, found {self.control.listen}")

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
