"""The day of the soak: sessions that trade, are cut and resume, and a venue that dies in the middle.

    for done in day.trade(orders): ...      # yields now and then, with how many orders are answered

Which session is cut when, and where the venue is killed, is drawn under a seed; what meets what on the wire is not.
"""

import random
import selectors
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from bench.exchange_soak.languages import LANGUAGES
from bench.exchange_soak.scripts import Script, write_script
from bench.exchange_soak.sessions import READ_BYTES, TIMEOUT_S, Session
from bench.exchange_soak.venue import SYMBOLS, Venue

SCRIPTS_MAX = 100
ORDERS_PER_CUT = 500
"""One session is cut per so many orders, on average."""
SAMPLES_PER_LIFE = 200


@dataclass
class Life:
    """One process of the venue: how it began, and its memory (RssAnon, bytes) by orders answered since."""

    start_s: float
    memory: list[tuple[int, int]] = field(default_factory=list)
    seconds: float = 0.0
    """In which it traded."""


class Day:
    """`orders` are shared out evenly among `sessions`; files lie in `folder`."""

    def __init__(self, folder: Path, sessions: int, orders: int, seed: int) -> None:
        self.rng = random.Random(seed)
        scripts = _scripts(min(sessions, SCRIPTS_MAX), orders // sessions, seed)
        heard = folder / "heard"
        heard.mkdir()
        self.sessions = [Session(f"N{n}", scripts[n % len(scripts)], heard / f"N{n}") for n in range(sessions)]
        self.orders = sessions * (orders // sessions)
        protocols = {session.name: session.script.language.protocol for session in self.sessions}
        self.venue = Venue(folder, protocols, self.orders)
        self.lives: list[Life] = []
        self.cuts = 0
        self._selector = selectors.DefaultSelector()

    def start(self) -> None:
        """Start the venue, or start it again."""
        self.lives.append(Life(self.venue.start()))

    def log_in(self) -> None:
        """Everybody logs in, and goes on where it was."""
        for session in self.sessions:
            self._connect(session)

    def trade(self, until: int) -> Iterator[int]:
        """Let everybody trade until so many orders are answered; yield how many are, now and then.

        Raises:
            LostError: a session was told something that cannot be.
            RuntimeError: nothing happens any more.
        """
        life, begin, first = self.lives[-1], perf_counter(), self._answered()
        step = max(1, self.orders // SAMPLES_PER_LIFE)
        next_sample, next_cut, answered = first, first + self._until_cut(), first
        while answered < until:
            answered += self._turn()
            while answered >= next_cut:
                self._cut_one()
                next_cut += self._until_cut()
            if answered >= next_sample:
                life.memory.append((answered - first, self.venue.memory()["RssAnon"]))
                next_sample = answered + step
                yield answered
        life.seconds += perf_counter() - begin

    def finish(self) -> None:
        """Let everybody hear everything and have every message answered."""
        while not all(session.is_done for session in self.sessions):
            self._turn()

    def settle(self) -> None:
        """Let everybody leave, and the venue have noticed it."""
        for session in self.sessions:
            self._disconnect(session)
            session.flush()
        while self.venue.ask(verb="status", rows=0)["sessions"]["connected"]:
            pass

    def hear_all(self, session: Session) -> None:
        """Let one session, of nobody else's account now, hear everything there is."""
        connection = session.connect(self.venue.address)
        while not session.is_live:
            if not (data := connection.recv(READ_BYTES)):
                raise RuntimeError(f"expected {session.name} to hear everything, found its connection closed")
            session.take(data)

    def kill(self) -> None:
        """Kill the venue; every connection breaks."""
        self.venue.kill()
        for session in self.sessions:
            self._disconnect(session)

    def close(self) -> None:
        """Leave nothing running."""
        for session in self.sessions:
            session.close()
        self._selector.close()
        self.venue.close()

    def _answered(self) -> int:
        return sum(session.orders for session in self.sessions)

    def _turn(self) -> int:
        """Hear whoever has something to say, and answer; return how many more orders were answered."""
        ready = self._selector.select(TIMEOUT_S)
        if not ready:
            raise RuntimeError(f"expected an answer of the exchange, found silence for {TIMEOUT_S} s")
        more = 0
        for key, _ in ready:
            session: Session = key.data
            before = session.orders
            data = self._read(session)
            if data:
                session.take(data)
                session.send_more()
                more += session.orders - before
            elif session.socket:
                raise RuntimeError(f"expected {session.name} to stay connected, found that the exchange has cut it")
        return more

    @staticmethod
    def _read(session: Session) -> bytes:
        try:
            return session.socket.recv(READ_BYTES) if session.socket else b""
        except ConnectionError:
            return b""

    def _cut_one(self) -> None:
        session = self.rng.choice(self.sessions)
        self._disconnect(session, by_reset=self.rng.random() < 0.5)
        self._connect(session)
        self.cuts += 1

    def _until_cut(self) -> int:
        return 1 + int(self.rng.expovariate(1 / ORDERS_PER_CUT))

    def _connect(self, session: Session) -> None:
        self._selector.register(session.connect(self.venue.address), selectors.EVENT_READ, session)

    def _disconnect(self, session: Session, *, by_reset: bool = False) -> None:
        if session.socket:
            self._selector.unregister(session.socket)
            session.cut(by_reset=by_reset)


def _scripts(count: int, orders: int, seed: int) -> list[Script]:
    """Scripts of both protocols for every instrument in turn."""
    return [write_script(LANGUAGES[n % 2], SYMBOLS[n // 2 % len(SYMBOLS)], orders, f"{seed}/{n}") for n in range(count)]
