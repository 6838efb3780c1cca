"""GLIMPSE: the snapshot server, for who joins the feed late or has lost too much of it.

Whoever logs in for message 1 gets the state of every instrument, every displayed order, and the number of the feed to
go on with; then it logs out or is cut after a while. Sources: GLIMPSE 5.0; SoupBinTCP 3.00.
"""

from openbell._native import FeedSnapshot, VenueCore
from openbell.exchange.session_config import GlimpseSettings
from openbell.exchange.soup_connection import Login, Stream
from openbell.exchange.soup_port import Host, SoupPort

FOLLOWED_PER_TURN_MAX = 100_000
"""Messages heard at a time; a few milliseconds."""


class Snapshot(Stream):
    """What one login reads."""

    @property
    def is_complete(self) -> bool:
        return True


class Glimpse:
    """Gives each login a snapshot of its own moment."""

    def __init__(
        self,
        settings: GlimpseSettings,
        session: str,
        host: Host,
        venue: VenueCore,
    ) -> None:
        self.settings = settings
        self.port = SoupPort("glimpse", self, settings, session, host)
        self.snapshot = FeedSnapshot(venue)
        self._password = settings.password.read().upper()

    def authorize(self, login: Login) -> bool:
        return (login.user.upper(), login.password.upper()) == (self.settings.user.upper(), self._password)

    def open_stream(self, login: Login) -> Stream | None:
        """Return a new snapshot; there is nothing to resume, so only message 1 can be asked for."""
        if login.next_seq != 1:
            return None
        self.port.host.flush()
        while not self.snapshot.follow(FOLLOWED_PER_TURN_MAX):
            pass
        return Snapshot(self.snapshot.take())

    def tick(self) -> None:
        """Hear what the feed has said, so that a login need not wait until a whole day was heard."""
        self.snapshot.follow(FOLLOWED_PER_TURN_MAX)
