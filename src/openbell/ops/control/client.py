"""Asks a node's control process one thing."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from openbell.errors import NetError
from openbell.ops.control.proposals import RefusedError
from openbell.ops.control.server import ANSWER_BYTES_MAX, SOCKET_NAME

ANSWER_WITHIN_S = 5.0


def ask(hot_dir: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The answer of the node in `hot_dir`.

    Raises:
        NetError: nobody answers, or this user may not connect.
        RefusedError: the request was refused; the message is the desk's.
    """
    path = hot_dir / SOCKET_NAME
    line = json.dumps(request).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(ANSWER_WITHIN_S)
            sock.connect(str(path))
            sock.sendall(line)
            said = _one_line(sock)
    except PermissionError:
        raise NetError(
            f"{path}: expected to be let in, found: permission denied; the socket is the node's user's, or its group's "
            "where [control] group names one"
        ) from None
    except OSError as error:
        raise NetError(
            f"{path}: expected the node's control process, found: {error.strerror or error}; does the node run? "
            "openbell kill NODE --all works without it"
        ) from None
    answer: dict[str, Any] = json.loads(said)
    if not answer.get("ok"):
        raise RefusedError(str(answer.get("error")))
    return answer


def _one_line(sock: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\n"):
        more = sock.recv(64 * 1024)
        if not more or len(said) > ANSWER_BYTES_MAX:
            raise OSError("the connection ended before the answer")
        said += more
    return said
