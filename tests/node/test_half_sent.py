"""A kill comes while the socket has taken a part of a packet: the rest of what opens stays, that of a cancel leaves."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulation.day import Day
from tests.simulation.faults import acts
from tests.simulation.process import RESTLESS
from tests.simulation.session import plan_of

from openbell import _native as native
from openbell import events
from openbell.journal import open_journal
from openbell.types import KillLevel, Type

NEW, REPLACE, CANCEL = b"O", b"U", b"X"
PIECE = 30
"""What the socket takes in a step: a part of what opens, all of one cancel."""
CANCEL_PIECE = 10
STEPS_MAX = 6_000


def until(day: Day, holds: Callable[[], bool]) -> None:
    for _ in range(STEPS_MAX):
        if holds():
            return
        day.step()
    raise AssertionError(f"nothing came of it in {STEPS_MAX} steps")


def day_of(folder: Path, name: str) -> Day:
    """No fault; the venue cancels what a lost connection leaves."""
    day = Day(replace(plan_of(name).with_events(()), has_far=False, messages_max=0, rate_max=100_000), acts(), folder)
    day.market.cancel_on_disconnect = True
    until(day, lambda: len(day.node.engine.live_orders()) >= 3)
    return day


def half_sent(day: Day, kind: bytes, piece: int = PIECE) -> bytes:
    """The part of a packet of that kind that has left by now; the socket takes no more of it in this step."""
    day.node.streams[0].send_max = piece
    until(day, lambda: day.taps[0].half[3:4] == kind)
    return day.taps[0].half


def soft(day: Day) -> None:
    day.node.kill_cell().request(KillLevel.SOFT, day.clock.now_ns(), 0)


def hard(day: Day) -> None:
    day.node.kill_cell().request(KillLevel.HARD, day.clock.now_ns(), 0)


def of_one_strategy(day: Day) -> None:
    """Taken in the same turn: by the time of the flush the gate is open again, and not for what was half out."""
    ticket = day.node.kill_cell().ask_scoped()
    day.node.submit(events.kill(KillLevel.HARD, ticket=ticket, uid=0, strategy=RESTLESS))


def ends(day: Day) -> list[native.SessionEnd]:
    """Why the order session was lost, each time."""
    frames = open_journal(day.node.journal_dir, day.node.hot_dir)
    codes = [
        int(frame.record(i)["code"])
        for frame in frames
        for i, kind in enumerate(frame.raw[:, 0])
        if kind == Type.DISCONNECTED and frame.record(i)["source"] >= 64
    ]
    return [native.SessionEnd(code) for code in codes]


def end(day: Day) -> None:
    assert [wrong for tap in day.taps for wrong in tap.wrong] == []
    day.clock.set_on_relax(lambda: None)


@pytest.mark.parametrize("kind", [NEW, REPLACE])
@pytest.mark.parametrize("ask", [soft, hard, of_one_strategy])
def test_the_rest_of_what_opens_stays_after_a_kill_and_the_session_is_shut(
    ask: Callable[[Day], None], kind: bytes, tmp_path: Path
):
    day = day_of(tmp_path, "half sent")
    sent, tap = half_sent(day, kind), day.taps[0]
    opened, cancels = len(tap.opened), tap.cancels
    assert day.market.open_orders()

    ask(day)
    day.step()

    assert (tap.half, len(tap.opened)) == (sent, opened)  # not one byte more
    assert ends(day) == [native.SessionEnd.KILLED]
    until(day, lambda: not day.market.open_orders())
    assert tap.cancels == cancels  # the venue did it, on disconnect
    until(day, lambda: day.node.engine.is_session_up and not day.node.engine.live_orders())
    end(day)


@pytest.mark.parametrize("kind", [NEW, REPLACE])
def test_without_a_kill_the_rest_leaves_as_the_socket_takes_it(kind: bytes, tmp_path: Path):
    day = day_of(tmp_path, "half sent")
    half_sent(day, kind)
    opened = len(day.taps[0].opened)

    until(day, lambda: len(day.taps[0].opened) > opened)

    assert ends(day) == []
    end(day)


def test_the_rest_of_a_cancel_leaves_after_a_kill(tmp_path: Path):
    day = day_of(tmp_path, "half sent")
    half_sent(day, CANCEL, CANCEL_PIECE)
    cancels = day.taps[0].cancels

    hard(day)
    until(day, lambda: day.taps[0].cancels > cancels)
    until(day, lambda: not day.node.engine.live_orders())

    assert ends(day) == []
    end(day)


def test_a_cancel_behind_an_order_that_has_left_whole_leaves_after_a_kill(tmp_path: Path):
    day = day_of(tmp_path, "half sent")
    half_sent(day, NEW)
    opened, tap = len(day.taps[0].opened), day.taps[0]
    day.node.submit(events.cancel_all("test"))  # queues behind the rest
    until(day, lambda: len(tap.opened) > opened and tap.half[3:4] == CANCEL)
    cancels = tap.cancels

    hard(day)
    until(day, lambda: tap.cancels > cancels and not day.node.engine.live_orders())

    assert ends(day) == []
    end(day)
