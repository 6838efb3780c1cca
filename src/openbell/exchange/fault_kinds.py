"""What faults of one kind share; the faults themselves are listed in faults.py."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from openbell.config import Settings
from openbell.exchange.control import RequestError, some_of
from openbell.exchange.diversions import LAYOUTS, Filter, Layout
from openbell.exchange.lines import Line
from openbell.exchange.order_entry import Account
from openbell.exchange.soup_connection import Connection, Stream

if TYPE_CHECKING:
    from openbell.exchange.server import ExchangeServer


class Running(NamedTuple):
    """A fault that lasts: how it ends, and whether it has ended by itself."""

    end: Callable[[], None]
    is_over: Callable[[], bool] = lambda: False


class Fault(Settings, ABC):
    """What every fault can be told."""

    on: str = ""
    seed: int = Field(default=1, ge=0)

    @abstractmethod
    def start(self, exchange: "ExchangeServer") -> Running | None:
        """Begin.

        Raises:
            RequestError: there is nothing of the name `on`.
        """


class LineFault(Fault):
    """A fault of the line `on`, or of every line."""

    def lines(self, exchange: "ExchangeServer") -> list[Line]:
        known = exchange.feed.lines
        if self.on and self.on not in known:
            raise RequestError(f"expected a line of the feed, {some_of(known)}, found {self.on!r}")
        return [known[self.on]] if self.on else [*known.values()]

    def disturb(self, exchange: "ExchangeServer", what: str, value: float) -> Running:
        """Set `what` on the lines until the end of the fault."""
        lines = self.lines(exchange)

        def set_all(value_of: Callable[[Line], float]) -> None:
            for line in lines:
                setattr(line.disturbance, what, value_of(line))

        for line in lines:
            line.rng = random.Random(f"{self.seed}/{line.name}")
        set_all(lambda _: value)
        return Running(end=lambda: set_all(lambda line: getattr(line.settings, what)))


class SessionFault(Fault):
    """A fault of the session of the account or drop copy `on`."""

    def stream(self, exchange: "ExchangeServer") -> Stream:
        known: dict[str, Stream] = {**exchange.door.accounts, **exchange.door.drop_copies}
        if self.on.upper() not in known:
            raise RequestError(f"expected one of {some_of(known)}, found {self.on!r}")
        return known[self.on.upper()]

    def connection(self, exchange: "ExchangeServer") -> Connection:
        connection = self.stream(exchange).connection
        if connection is None:
            raise RequestError(f"expected {self.on} to be connected; it is not")
        return connection

    def cut(self, exchange: "ExchangeServer", passes: Callable[[bytes], int | None]) -> Running:
        """Cut the session where `passes` says, once."""
        stream = self.stream(exchange)

        def end() -> None:
            stream.cut = None

        stream.cut = passes
        return Running(end, lambda: stream.cut is not passes)


class ReportFault(SessionFault):
    """A fault of what the account `on` is told."""

    def account(self, exchange: "ExchangeServer") -> Account:
        account = self.stream(exchange)
        if not isinstance(account, Account):
            raise RequestError(f"expected an account, found the drop copy {self.on}")
        return account

    def layout(self, exchange: "ExchangeServer") -> Layout:
        return LAYOUTS[self.account(exchange).settings.protocol]

    def divert(self, exchange: "ExchangeServer", one: Filter) -> Running:
        return exchange.faults.divert(self.account(exchange).number, one)
