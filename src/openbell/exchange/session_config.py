"""Settings of the exchange's sessions: who may log in, and how SoupBinTCP ports treat their clients."""

from typing import Literal

from pydantic import Field

from openbell._native import Protocol, SelfTrade
from openbell.config import Settings
from openbell.config_types import Address, AddressText, SecretText

SESSIONS_MAX = 10_000
ACCOUNT_PATTERN = r"^[A-Za-z0-9]{1,6}$"
LOCALHOST = Address("127.0.0.1", 0)


class AccountSettings(Settings):
    """`[[accounts]]`: who may log in, one connection at a time."""

    name: str = Field(pattern=ACCOUNT_PATTERN, description="SoupBinTCP user name, 1 to 6 letters or digits")
    password: SecretText = Field(description='"env:NAME" or "file:PATH"')
    cancel_on_disconnect: bool = True
    protocol: Literal["ouch42", "ouch50"] = "ouch42"
    orders_per_s: int = Field(default=0, ge=0, le=1_000_000, description="new orders and replaces; 0: no limit")
    burst: int = Field(default=1, ge=1, le=1_000_000, description="of them at once")
    group: int = Field(default=0, ge=0, le=2**32 - 1, description="accounts of one group are one trader; 0: none")
    self_trade: Literal["allow", "cancel_newest", "cancel_oldest", "cancel_both", "decrement"] = "allow"
    volume: int = Field(default=0, ge=0, description="shares traded in the days before, for its fees")

    @property
    def native_protocol(self) -> Protocol:
        """The language that the account speaks, as the venue calls it."""
        return {"ouch42": Protocol.OUCH42, "ouch50": Protocol.OUCH50}[self.protocol]

    @property
    def native_self_trade(self) -> SelfTrade:
        """What becomes of orders of one group that would trade, as the venue calls it."""
        return SelfTrade[self.self_trade.upper()]


class DropCopySettings(Settings):
    """`[[drop_copies]]`: a login that hears every report of some accounts, in the order they happened."""

    name: str = Field(pattern=ACCOUNT_PATTERN, description="SoupBinTCP user name, as of an account")
    password: SecretText
    accounts: tuple[str, ...] = Field(min_length=1, max_length=SESSIONS_MAX)


class SoupSettings(Settings):
    """What every SoupBinTCP port can be told."""

    listen: AddressText = LOCALHOST
    heartbeat_ms: int = Field(default=1_000, ge=10, le=60_000)
    dead_peer_ms: int = Field(default=15_000, ge=20, le=600_000, description="a client silent for so long is dropped")
    login_timeout_ms: int = Field(default=30_000, ge=20, le=600_000)
    lag_messages_max: int = Field(default=100_000, ge=1, description="a client so far behind is dropped")
    connections_max: int = Field(default=SESSIONS_MAX, ge=1, le=2 * SESSIONS_MAX)
    waiting_max: int = Field(default=256, ge=1, le=SESSIONS_MAX, description="connections without a login")
    connects_per_s_max: int = Field(default=2_000, ge=1, le=1_000_000, description="of one address")


class OrderEntrySettings(SoupSettings):
    """`[order_entry]`: OUCH over SoupBinTCP."""


class GlimpseSettings(SoupSettings):
    """`[glimpse]`: snapshots of all books over SoupBinTCP, for whoever joins the feed late."""

    user: str = Field(default="GLIMPS", pattern=ACCOUNT_PATTERN)
    password: SecretText
    connections_max: int = Field(default=16, ge=1, le=SESSIONS_MAX)
