"""A TCP proxy that can cut a connection in the middle of whatever it is carrying."""

import contextlib
import selectors
import socket
import struct
import threading

CHUNK_BYTES = 512
"""Small, so that a cut leaves messages half delivered."""


class CutProxy:
    """Forwards 127.0.0.1:`port` to `target`; `cut` resets both sides at once. A context."""

    def __init__(self, target: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.cuts = 0
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "CutProxy":
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

    def _run(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self._listener, selectors.EVENT_READ)
        selector.register(self._woken, selectors.EVENT_READ)
        pipes: dict[socket.socket, socket.socket] = {}

        def drop() -> None:
            for s in list(pipes):
                selector.unregister(s)
                with contextlib.suppress(OSError):
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, not FIN
                s.close()
            pipes.clear()

        while True:
            for key, _ in selector.select():
                s = key.fileobj
                if s is self._woken:
                    if self._woken.recv(1) == b"q":
                        drop()
                        selector.close()
                        return
                    self.cuts += bool(pipes)
                    drop()
                    break
                if s is self._listener:
                    client, _ = self._listener.accept()
                    server = socket.create_connection(self._target)
                    pipes[client], pipes[server] = server, client
                    self.connections += 1
                    for end in (client, server):
                        selector.register(end, selectors.EVENT_READ)
                    continue
                assert isinstance(s, socket.socket)
                try:
                    chunk = s.recv(CHUNK_BYTES)
                    if chunk:
                        pipes[s].sendall(chunk)
                        continue
                except OSError:
                    pass
                drop()
                break
