"""Order entry: OUCH of the accounts behind a SoupBinTCP port, and the drop copies of what they are told.

An account and a drop copy are streams: the log of its reports, read by one connection at a time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from openbell._native import VenueCore
from openbell.exchange.session_config import AccountSettings, DropCopySettings, OrderEntrySettings
from openbell.exchange.soup_connection import Login, Stream
from openbell.exchange.soup_port import Host, PortCounters, SoupPort

DROP_COPY_NAME_CHARS = 10
LEAVES = 8
"""Column of the venue's orders."""


@dataclass(frozen=True)
class Venue:
    """The venue as sessions use it; `clock` gives ns since the epoch."""

    core: VenueCore
    clock: Callable[[], int]
    host: Host


class Account(Stream):
    """A configured account: its number at the venue, its reports, its orders."""

    def __init__(self, venue: Venue, settings: AccountSettings) -> None:
        self.number = venue.core.add_account(
            protocol=settings.native_protocol,
            group=settings.group,
            self_trade=settings.native_self_trade,
            orders_per_s=settings.orders_per_s,
            burst=settings.burst,
            volume=settings.volume,
        )
        super().__init__(venue.core.reports(self.number))
        self.venue = venue
        self.settings = settings
        self.password = settings.password.read().upper()

    def receive(self, message: bytes) -> bool:
        return self.venue.core.receive(self.number, message, self.venue.clock())

    def is_open(self, name: bytes) -> bool:
        """Whether the order of that token or number may still trade; looks through all orders, so for faults only."""
        wanted = name.decode().strip() if self.settings.protocol == "ouch42" else str(int.from_bytes(name, "big"))
        return any(row[LEAVES] > 0 for row in self.venue.core.orders(self.number) if row[0] == wanted)

    def released(self) -> None:
        if self.settings.cancel_on_disconnect:
            self.venue.core.cancel_all(self.number, self.venue.clock())
            self.venue.host.changed()


class DropCopy(Stream):
    """All reports of some accounts, each with the account's name first; it takes no messages."""

    def __init__(self, venue: Venue, settings: DropCopySettings, accounts: dict[str, Account]) -> None:
        copied = [
            (accounts[name.upper()].number, name.upper().ljust(DROP_COPY_NAME_CHARS)) for name in settings.accounts
        ]
        super().__init__(venue.core.drop_copy(venue.core.add_drop_copy(copied)))
        self.settings = settings
        self.password = settings.password.read().upper()


class OrderEntry:
    """All accounts and drop copies, and the port where they log in."""

    def __init__(self, venue: Venue, settings: OrderEntrySettings, session: str) -> None:
        self.venue = venue
        self.port = SoupPort("order_entry", self, settings, session, venue.host)
        self.accounts: dict[str, Account] = {}
        self.drop_copies: dict[str, DropCopy] = {}
        self.first_login = asyncio.Event()
        self._by_number: dict[int, Account] = {}

    @property
    def counters(self) -> PortCounters:
        return self.port.counters

    @property
    def connected(self) -> int:
        """How many accounts are logged in."""
        return sum(account.connection is not None for account in self.accounts.values())

    def add_account(self, settings: AccountSettings) -> None:
        account = Account(self.venue, settings)
        self.accounts[settings.name.upper()] = self._by_number[account.number] = account

    def add_drop_copy(self, settings: DropCopySettings) -> None:
        self.drop_copies[settings.name.upper()] = DropCopy(self.venue, settings, self.accounts)

    def push(self) -> None:
        """Send what is new to those who have news and listen."""
        changed = self.venue.core.take_changed_accounts()
        for number in changed:
            if account := self._by_number.get(number):
                account.push()
        if changed:
            for copy in self.drop_copies.values():
                copy.push()

    def authorize(self, login: Login) -> bool:
        found = self._find(login)
        return found is not None and found.password == login.password.upper()

    def open_stream(self, login: Login) -> Stream | None:
        self.first_login.set()
        return self._find(login)

    def _find(self, login: Login) -> Account | DropCopy | None:
        name = login.user.upper()
        return self.accounts.get(name) or self.drop_copies.get(name)
