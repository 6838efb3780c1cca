"""The laws of the engine, one by one, as a trader would tell them."""

import pytest
from tests.engine import desk as d
from tests.engine.desk import ASK, BID, QUOTE, Desk, quoting_desk, read, trading_desk, types_of

from openbell import _native as native
from openbell import events
from openbell.errors import SnapshotError
from openbell.strategy import Strategy
from openbell.types import ArmState, IntentKind, KillLevel, Reason, TradingState, Type
from oracles.engine_sessions import SESSION_ENDED


def orders(decision: list[bytes], *kinds: Type) -> list[dict[str, int]]:
    return [read(r) for r in decision if Type(r[0]) in (kinds or d.COMMANDS)]


def reason_of(desk: Desk) -> Reason:
    """Why an order that a strategy asks for now is refused; NONE when it is not."""
    terms = {"side": 1, "px": BID, "qty": 10}
    decision = desk.feed(d.add(desk.seq + 100, 990_000, 1, buy=True), script=(d.intent(IntentKind.ORDER, 1, **terms),))
    refused = orders(decision, Type.REFUSED)
    return Reason(refused[0]["reason"]) if refused else Reason.NONE


def test_on_book_fires_once_per_frame_and_instrument():
    class Counts(Strategy):
        books: int = 0
        bid_px: int = 0

        def on_book(self, ctx, book):  # noqa: ARG002
            self.books += 1
            self.bid_px = book.bid_px

    strategy, host = Counts(), native.StrategyHost()
    host.add(0, "counts", strategy, ["SYM0"])
    probe = native.EngineProbe(d.capacity())
    frames = [
        events.started(node=1, epoch=1, now_ns=1, seed=1),
        d.instrument(0),
        d.add(1, BID, 5, buy=True) + d.add(2, BID + 100, 5, buy=True) + d.add(3, BID + 200, 5, buy=True),
    ]

    for seq, records in enumerate(frames, start=1):
        probe.decide(records, seq=seq, ts_seq=seq, strategies=host)

    assert (strategy.books, strategy.bid_px) == (1, BID + 200)


def test_an_order_leaves_only_behind_its_approval():
    desk = trading_desk()

    decision = desk.feed(d.add(50, 999_900, 1, buy=True), script=(QUOTE,))

    kinds = [Type.INTENT, Type.APPROVED, Type.NEW_ORDER, Type.APPROVED, Type.NEW_ORDER, Type.HASH]
    assert types_of(decision) == kinds
    names = ("cl_ord_id", "version", "px", "qty", "side")
    for approved, sent in zip(orders(decision, Type.APPROVED), orders(decision), strict=True):
        assert [approved[n] for n in names] == [sent[n] for n in names]


def test_a_replace_is_approved_under_the_same_id_and_the_next_version():
    desk = quoting_desk()

    decision = desk.feed(d.add(60, 999_800, 1, buy=True), script=(d.quote(0, BID - 100, 10, ASK, 10),))

    assert types_of(decision) == [Type.INTENT, Type.APPROVED, Type.REPLACE_ORDER, Type.HASH]
    (sent,) = orders(decision)
    assert (sent["version"], sent["prev_version"], sent["px"]) == (2, 1, BID - 100)
    assert sent["cl_ord_id"] == desk.engine.live_orders()[0].cl_ord_id


def test_nothing_is_sent_between_connected_and_resolved():
    desk = quoting_desk()
    first = desk.engine.live_orders()[0].cl_ord_id
    cancel = d.intent(IntentKind.CANCEL, 0, cl_ord_id=first)

    desk.connect()
    decision = desk.feed(d.add(60, 999_800, 1, buy=True), script=(d.quote(0, BID, 10, 0, 0), cancel))
    assert orders(decision) == []
    assert reason_of(desk) == Reason.SESSION_DOWN

    resolved = desk.resolve()
    assert sorted(o["type"] for o in orders(resolved)) == [Type.CANCEL_ORDER] * 2


def test_a_cancel_asked_for_while_the_session_is_down_is_not_forgotten():
    desk = trading_desk()
    desk.feed(d.add(50, 999_900, 1, buy=True), script=(d.intent(IntentKind.ORDER, 1, side=1, px=BID, qty=10),))
    (order,) = desk.sent
    desk.outcomes()
    desk.hear(d.report(Type.ACCEPTED, order["cl_ord_id"], version=1, px=BID, leaves_qty=10))

    desk.frame(events.control(Type.DISCONNECTED, source=d.ORDERS))
    desk.feed(d.add(51, 999_800, 1, buy=True), script=(d.intent(IntentKind.CANCEL, 1, cl_ord_id=order["cl_ord_id"]),))
    desk.connect()

    assert [(o["type"], o["cl_ord_id"]) for o in orders(desk.resolve())] == [(Type.CANCEL_ORDER, order["cl_ord_id"])]


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_session_of_another_name_leaves_what_was_in_flight_in_doubt(has_ended):
    desk = trading_desk()
    desk.feed(d.add(50, 999_900, 1, buy=True), script=(d.intent(IntentKind.ORDER, 1, side=1, px=BID, qty=10),))
    (order,) = desk.sent
    desk.outcomes()

    desk.frame(events.control(Type.DISCONNECTED, source=d.ORDERS, code=SESSION_ENDED if has_ended else 1))
    desk.connect("S2")
    desk.resolve()

    assert [o.cl_ord_id for o in desk.engine.live_orders()] == [order["cl_ord_id"]]
    assert desk.engine.arming()[0] == ArmState.CANCEL_ONLY
    assert reason_of(desk) == Reason.NOT_ARMED


@pytest.mark.parametrize(("has_ended", "state"), [(True, ArmState.FULL), (False, ArmState.CANCEL_ONLY)])
def test_another_session_is_believed_if_the_old_one_was_heard_to_its_end(has_ended, state):
    desk = trading_desk()

    desk.frame(events.control(Type.DISCONNECTED, source=d.ORDERS, code=SESSION_ENDED if has_ended else 1))
    desk.frame(events.control(Type.DISCONNECTED, source=d.ORDERS, code=3))  # it asked for the old one first
    desk.connect("S2")
    desk.resolve()

    assert desk.engine.arming()[0] == state


def test_a_kill_cancels_everything_and_opens_nothing_until_a_person_releases_it():
    desk = quoting_desk()

    decision = desk.frame(events.kill(KillLevel.HARD), source=d.OPERATOR)

    assert types_of(decision) == [Type.CANCEL_ORDER, Type.CANCEL_ORDER, Type.HASH]
    assert reason_of(desk) == Reason.KILLED
    desk.arm(ArmState.FULL)
    assert reason_of(desk) == Reason.KILLED
    desk.start()
    desk.connect()
    desk.resolve()
    desk.arm(ArmState.FULL)
    assert desk.engine.is_killed
    assert reason_of(desk) == Reason.KILLED
    desk.arm(ArmState.FULL, after_kill=True)
    assert reason_of(desk) == Reason.NONE


def test_a_cancel_names_the_version_that_the_venue_holds_when_a_replace_has_failed():
    desk = quoting_desk()
    desk.feed(d.add(60, 999_800, 1, buy=True), script=(d.quote(0, BID - 100, 10, ASK, 10),))
    (replace,) = desk.sent

    (cancel,) = orders(desk.outcomes(Type.NOT_SENT))

    assert (cancel["type"], cancel["cl_ord_id"], cancel["version"]) == (Type.CANCEL_ORDER, replace["cl_ord_id"], 1)


def test_an_order_whose_sending_is_unknown_is_canceled_as_soon_as_the_venue_has_told_all():
    desk = quoting_desk()
    desk.frame(events.kill(KillLevel.HARD), source=d.OPERATOR)

    desk.start()  # the cancels may or may not have left

    desk.connect()
    cancels = orders(desk.resolve())
    assert [c["type"] for c in cancels] == [Type.CANCEL_ORDER] * 2


def test_a_strategy_that_raises_loses_what_it_said_and_is_halted():
    class Raises(Strategy):
        seen: int = 0

        def on_book(self, ctx, book):
            self.seen += 1
            ctx.quote(book.instrument, bid_px=BID, bid_qty=10, ask_px=ASK, ask_qty=10)
            if self.seen == 2:
                raise ValueError("second thoughts")

    strategy, host = Raises(), native.StrategyHost()
    host.add(0, "raises", strategy, ["SYM0"])
    probe = native.EngineProbe(d.capacity())
    setup = [
        events.started(node=1, epoch=1, now_ns=1, seed=1),
        d.instrument(0),
        *d.account_limits(),
        *d.limits(0),
        d.status(TradingState.TRADING),
        events.control(Type.CONNECTED, source=d.ORDERS),
        events.control(Type.RESOLVED, source=d.ORDERS),
        events.arm(ArmState.FULL),
        d.add(1, BID, 100, buy=True) + d.add(2, ASK, 100, buy=False),
    ]
    for seq, records in enumerate(setup, start=1):
        out, _ = probe.decide(records, seq=seq, ts_seq=seq, strategies=host)
    assert [o.state.name for o in probe.engine.live_orders()] == ["PENDING_NEW", "PENDING_NEW"]
    state = probe.engine.strategy_state(0)

    out, _ = probe.decide(d.add(3, BID, 1, buy=True), seq=20, ts_seq=20, strategies=host)

    kinds = [Type(out[i]) for i in range(0, len(out), 128)]
    assert kinds == [Type.STRATEGY_HALTED, Type.CANCEL_ORDER, Type.CANCEL_ORDER, Type.HASH]
    assert b"ValueError: second thoughts" in out[:128]
    assert (probe.engine.is_halted(0), probe.engine.strategy_state(0), strategy.seen) == (True, state, 1)
    out, _ = probe.decide(d.add(4, BID, 1, buy=True), seq=22, ts_seq=22, strategies=host)
    assert (out, strategy.seen) == (b"", 1)


def test_timers_fire_by_deadline_then_strategy_then_id_and_once():
    desk = trading_desk()
    wanted = [(1, 7, 3_000), (0, 9, 2_000), (1, 1, 2_000), (0, 3, 2_000), (0, 3, 2_500)]
    armed = tuple(d.arm_timer(strategy, timer_id, desk.now + after) for strategy, timer_id, after in wanted)
    desk.feed(d.add(50, 999_900, 1, buy=True), script=armed)

    fired = []
    while desk.twin.due_timers():
        assert desk.engine.next_deadline == desk.twin.due_timers()[0][0]
        fired.append(desk.twin.due_timers()[0][1:])
        desk.fire()

    assert fired == [(0, 9), (1, 1), (0, 3), (1, 7)]


def test_a_gap_pulls_quotes_and_refuses_orders_until_it_is_filled():
    desk = quoting_desk()

    gap = desk.frame(events.control(Type.GAP, source=d.FEED, values=(90, 95)))

    assert types_of(gap) == [Type.CANCEL_ORDER, Type.CANCEL_ORDER, Type.HASH]
    assert not desk.engine.is_book_valid(0)
    assert reason_of(desk) == Reason.BOOK_NOT_VALID
    desk.frame(events.control(Type.GAP, source=d.FEED + 1, values=(90, 95)))
    desk.frame(events.control(Type.RECOVERED, source=d.FEED + 1))
    assert reason_of(desk) == Reason.BOOK_NOT_VALID
    desk.frame(events.control(Type.RECOVERED, source=d.FEED))
    assert reason_of(desk) == Reason.NONE


def test_without_limits_every_order_is_refused():
    desk = trading_desk()
    wish = d.intent(IntentKind.ORDER, 0, instrument=2, side=1, px=BID, qty=1)

    refused = orders(desk.feed(d.add(50, 999_900, 1, buy=True), script=(wish,)), Type.REFUSED)

    assert [Reason(r["reason"]) for r in refused] == [Reason.NO_LIMITS]
    desk.frame(*d.limits(2), source=d.OPERATOR)
    passed = orders(desk.feed(d.add(51, 999_900, 1, buy=True), script=(wish,)))
    assert [o["type"] for o in passed] == [Type.NEW_ORDER]


def test_cancel_all_empties_the_desk_and_opens_nothing_until_armed_again():
    desk = quoting_desk()

    decision = desk.frame(events.cancel_all("end of day"), source=d.OPERATOR, script=(QUOTE,))

    assert orders(decision, Type.REFUSED) == []  # both sides rest until their cancels are answered
    assert [o["type"] for o in orders(decision)] == [Type.CANCEL_ORDER] * 2
    canceled = desk.sent
    desk.outcomes()
    for c in canceled:
        desk.hear(d.report(Type.CANCELED, c["cl_ord_id"], version=1, last_qty=10, reason=Reason.USER_CANCEL))
    assert desk.engine.live_orders() == []
    refused = orders(desk.feed(d.add(60, 999_800, 1, buy=True), script=(QUOTE,)), Type.REFUSED)
    assert {Reason(r["reason"]) for r in refused} == {Reason.NOT_ARMED}
    assert reason_of(desk) == Reason.NOT_ARMED
    desk.arm(ArmState.FULL)
    assert reason_of(desk) == Reason.NONE


def test_the_close_of_the_whole_market_pulls_every_quote():
    desk = quoting_desk()

    decision = desk.feed(d.status(TradingState.CLOSED, d.NO_INSTRUMENT))

    assert types_of(decision) == [Type.CANCEL_ORDER, Type.CANCEL_ORDER, Type.HASH]
    assert reason_of(desk) == Reason.NOT_TRADING


def test_a_snapshot_that_is_cut_or_goes_on_is_refused():
    saved = quoting_desk().engine.save()

    for cut in (*range(0, len(saved), 61), len(saved) - 1):
        with pytest.raises(SnapshotError):
            native.EngineProbe(d.capacity()).engine.load(saved[:cut])
    with pytest.raises(SnapshotError, match="goes on"):
        native.EngineProbe(d.capacity()).engine.load(saved + b"\0")


def test_equal_states_reached_by_different_ways_have_equal_hashes():
    """Books built in another order of levels, orders added and gone: the same orders rest in the end."""

    def built(*frames: bytes) -> int:
        probe = native.EngineProbe(d.capacity())
        for seq, records in enumerate(frames, start=1):
            probe.decide(records, seq=10 if seq == len(frames) else seq, ts_seq=10 if seq == len(frames) else seq)
        return probe.engine.state_hash

    low, high = d.add(1, BID, 5, buy=True), d.add(2, BID + 100, 5, buy=True)
    passing = d.add(3, BID + 900, 5, buy=True), d.market(Type.BOOK_CANCEL, order_id=3, qty=5)
    last = d.market(Type.TRADE, px=BID, qty=1)

    straight = built(d.instrument(0), low + high, last)

    assert straight == built(d.instrument(0), high, low, last) == built(d.instrument(0), *passing, high + low, last)


def test_after_a_hole_in_the_reports_what_was_in_flight_is_in_doubt_until_two_people_say_it_never_got_there():
    desk = trading_desk()
    desk.feed(d.add(50, 999_900, 1, buy=True), script=(d.intent(IntentKind.ORDER, 1, side=1, px=BID, qty=10),))
    desk.outcomes()
    desk.frame(events.control(Type.DISCONNECTED, source=d.ORDERS))
    desk.connect()

    desk.frame(events.control(Type.GAP, source=d.ORDERS, values=(5, 9)))
    desk.resolve()
    desk.arm(after_kill=True)

    (order,) = desk.engine.live_orders()
    assert order.state == native.OrderState.IN_DOUBT
    desk.arm(after_kill=True, settles=True)
    assert desk.engine.live_orders() == []
    assert reason_of(desk) == Reason.NONE


def test_what_two_people_settle_is_what_is_in_doubt_and_not_what_left_a_moment_ago():
    desk = trading_desk()
    desk.feed(d.add(50, 999_900, 1, buy=True), script=(d.intent(IntentKind.ORDER, 1, side=1, px=BID, qty=10),))
    desk.outcomes()

    desk.arm(after_kill=True, settles=True)

    (order,) = desk.engine.live_orders()
    assert order.state == native.OrderState.PENDING_NEW
