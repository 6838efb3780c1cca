"""When the watchdog speaks: silence, an unanswered kill, orders after a kill; once each, never for its own pauses."""

from dataclasses import replace

from openbell.ops.watchdog.judge import Judge, Patience, Signs

WELL = Signs(is_alive=True, pid=7, beat=1, is_kill_unanswered=False, opened_after_kill=0)
TURN_S = 0.0625


class Node:
    """Time and beats go on by `go`; the last reason heard."""

    def __init__(self) -> None:
        self.judge = Judge(Patience(silence_s=1.0, kill_s=0.25, start_s=5.0))
        self.now_s, self.signs = 100.0, WELL

    def go(self, for_s: float, *, beats: bool = True, turn_s: float = TURN_S, **changed) -> list[str]:
        self.signs = replace(self.signs, **changed)
        said = []
        for _ in range(round(for_s / turn_s)):
            self.now_s += turn_s
            if beats:
                self.signs = replace(self.signs, beat=self.signs.beat + 1)
            if reason := self.judge.judge(self.signs, self.now_s):
                said.append(reason)
        return said


def test_silence_is_told_when_patience_ends_and_once():
    node = Node()
    assert node.go(3) == []
    assert node.go(1 - TURN_S, beats=False) == []
    assert node.go(TURN_S, beats=False) == ["its heart has stood still for 1000 ms"]
    assert node.go(60, beats=False) == []

    assert node.go(1) == []  # it goes on, and stands still again
    assert len(node.go(1, beats=False)) == 1


def test_before_its_first_beat_a_start_may_take_a_little_longer():
    node = Node()
    assert node.go(5, beats=False) == []
    assert node.go(TURN_S, beats=False) == ["its heart has stood still for 5000 ms"]


def test_another_process_begins_anew_and_one_that_has_ended_needs_no_stop():
    node = Node()
    node.go(1)
    assert node.go(4.9, beats=False, pid=8) == []
    assert node.go(60, beats=False, is_alive=False) == []
    assert node.go(4.9, beats=False, is_alive=True) == []
    node.go(1)
    assert len(node.go(2, beats=False)) == 1


def test_a_watchdog_that_was_itself_stopped_blames_nobody():
    node = Node()
    node.go(1)
    assert node.go(60, beats=False, turn_s=20) == []


def test_a_kill_has_a_quarter_of_a_second():
    node = Node()
    node.go(1)
    assert node.go(0.25 - TURN_S, is_kill_unanswered=True) == []
    assert node.go(TURN_S) == ["it has not answered a kill for 250 ms"]
    assert node.go(1, is_kill_unanswered=False) == []
    assert node.go(0.1, is_kill_unanswered=True) == []


def test_the_successor_of_a_killed_process_may_start_before_it_answers():
    node = Node()
    node.go(1)
    assert node.go(4.9, beats=False, pid=8, is_kill_unanswered=True) == []
    assert node.go(0.25 - TURN_S) == []  # from its first beat on it has its time, as others
    assert node.go(TURN_S * 2) == ["it has not answered a kill for 250 ms"]


def test_counters_that_a_start_makes_anew_are_no_beat():
    node = Node()
    node.go(1)
    assert node.go(2, beats=False, pid=8) == []
    assert node.go(2.9, beats=False, beat=0) == []
    assert node.go(1, beats=False) == ["its heart has stood still for 5000 ms"]


def test_orders_after_a_kill_are_a_lie():
    node = Node()
    node.go(1)
    assert node.go(TURN_S, opened_after_kill=2) == ["2 orders were accepted at the venue after a kill"]
