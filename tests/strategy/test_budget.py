"""A callback over its time budget is ended, its strategy halted, and the others go on."""

import select
import time

import pytest

from openbell import _native as native
from openbell.strategy import Strategy, param
from openbell.strategy.budget import CallbackTimeoutError, watched
from openbell.types import Type
from strategy.world import World, halted, kinds

BUDGET_NS = 20_000_000


class Stuck(Strategy):
    """On the second book it does not come back."""

    how: int = param(0)
    books: int = 0

    def on_book(self, ctx, book):
        self.books += 1
        ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=1)
        if self.books < 2:
            return
        match self.how:
            case 0:
                while True:
                    pass
            case 1:
                select.select([], [], [], 3600)
            case 2:
                while True:
                    try:
                        select.select([], [], [], 3600)
                    except Exception:
                        self.books += 1
            case 3:
                try:
                    while True:
                        pass
                except CallbackTimeoutError:
                    return


class Other(Strategy):
    books: int = 0

    def on_book(self, ctx, book):
        self.books += 1
        ctx.quote(book.instrument, ask_px=book.bid_px + 100, ask_qty=1)


@pytest.mark.parametrize("how", range(4), ids=["loops", "sleeps", "catches Exception", "catches the timeout"])
def test_it_ends_within_its_budget_and_the_others_go_on(how: int):
    stuck, other = Stuck(how=how), Other()
    world = World(stuck)
    world.host.add(1, "Other", other, ["SYM0"])
    with watched(world.host, BUDGET_NS) as watch:
        world.start()
        began = time.monotonic_ns()
        said = world.book(2)
        took = time.monotonic_ns() - began
        assert not watch.is_condemned
        again = world.book(3)

    assert took >= BUDGET_NS
    assert halted(said).startswith(("CallbackTimeoutError: over the budget of 20 ms (test_budget.py:", "TimeoutError:"))
    assert kinds(said).count(Type.STRATEGY_HALTED) == 1
    intents = [r for r in said if r[0] == Type.INTENT]
    assert len(intents) == 1, "of the other one alone"
    assert stuck.books == 1
    assert other.books == 3
    assert [Type.INTENT in kinds(again), halted(again)] == [True, ""]


def test_a_callback_within_its_budget_is_left_alone():
    class Slow(Strategy):
        books: int = 0

        def on_book(self, ctx, book):
            select.select([], [], [], BUDGET_NS / 4e9)
            self.books += 1

    strategy = Slow()
    world = World(strategy)
    with watched(world.host, BUDGET_NS):
        world.start()
        assert [halted(world.book(n)) for n in range(2, 10)] == [""] * 8
    assert strategy.books == 9


def test_a_replay_takes_the_halt_from_the_record_and_does_not_call(tmp_path):
    world = World(Stuck())
    with watched(world.host, BUDGET_NS):
        world.start()
        world.book(2)
    again = Stuck()
    host = native.StrategyHost()
    host.add(0, "Stuck", again, ["SYM0"])
    report = world.replay(tmp_path / "journal", host)
    assert (report.core_differs_at, report.strategy_differs_at, report.strategy_frames) == (0, 0, 3)
    assert again.books == 1
