"""What stands between processes and does harm: a TCP proxy that cuts, holds and breaks up, a UDP relay that loses."""

import contextlib
import random
import selectors
import socket
import struct
import threading

CHUNK_BYTES = 512
"""Small, so that a cut leaves messages half delivered."""
OUT, IN = "out", "in"
"""What the client says, and what it hears."""


class TcpProxy:
    """Forwards 127.0.0.1:`port` to `target`, and does to it what it is told. A context."""

    def __init__(self, target: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.cuts = 0
        self.forwarded = {OUT: 0, IN: 0}
        self.chunk_bytes = CHUNK_BYTES
        """At most so many are forwarded at a time."""
        self._held: frozenset[str] = frozenset()
        self._wake, self._woken = socket.socketpair()
        self._pipes: dict[socket.socket, tuple[socket.socket, str]] = {}
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "TcpProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.send(b"q")
        self._thread.join()
        for s in (self._listener, self._wake, self._woken):
            s.close()

    def cut(self) -> None:
        """Reset the connection that is open now, with whatever is under way in it."""
        self._wake.send(b"c")

    def hold(self, *directions: str) -> None:
        """From now on nothing goes in these directions, until the next call: none is held without a name."""
        self._held = frozenset(directions)
        self._wake.send(b"h")

    def _run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                s = key.fileobj
                assert isinstance(s, socket.socket)
                if s is self._woken:
                    if (asked := self._woken.recv(1)) == b"q":
                        self._drop()
                        self._selector.close()
                        return
                    if asked == b"c":
                        self.cuts += bool(self._pipes)
                        self._drop()
                    self._listen_as_told()
                    break
                if s is self._listener:
                    self._connect()
                elif not self._forward(s):
                    self._drop()
                    break

    def _connect(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(self._target)
        self._pipes |= {client: (server, OUT), server: (client, IN)}
        self.connections += 1
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._listen_as_told()

    def _listen_as_told(self) -> None:
        """Who is held is not read from, so that its own buffers fill up."""
        for end, (_, direction) in self._pipes.items():
            is_read = end in self._selector.get_map()
            if is_read and direction in self._held:
                self._selector.unregister(end)
            elif not is_read and direction not in self._held:
                self._selector.register(end, selectors.EVENT_READ)

    def _forward(self, end: socket.socket) -> bool:
        other, direction = self._pipes[end]
        with contextlib.suppress(OSError):
            if chunk := end.recv(self.chunk_bytes):
                other.sendall(chunk)
                self.forwarded[direction] += len(chunk)
                return True
        return False

    def _drop(self) -> None:
        for end in self._pipes:
            if end in self._selector.get_map():
                self._selector.unregister(end)
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, not FIN
            end.close()
        self._pipes.clear()


class UdpRelay:
    """Forwards datagrams from 127.0.0.1:`port` to `target`; loses some, doubles some, lets some be overtaken."""

    def __init__(self, port: int, target: int, seed: int, share: float) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._target = ("127.0.0.1", target)
        self._draw, self._share = random.Random(seed), share
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.lost = self.doubled = self.overtaken = self.forwarded = 0

    def __enter__(self) -> "UdpRelay":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.send(b"q")
        self._thread.join()
        for s in (self._socket, self._wake, self._woken):
            s.close()

    def heal(self) -> None:
        """Forward everything from now on, as it comes."""
        self._share = 0.0

    def _run(self) -> None:
        selector, held = selectors.DefaultSelector(), b""
        selector.register(self._socket, selectors.EVENT_READ)
        selector.register(self._woken, selectors.EVENT_READ)
        while all(key.fileobj is not self._woken for key, _ in selector.select()):
            datagram, harm = self._socket.recv(1 << 16), self._draw.random()
            if harm < self._share:
                self.lost += 1
                continue
            if harm < 2 * self._share and not held:
                held = datagram
                continue
            self._send(datagram)
            if harm > 1 - self._share:
                self.doubled += 1
                self._send(datagram)
            if held:
                self.overtaken += 1
                self._send(held)
                held = b""
        selector.close()

    def _send(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, self._target)
        self.forwarded += 1
