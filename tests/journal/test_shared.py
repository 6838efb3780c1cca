"""Ring, counters and kill cell: between processes, and across the death of one."""

import mmap
import os
import subprocess
import sys

import numpy as np
import pytest

from openbell.errors import CapacityError, ConfigError, JournalError
from openbell.journal import Counters, KillCell, Ring
from openbell.types import KillLevel


def slot(n):
    return np.frombuffer(n.to_bytes(128, "little"), np.uint8)


def test_ring_gives_back_in_order_and_refuses_when_full(hot):
    ring = Ring.create(str(hot / "r"), 8)
    assert ring.pop() is None
    for lap in range(5):
        assert [ring.push(slot(lap * 8 + i)) for i in range(9)] == [True] * 8 + [False]
        assert len(ring) == 8
        assert [int.from_bytes(ring.pop(), "little") for _ in range(8)] == list(range(lap * 8, lap * 8 + 8))
    assert ring.pop() is None


def test_small_record_leaves_the_rest_of_the_slot(hot):
    ring = Ring.create(str(hot / "r"), 2)
    assert ring.push(np.full(48, 7, np.uint8))
    assert ring.pop()[:48] == bytes([7]) * 48


@pytest.mark.parametrize("capacity", [0, 3, 1 << 21])
def test_ring_capacity_is_a_bounded_power_of_two(hot, capacity):
    with pytest.raises(ConfigError, match="power of two"):
        Ring.create(str(hot / "r"), capacity)


def test_ring_is_never_created_over_another(hot):
    Ring.create(str(hot / "r"), 8)
    with pytest.raises(JournalError, match="File exists"):
        Ring.create(str(hot / "r"), 8)
    (hot / "x").write_bytes(b"short")
    with pytest.raises(JournalError, match="expected a ring"):
        Ring.attach(str(hot / "x"))


ECHO = """
import sys
import numpy as np
from openbell.journal import Ring
requests, answers = Ring.attach(sys.argv[1]), Ring.attach(sys.argv[2])
for _ in range(int(sys.argv[3])):
    while (record := requests.pop()) is None:
        pass
    while not answers.push(np.frombuffer(record, np.uint8)):
        pass
"""


def test_ring_between_two_processes_loses_and_reorders_nothing(hot):
    count = 30_000
    requests, answers = Ring.create(str(hot / "q"), 64), Ring.create(str(hot / "a"), 64)
    echo = subprocess.Popen([sys.executable, "-c", ECHO, str(hot / "q"), str(hot / "a"), str(count)], env=os.environ)
    sent, received = 0, []
    while len(received) < count:
        assert echo.poll() in (None, 0)
        while sent < count and requests.push(slot(sent)):
            sent += 1
        while (record := answers.pop()) is not None:
            received.append(int.from_bytes(record, "little"))

    assert echo.wait(timeout=60) == 0
    assert received == list(range(count))


def test_counters_are_named_once_and_read_by_anyone(hot):
    counters = Counters.open(str(hot / "counters"))
    frames = counters.counter("frames")
    counters.counter("gaps").add(2)
    frames.add()
    frames.add(9)

    assert Counters.attach(str(hot / "counters")).read() == [("frames", 10), ("gaps", 2)]
    assert Counters.open(str(hot / "counters")).counter("frames").get() == 10


def test_counter_names_and_table_are_bounded(hot):
    counters = Counters.open(str(hot / "counters"))
    with pytest.raises(CapacityError, match="1 to 55"):
        counters.counter("x" * 56)
    for i in range(1023):
        counters.counter(f"c{i}")
    with pytest.raises(CapacityError, match="1023"):
        counters.counter("one more")
    assert counters.counter("c7").get() == 0


def test_attach_says_that_the_node_does_not_run(hot):
    with pytest.raises(JournalError, match="is the node running"):
        Counters.attach(str(hot / "counters"))


def test_kill_rises_and_only_release_lowers_it(hot):
    cell = KillCell.open(str(hot / "kill"))
    assert cell.level == KillLevel.NONE
    cell.request(KillLevel.HARD, now_ns=5, uid=1000)
    cell.request(KillLevel.SOFT, now_ns=6, uid=1001)
    assert (cell.level, cell.requested_at, cell.requester_uid) == (KillLevel.HARD, 5, 1000)
    cell.request(KillLevel.CORD, now_ns=7, uid=1002)
    assert (cell.level, cell.requested_at) == (KillLevel.CORD, 5)
    cell.ack(KillLevel.CORD)
    cell.count_cancel_sent()
    cell.count_cancel_confirmed()
    other = KillCell.open(str(hot / "kill"))
    assert (other.acked, other.cancels_sent, other.cancels_confirmed) == (KillLevel.CORD, 1, 1)

    assert cell.release(cell.generation)

    assert (other.level, other.acked, other.cancels_sent) == (KillLevel.NONE, KillLevel.NONE, 0)


def test_kill_survives_the_death_of_the_process_that_asked(hot):
    path = str(hot / "kill")
    code = (
        "import os, sys; from openbell.journal import KillCell; from openbell.types import KillLevel\n"
        "KillCell.open(sys.argv[1]).request(KillLevel.SOFT, 9, 3); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, path], env=os.environ).returncode == -9

    assert KillCell.open(path).level == KillLevel.SOFT


def test_a_kill_of_one_strategy_closes_the_gate_until_its_ticket_is_taken(hot):
    cell = KillCell.open(str(hot / "kill"))
    first, second = cell.ask_scoped(), cell.ask_scoped()
    assert cell.awaits_scoped
    cell.take_scoped(second)  # that of a sender that died comes never
    cell.take_scoped(first)
    assert not cell.awaits_scoped
    cell.ask_scoped()
    cell.take_all_scoped()
    assert not cell.awaits_scoped


def test_a_release_takes_back_only_the_kill_that_was_seen(hot):
    cell = KillCell.open(str(hot / "kill"))
    cell.request(KillLevel.HARD, now_ns=5, uid=1)
    cell.ack(KillLevel.HARD)
    seen = cell.generation
    cell.request(KillLevel.HARD, now_ns=6, uid=2)  # of the same level, by somebody who looked later
    assert not cell.release(seen)
    assert cell.level == KillLevel.HARD
    assert cell.release(cell.generation)


def test_the_bell_rings_with_every_request(hot):
    cell = KillCell.open(str(hot / "kill"))
    before = cell.bell
    cell.request(KillLevel.SOFT, now_ns=5, uid=1)
    cell.ask_scoped()
    cell.ring()
    assert cell.bell == before + 3


SENDING_AT = 52
"""In the cell: the trading thread looks and sends (native/journal/kill_cell.h)."""


def test_a_kill_does_not_wait_for_ever_for_a_thread_that_was_stopped_in_the_middle_of_a_send(hot):
    path = hot / "kill"
    cell = KillCell.open(str(path))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 4096) as raw:
        raw[SENDING_AT] = 1
        cell.request(KillLevel.HARD, now_ns=5, uid=1)
        cell.ask_scoped()
        raw[SENDING_AT] = 0
    assert (cell.level, cell.awaits_scoped) == (KillLevel.HARD, True)


REQUESTS = """
import sys
from openbell.journal import KillCell
from openbell.types import KillLevel
cell = KillCell.open(sys.argv[1])
print(flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    cell.request(KillLevel.SOFT, 1, 1)
"""


def test_requests_of_several_processes_at_once_are_all_counted(hot):
    count, path = 30_000, str(hot / "kill")
    command = [sys.executable, "-c", REQUESTS, path, str(count)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": os.environ}
    both = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for process in both:
        process.stdout.readline()
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=60)

    cell = KillCell.open(path)
    assert (cell.generation, cell.bell) == (2 * count, 2 * count)


@pytest.mark.parametrize("path", ["no/such/folder/kill", "/dev/full"])
def test_a_cell_that_cannot_be_made_is_an_error_that_names_it(hot, path):
    with pytest.raises(JournalError, match="open kill cell"):
        KillCell.open(str(hot / path))
