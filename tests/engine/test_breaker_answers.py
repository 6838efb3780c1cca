"""Breakers on a venue that does not answer, and on orders that end without an execution."""

import pytest
from tests.engine import desk as d
from tests.engine.test_breakers import CANCEL, FULL, REDUCE, SECOND, K, accepted, filled, given, placed, state, tripped

from openbell.types import NO_STRATEGY, IntentKind, Reason, Side, Type

BUY = Side.BUY


def at_rest(desk: d.Desk, qty: int = 10, px: int = d.BID, *, strategy: int = 0) -> int:
    order = placed(desk, BUY, px, qty, strategy=strategy)
    accepted(desk, order, px, qty)
    return order


def asked(desk: d.Desk, kind: IntentKind, order: int, *, strategy: int = 0, **terms: int) -> None:
    """A replace or cancel that leaves at once."""
    script = (d.intent(kind, strategy, cl_ord_id=order, **terms),)
    desk.feed(d.add(10_000 + desk.seq, 1, 1, buy=True), script=script)
    assert len(desk.sent) == 1
    desk.outcomes()


def replaced(desk: d.Desk, order: int, qty: int = 9) -> None:
    asked(desk, IntentKind.REPLACE, order, px=d.BID, qty=qty)


def cancelled(desk: d.Desk, order: int, *, strategy: int = 0) -> None:
    asked(desk, IntentKind.CANCEL, order, strategy=strategy)


def waits(desk: d.Desk) -> int:
    """For how long somebody has waited for an answer, or the last one had to."""
    return int(desk.engine.breakers()[0]["observed"])


def trips_of(desk: d.Desk, rounds: int = 6) -> list[tuple[int, ...]]:
    """What trips while nothing is said and only the clock goes on."""
    found = []
    for _ in range(rounds):
        desk.now = desk.engine.next_deadline
        found += tripped(desk.fire())
    return found


@pytest.mark.parametrize("command", [replaced, cancelled])
def test_a_replace_or_cancel_without_an_answer_is_noticed_by_the_clock(command):
    desk = d.trading_desk()
    order = at_rest(desk)
    given(desk, K.LATENCY, SECOND, strategy=0)
    assert trips_of(desk) == []

    command(desk, order)

    [(kind, strategy, limit, observed, *_)] = trips_of(desk)
    assert (kind, strategy, limit) == (K.LATENCY, 0, SECOND)
    assert SECOND < observed < SECOND * 3 // 2


ANSWERS = [
    (replaced, d.report(Type.REPLACED, 0, version=2, px=d.BID, leaves_qty=9)),
    (replaced, d.report(Type.REJECTED, 0, version=2)),
    (replaced, d.report(Type.CANCEL_REJECTED, 0, version=2, command=Type.REPLACE_ORDER)),
    (replaced, d.report(Type.FILLED, 0, version=2, last_px=d.BID, last_qty=1, exec_id=5)),
    (replaced, d.report(Type.FILLED, 0, version=1, last_px=d.BID, last_qty=10, exec_id=5)),
    (replaced, d.report(Type.EXPIRED, 0, version=1)),
    (cancelled, d.report(Type.CANCELED, 0, version=1, last_qty=10, reason=Reason.USER_CANCEL)),
    (cancelled, d.report(Type.CANCELED, 0, version=1, last_qty=4, reason=Reason.USER_CANCEL)),
    (cancelled, d.report(Type.CANCEL_REJECTED, 0, version=1, command=Type.CANCEL_ORDER)),
    (cancelled, d.report(Type.FILLED, 0, version=1, last_px=d.BID, last_qty=10, exec_id=5)),
]
NO_ANSWERS = [
    (replaced, d.report(Type.FILLED, 0, version=1, last_px=d.BID, last_qty=1, exec_id=5)),
    (replaced, d.report(Type.CANCELED, 0, version=1, last_qty=4)),
    (cancelled, d.report(Type.FILLED, 0, version=1, last_px=d.BID, last_qty=1, exec_id=5)),
    (cancelled, d.report(Type.CANCELED, 0, version=1, last_qty=4)),
]


def about(order: int, report: bytes) -> bytes:
    return report[:16] + order.to_bytes(8, "little") + report[24:]


@pytest.mark.parametrize(("command", "answer"), ANSWERS)
@pytest.mark.parametrize("late", [0, 1])
def test_what_settles_a_command_is_its_answer(command, answer, late):
    desk = d.trading_desk()
    order = at_rest(desk)
    given(desk, K.LATENCY, 3_000)
    command(desk, order)
    desk.now += 2_000 + late  # frames are 1 000 apart

    trips = tripped(desk.hear(about(order, answer)))

    assert trips == ([(K.LATENCY, NO_STRATEGY, 3_000, 3_001, FULL, REDUCE)] if late else [])
    desk.now += SECOND
    assert waits(desk) == 3_000 + late


@pytest.mark.parametrize(("command", "word"), NO_ANSWERS)
def test_another_word_about_the_order_is_no_answer(command, word):
    desk = d.trading_desk()
    order = at_rest(desk)
    given(desk, K.LATENCY, SECOND)
    command(desk, order)
    desk.now += 1_000
    desk.hear(about(order, word))
    assert waits(desk) == 2_000
    assert len(trips_of(desk)) == 1


def test_a_cancel_of_a_version_that_never_was_is_waited_for_no_longer():
    """The venue is silent about it."""
    desk = d.trading_desk()
    order = at_rest(desk)
    given(desk, K.LATENCY, SECOND)
    replaced(desk, order)
    cancelled(desk, order)  # of version 2, the newest
    desk.hear(d.report(Type.REJECTED, order, version=2))
    assert [row["observed"] for row in desk.engine.breakers()] == [1_000]
    assert trips_of(desk) == []


def test_a_cancel_of_the_new_version_is_still_waited_for_when_the_replace_is_answered():
    desk = d.trading_desk()
    order = at_rest(desk)
    given(desk, K.LATENCY, SECOND)
    replaced(desk, order)
    cancelled(desk, order)
    desk.hear(d.report(Type.REPLACED, order, version=2, px=d.BID, leaves_qty=9))
    assert len(trips_of(desk)) == 1


def test_of_two_strategies_each_waits_for_its_own():
    desk = d.trading_desk()
    mine, other = at_rest(desk), at_rest(desk, strategy=1)
    given(desk, K.LATENCY, 10**12, strategy=0)
    given(desk, K.LATENCY, 10**12, strategy=1)
    cancelled(desk, mine)
    cancelled(desk, other, strategy=1)
    assert [row["observed"] for row in desk.engine.breakers()] == [2_000, 0]
    desk.hear(d.report(Type.CANCELED, mine, version=1, last_qty=10, reason=Reason.USER_CANCEL))
    desk.now += SECOND
    desk.feed(d.add(99, 1, 1, buy=True))
    assert [row["observed"] for row in desk.engine.breakers()] == [3_000, SECOND + 2_000]


def test_what_never_reached_the_venue_is_waited_for_no_longer_and_was_not_slow():
    desk = d.trading_desk()
    resting = at_rest(desk)
    given(desk, K.LATENCY, SECOND)
    cancelled(desk, resting)
    placed(desk, BUY, d.BID, 1)
    desk.disconnect()
    desk.connect()
    desk.now += 10 * SECOND
    desk.resolve()
    assert waits(desk) == 0
    assert trips_of(desk) == []


def test_an_execution_of_an_order_nobody_remembers_taken_back_answers_nobody():
    desk = d.trading_desk()
    given(desk, K.LATENCY, 10**12)
    first = placed(desk, BUY, d.ASK, 1)
    filled(desk, first, d.ASK, 1, exec_id=7)
    for _ in range(d.ORDERS_MAX):  # its place is taken
        desk.hear(d.report(Type.REJECTED, placed(desk, BUY, d.BID, 1), version=1))
    placed(desk, BUY, d.BID, 1)
    desk.now += SECOND
    desk.hear(d.report(Type.BUSTED, first, exec_id=7))
    assert waits(desk) == SECOND + 1_000


# ---- orders that end without an execution


def ended(desk: d.Desk, executed: int, qty: int = 10, *, strategy: int = 0) -> list[bytes]:
    """An order of which so much was executed when the venue canceled it."""
    order = at_rest(desk, qty, strategy=strategy)
    if executed:
        decision = filled(desk, order, d.BID, executed)
    if executed < qty:
        decision = desk.hear(d.report(Type.CANCELED, order, version=1, last_qty=qty - executed))
    return decision


def test_orders_that_end_unfilled_trip_when_there_were_enough_of_them():
    desk = d.trading_desk()
    given(desk, K.UNFILLED_RATE, 5_000, window_ns=60 * SECOND, least=4, strategy=0)
    assert [tripped(ended(desk, executed)) for executed in (0, 0, 10)] == [[], [], []]  # three are too few
    assert tripped(ended(desk, 0)) == [(K.UNFILLED_RATE, 0, 5_000, 7_500, FULL, REDUCE)]


@pytest.mark.parametrize(
    ("executed", "observed"), [((10, 10, 0, 0), 5_000), ((10, 10, 0, 0, 4), 5_200), ((3, 3, 3), 7_000)]
)
def test_a_partial_execution_counts_its_share(executed, observed):
    desk = d.trading_desk()
    given(desk, K.UNFILLED_RATE, 5_000, window_ns=60 * SECOND, least=3, strategy=0)
    trips = [tripped(ended(desk, one)) for one in executed]
    assert desk.engine.breakers()[0]["observed"] == observed
    assert trips[-1] == ([(K.UNFILLED_RATE, 0, 5_000, observed, FULL, REDUCE)] if observed > 5_000 else [])


def test_orders_of_others_of_long_ago_refused_or_alive_are_not_counted():
    desk = d.trading_desk()
    given(desk, K.UNFILLED_RATE, 0, window_ns=SECOND, least=2, strategy=0)
    ended(desk, 0, strategy=1)
    for _ in range(3):
        desk.hear(d.report(Type.REJECTED, placed(desk, BUY, d.BID, 1), version=1))
    at_rest(desk)
    ended(desk, 0)
    assert state(desk, 0) == FULL  # one that counts is too few
    desk.now += 2 * SECOND
    ended(desk, 0)
    assert state(desk, 0) == FULL
    assert tripped(ended(desk, 0)) == [(K.UNFILLED_RATE, 0, 0, 10_000, FULL, REDUCE)]


def test_more_than_was_asked_is_no_less_than_all_of_it():
    desk = d.trading_desk()
    given(desk, K.UNFILLED_RATE, 0, window_ns=SECOND, to=CANCEL)
    order = at_rest(desk)
    decision = filled(desk, order, d.BID, 15)
    assert tripped(decision) == []
    assert desk.engine.breakers()[0]["observed"] == 0
