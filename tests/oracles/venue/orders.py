"""What the oracle venue knows of an order and of an account."""

from dataclasses import dataclass, field, replace
from typing import Any

from oracles.exchange import Phase, Refusal, Side, Terms

Message = dict[str, Any]
Name = tuple[int, int] | str
"""A token, or (channel, number)."""
SECOND_NS = 1_000_000_000


@dataclass(eq=False)
class Order:
    """One name of an account, from its message on. `words` is that message."""

    account: int
    name: Name
    words: Message
    instrument: int
    side: str
    qty: int
    terms: Terms
    expires_ns: int | None = None
    cum: int = 0
    leaves: int = 0
    ref: int = 0
    prev: "Order | None" = None
    is_live: bool = False

    @property
    def direction(self) -> Side:
        return Side.BUY if self.side == "B" else Side.SELL

    @property
    def listed_words(self) -> Message:
        return self.words


@dataclass
class Account:
    """Settings of an account, and what it may not do again."""

    protocol: str
    group: int = 0
    self_trade: str = "allow"
    orders_per_s: int = 0
    burst: int = 1
    orders: list[Order] = field(default_factory=list)
    names: set[Name] = field(default_factory=set)
    numbers: dict[int, int] = field(default_factory=dict)
    reports: list[Message] = field(default_factory=list)
    is_enabled: bool = True
    rejects_ordered: int = 0
    saved_s: float | None = None
    saved_at_ns: int = 0

    def live(self, name: Name) -> Order | None:
        return next((o for o in self.orders if o.name == name and o.is_live), None)

    def open(self) -> list[Order]:
        """Oldest first."""
        return sorted((o for o in self.orders if o.is_live), key=lambda o: o.ref)

    def may_send(self, now_ns: int) -> bool:
        """A bucket of `burst` messages, filled at `orders_per_s`."""
        if not self.orders_per_s:
            return True
        interval = SECOND_NS // self.orders_per_s
        saved = self.burst * interval if self.saved_s is None else int(self.saved_s)
        saved = min(self.burst * interval, saved + max(0, now_ns - self.saved_at_ns))
        self.saved_at_ns = now_ns
        may = saved >= interval
        self.saved_s = saved - interval if may else saved
        return may


ABOUT_NOW = (Refusal.CLOSED, Refusal.HALTED, Refusal.PHASE_NOT_ALLOWED, Refusal.FULL, "rate", "disabled", "ordered")
"""Refusals of a replace that leave the order as it is."""
REOPENING = Phase.REOPENING_CALL
__all__ = ["ABOUT_NOW", "REOPENING", "SECOND_NS", "Account", "Message", "Name", "Order", "replace"]
