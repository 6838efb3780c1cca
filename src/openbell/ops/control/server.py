"""The control socket: a Unix socket in the node's hot directory, one thread, everything bounded.

The kernel says who is at the other end (SO_PEERCRED). A kill is done before anything else that arrived with it, and is
never too many; all other requests have a rate per person. Who says nothing, too much or half a line is dropped.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from openbell.errors import NetError

SOCKET_NAME = "control.sock"
LINE_BYTES_MAX = 256 * 1024
"""A whole file of limits fits."""
CONNECTIONS_MAX = 64
CONNECTIONS_OF_ONE_MAX = 8
IDLE_S = 5.0
"""Without a whole request, or with an answer that nobody reads."""
BURST_S = 2.0
"""A person may have asked nothing for so long, and ask for all of it at once."""
ANSWER_BYTES_MAX = 1024 * 1024
SO_PEERCRED_FORMAT = "iII"
READ_BYTES = 64 * 1024


def is_kill(line: bytes) -> bool:
    """Whether a line asks for a kill; a wrong yes only gives it another place in the queue."""
    return b'"kill"' in line[:256]


@dataclass
class Bucket:
    """Requests that one person may still make."""

    tokens: float
    seen: float


@dataclass
class Peer:
    """One connection."""

    sock: socket.socket
    uid: int
    pid: int
    since: float
    incoming: bytearray = field(default_factory=bytearray)
    outgoing: bytearray = field(default_factory=bytearray)


class ControlServer:
    """Answers lines by `answer(line, uid, pid)`; `turn` is one round, for whoever owns the loop."""

    def __init__(
        self,
        path: Path,
        answer: Callable[[bytes, int, int], dict[str, object]],
        *,
        requests_per_s: float = 20,
        mode: int = 0o600,
        gid: int = -1,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answer, self._rate, self._now = answer, requests_per_s, now
        self._peers: dict[int, Peer] = {}
        self._buckets: dict[int, Bucket] = {}
        self.dropped = 0
        self._listener = _listen(path, mode, gid)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)

    def close(self) -> None:
        """Stop; whoever is connected is cut."""
        for peer in list(self._peers.values()):
            self._drop(peer)
        self._selector.close()
        self._listener.close()

    def turn(self, timeout_s: float = 0.05) -> None:
        """Wait for at most `timeout_s`, then answer what is there: kills first."""
        lines: list[tuple[Peer, bytes]] = []
        for key, events in self._selector.select(timeout_s):
            if key.fileobj is self._listener:
                self._accept()
                continue
            peer = self._peers.get(key.fd)
            if peer and events & selectors.EVENT_READ:
                lines += [(peer, line) for line in self._read(peer)]
            if peer and events & selectors.EVENT_WRITE:
                self._write(peer)
        for peer, line in sorted(lines, key=lambda one: not is_kill(one[1])):
            self._tell(peer, self._answer_of(line, peer))
        self._drop_idle()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:  # gone again, or no descriptor is left
            return
        sock.setblocking(False)
        peer = Peer(sock, *peer_ids(sock), self._now())
        of_one = sum(other.uid == peer.uid for other in self._peers.values())
        if len(self._peers) >= CONNECTIONS_MAX or of_one >= CONNECTIONS_OF_ONE_MAX:
            self.dropped += 1
            sock.close()
            return
        self._peers[sock.fileno()] = peer
        self._selector.register(sock, selectors.EVENT_READ)

    def _read(self, peer: Peer) -> list[bytes]:
        try:
            data = peer.sock.recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._drop(peer)
            return []
        peer.incoming += data
        *lines, rest = bytes(peer.incoming).split(b"\n")
        peer.incoming = bytearray(rest)
        if len(rest) > LINE_BYTES_MAX:
            self._tell(peer, {"ok": False, "error": f"expected a line of at most {LINE_BYTES_MAX} bytes; cut off"})
            self._drop(peer)
        return [line for line in lines if line.strip()]

    def _answer_of(self, line: bytes, peer: Peer) -> dict[str, object]:
        if not is_kill(line) and not self._take_token(peer.uid):
            self.dropped += 1
            return {
                "ok": False,
                "error": f"expected at most {self._rate:g} requests a second of uid {peer.uid}; wait, ask again",
            }
        return self._answer(line, peer.uid, peer.pid)

    def _take_token(self, uid: int) -> bool:
        now, most = self._now(), self._rate * BURST_S
        bucket = self._buckets.setdefault(uid, Bucket(most, now))
        bucket.tokens = min(most, bucket.tokens + (now - bucket.seen) * self._rate)
        bucket.seen = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _tell(self, peer: Peer, answer: dict[str, object]) -> None:
        peer.outgoing += json.dumps(answer).encode() + b"\n"
        peer.since = self._now()
        self._write(peer)
        if len(peer.outgoing) > ANSWER_BYTES_MAX:
            self._drop(peer)

    def _write(self, peer: Peer) -> None:
        try:
            del peer.outgoing[: peer.sock.send(peer.outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            return self._drop(peer)
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.outgoing else 0)
        self._selector.modify(peer.sock, wanted)
        return None

    def _drop_idle(self) -> None:
        for peer in [p for p in self._peers.values() if self._now() - p.since > IDLE_S]:
            self.dropped += 1
            self._drop(peer)

    def _drop(self, peer: Peer) -> None:
        if self._peers.pop(peer.sock.fileno(), None) is not None:
            self._selector.unregister(peer.sock)
            peer.sock.close()


def peer_ids(sock: socket.socket) -> tuple[int, int]:
    """Whose process is at the other end and which, as the kernel saw it connect: (uid, pid)."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(SO_PEERCRED_FORMAT))
    pid, uid, _ = struct.unpack(SO_PEERCRED_FORMAT, raw)
    return int(uid), int(pid)


def _listen(path: Path, mode: int, gid: int) -> socket.socket:
    path.unlink(missing_ok=True)  # of a process that died
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.bind(str(path))
        path.chmod(mode)  # nobody can connect before it listens
        os.chown(path, -1, gid)
        sock.listen(CONNECTIONS_MAX)
    except OSError as error:
        sock.close()
        raise NetError(f"control: expected to listen on {path}, found: {error.strerror}; is it writable?") from None
    return sock
