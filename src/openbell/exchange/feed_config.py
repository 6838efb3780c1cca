"""Settings of the feed: its lines, who hears them, and what they do to packets."""

from collections.abc import Iterable

from pydantic import Field

from openbell.config import Problem, Settings
from openbell.config_types import Address, AddressText

LINES_MAX = 4
RECEIVERS_MAX = 64
"""Of one line."""
LINE_PATTERN = r"^[A-Z]$"
LOCALHOST = Address("127.0.0.1", 0)


class LineSettings(Settings):
    """`[[feed.lines]]`: one of several that carry the same packets, each with faults of its own, off by default."""

    name: str = Field(pattern=LINE_PATTERN)
    send_to: tuple[AddressText, ...] = Field(default=(), max_length=RECEIVERS_MAX)
    delay_ms: float = Field(default=0.0, ge=0, le=10_000, description="every packet leaves so much later")
    loss: float = Field(default=0.0, ge=0, le=1, description="probability that a packet is lost")
    duplicate: float = Field(default=0.0, ge=0, le=1, description="probability that a packet is sent twice")
    reorder: float = Field(default=0.0, ge=0, le=1, description="probability that a packet is overtaken by the next")
    seed: int = Field(default=1, ge=0, le=2**63 - 1)


class FeedOutSettings(Settings):
    """`[feed]`: ITCH 5.0 over MoldUDP64 on one line or several, and the answers to requests."""

    send_to: tuple[AddressText, ...] = Field(default=(), max_length=RECEIVERS_MAX, description="short for one line, A")
    lines: tuple[LineSettings, ...] = Field(default=(), max_length=LINES_MAX)
    retransmit: AddressText = LOCALHOST
    interface: str = Field(default="127.0.0.1", description="address of the interface that multicast leaves by")
    heartbeat_ms: int = Field(default=1_000, ge=10, le=60_000)
    linger_ms: int = Field(default=300, ge=0, le=60_000, description="end of session is repeated for so long")

    @property
    def all_lines(self) -> tuple[LineSettings, ...]:
        """The lines, also where `send_to` stands for one."""
        return self.lines or (LineSettings(name="A", send_to=self.send_to),)

    def problems(self) -> Iterable[Problem]:
        """Yield what is wrong between keys that are each right alone."""
        if self.lines and self.send_to:
            yield Problem(("feed", "send_to"), "expected either send_to or [[feed.lines]], found both")
        names = [line.name for line in self.lines]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Problem(("feed", "lines", index, "name"), f"{name!r} stands here for the second time")
