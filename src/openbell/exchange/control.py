"""The control socket: one JSON object per line asks, one answers.

    {"verb": "status"}                          what the exchange is doing
    {"verb": "ledger", "account": "NODE1"}      orders, fills, positions and cash as the venue holds them
    {"verb": "state", "symbol": "OBEL", "state": "H"}   halt (H) or resume (T) an instrument
    {"verb": "shutdown"}                        end the day and the session

An answer is {"ok": true, ...} or {"ok": false, "error": "..."}. Prices and cash are integers in 1e-4, quantities in
shares. It is open to whoever can connect, so it listens on loopback or on a Unix socket only.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from openbell.errors import NetError, OpenbellError

LINE_BYTES_MAX = 64 * 1024
ANSWER_BYTES_MAX = 1024 * 1024 * 1024
Answer = dict[str, Any]


class RequestError(OpenbellError):
    """A control request that cannot be answered."""


async def serve_control(
    answer: Callable[[dict[str, Any]], Answer], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the requests of one connection until it ends."""
    try:
        while line := await reader.readline():
            writer.write(json.dumps(_answer_line(answer, line)).encode() + b"\n")
            await writer.drain()
    except (ConnectionError, ValueError):  # gone, or a line beyond the limit
        pass
    finally:
        writer.close()


def _answer_line(answer: Callable[[dict[str, Any]], Answer], line: bytes) -> Answer:
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
