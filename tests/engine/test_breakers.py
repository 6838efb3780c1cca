"""Circuit breakers down the order path: at the threshold nothing, one unit past it the scope falls, until a person."""

import numpy as np
import pytest
from tests.engine import desk as d

from openbell import _native as native
from openbell import events
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, RECORDS, ArmState, BreakerKind, BreakNews, IntentKind, Side, Type

K, N = BreakerKind, BreakNews
SECOND = 1_000_000_000
NODE = (NO_STRATEGY, NO_INSTRUMENT)
FULL, REDUCE, CANCEL, OFF = ArmState.FULL, ArmState.REDUCE_ONLY, ArmState.CANCEL_ONLY, ArmState.OFF


def given(desk: d.Desk, kind: BreakerKind, threshold: int, again_below: int = 0, **more: int) -> list[bytes]:
    """A breaker that takes its scope to REDUCE_ONLY."""
    terms = {"to": REDUCE, "threshold": threshold, "again_below": again_below} | more
    return desk.frame(events.breaker(kind, **terms), source=d.OPERATOR)


def tripped(decision: list[bytes]) -> list[tuple[int, ...]]:
    """(kind, strategy, limit, observed, before, after) of every trip."""
    rows = [r for r in decision if r[0] == Type.TRIPPED]
    out = []
    for raw in rows:
        r = np.frombuffer(raw, RECORDS["Control"])[0]
        out.append((r["code"], r["strategy"], *(int(v) for v in r["values"])))
    return out


def placed(desk: d.Desk, side: Side, px: int, qty: int, *, strategy: int = 0, instrument: int = 0) -> int:
    """One order of a strategy, sent; 0 when it was refused."""
    terms = {"side": side, "px": px, "qty": qty, "instrument": instrument}
    desk.feed(d.add(10_000 + desk.seq, 1, 1, buy=True), script=(d.intent(IntentKind.ORDER, strategy, **terms),))
    if not desk.sent:
        return 0
    order = desk.sent[0]["cl_ord_id"]
    desk.outcomes()
    return order


def accepted(desk: d.Desk, order: int, px: int, qty: int) -> list[bytes]:
    return desk.hear(d.report(Type.ACCEPTED, order, version=1, px=px, leaves_qty=qty))


def filled(desk: d.Desk, order: int, px: int, qty: int, exec_id: int = 0) -> list[bytes]:
    return desk.hear(d.report(Type.FILLED, order, version=1, last_px=px, last_qty=qty, exec_id=exec_id or desk.seq))


def traded(desk: d.Desk, side: Side, px: int, qty: int, **of: int) -> list[bytes]:
    """An order that is filled at once; what followed from the fill."""
    order = placed(desk, side, px, qty, **of)
    assert order
    return filled(desk, order, px, qty)


def state(desk: d.Desk, strategy: int = NO_STRATEGY, instrument: int = NO_INSTRUMENT) -> ArmState:
    return desk.engine.arming(strategy, instrument)[0]


@pytest.mark.parametrize("kind", [K.LOSS, K.DRAWDOWN])
@pytest.mark.parametrize("strategy", [NO_STRATEGY, 1])
def test_a_loss_takes_its_scope_down(kind: BreakerKind, strategy: int):
    desk = d.trading_desk()
    given(desk, kind, 199_999, 50_000, strategy=strategy)
    given(desk, kind, 200_000, 50_000, strategy=strategy, to=CANCEL)

    decision = traded(desk, Side.BUY, d.ASK, 10, strategy=1)  # worth the bid of 100.00: 20.0000 lost

    assert tripped(decision) == [(kind, strategy, 199_999, 200_000, FULL, REDUCE)]
    assert state(desk, strategy) == REDUCE
    assert state(desk, 0) == FULL
    decision = traded(desk, Side.SELL, d.BID - 100, 10, strategy=1)
    assert tripped(decision) == [(kind, strategy, 200_000, 201_000, REDUCE, CANCEL)]


def test_the_loss_of_one_strategy_stops_no_other():
    desk = d.trading_desk()
    given(desk, K.LOSS, 100, strategy=0)
    traded(desk, Side.BUY, d.ASK, 10, strategy=0)

    assert placed(desk, Side.BUY, d.ASK, 1, strategy=0) == 0
    assert placed(desk, Side.SELL, d.BID, 10, strategy=0)  # what reduces is let through
    assert placed(desk, Side.SELL, d.BID, 1, strategy=1)


def test_a_breaker_waits_until_it_was_below_before_it_trips_again():
    desk = d.trading_desk()
    given(desk, K.LOSS, 100_000, 50_000)
    assert len(tripped(traded(desk, Side.BUY, d.ASK, 10))) == 1
    desk.arm()
    assert state(desk) == FULL

    worse = desk.feed(d.market(Type.BOOK_CANCEL, order_id=1, qty=100, flags=2))
    assert tripped(worse) == []  # a person has armed it and knows
    bids = [(70, 1_015_000), (71, 1_016_000)]
    assert tripped(desk.feed(*(d.add(n, px, 1, buy=True) for n, px in bids[:1]))) == []  # 50 000: at the lower mark
    gone = desk.feed(d.market(Type.BOOK_CANCEL, order_id=70, qty=1, flags=2), d.add(72, 1_000_000, 1, buy=True))
    assert tripped(gone) == [(K.LOSS, NO_STRATEGY, 100_000, 200_000, FULL, REDUCE)]


def test_a_new_day_has_lost_nothing():
    desk = d.trading_desk()
    given(desk, K.LOSS, 100_000, 0)
    traded(desk, Side.BUY, d.ASK, 10)
    desk.frame(events.control(Type.TRADING_DAY, values=(20_260_105,)))
    [row] = desk.engine.breakers()
    assert (row["observed"], row["is_tripped"]) == (0, False)
    assert state(desk) == REDUCE  # a person's to lift


def test_too_many_rejects():
    desk = d.trading_desk()
    given(desk, K.REJECT_RATE, 2, window_ns=SECOND, strategy=0)
    for number in range(3):
        order = placed(desk, Side.BUY, d.BID, 1)
        decision = desk.hear(d.report(Type.REJECTED, order, version=1))
        assert len(tripped(decision)) == (number == 2)
    assert state(desk, 0) == REDUCE


def test_rejects_of_long_ago_do_not_count():
    desk = d.trading_desk()
    given(desk, K.REJECT_RATE, 2, window_ns=SECOND)
    for _ in range(9):
        desk.hear(d.report(Type.REJECTED, placed(desk, Side.BUY, d.BID, 1), version=1))
        desk.now += SECOND * 2 // 3
    assert state(desk) == FULL
    assert desk.engine.breakers()[0]["observed"] <= 2


def test_more_fills_for_its_orders_than_the_market_should_give():
    desk = d.trading_desk()
    given(desk, K.FILL_RATE, 5_000, window_ns=60 * SECOND, least=4, strategy=0)
    orders = [placed(desk, Side.BUY, d.BID, 2) for _ in range(3)]
    assert tripped(filled(desk, orders[0], d.BID, 1)) == []
    assert tripped(filled(desk, orders[1], d.BID, 1)) == []  # 2 of 3, but three are too few to say
    placed(desk, Side.BUY, d.BID, 2)
    assert state(desk, 0) == FULL  # 2 of 4
    assert tripped(filled(desk, orders[2], d.BID, 1)) == [(K.FILL_RATE, 0, 5_000, 7_500, FULL, REDUCE)]


def test_fills_worse_than_the_market_shows():
    desk = d.trading_desk()
    given(desk, K.SLIPPAGE, 50, window_ns=60 * SECOND, least=2)
    order = placed(desk, Side.BUY, 1_040_000, 10)
    assert tripped(filled(desk, order, 1_030_200, 1)) == []  # 100 bps, but it is one
    assert tripped(filled(desk, order, d.ASK, 1)) == []  # mean 50
    assert tripped(filled(desk, order, 1_025_500, 1)) == [(K.SLIPPAGE, NO_STRATEGY, 50, 51, FULL, REDUCE)]
    sold = d.trading_desk()
    given(sold, K.SLIPPAGE, 9, window_ns=60 * SECOND)
    assert tripped(traded(sold, Side.SELL, 999_000, 10)) == [(K.SLIPPAGE, NO_STRATEGY, 9, 10, FULL, REDUCE)]


def test_a_fill_too_good_to_be_true():
    desk = d.trading_desk()
    given(desk, K.TOO_GOOD, 500, strategy=0)
    order = placed(desk, Side.BUY, d.ASK, 30)
    assert tripped(filled(desk, order, 969_000, 10)) == []  # 5 % below the ask
    assert tripped(filled(desk, order, 968_999, 10)) == [(K.TOO_GOOD, 0, 500, 501, FULL, REDUCE)]
    desk.arm()
    desk.frame(events.arm(FULL), source=d.OPERATOR)
    assert tripped(filled(desk, order, 968_000, 5)) == []  # the last one was above the lower mark


def test_a_good_fill_does_not_hide_the_bad_one_before_it_in_a_frame():
    desk = d.trading_desk()
    given(desk, K.TOO_GOOD, 500, 400)
    order = placed(desk, Side.BUY, d.ASK, 30)
    fills = [
        d.report(Type.FILLED, order, version=1, last_px=px, last_qty=10, exec_id=n) for n, px in ((1, 1), (2, d.ASK))
    ]
    assert [row[:4] for row in tripped(desk.hear(*fills))] == [(K.TOO_GOOD, NO_STRATEGY, 500, 10_000)]


def test_without_a_market_nothing_is_compared():
    desk = d.trading_desk()
    given(desk, K.TOO_GOOD, 0)
    order = placed(desk, Side.BUY, d.ASK, 30)
    desk.feed(d.market(Type.BOOK_CANCEL, order_id=2, qty=100, flags=2))  # the only offer
    assert tripped(filled(desk, order, 1, 10)) == []
    desk.feed(d.add(80, d.ASK, 5, buy=False))
    desk.frame(events.control(Type.GAP, source=d.FEED, values=(5, 9)))
    assert tripped(filled(desk, order, 1, 10)) == []


def test_a_slow_answer():
    desk = d.trading_desk()
    given(desk, K.LATENCY, 3_000)
    order = placed(desk, Side.BUY, d.BID, 1)
    desk.now += 2_000  # frames are 1 000 apart
    assert tripped(accepted(desk, order, d.BID, 1)) == []
    order = placed(desk, Side.BUY, d.BID, 1)
    desk.now += 2_001
    assert tripped(accepted(desk, order, d.BID, 1)) == [(K.LATENCY, NO_STRATEGY, 3_000, 3_001, FULL, REDUCE)]


def test_no_answer_at_all_is_noticed_by_the_clock():
    desk = d.trading_desk()
    given(desk, K.LATENCY, SECOND, strategy=1)
    placed(desk, Side.BUY, d.BID, 1, strategy=0)  # another's
    placed(desk, Side.BUY, d.BID, 1, strategy=1)
    trips = []
    for _ in range(6):
        desk.now = desk.engine.next_deadline
        trips += tripped(desk.fire())
    [(kind, strategy, limit, observed, *_)] = trips
    assert (kind, strategy, limit) == (K.LATENCY, 1, SECOND)
    assert SECOND < observed < SECOND * 3 // 2


def test_so_many_orders_without_an_answer_are_watched_the_newest():
    capacity = d.capacity()
    capacity.orders_max = 2_048
    probe, seq = native.EngineProbe(capacity), 0

    def frame(*records: bytes, source: int = d.OPERATOR, script: bytes = b"", now: int = 0) -> bytes:
        nonlocal seq
        seq += 1
        return probe.decide(b"".join(records), seq, now or seq, source, 0, script)[0]

    frame(events.started(node=1, epoch=1, now_ns=1, seed=1))
    frame(*d.account_limits(), *d.limits(0, open_orders=5_000, position_long=9_000))
    frame(d.instrument(0), source=d.FEED)
    frame(d.status(d.TradingState.TRADING), source=d.FEED)
    frame(d.add(1, d.BID, 100, buy=True), d.add(2, d.ASK, 100, buy=False), source=d.FEED)
    frame(events.control(Type.CONNECTED, source=d.ORDERS, values=(1,), text="S1"))
    frame(events.control(Type.RESOLVED, source=d.ORDERS))
    frame(events.arm(FULL))
    frame(events.breaker(K.LATENCY, to=REDUCE, threshold=10**12, again_below=0))
    terms = {"side": Side.BUY, "px": d.BID, "qty": 1, "instrument": 0}
    for n in range(11):
        script = d.intent(IntentKind.ORDER, 0, **terms) * 100
        out = frame(d.add(100 + n, 1, 1, buy=True), source=d.FEED, script=script)
        sent = [d.read(out[i : i + 128]) for i in range(0, len(out), 128) if out[i] == Type.NEW_ORDER]
        assert len(sent) == 100
        frame(*(d.outcome(Type.SENT, command) for command in sent), now=1_000 * (n + 1))
        seq = max(seq, 1_000 * (n + 1))
    # 1 100 were sent; of the first 76 it knows nothing any more
    assert probe.engine.breakers()[0]["observed"] == seq - 1_000


def test_a_silent_feed_is_noticed_by_the_clock():
    desk = d.trading_desk()
    given(desk, K.FEED_STALE, SECOND, SECOND // 2, to=CANCEL)
    trips = []
    while not trips:
        desk.now = desk.engine.next_deadline
        trips = tripped(desk.fire())
    assert trips[0][3] > SECOND
    assert state(desk) == CANCEL

    desk.feed(d.add(90, 999_000, 1, buy=True))
    desk.now = desk.engine.next_deadline
    desk.fire()
    assert not desk.engine.breakers()[0]["is_tripped"]


def test_a_feed_that_has_ended_is_not_stale():
    desk = d.trading_desk()
    given(desk, K.FEED_STALE, SECOND)
    desk.frame(events.control(Type.DISCONNECTED, source=d.FEED, code=1), source=d.FEED)
    for _ in range(9):
        desk.now = desk.engine.next_deadline
        assert tripped(desk.fire()) == []


def test_too_many_messages_and_cancels_are_messages():
    desk = d.trading_desk()
    given(desk, K.MESSAGE_RATE, 3, 1, window_ns=SECOND)
    order = placed(desk, Side.BUY, d.BID, 1)
    accepted(desk, order, d.BID, 1)
    placed(desk, Side.BUY, d.BID, 1)
    desk.feed(d.add(95, 1, 1, buy=True), script=(d.intent(IntentKind.CANCEL, 0, cl_ord_id=order),))
    desk.outcomes()
    assert state(desk) == FULL
    placed(desk, Side.BUY, d.BID, 1)
    assert state(desk) == REDUCE  # noticed with the next frame: that it was sent

    desk.arm()
    for _ in range(9):  # the window empties, and the clock sees it
        desk.now = min(desk.engine.next_deadline, desk.now + SECOND)
        if desk.engine.next_deadline <= desk.now:
            desk.fire()
    assert not desk.engine.breakers()[0]["is_tripped"]
    assert desk.engine.next_deadline == 2**63 - 1


def test_a_position_that_jumps():
    desk = d.trading_desk()
    traded(desk, Side.BUY, d.ASK, 200)
    given(desk, K.POSITION_JUMP, 100, 10, window_ns=SECOND, strategy=0, instrument=0)
    assert tripped(traded(desk, Side.BUY, d.ASK, 60)) == []  # what was there before is no jump
    assert tripped(traded(desk, Side.BUY, d.ASK, 90, strategy=1)) == []  # not its own
    assert tripped(traded(desk, Side.BUY, d.ASK, 40)) == []
    order = placed(desk, Side.BUY, d.ASK, 1)
    assert tripped(filled(desk, order, d.ASK, 1)) == [(K.POSITION_JUMP, 0, 100, 101, FULL, REDUCE)]


def test_a_bust_moves_the_position_too():
    desk = d.trading_desk()
    order = placed(desk, Side.SELL, d.BID, 100)
    filled(desk, order, d.BID, 100, exec_id=7)
    given(desk, K.POSITION_JUMP, 99, window_ns=SECOND, instrument=0)
    busted = desk.hear(d.report(Type.BUSTED, order, exec_id=7))
    assert tripped(busted) == [(K.POSITION_JUMP, NO_STRATEGY, 99, 100, FULL, REDUCE)]
    assert state(desk, instrument=0) == REDUCE
    assert state(desk, instrument=1) == FULL


def test_a_position_that_somebody_else_moved_is_a_jump_of_any_size():
    desk = d.trading_desk()
    given(desk, K.POSITION_JUMP, 100, window_ns=SECOND, instrument=0)
    moved = events.control(Type.ADJUSTMENT, values=(-3, 0, 0), strategy=0, instrument=0)
    assert tripped(desk.frame(moved, source=d.OPERATOR)) == [(K.POSITION_JUMP, NO_STRATEGY, 100, 3, FULL, REDUCE)]

    desk = d.trading_desk()
    given(desk, K.POSITION_JUMP, 100, window_ns=SECOND, instrument=0)
    nobody = desk.hear(d.report(Type.FILLED, 4_711, version=1, last_px=5, last_qty=9))
    assert [row[3] for row in tripped(nobody)] == [9]


def test_books_that_differ():
    desk = d.trading_desk()
    given(desk, K.RECONCILIATION, 1, window_ns=60 * SECOND)
    trips = [tripped(desk.frame(events.control(Type.BREAK, flags=int(news)))) for news in (N.OPENED, N.OPENED)]
    assert trips == [[], [(K.RECONCILIATION, NO_STRATEGY, 1, 2, FULL, REDUCE)]]


@pytest.mark.parametrize("news", [N.CLOSED, N.CHANGED, N.ASSIGNED])
def test_what_becomes_of_a_break_that_is_known_is_no_other_break(news: BreakNews):
    desk = d.trading_desk()
    given(desk, K.RECONCILIATION, 1, window_ns=60 * SECOND)
    desk.frame(events.control(Type.BREAK, flags=int(N.OPENED)))
    desk.frame(*[events.control(Type.BREAK, flags=int(news))] * 9)
    assert (desk.engine.breakers()[0]["observed"], state(desk)) == (1, FULL)


def test_a_trip_pulls_quotes_in_the_same_decision():
    desk = d.quoting_desk()
    given(desk, K.LOSS, 0, to=CANCEL)
    bid = desk.twin.quoter.order_of((0, 0), 1)
    decision = filled(desk, bid, d.BID, 10)
    assert tripped(decision) == []  # at the bid it has lost nothing
    decision = desk.feed(d.market(Type.BOOK_CANCEL, order_id=1, qty=100, flags=2))
    assert d.types_of(decision)[0] == Type.TRIPPED
    assert Type.CANCEL_ORDER in d.types_of(decision)


def test_a_trip_never_raises_and_never_lifts_what_a_person_lowered():
    desk = d.trading_desk()
    given(desk, K.LOSS, 0, to=ArmState.LIMITED)
    desk.arm(CANCEL)
    assert state(desk) == CANCEL
    order = desk.engine.live_orders()
    assert not order
    desk.arm()
    order = placed(desk, Side.BUY, d.ASK, 1)
    desk.arm(REDUCE)
    assert tripped(filled(desk, order, d.ASK, 1)) == [(K.LOSS, NO_STRATEGY, 0, 20_000, REDUCE, REDUCE)]


WRONG = [
    {"kind": 0},
    {"kind": max(K) + 1},
    {"strategy": d.STRATEGIES_MAX},
    {"kind": K.FEED_STALE, "window_ns": 0, "strategy": 0},
    {"kind": K.RECONCILIATION, "strategy": 0},
    {"instrument": 0},
    {"kind": K.POSITION_JUMP},
    {"kind": K.POSITION_JUMP, "instrument": d.INSTRUMENTS_MAX},
    {"threshold": -1},
    {"again_below": -1},
    {"again_below": 6},
    {"window_ns": 0},
    {"window_ns": -1},
    {"kind": K.LOSS},
    {"to": FULL},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_breaker_that_makes_no_sense_leaves_the_node_in_cancel_only(wrong: dict[str, int]):
    right = {"kind": K.REJECT_RATE, "threshold": 5, "again_below": 5, "window_ns": SECOND, "to": REDUCE}
    desk = d.trading_desk()
    desk.frame(events.breaker(**right), source=d.OPERATOR)
    assert state(desk) == FULL
    desk.frame(events.breaker(**right | wrong), source=d.OPERATOR)
    assert state(desk) == CANCEL


def test_a_breaker_may_be_taken_away_and_given_again():
    desk = d.trading_desk()
    terms = {"to": REDUCE, "threshold": 1, "again_below": 0, "window_ns": SECOND}
    desk.frame(events.breaker(K.REJECT_RATE, **terms), source=d.OPERATOR)
    gone = events.breaker(K.REJECT_RATE, **terms)
    removed = gone[:1] + bytes([1]) + gone[2:]
    desk.frame(removed, source=d.OPERATOR)
    assert desk.engine.breakers() == []
    for _ in range(3):
        desk.hear(d.report(Type.REJECTED, placed(desk, Side.BUY, d.BID, 1), version=1))
    assert state(desk) == FULL
    desk.frame(removed, source=d.OPERATOR)  # it is gone already
    never = events.breaker(K.DRAWDOWN, to=REDUCE, threshold=1, again_below=0)
    desk.frame(never[:1] + bytes([1]) + never[2:], source=d.OPERATOR)
    given(desk, K.LOSS, 5)  # takes the free place
    assert [row["kind"] for row in desk.engine.breakers()] == [K.LOSS]
    desk.frame(events.control(Type.PARAMETERS, source=0, code=99))  # other parameters
    assert state(desk) == FULL


def test_there_is_room_for_so_many():
    capacity = d.capacity()
    capacity.strategies_max = 60
    probe = native.EngineProbe(capacity)
    probe.decide(events.started(node=1, epoch=1, now_ns=1, seed=1), 1, 1)
    probe.decide(events.arm(FULL), 2, 2, d.OPERATOR)
    scopes = [(to, strategy) for strategy in range(60) for to in range(5)]
    for n, (to, strategy) in enumerate(scopes[: native.BREAKERS_MAX]):
        raw = events.breaker(K.LOSS, to=ArmState(to), threshold=0, again_below=0, strategy=strategy)
        probe.decide(raw, 3 + n, 3 + n, d.OPERATOR)
    assert len(probe.engine.breakers()) == native.BREAKERS_MAX
    assert probe.engine.arming(NO_STRATEGY, NO_INSTRUMENT)[0] == FULL
    to, strategy = scopes[native.BREAKERS_MAX]
    raw = events.breaker(K.LOSS, to=ArmState(to), threshold=0, again_below=0, strategy=strategy)
    probe.decide(raw, 999, 999, d.OPERATOR)
    assert probe.engine.arming(NO_STRATEGY, NO_INSTRUMENT)[0] == CANCEL


def test_a_restart_gives_them_anew_and_what_tripped_stays_tripped():
    desk = d.trading_desk()
    given(desk, K.LOSS, 100, 50)
    given(desk, K.REJECT_RATE, 100, 50, window_ns=SECOND)
    traded(desk, Side.BUY, d.ASK, 10)
    desk.start()
    assert desk.engine.breakers() == []
    given(desk, K.LOSS, 120, 50)
    given(desk, K.REJECT_RATE, 100, 50, window_ns=2 * SECOND)
    assert [(row["threshold"], row["is_tripped"]) for row in desk.engine.breakers()] == [(120, True), (100, False)]
