"""An exchange in process, and the smallest client that can trade on it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, ClassVar

from openbell._native import (
    mold_parse,
    mold_request,
    ouch_decode_outbound,
    ouch_encode_inbound,
    soup_login_request,
    soup_packet,
    soup_packets,
    soup_parse_login_accepted,
)
from openbell.exchange.config import ExchangeConfig
from openbell.exchange.server import ExchangeServer
from openbell.exchange.soup_port import SoupPort

TIMEOUT_S = 10.0
BASE: dict[str, Any] = {
    "session": "DAY1",
    "instruments": [{"symbol": "OBEL", "px": "50.00"}, {"symbol": "RING", "px": "120.00"}],
    "accounts": [
        {"name": "NODE1", "password": "plain:secret"},
        {"name": "NODE2", "password": "plain:secret", "cancel_on_disconnect": False},
    ],
    "feed": {"linger_ms": 0},
}


def config(**sections: Any) -> ExchangeConfig:
    """The base configuration with whole sections replaced."""
    return ExchangeConfig.model_validate_json(json.dumps({**BASE, **sections}))


def run(test: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
    """Run an async test; a test that hangs fails."""

    async def bounded() -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S * 3):
                await test(*arguments)
        finally:
            while Client.opened:
                await Client.opened.pop().disconnect()
            while Receiver.opened:
                Receiver.opened.pop().close()

    asyncio.run(bounded())


@asynccontextmanager
async def exchange(**sections: Any) -> AsyncIterator[ExchangeServer]:
    async with ExchangeServer(config(**sections)) as server:
        yield server


class FakeTime:
    """The time that a port believes in, for its timers."""

    def __init__(self, port: SoupPort) -> None:
        self.port, self.now_s = port, port.now()
        port.now = lambda: self.now_s

    def advance(self, seconds: float) -> None:
        """Let time pass, and the port look at it as often as it would."""
        end = self.now_s + seconds
        while self.now_s < end:
            self.now_s = min(end, self.now_s + self.port.settings.heartbeat_ms / 4000)
            self.port.tick()


class Client:
    """A SoupBinTCP client that hands over packets one by one, and OUCH reports as dicts."""

    opened: ClassVar[list["Client"]] = []  # closed by `run`

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.stream = b""
        self.packets: list[tuple[str, bytes]] = []

    @classmethod
    async def connect(cls, server: ExchangeServer, *, address: str = "", source: str = "127.0.0.1") -> "Client":
        """A connection to the port at `address`, or to order entry, from the local address `source`."""
        host, port = (address or server.ready.order_entry).split(":")
        cls.opened.append(cls(*await asyncio.open_connection(host, int(port), local_addr=(source, 0))))
        return cls.opened[-1]

    @classmethod
    async def login(
        cls, server: ExchangeServer, *, user="NODE1", password="secret", session="", seq=1, **where: Any
    ) -> "Client":
        client = await cls.connect(server, **where)
        client.send_login(user=user, password=password, session=session, seq=seq)
        kind, payload = await client.packet()
        assert kind == "A", (kind, payload)
        client.session, client.next_seq = soup_parse_login_accepted(payload)
        return client

    def send_login(self, *, user="NODE1", password="secret", session="", seq=1) -> None:
        self.writer.write(soup_login_request(user, password, session, seq))

    async def packet(self) -> tuple[str, bytes]:
        """The next packet, ("", b"") at the end of the connection."""
        while not self.packets:
            async with asyncio.timeout(TIMEOUT_S):
                try:
                    data = await self.reader.read(65536)
                except ConnectionError:
                    data = b""
            if not data:
                return "", b""
            self.packets, used, broken = soup_packets(self.stream + data, 65534)
            self.stream = (self.stream + data)[used:]
            assert not broken
        return self.packets.pop(0)

    async def report(self) -> dict[str, Any]:
        """The next OUCH report, heartbeats left out."""
        while True:
            kind, payload = await self.packet()
            assert kind in ("S", "H"), f"expected a report, found packet {kind!r}"
            if kind == "S":
                return ouch_decode_outbound(payload)

    async def reports(self, count: int) -> list[dict[str, Any]]:
        return [await self.report() for _ in range(count)]

    async def replay(self) -> list[dict[str, Any]]:
        """Every report up to the heartbeat that says there are no more."""
        reports = []
        while (packet := await self.packet())[0] != "H":
            assert packet[0] == "S", packet
            reports.append(ouch_decode_outbound(packet[1]))
        return reports

    def send(self, message: dict[str, Any]) -> None:
        self.writer.write(soup_packet("U", ouch_encode_inbound(message)))

    def enter(self, token: str, side="B", qty=100, px=50_0000, symbol="OBEL", **fields: Any) -> None:
        self.send(enter(token, side, qty, px, symbol, **fields))

    def replace(self, prev: str, token: str, qty: int, px: int, **fields: Any) -> None:
        self.send({"type": "U", "prev_token": prev.ljust(14), "token": token.ljust(14), "qty": qty, "px": px, **TERMS,
                   **fields})  # fmt: skip

    def cancel(self, token: str, qty: int = 0) -> None:
        self.send({"type": "X", "token": token.ljust(14), "qty": qty})

    async def disconnect(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


TERMS = {"tif": 99_998, "display": "Y", "iso": "N", "qty_min": 0}


def enter(token: str, side="B", qty=100, px=50_0000, symbol="OBEL", **fields: Any) -> dict[str, Any]:
    return {
        "type": "O", "token": token.ljust(14), "side": side, "qty": qty, "symbol": symbol.ljust(8), "px": px, **TERMS,
        "firm": "FIRM", "capacity": "P", "cross": "N", "customer": " ", **fields,
    }  # fmt: skip


def brief(report):
    """(type, token, then what the type is about)."""
    keys = {"A": ("qty", "px"), "E": ("qty", "px", "liquidity"), "C": ("qty", "reason"), "J": ("reason",),
            "U": ("prev_token", "qty", "px"), "S": ("event",)}  # fmt: skip
    values = [report[key] for key in keys[report["type"]]]
    return (report["type"], report.get("token", "").strip(), *(v.strip() if isinstance(v, str) else v for v in values))


class Receiver:
    """A feed receiver on a port of its own, which asks for what it misses."""

    opened: ClassVar[list["Receiver"]] = []  # closed by `run`

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        Receiver.opened.append(self)
        self.messages: list[bytes] = []
        self.asked = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    async def packet(self) -> tuple[str, int, int, list[bytes]]:
        async with asyncio.timeout(TIMEOUT_S):
            return mold_parse(await asyncio.get_running_loop().sock_recv(self.socket, 65536))

    async def ask(self, server: ExchangeServer, seq: int, count: int, session: str = "DAY1") -> None:
        self.asked += 1
        host, port = server.ready.retransmit.split(":")
        request = mold_request(session.ljust(10), seq, count)
        await asyncio.get_running_loop().sock_sendto(self.socket, request, (host, int(port)))

    async def follow_until(self, server: ExchangeServer, done: Callable[[list[bytes]], bool]) -> list[bytes]:
        """Every message from 1 on, in order and without gaps, until `done`."""
        while not done(self.messages):
            _, seq, _, messages = await self.packet()
            have = len(self.messages) + 1
            if seq > have:
                await self.ask(server, have, min(seq - have, 60_000))
            elif have < seq + len(messages):
                self.messages += messages[have - seq :]
        return self.messages

    def close(self) -> None:
        self.socket.close()
