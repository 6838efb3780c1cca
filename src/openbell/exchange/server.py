"""The exchange as a server: sockets around the venue core, the background flow, and the control socket.

    async with ExchangeServer(config) as exchange:
        print(exchange.ready)

Everything runs on one event loop. What clients sent in one turn of it is answered and published together, at its end.
"""

import asyncio
import json
import os
import resource
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from openbell.errors import OpenbellError
from openbell.exchange.answers import answer
from openbell.exchange.config import ExchangeConfig
from openbell.exchange.control import Answer, ControlServer
from openbell.exchange.fault_desk import Faults
from openbell.exchange.feed_out import FeedOut
from openbell.exchange.glimpse import Glimpse
from openbell.exchange.journal import VenueJournal
from openbell.exchange.order_entry import OrderEntry, Venue
from openbell.exchange.playback import Stage, play
from openbell.exchange.soup_port import Host
from openbell.exchange.venue_setup import make_venue

DAY_S = 86_400
SECOND_NS = 1_000_000_000
TICKS_PER_HEARTBEAT = 4
FILES_BESIDE_SOCKETS = 256
SESSION_LETTERS = 10
"""Of a session's name in SoupBinTCP and MoldUDP64."""
CLOSE_TIMEOUT_S = 1.0
"""How long shutdown waits for clients to take their last reports."""


@dataclass(frozen=True)
class Ready:
    """Where a started exchange is found; also the content of the ready file."""

    pid: int
    session: str
    midnight_ns: int
    order_entry: str
    glimpse: str
    retransmit: str
    control: str
    receivers: tuple[str, ...]


class ExchangeServer:
    """One day of one exchange. `clock` gives ns since the epoch."""

    def __init__(self, config: ExchangeConfig, clock: Callable[[], int] = time.time_ns) -> None:
        self.config = config
        self.clock = clock
        self.journal = VenueJournal(config.journal) if config.journal else None
        self.session, self.midnight_ns = self._day()
        self.symbols = [listed.symbol for listed in config.instruments]
        self.locate = {symbol: number for number, symbol in enumerate(self.symbols)}
        self.venue = make_venue(config, self.midnight_ns)
        self.flow_account = self.venue.add_account(internal=True)
        host = Host(self.changed, self.flush, self._fail)
        self.door = OrderEntry(Venue(self.venue, self.clock, host), config.order_entry, self.session)
        for account in config.accounts:
            self.door.add_account(account)
        for copy in config.drop_copies:
            self.door.add_drop_copy(copy)
        self.recovered_inputs = self.journal.open(self.venue, self.session, self._fail_later) if self.journal else 0
        self.feed = FeedOut(self.venue, config.feed, self.session)
        self.glimpse: Glimpse | None = None
        if config.glimpse:
            self.glimpse = Glimpse(config.glimpse, self.session, host, self.venue)
        self.ports = [self.door.port, *([self.glimpse.port] if self.glimpse else [])]
        self.faults = Faults(self)
        self.is_killed = False
        self.flow_done = asyncio.Event()
        self.flow_messages = 0
        self.flow_counts: Counter[str] = Counter()
        self._flush_is_due = False
        self._stop = asyncio.Event()
        self._error: OpenbellError | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._control = ControlServer(self.answer)

    def _day(self) -> tuple[str, int]:
        """Return session and midnight: those of the day that goes on, or new ones."""
        if self.journal and (unfinished := self.journal.unfinished()):
            return unfinished
        now = self.clock()
        return self.config.session or _session_name(now), _midnight_ns(now, self.config.utc_offset_s)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # ---- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the day and every socket, then begin the flow.

        Raises:
            NetError: an address cannot be bound.
            DecodeError: the tape of the flow is missing or damaged at its beginning.
        """
        self._loop = asyncio.get_running_loop()
        try:
            await self._open()
        except BaseException:
            self._close_sockets()
            self._close_journal()
            raise
        self._tasks = [self._task(self._tick_forever()), self._task(self._run_flow())]
        self.changed()
        self._write_ready_file()

    async def _open(self) -> None:
        allow_sockets(len(self.config.accounts) + self.config.order_entry.waiting_max)
        self.feed.open()
        if not self.venue.is_open:
            self.venue.open_day(self.clock())
        if self.recovered_inputs:  # agents and faults have forgotten what they were about
            self.venue.end_faults(self.clock())
            if self.venue.open_orders_of(self.flow_account):
                self.venue.cancel_all(self.flow_account, self.clock())
        self.ready = Ready(
            pid=os.getpid(),
            session=self.session,
            midnight_ns=self.midnight_ns,
            order_entry=await self.door.port.listen(),
            glimpse=await self.glimpse.port.listen() if self.glimpse else "",
            retransmit=str(self.feed.retransmit),
            control=await self._control.listen(self.config.control),
            receivers=tuple(f"{h}:{p}" for line in self.feed.lines.values() for h, p in line.receivers),
        )

    def _close_sockets(self) -> None:
        for port in self.ports:
            port.close()
        self._control.close()
        self.feed.close()

    async def serve(self) -> None:
        """Run until `shutdown` is asked for or the venue cannot go on; in the second case raise its error."""
        await self._stop.wait()
        if self._error:
            raise self._error

    def request_stop(self) -> None:
        """Ask `serve` to return."""
        self._stop.set()

    async def stop(self) -> None:
        """End the day: cancel what is open, send the last reports and the end of the session, close."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.is_killed:
            self._close_journal()
            return
        self.faults.clear()
        try:
            self.venue.close_day(self.clock())
        except OpenbellError as error:
            self._fail(error)
        self.flush()
        connections = [connection for port in self.ports for connection in port.connections]
        for port in self.ports:
            port.end_session()
        await self.feed.end_session()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await asyncio.gather(*(connection.closed.wait() for connection in connections))
        self._close_sockets()
        self._close_journal()
        if self.config.ready_file:
            self.config.ready_file.unlink(missing_ok=True)

    def _close_journal(self) -> None:
        if self.journal:
            self.journal.close(self.venue, is_over=not self.is_killed and self._error is None)

    def kill(self) -> None:
        """Be gone as after kill -9: cut every connection, tell nobody, cancel nothing."""
        self.is_killed = True
        for port in self.ports:
            port.cut_all()
        self._close_sockets()
        self.request_stop()

    def restart(self, keep_orders: bool) -> None:
        """Cut every connection and go on; without its orders an account is not told what has become of them."""
        for port in self.ports:
            port.cut_all()
        self.flush()
        if keep_orders:
            return
        for account in self.door.accounts.values():
            self.faults.forget_orders(account.number)
        self.changed()

    def answer(self, request: Answer) -> Answer:
        """Answer one control request; see answers.py."""
        return answer(self, request)

    def changed(self) -> None:
        """Publish and report what the venue has new, once, when this turn of the loop is over."""
        if not self._flush_is_due:
            self._flush_is_due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Publish and report what the venue has new; an error of the venue ends the exchange."""
        self._flush_is_due = False
        try:
            self.faults.settle()
            if self.journal:
                self.journal.wait_until_durable(self.venue)
            self.feed.publish()
            self.door.push()
        except OpenbellError as error:
            self._fail(error)

    # ---- tasks and sockets ---------------------------------------------------------------------

    async def _run_flow(self) -> None:
        stage = Stage(
            self.venue,
            self.flow_account,
            self.config.instruments,
            self.clock,
            self.changed,
            self.door.first_login,
            self.flow_counts,
        )
        self.flow_messages = await play(self.config.flow, stage)
        self.flow_done.set()

    async def _tick_forever(self) -> None:
        heartbeat_ms = min(self.config.feed.heartbeat_ms, *(port.settings.heartbeat_ms for port in self.ports))
        while True:
            await asyncio.sleep(heartbeat_ms / 1000 / TICKS_PER_HEARTBEAT)
            self.faults.tick()
            self.venue.advance(self.clock())
            self.changed()
            self.feed.tick()
            if self.glimpse:
                self.glimpse.tick()
            for port in self.ports:
                port.tick()

    def _task(self, coroutine: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(coroutine)
        task.add_done_callback(self._task_ended)
        return task

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)

    def _fail_later(self, error: OpenbellError) -> None:
        """Fail, from another thread."""
        self._loop.call_soon_threadsafe(self._fail, error)

    def _fail(self, error: BaseException) -> None:
        known = error if isinstance(error, OpenbellError) else OpenbellError(f"exchange stopped: {error!r}")
        self._error = self._error or known
        self._stop.set()

    def _write_ready_file(self) -> None:
        if path := self.config.ready_file:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            draft.write_text(json.dumps(asdict(self.ready)) + "\n")
            draft.replace(path)


def _session_name(now_ns: int) -> str:
    """Return a name that another start will not have: the time in microseconds, in base 36."""
    return np.base_repr(now_ns // 1_000, 36).zfill(SESSION_LETTERS)[-SESSION_LETTERS:]


def _midnight_ns(now_ns: int, utc_offset_s: int) -> int:
    """Return the last midnight of the exchange's zone."""
    local_s = now_ns // SECOND_NS + utc_offset_s
    return (local_s - local_s % DAY_S - utc_offset_s) * SECOND_NS


def allow_sockets(count: int) -> None:
    """Raise the limit of open files, as far as the system lets us, so that `count` connections have room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + FILES_BESIDE_SOCKETS
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
