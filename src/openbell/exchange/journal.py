"""The exchange's memory beyond its process: the journal of the venue's inputs, its archiver, and which day goes on.

    <dir>/CURRENT            the session that has begun and not ended in order
    <dir>/<session>/         its journal on disk
    <hot_dir>/<session>/     its newest segments, in shared memory: they survive the process

Whoever starts with a session in CURRENT goes on with it: same name, same midnight, same orders, same numbers.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from openbell._native import FolderLock, VenueCore, exchange_journal_beginning
from openbell.errors import ConfigError, JournalError, OpenbellError
from openbell.exchange.journal_config import JournalSettings
from openbell.journal.archiver import archive

SHARED_MEMORY = Path("/dev/shm/openbell")
MIB = 1 << 20
CURRENT = "CURRENT"
LOOK_EVERY_S = 20e-6
DURABLE_WITHIN_S = 10.0
"""A disk that takes longer has failed: the exchange stops instead of answering."""
ARCHIVED_WITHIN_S = 30.0


class VenueJournal:
    """The journal of one exchange.

    Raises:
        JournalLockedError: another exchange, with another hot folder, has this one.
    """

    def __init__(self, settings: JournalSettings) -> None:
        self.settings = settings
        self.dir = settings.dir
        self.hot = settings.hot_dir or SHARED_MEMORY / f"exchange-{sha256(bytes(self.dir)).hexdigest()[:12]}"
        self.hot.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FolderLock(str(self.dir), str(self.hot))  # CURRENT is one exchange's, whichever day it plays
        self._archiver: threading.Thread | None = None

    def unfinished(self) -> tuple[str, int] | None:
        """Return (session, midnight in ns) of the day that goes on, None when a new one begins.

        Raises:
            JournalError: the folder holds something else.
        """
        with suppress(FileNotFoundError):
            session = (self.dir / CURRENT).read_text().strip()
            return exchange_journal_beginning(str(self.dir / session), str(self.hot / session))
        return None

    def open(self, venue: VenueCore, session: str, failed: Callable[[OpenbellError], None]) -> int:
        """Bring `venue` to where its journal ends, and journal from there on; return how many inputs it had.

        `failed` is called, in another thread, when the archiver cannot go on.

        Raises:
            ConfigError: the session has ended, or is of another configuration.
            JournalError: the journal cannot be read or written.
        """
        dir_, hot = self.dir / session, self.hot / session
        if dir_.exists() and not (self.dir / CURRENT).exists():
            raise ConfigError(
                f"expected a new session, found that {session!r} has ended in {self.dir}: choose another name for "
                "`session`, or leave it empty"
            )
        dir_.mkdir(parents=True, exist_ok=True)
        hot.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.dir / CURRENT).write_text(session + "\n")
        settings = self.settings
        inputs = venue.open_journal(str(dir_), str(hot), session, settings.segment_mib * MIB, settings.hot_segments_max)
        self._archiver = threading.Thread(target=self._archive, args=(hot, dir_, failed), name="archiver", daemon=True)
        self._archiver.start()
        return inputs

    def wait_until_durable(self, venue: VenueCore) -> None:
        """Return when what the venue has done is as durable as the settings ask.

        Raises:
            JournalError: the disk has failed, or takes too long.
        """
        if self.settings.durability == "memory":
            return
        give_up = time.monotonic() + DURABLE_WITHIN_S
        while not venue.is_durable:
            if time.monotonic() > give_up:
                raise JournalError(
                    f"{self.dir}: expected the journal on disk within {DURABLE_WITHIN_S:.0f} s, it is not"
                )
            time.sleep(LOOK_EVERY_S)

    def close(self, venue: VenueCore, *, is_over: bool) -> None:
        """Stop journalling and wait for the archiver; with `is_over` the day will not go on."""
        venue.close_journal()
        if self._archiver:
            self._archiver.join(ARCHIVED_WITHIN_S)
        if is_over:
            (self.dir / CURRENT).unlink(missing_ok=True)
        self._lock.release()

    @staticmethod
    def _archive(hot: Path, dir_: Path, failed: Callable[[OpenbellError], None]) -> None:
        try:
            archive(hot, dir_)
        except OpenbellError as error:
            failed(error)
        except OSError as error:
            failed(JournalError(f"{dir_}: expected to archive the journal of the exchange, found {error}"))
