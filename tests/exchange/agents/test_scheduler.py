"""Whose turn it is."""

import pytest

from openbell.errors import InvariantError
from openbell.exchange.agents.scheduler import Scheduler


class Every:
    """Acts every `step_ns` and writes down when."""

    def __init__(self, name, step_ns, diary):
        self.name, self.step_ns, self.diary = name, step_ns, diary

    def begin(self, now_ns):
        return now_ns + self.step_ns

    def act(self, now_ns):
        self.diary.append((now_ns, self.name))
        return now_ns + self.step_ns


def test_agents_act_in_the_order_of_their_times_and_then_of_the_list():
    diary = []
    scheduler = Scheduler([Every("a", 2, diary), Every("b", 3, diary)], 10)

    assert scheduler.next_ns == 12
    assert scheduler.advance(16, 100) == 5
    assert diary == [(12, "a"), (13, "b"), (14, "a"), (16, "a"), (16, "b")]


def test_what_is_not_done_for_want_of_turns_is_done_later():
    diary, whole = [], []
    scheduler = Scheduler([Every("a", 2, diary), Every("b", 3, diary)], 10)
    Scheduler([Every("a", 2, whole), Every("b", 3, whole)], 10).advance(20, 100)

    assert [scheduler.advance(20, 3) for _ in range(4)] == [3, 3, 2, 0]
    assert diary == whole


def test_an_agent_that_would_act_for_ever_at_one_time_is_an_error():
    scheduler = Scheduler([Every("a", 0, [])], 10)

    with pytest.raises(InvariantError, match="agent 0: expected a next time after 10 ns, found 10"):
        scheduler.advance(10, 100)
