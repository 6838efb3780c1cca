"""Where faults are started and cleared, and which of them last."""

import re
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from openbell.config_errors import describe
from openbell.exchange.control import RequestError, some_of
from openbell.exchange.diversions import Diversions, Filter
from openbell.exchange.fault_kinds import Fault, Running
from openbell.exchange.faults import FAULTS

if TYPE_CHECKING:
    from openbell.exchange.server import ExchangeServer

RUNNING_MAX = 1_000
"""Faults at a time."""


def name_of(fault: type[Fault]) -> str:
    """Return what a fault is called by: FillBeforeAck is fill-before-ack."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", fault.__name__).lower()


BY_NAME = {name_of(fault): fault for fault in FAULTS}


def read_fault(text: str) -> Fault:
    """Return the fault that a line such as "loss A p=0.1 seed=7" describes; without a name after it, `on` is empty.

    Raises:
        RequestError: there is no such fault, or not with these values.
    """
    name, *words = shlex.split(text) or [""]
    on = [word for word in words if "=" not in word]
    if len(on) > 1:
        raise RequestError(f"expected one name after {name!r}, then key=value, found {' '.join(words)!r}")
    values = dict(word.split("=", 1) for word in words if "=" in word)
    return make_fault(name, {"on": on[0] if on else "", **values})


def make_fault(name: str, values: dict[str, Any]) -> Fault:
    """Return the fault called `name`; values may be text, as they stand in a command."""
    if name not in BY_NAME:
        raise RequestError(f"expected a fault, one of {', '.join(BY_NAME)}, found {name!r}")
    try:
        return BY_NAME[name].model_validate(values, strict=False)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, path))}: {why}" for path, why in describe(error, BY_NAME[name]))
        raise RequestError(f"{name}: {problems}") from None


class Faults:
    """The faults of one exchange."""

    def __init__(self, exchange: "ExchangeServer") -> None:
        self._exchange = exchange
        self._diversions = Diversions(exchange.venue, exchange.clock)
        self._running: list[tuple[Fault, Running]] = []
        self._every_tick: list[Callable[[], None]] = []
        self._clock_shift_ns = 0

    def start(self, fault: Fault | str) -> None:
        """Begin a fault, given as such or as the text of one.

        Raises:
            RequestError: it is none, or there is nothing that it could disturb.
        """
        fault = read_fault(fault) if isinstance(fault, str) else fault
        self._forget_those_over()
        if len(self._running) >= RUNNING_MAX:
            raise RequestError(f"expected at most {RUNNING_MAX} faults at a time; clear some first")
        if running := fault.start(self._exchange):
            self._running.append((fault, running))

    def clear(self, name: str = "", on: str = "") -> int:
        """End the faults called `name` and those on `on`, all without either; return how many.

        Raises:
            RequestError: no fault is called so.
        """
        if name and name not in BY_NAME:
            raise RequestError(f"expected a fault, one of {some_of(BY_NAME)}, found {name!r}")
        self._forget_those_over()
        ended = [
            one
            for one in self._running
            if (not name or isinstance(one[0], BY_NAME[name])) and (not on or one[0].on.upper() == on.upper())
        ]
        for one in ended:
            self._running.remove(one)
            one[1].end()
        self._exchange.changed()
        return len(ended)

    def active(self) -> list[dict[str, Any]]:
        """Return the faults that last, with what they were told."""
        self._forget_those_over()
        return [{"fault": name_of(type(fault)), **fault.model_dump()} for fault, _ in self._running]

    def divert(self, account: int | None, one: Filter) -> Running:
        """Let `one` change a log until it is over or cleared; for the list of faults."""
        self._diversions.add(account, one)
        return Running(lambda: self._diversions.remove(account, one), lambda: one.is_over)

    def every_tick(self, act: Callable[[], None]) -> Running:
        """Do `act` a few times a second until it is ended; for the list of faults."""
        self._every_tick.append(act)
        return Running(lambda: self._every_tick.remove(act))

    def shift_clock(self, by_ns: int) -> None:
        """Let reported times be off by so much more."""
        self._clock_shift_ns += by_ns
        self._exchange.venue.shift_clock(self._clock_shift_ns, self._exchange.clock())

    def tick(self) -> None:
        """Do what faults do with time; called a few times per heartbeat."""
        for act in self._every_tick:
            act()

    def forget_orders(self, account: int) -> None:
        """Take the orders of an account out of the book without a report of it."""
        self._diversions.discard(account, lambda: self._exchange.venue.cancel_all(account, self._exchange.clock()))

    def settle(self) -> None:
        """Put the news into the logs, as the faults want them to be."""
        self._diversions.settle()

    def _forget_those_over(self) -> None:
        self._running = [one for one in self._running if not one[1].is_over()]
