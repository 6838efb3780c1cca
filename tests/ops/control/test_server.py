"""The control socket: who the kernel says it is, bounds on size, rate, time and connections, and kills first."""

import contextlib
import json
import os
import resource
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from openbell.errors import NetError
from openbell.ops.control import server as control


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Room:
    """A server that repeats who asked what; `turn` until somebody is answered."""

    def __init__(self, folder: Path, **options) -> None:
        self.path = folder / control.SOCKET_NAME
        self.clock = Clock()
        self.heard: list[tuple[int, bytes]] = []
        self.server = control.ControlServer(self.path, self.answer, now=self.clock, **options)

    def answer(self, line: bytes, uid: int, pid: int) -> dict[str, object]:
        assert pid == os.getpid()
        self.heard.append((uid, line))
        return {"ok": True, "line": line.decode(errors="replace")}

    def connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(5)
        try:
            sock.connect(str(self.path))
        except OSError:
            sock.close()
            raise
        self.server.turn(0)
        return sock

    def ask(self, sock: socket.socket, *lines: bytes) -> list[dict[str, object]]:
        sock.sendall(b"".join(line + b"\n" for line in lines))
        said = b""
        while said.count(b"\n") < len(lines):
            self.server.turn(0)
            said += sock.recv(1 << 20)
        return [json.loads(line) for line in said.splitlines()]

    def is_cut(self, sock: socket.socket) -> bool:
        self.server.turn(0)
        return sock.recv(1) == b""


@pytest.fixture
def room(tmp_path):
    made = Room(tmp_path)
    yield made
    made.server.close()


def test_the_socket_is_the_users_alone(room):
    assert stat.S_IMODE(room.path.stat().st_mode) == 0o600


def test_with_a_group_it_is_theirs_too(tmp_path):
    gid = os.getgid()
    made = Room(tmp_path, mode=0o660, gid=gid)
    assert (stat.S_IMODE(made.path.stat().st_mode), made.path.stat().st_gid) == (0o660, gid)
    made.server.close()


def test_a_socket_of_a_process_that_died_makes_room(tmp_path):
    Room(tmp_path).server.close()
    again = Room(tmp_path)
    with again.connect() as sock:
        assert again.ask(sock, b"a")[0]["ok"]
    again.server.close()


def test_where_it_cannot_listen_it_says_where(tmp_path):
    with pytest.raises(NetError, match=r"expected to listen on .*none/control\.sock"):
        Room(tmp_path / "none")


def test_who_asks_is_what_the_kernel_says(room):
    with room.connect() as sock:
        room.ask(sock, b'{"uid": 4}', b"b")
    assert room.heard == [(os.getuid(), b'{"uid": 4}'), (os.getuid(), b"b")]


@contextlib.contextmanager
def become(uid: int):
    """Connect as somebody else: the kernel takes the effective user id."""
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")


@as_root
def test_two_people_on_one_socket_are_two_to_the_kernel():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        made = Room(Path(folder), mode=0o666)
        for uid in (64_001, 64_002):
            with become(uid):
                sock = made.connect()
            with sock:
                assert made.ask(sock, b"me")[0]["ok"]
        made.server.close()
        assert made.heard == [(64_001, b"me"), (64_002, b"me")]


@as_root
def test_another_user_is_not_let_in_where_no_group_is():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        made = Room(Path(folder))
        with become(64_001), pytest.raises(PermissionError):
            made.connect()
        made.server.close()


def test_a_person_has_a_rate_and_kills_have_none(room):
    with room.connect() as sock:
        said = room.ask(sock, *[b"x"] * 45)
        assert [s["ok"] for s in said] == [True] * 40 + [False] * 5
        assert "expected at most 20 requests a second" in str(said[-1]["error"])
        assert all(s["ok"] for s in room.ask(sock, *[b'{"verb": "kill"}'] * 100))
        room.clock.now_s = 0.1
        assert [s["ok"] for s in room.ask(sock, *[b"x"] * 3)] == [True, True, False]


def test_a_kill_is_done_before_what_came_with_it(room):
    with room.connect() as first, room.connect() as second:
        first.sendall(b"a\nb\n")
        second.sendall(b'{"verb": "kill"}\n')
        room.server.turn(0)
    assert [line for _, line in room.heard] == [b'{"verb": "kill"}', b"a", b"b"]


def test_lines_in_pieces_and_empty_ones(room):
    with room.connect() as sock:
        for piece in (b'{"ve', b'rb"', b"}\n\n  \n"):
            sock.sendall(piece)
            room.server.turn(0)
    assert [line for _, line in room.heard] == [b'{"verb"}']


def test_a_line_without_an_end_is_cut_off(room):
    with room.connect() as sock:
        sent = 0
        try:
            while sent <= 2 * control.LINE_BYTES_MAX:
                sent += sock.send(b"x" * 65_536)
                room.server.turn(0)
        except OSError:
            pass  # cut while we were still talking
        assert sent > control.LINE_BYTES_MAX
    assert room.heard == []
    with room.connect() as sock:
        assert room.ask(sock, b"a")[0]["ok"]


def test_who_says_nothing_is_dropped(room):
    with room.connect() as silent, room.connect() as busy:
        room.clock.now_s = control.IDLE_S
        assert room.ask(busy, b"a")[0]["ok"]
        room.clock.now_s = control.IDLE_S + 0.1
        assert room.is_cut(silent)
        assert room.ask(busy, b"b")[0]["ok"]
        assert room.server.dropped == 1


def test_one_person_has_few_connections(room):
    socks = [room.connect() for _ in range(control.CONNECTIONS_OF_ONE_MAX + 1)]
    assert room.is_cut(socks[-1])
    assert room.ask(socks[0], b"a")[0]["ok"]
    for sock in socks:
        sock.close()
    room.server.turn(0)
    with room.connect() as sock:
        assert room.ask(sock, b"a")[0]["ok"]


def test_all_together_have_a_bound(room, monkeypatch):
    monkeypatch.setattr(control, "CONNECTIONS_MAX", 2)
    socks = [room.connect() for _ in range(3)]
    assert room.is_cut(socks[-1])
    for sock in socks:
        sock.close()


def test_who_does_not_read_is_dropped(room, monkeypatch):
    monkeypatch.setattr(control, "ANSWER_BYTES_MAX", 100_000)
    with room.connect() as sock:
        line = b'"kill"' + b"x" * 60_000
        for _ in range(40):
            try:
                sock.sendall(line + b"\n")
            except OSError:
                break
            room.server.turn(0)
        room.server.turn(0)
        assert room.server._peers == {}


def test_an_answer_that_waits_is_sent_when_there_is_room(room):
    with room.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        lines = [b'"kill"' + name * 200_000 for name in (b"x", b"y", b"z")]  # more than the kernel keeps for us
        said = b""
        sock.setblocking(False)
        waiting = b"".join(line + b"\n" for line in lines)
        while said.count(b"\n") < 3:
            if waiting:
                with contextlib.suppress(BlockingIOError):
                    waiting = waiting[sock.send(waiting) :]
            room.server.turn(0)
            with contextlib.suppress(BlockingIOError):
                said += sock.recv(4_096)
        assert [json.loads(one)["line"].encode() for one in said.splitlines()] == lines


def test_who_left_before_the_answer_harms_nobody(room):
    sock = room.connect()
    sock.sendall(b"a\n" * 30)
    sock.close()
    for _ in range(3):
        room.server.turn(0)
    with room.connect() as other:
        assert room.ask(other, b"b")[0]["ok"]


def test_answers_that_wait_are_sent_while_nobody_asks(room):
    with room.connect() as sock:
        lines = [b'"kill"' + name * 200_000 for name in (b"x", b"y")]
        for line in lines:  # each is read whole before the next
            for at in range(0, len(line), 50_000):
                sock.sendall(line[at : at + 50_000])
                room.server.turn(0)
            sock.sendall(b"\n")
            room.server.turn(0)
        said = b""
        while said.count(b"\n") < len(lines):
            said += sock.recv(50_000)
            room.server.turn(0)
    assert [json.loads(one)["line"].encode() for one in said.splitlines()] == lines


def test_who_goes_with_an_answer_unread_is_forgotten(room):
    sock = room.connect()
    sock.sendall(b"a\n")
    room.server.turn(0)
    sock.close()  # the kernel calls this a reset
    room.server.turn(0)
    assert room.server._peers == {}


def test_without_a_descriptor_nobody_is_let_in_and_nobody_harmed(room):
    with room.connect() as first, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as second:
        second.connect(str(room.path))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            room.server.turn(0)
            assert len(room.server._peers) == 1
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert room.ask(first, b"a")[0]["ok"]
        assert room.ask(second, b"b")[0]["ok"]
