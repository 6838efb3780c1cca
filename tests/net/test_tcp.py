"""TCP over loopback: connecting, partial sends, both ways of ending. Waits are for events, never for time."""

import socket

import pytest

from openbell._native import Poller, StreamState, TcpListener, TcpSocket
from openbell.errors import CapacityError, NetError

SECOND_NS = 1_000_000_000


def connected() -> tuple[TcpSocket, TcpSocket]:
    listener = TcpListener("127.0.0.1")
    client = TcpSocket(*listener.local)
    client.connect_within(5 * SECOND_NS)
    wait_readable(listener)
    server = listener.accept()
    assert server is not None
    return client, server


def wait_readable(port: TcpSocket | TcpListener) -> None:
    poller = Poller()
    poller.add(port.fileno())
    assert poller.wait(5 * SECOND_NS) == 1


def test_bytes_go_both_ways():
    client, server = connected()

    assert client.send(b"ping") == 4
    wait_readable(server)
    assert server.receive() == b"ping"
    assert server.send(b"pong!") == 5
    wait_readable(client)

    assert client.receive(2) == b"po"
    assert client.receive() == b"ng!"
    assert (client.receive(), client.state) == (b"", StreamState.UP)


def test_nagle_is_off():
    client, server = connected()

    for end in (client, server):
        twin = socket.socket(fileno=socket.dup(end.fileno()))
        assert twin.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        twin.close()


def test_a_send_reports_how_much_was_taken_and_nothing_is_lost():
    client, server = connected()
    data = bytes(i % 251 for i in range(1 << 20)) * 16

    sent = client.send(data)
    assert 0 < sent < len(data)
    assert client.send(data[sent:]) < len(data) - sent

    received = bytearray()
    while len(received) < sent:
        wait_readable(server)
        received += server.receive(1 << 20)
    assert received[:sent] == data[:sent]


def test_a_refused_connection_teaches():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        client = TcpSocket("127.0.0.1", port)

        with pytest.raises(
            NetError, match=rf"connected to 127\.0\.0\.1:{port} by TCP, got Connection refused.*start the server"
        ):
            client.connect_within(5 * SECOND_NS)

        assert client.state == StreamState.DOWN
        assert "Connection refused" in client.error


def test_the_end_of_the_peer_comes_after_its_last_bytes():
    client, server = connected()
    server.send(b"last words")
    server.shutdown()

    wait_readable(client)
    assert client.receive() == b"last words"
    wait_readable(client)

    assert (client.receive(), client.state, client.error) == (b"", StreamState.DOWN, "")
    assert client.send(b"too late") == 0


def test_shutdown_ends_both_directions():
    client, server = connected()

    client.shutdown()

    assert client.send(b"x") == 0
    assert (client.receive(), client.state) == (b"", StreamState.DOWN)
    wait_readable(server)
    assert (server.receive(), server.state) == (b"", StreamState.DOWN)


def test_a_socket_connects_again():
    listener = TcpListener("127.0.0.1")
    client = TcpSocket(*listener.local)

    for word in (b"one", b"two"):
        client.connect_within(5 * SECOND_NS)
        wait_readable(listener)
        server = listener.accept()
        assert server is not None
        server.send(word)
        wait_readable(client)
        assert client.receive() == word


def test_a_taken_port_is_named():
    listener = TcpListener("127.0.0.1")
    host, port = listener.local

    with pytest.raises(NetError, match=rf"listen on TCP 127\.0\.0\.1:{port}, got Address already in use"):
        TcpListener(host, port)


def test_nobody_waiting_is_none():
    assert TcpListener("127.0.0.1").accept() is None


def test_a_poller_has_a_limit_and_names_it():
    poller = Poller()
    for fd in range(1000, 1256):
        poller.add(fd)

    with pytest.raises(CapacityError, match="at most 256 polled descriptors"):
        poller.add(2000)
    with pytest.raises(NetError, match="open descriptor to poll, got -1"):
        poller.add(-1)
