"""The exchange as a server: sockets around the venue core, the background flow, and the control socket.

    async with ExchangeServer(config) as exchange:
        print(exchange.ready)

Everything runs on one event loop; what a client sends is answered, and what it caused is published, before the next
bytes are read.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self

from openbell._native import VenueCore
from openbell.config_types import Address
from openbell.errors import NetError, OpenbellError
from openbell.exchange.config import FLOW_ACCOUNT, ExchangeConfig
from openbell.exchange.control import LINE_BYTES_MAX, Answer, RequestError, serve_control
from openbell.exchange.feed_out import FeedOut
from openbell.exchange.flow_config import passes_through
from openbell.exchange.ledger import holdings, ledger
from openbell.exchange.order_entry import OrderEntry
from openbell.exchange.playback import Stage, play

DAY_S = 86_400
SECOND_NS = 1_000_000_000
TICKS_PER_HEARTBEAT = 4
CLOSE_TIMEOUT_S = 1.0
"""How long shutdown waits for clients to take their last reports."""


@dataclass(frozen=True)
class Ready:
    """Where a started exchange is found; also the content of the ready file."""

    pid: int
    session: str
    midnight_ns: int
    order_entry: str
    retransmit: str
    control: str
    receivers: tuple[str, ...]


class ExchangeServer:
    """One day of one exchange. `clock` gives ns since the epoch."""

    def __init__(self, config: ExchangeConfig, clock: Callable[[], int] = time.time_ns) -> None:
        self.config = config
        self.clock = clock
        now = clock()
        self.session = config.session or f"{now // (SECOND_NS // 100) % 10**10:010}"
        self.midnight_ns = _midnight_ns(now, config.utc_offset_s)
        self.symbols = [listed.symbol for listed in config.instruments]
        self.venue = VenueCore(
            [(listed.symbol, listed.tick_px, listed.round_lot) for listed in config.instruments],
            self.midnight_ns,
            config.limits.orders_max,
            config.limits.tokens_max,
            config.limits.messages_max,
            matches=not passes_through(config.flow),
        )
        self.flow_account = self.venue.add_account(internal=True)
        self.feed = FeedOut(self.venue, config.feed, self.session)
        self.flow_done = asyncio.Event()
        self.flow_messages = 0
        self._stop = asyncio.Event()
        self._error: OpenbellError | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._servers: list[asyncio.Server] = []

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
        try:
            await self._open()
        except BaseException:
            self._close_sockets()
            raise
        self._tasks = [self._task(self._tick_forever()), self._task(self._run_flow())]
        self.changed()
        self._write_ready_file()

    async def _open(self) -> None:
        self.door = OrderEntry(self.venue, self.config.order_entry, self.session, self.clock, self.changed, self._guard)
        for account in self.config.accounts:
            self.door.add_account(account)
        self.feed.open()
        self.venue.open_day(self.clock())
        self.ready = Ready(
            pid=os.getpid(),
            session=self.session,
            midnight_ns=self.midnight_ns,
            order_entry=await self._listen_for_orders(),
            retransmit=str(self.feed.retransmit),
            control=await self._listen_for_control(),
            receivers=tuple(f"{host}:{port}" for host, port in self.feed.receivers),
        )

    def _close_sockets(self) -> None:
        for server in self._servers:
            server.close()
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
        self._guard(lambda: self.venue.close_day(self.clock()))
        self.changed()
        connections = list(self.door.connections)
        self.door.end_session()
        await self.feed.end_session()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await asyncio.gather(*(connection.closed.wait() for connection in connections))
        for connection in list(self.door.connections):
            connection.transport.abort()
        self._close_sockets()
        if self.config.ready_file:
            self.config.ready_file.unlink(missing_ok=True)

    def changed(self) -> None:
        """Publish and report what the venue has new."""
        self.feed.publish()
        self.door.push()

    # ---- control -------------------------------------------------------------------------------

    def answer(self, request: dict[str, Any]) -> Answer:
        """Answer one control request; see control.py."""
        match request:
            case {"verb": "status"}:
                return self.status()
            case {"verb": "ledger", "account": str(name)}:
                return {"account": name, **ledger(self.venue, self._account_number(name), self.symbols)}
            case {"verb": "state", "symbol": str(symbol), "state": "T" | "H" | "P" | "Q" as state}:
                return self._set_state(symbol, state)
            case {"verb": "shutdown"}:
                self.request_stop()
                return {}
        raise RequestError('expected {"verb": "status" | "ledger" | "state" | "shutdown", ...}')

    def status(self) -> Answer:
        """Return what the exchange is doing; `holdings` covers all accounts, the flow's included."""
        return {
            **asdict(self.ready),
            "itch_messages": self.venue.itch_next - 1,
            "open_orders": self.venue.open_orders,
            "flow": {"messages": self.flow_messages, "done": self.flow_done.is_set()},
            "feed": {name: getattr(self.feed, name) for name in ("packets", "unsent", "requests", "answers")},
            "sessions": asdict(self.door.counters),
            "venue": self.venue.counters(),
            "accounts": {name: self._account_status(name) for name in self.door.accounts},
            "holdings": {
                name: holdings(self.venue, self._account_number(name), self.symbols)
                for name in [*self.door.accounts, FLOW_ACCOUNT]
            },
        }

    def _account_status(self, name: str) -> dict[str, Any]:
        account = self.door.accounts[name]
        last_seq = self.venue.reports(account.number).next_seq - 1
        return {"connected": account.connection is not None, "last_seq": last_seq}

    def _account_number(self, name: str) -> int:
        if name == FLOW_ACCOUNT:
            return self.flow_account
        account = self.door.accounts.get(name.strip().upper())
        if account is None:
            raise RequestError(f"expected one of {', '.join(self.door.accounts)}, found account {name!r}")
        return account.number

    def _set_state(self, symbol: str, state: str) -> Answer:
        if symbol not in self.symbols:
            raise RequestError(f"expected one of {', '.join(self.symbols)}, found symbol {symbol!r}")
        self.venue.set_state(self.symbols.index(symbol), state, self.clock())
        self.changed()
        return {}

    # ---- tasks and sockets ---------------------------------------------------------------------

    async def _run_flow(self) -> None:
        stage = Stage(
            self.venue, self.flow_account, self.config.instruments, self.clock, self.changed, self.door.first_login
        )
        self.flow_messages = await play(self.config.flow, stage)
        self.flow_done.set()

    async def _tick_forever(self) -> None:
        heartbeat_ms = min(self.config.feed.heartbeat_ms, self.config.order_entry.heartbeat_ms)
        while True:
            await asyncio.sleep(heartbeat_ms / 1000 / TICKS_PER_HEARTBEAT)
            self.venue.advance(self.clock())
            self.changed()
            self.feed.tick()
            self.door.tick()

    def _task(self, coroutine: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(coroutine)
        task.add_done_callback(self._task_ended)
        return task

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)

    def _guard(self, act: Callable[[], None]) -> None:
        """Do `act`; an error of the venue ends the exchange, not just the connection that met it."""
        try:
            act()
        except OpenbellError as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        known = error if isinstance(error, OpenbellError) else OpenbellError(f"exchange stopped: {error!r}")
        self._error = self._error or known
        self._stop.set()

    async def _listen_for_orders(self) -> str:
        where = self.config.order_entry.listen
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(self.door.connect, where.host, where.port)
        except OSError as error:
            raise _not_bound("order_entry", where, error) from None
        self._servers.append(server)
        return _address_of(server)

    async def _listen_for_control(self) -> str:
        settings = self.config.control

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await serve_control(self.answer, reader, writer)

        try:
            if settings.unix:
                server = await asyncio.start_unix_server(serve, settings.unix, limit=LINE_BYTES_MAX)
                self._servers.append(server)
                return str(settings.unix)
            server = await asyncio.start_server(serve, settings.listen.host, settings.listen.port, limit=LINE_BYTES_MAX)
        except OSError as error:
            raise _not_bound("control", settings.listen, error) from None
        self._servers.append(server)
        return _address_of(server)

    def _write_ready_file(self) -> None:
        if path := self.config.ready_file:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            draft.write_text(json.dumps(asdict(self.ready)) + "\n")
            draft.replace(path)


def _midnight_ns(now_ns: int, utc_offset_s: int) -> int:
    """Return the last midnight of the exchange's zone."""
    local_s = now_ns // SECOND_NS + utc_offset_s
    return (local_s - local_s % DAY_S - utc_offset_s) * SECOND_NS


def _address_of(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"{host}:{port}"


def _not_bound(section: str, where: Address, error: OSError) -> NetError:
    return NetError(
        f"{section}: expected to bind {where}, found: {error.strerror}; is another exchange running? "
        f"change [{section}] listen, or use port 0"
    )
