"""The control socket: one JSON object per line asks, one answers.

    {"verb": "status"}
    {"verb": "state", "symbol": "OBEL", "state": "H"}

An answer is {"ok": true, ...} or {"ok": false, "error": "..."}; what the verbs do stands in answers.py. It is open to
whoever can connect, so it listens on loopback or on a Unix socket only.
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

from openbell.errors import NetError, OpenbellError
from openbell.exchange.config import ControlSettings

LINE_BYTES_MAX = 64 * 1024
ANSWER_BYTES_MAX = 1024 * 1024 * 1024
NAMES_IN_ERRORS_MAX = 12
Answer = dict[str, Any]


class RequestError(OpenbellError):
    """A control request that cannot be answered."""


class ControlServer:
    """Answers the requests of whoever can connect."""

    def __init__(self, answer: Callable[[Answer], Answer]) -> None:
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def listen(self, settings: ControlSettings) -> str:
        """Bind, and return where.

        Raises:
            NetError: the address cannot be bound.
        """
        where = settings.unix or settings.listen
        try:
            if settings.unix:
                self._server = await asyncio.start_unix_server(self._serve, settings.unix, limit=LINE_BYTES_MAX)
                return str(settings.unix)
            host, port = settings.listen.host, settings.listen.port
            self._server = await asyncio.start_server(self._serve, host, port, limit=LINE_BYTES_MAX)
        except OSError as error:
            raise NetError(
                f"control: expected to bind {where}, found: {error.strerror}; is another exchange running? "
                "change [control] listen, or use port 0"
            ) from None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    def close(self) -> None:
        """Stop listening; closing twice does nothing."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends."""
        try:
            while line := await reader.readline():
                writer.write(json.dumps(_answer_line(self._answer, line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # gone, or a line beyond the limit
            pass
        finally:
            writer.close()


def some_of(names: Iterable[str]) -> str:
    """Return the names for an error message, cut where they get too many."""
    known = list(names)
    more = f" and {len(known) - NAMES_IN_ERRORS_MAX} more" if len(known) > NAMES_IN_ERRORS_MAX else ""
    return ", ".join(known[:NAMES_IN_ERRORS_MAX]) + more


def _answer_line(answer: Callable[[Answer], Answer], line: bytes) -> Answer:
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise RequestError(f"expected a JSON object, found {type(request).__name__}")
        return {"ok": True, **answer(request)}
    except json.JSONDecodeError as error:
        return {"ok": False, "error": f"expected a line of JSON: {error}"}
    except OpenbellError as error:
        return {"ok": False, "error": str(error)}


async def ask(address: str, request: dict[str, Any], timeout_s: float = 10.0) -> Answer:
    """Return the exchange's answer to `request`; `address` is "host:port" or the path of a Unix socket.

    Raises:
        NetError: nobody answers there.
        RequestError: the exchange refused the request.
    """
    try:
        async with asyncio.timeout(timeout_s):
            line = await _exchange_line(address, json.dumps(request).encode() + b"\n")
    except (OSError, TimeoutError) as error:
        raise NetError(f"expected an exchange at {address}, found none ({error}); is it running?") from None
    answer: Answer = json.loads(line or b'{"ok": false, "error": "the exchange closed the connection"}')
    if not answer.pop("ok"):
        raise RequestError(answer["error"])
    return answer


async def _exchange_line(address: str, line: bytes) -> bytes:
    if "/" in address:
        reader, writer = await asyncio.open_unix_connection(address, limit=ANSWER_BYTES_MAX)
    else:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=ANSWER_BYTES_MAX)
    try:
        writer.write(line)
        return await reader.readline()
    finally:
        writer.close()
