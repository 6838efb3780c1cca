"""`openbell-kill`, the sender without Python: finds the node, closes the gate, says so."""

import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from openbell.__main__ import KILL_SENDER
from openbell.journal import JournalWriter, KillCell
from openbell.types import KillLevel

pytestmark = pytest.mark.skipif(not KILL_SENDER.is_file(), reason="this build has no openbell-kill beside the package")


SENDING = 52
"""Where the kill cell has it."""


@pytest.fixture
def hot(tmp_path):
    path = tmp_path / "hot"
    writer = JournalWriter(journal_dir=str(tmp_path / "journal"), hot_dir=str(path))
    yield path
    writer.close()


def send(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([KILL_SENDER, *map(str, words)], capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize("level", ["soft", "hard", "cord"])
@pytest.mark.parametrize("form", [["--{}"], ["--level", "{}"]])
def test_the_cell_is_set_by_whoever_may_write_it(hot, level, form):
    done = send(hot, "--all", *[word.format(level) for word in form])

    cell = KillCell.open(str(hot / "kill"))
    assert (cell.level, cell.requester_uid) == (KillLevel[level.upper()], os.getuid())
    assert done.returncode == 3
    assert f"{level} kill: gate closed within" in done.stdout
    assert "did not answer within 50 ms" in done.stdout


def test_an_answer_of_the_trading_thread_is_told(hot):
    cell = KillCell.open(str(hot / "kill"))
    cell.ack(KillLevel.HARD)
    done = send(hot, "--numbers")
    at_ns, closed_ns, was_killed, answered_ns, seq = map(int, done.stdout.split())
    assert done.returncode == 0
    assert (at_ns > 0, was_killed, seq) == (True, 0, 0)
    assert 0 <= closed_ns <= answered_ns

    assert send(hot, "--numbers").stdout.split()[2] == "1"


def test_a_thread_that_was_stopped_in_the_middle_of_a_send_is_waited_for_and_not_for_ever(hot):
    KillCell.open(str(hot / "kill"))
    with (hot / "kill").open("r+b") as cell:
        cell.seek(SENDING)
        cell.write(b"\1")  # it looked at the gate before it was shut
    done = send(hot, "--numbers")
    closed_ns = int(done.stdout.split()[1])
    assert (done.returncode, KillCell.open(str(hot / "kill")).level) == (3, KillLevel.HARD)
    assert closed_ns >= 100 * 20_000, "its naps"


def test_the_node_is_found_by_its_file_too(hot, tmp_path):
    file = tmp_path / "node.toml"
    file.write_text("# a node\n[other]\nname = 'x'\n[node]\nname = \"n\"  # it\nrun_dir = 'hot'\n")
    assert send(file).returncode == 3
    assert send("node.toml", cwd=tmp_path).returncode == 3
    assert KillCell.open(str(hot / "kill")).level == KillLevel.HARD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[feeds]\nname = 'n'\n", "expected a [node] table with a name"),
        ("[node]\nname = 'n'\nrun_dir = '~/x'\n", "run_dir begins with ~"),
        ("[node]\nname = 'no-such-node'\n", "no node in /dev/shm/openbell/no-such-node"),
        ("[node]\nname = no-quotes\n", "expected a [node] table with a name"),
        ("#\n" * 10_000 + "[node]\nname = 'n'\n", "expected a [node] table with a name"),
        ("[node]\nname = n\nname = 'n\n = 3\n", "expected a [node] table with a name"),
    ],
)
def test_a_file_that_names_no_node_is_refused_with_the_next_step(tmp_path, text, said):
    file = tmp_path / "node.toml"
    file.write_text(text)
    done = send(file)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--level", "medium"], ["--level"], ["--medium"], ["-x"], ["--why"], ["--strategy"], ["--instrument"],
        ["a", "b"], ["--all", "--strategy", "s"], ["--strategy", "s", "--instrument", "i"],
        ["--strategy", "s", "--cord"], ["--instrument", "i", "--cord"],
    ],
)  # fmt: skip
def test_a_command_line_that_is_none_does_nothing(hot, words):
    done = send(*([hot, *words] if words[0] != "a" else words))
    assert done.returncode == 64
    assert "nothing was done" in done.stderr
    assert KillCell.open(str(hot / "kill")).level == KillLevel.NONE


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (b'{"ok": true, "killed": "strategy s"}\n', 0, "hard kill of s: gate closed"),
        (b'{"ok": true, "killed"' + b" " * 5_000 + b': "strategy s"}\n', 0, "hard kill of s: gate closed"),
        (b'{"ok": false, "error": "no"}\n', 2, "refused: "),
        (b"", 2, "did not answer"),
    ],
)
def test_one_strategy_goes_by_the_control_socket(hot, answer, code, said):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(hot / "control.sock"))
        server.listen()
        heard = []

        def serve() -> None:
            with server.accept()[0] as peer:
                heard.append(peer.recv(1_000))
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        done = send(hot, "--strategy", "s", "--why", 'a "quote", a \\\n')
        thread.join()
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done
    assert heard == [b'{"verb": "kill", "level": "hard", "strategy": "s", "why": "a \\"quote\\", a \\\\"}\n']


def test_without_a_control_process_one_strategy_is_told_what_works(hot):
    done = send(hot, "--instrument", "OBEL")
    assert done.returncode == 2
    assert "--all works without it" in done.stderr


def test_a_control_process_that_goes_while_it_is_told_has_not_heard(hot):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(hot / "control.sock"))
        server.listen()

        def hang_up() -> None:
            with server.accept()[0] as peer:
                peer.recv(1)  # of more than the socket holds

        thread = threading.Thread(target=hang_up)
        thread.start()
        done = send(hot, "--strategy", "s" * 120_000, "--why", "w" * 120_000)
        thread.join()
    assert done.returncode == 2
    assert "expected the node's control process, found: " in done.stderr


def test_a_node_whose_page_nobody_can_read_is_killed_all_the_same(hot):
    with (hot / "journal.ctl").open("r+b") as page:
        page.write(bytes(8))  # as of another version
    done = send(hot, "--all", "--numbers")
    assert done.returncode == 3
    assert done.stdout.split()[4] == "0"  # nothing is known of its frames
    assert KillCell.open(str(hot / "kill")).level == KillLevel.HARD


def test_one_instrument_that_the_trading_thread_has_not_taken_is_told(hot):
    KillCell.open(str(hot / "kill")).ask_scoped()  # as the control process does
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(hot / "control.sock"))
        server.listen()

        def serve() -> None:
            with server.accept()[0] as peer:
                assert b'"instrument": "OBEL"' in peer.recv(1_000)
                peer.sendall(b'{"ok": true}\n')

        thread = threading.Thread(target=serve)
        thread.start()
        done = send(hot, "--instrument", "OBEL", "--soft", "--json")
        thread.join()
    assert done.returncode == 3
    assert "soft kill of OBEL: gate closed" in done.stdout
    assert "the trading thread did not answer" in done.stdout


def test_a_folder_whose_name_is_too_long_for_a_socket_is_told_so(tmp_path):
    hot = tmp_path / ("x" * 100)
    JournalWriter(journal_dir=str(tmp_path / "journal"), hot_dir=str(hot)).close()
    done = send(hot, "--strategy", "s")
    assert done.returncode == 2
    assert "too long for a socket" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root may have a /dev/shm of its own")
@pytest.mark.parametrize(
    ("nodes", "code", "said"),
    [
        (["one"], 3, "/dev/shm/openbell/one: hard kill: gate closed"),
        ([], 2, "expected one node in /dev/shm/openbell, found 0; give its name"),
        (["two", "one"], 2, "found 2: /dev/shm/openbell/one, /dev/shm/openbell/two; give its name"),
    ],
)
def test_without_a_name_it_is_the_only_node_of_the_host(hot, nodes, code, said):
    made = [f"cp -r {hot} /dev/shm/openbell/{name}" for name in nodes]
    script = ["mount -t tmpfs none /dev/shm", "mkdir -p /dev/shm/openbell/no-node", *made, str(KILL_SENDER)]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", "; ".join(script)], capture_output=True, text=True, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("no mount namespaces here")
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done
