"""GLIMPSE: the snapshot server, for who joins the feed late or has lost too much of it.

Whoever logs in for message 1 gets the state of every instrument, every displayed order, and the number of the feed to
go on with; then it logs out or is cut after a while. Sources: GLIMPSE 5.0; SoupBinTCP 3.00.
"""

import struct
from collections.abc import Callable, Sequence

from openbell.exchange.session_config import GlimpseSettings
from openbell.exchange.soup_connection import Login, Stream
from openbell.exchange.soup_port import Host, SoupPort


class SnapshotLog:
    """The messages of one snapshot, read as a log is."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self._messages = messages

    @property
    def next_seq(self) -> int:
        return len(self._messages) + 1

    def sequenced(self, from_seq: int, bytes_max: int) -> tuple[bytes, int]:
        """Return SoupBinTCP sequenced packets from `from_seq` on, and the number after the last."""
        packets = bytearray()
        while from_seq < self.next_seq:
            message = self._messages[from_seq - 1]
            if len(packets) + 3 + len(message) > bytes_max:
                break
            packets += struct.pack(">Hc", len(message) + 1, b"S") + message
            from_seq += 1
        return bytes(packets), from_seq


class Snapshot(Stream):
    """What one login reads."""

    @property
    def is_complete(self) -> bool:
        return True


class Glimpse:
    """Gives each login a snapshot of its own moment; `snapshot` makes one."""

    def __init__(
        self,
        settings: GlimpseSettings,
        session: str,
        host: Host,
        snapshot: Callable[[], Sequence[bytes]],
    ) -> None:
        self.settings = settings
        self.port = SoupPort("glimpse", self, settings, session, host)
        self._snapshot = snapshot
        self._password = settings.password.read().upper()

    def authorize(self, login: Login) -> bool:
        return (login.user.upper(), login.password.upper()) == (self.settings.user.upper(), self._password)

    def open_stream(self, login: Login) -> Stream | None:
        """Return a new snapshot; there is nothing to resume, so only message 1 can be asked for."""
        if login.next_seq != 1:
            return None
        self.port.host.flush()
        return Snapshot(SnapshotLog(self._snapshot()))
