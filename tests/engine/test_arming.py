"""Arming and kill by node, strategy and instrument, down the order path: what is refused, cancelled, left alone."""

import pytest
from tests.engine import desk as d
from tests.engine.desk import ASK, BID, Desk, read, trading_desk

from openbell import events
from openbell.errors import ConfigError
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, IntentKind, KillLevel, Reason, Type
from oracles.arming import GRANT_MAX_NS

BUY, SELL = 1, 2
SCOPES = [{}, {"strategy": 1}, {"instrument": 0}]


def ask_for(desk: Desk, qty: int, *, side: int = BUY, strategy: int = 1, instrument: int = 0) -> Reason:
    """Why an order that a strategy asks for now is refused; NONE when it left and rests."""
    terms = {"side": side, "px": BID if side == BUY else ASK, "qty": qty, "instrument": instrument}
    news = d.add(desk.seq + 100, 990_000, 1, buy=True, instrument=instrument)
    decision = desk.feed(news, script=(d.intent(IntentKind.ORDER, strategy, **terms),))
    refused = [read(r) for r in decision if r[0] == Type.REFUSED]
    if refused:
        return Reason(refused[0]["reason"])
    for c in desk.sent:
        desk.outcomes()
        desk.hear(d.report(Type.ACCEPTED, c["cl_ord_id"], version=1, px=c["px"], leaves_qty=c["qty"]))
    return Reason.NONE


def fill_last(desk: Desk, qty: int) -> list[bytes]:
    order = desk.engine.live_orders()[-1]
    return desk.hear(
        d.report(Type.FILLED, order.cl_ord_id, version=1, last_px=BID, last_qty=qty, exec_id=desk.seq, leaves_qty=0)
    )


def long_desk(held: int = 30) -> Desk:
    """Strategy 1 is long in instrument 0."""
    desk = trading_desk()
    ask_for(desk, held)
    fill_last(desk, held)
    return desk


def cancelled(decision: list[bytes]) -> list[tuple[int, int]]:
    """(strategy, instrument) of every cancel."""
    found = [read(r) for r in decision if r[0] == Type.CANCEL_ORDER]
    return sorted((c["strategy"], c["instrument"]) for c in found)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(
    ("state", "opens", "reduces", "large"),
    [
        (ArmState.OFF, Reason.NOT_ARMED, Reason.NOT_ARMED, Reason.NOT_ARMED),
        (ArmState.SHADOW, Reason.NOT_ARMED, Reason.NOT_ARMED, Reason.NOT_ARMED),
        (ArmState.CANCEL_ONLY, Reason.NOT_ARMED, Reason.NOT_ARMED, Reason.NOT_ARMED),
        (ArmState.REDUCE_ONLY, Reason.REDUCE_ONLY, Reason.NONE, Reason.REDUCE_ONLY),
        (ArmState.LIMITED, Reason.NONE, Reason.NONE, Reason.LIMITED_SIZE),
        (ArmState.FULL, Reason.NONE, Reason.NONE, Reason.NONE),
    ],
)
def test_each_state_of_each_scope_means_what_its_name_says(scope, state, opens, reduces, large):
    desk = long_desk()
    desk.arm(state, **scope)

    assert ask_for(desk, 1) == opens
    assert ask_for(desk, 30, side=SELL) == reduces
    assert ask_for(desk, 101) == large  # LIMITED: 10 % of a largest order of 1,000
    elsewhere = ask_for(desk, 1, strategy=0, instrument=1)
    assert elsewhere == (Reason.NONE if scope or opens == Reason.NONE else opens)


def test_limited_is_a_percentage_of_the_largest_order_that_the_arming_gives():
    desk = trading_desk()
    desk.arm(ArmState.LIMITED, limited_percent=3)

    assert [ask_for(desk, qty) for qty in (30, 31)] == [Reason.NONE, Reason.LIMITED_SIZE]
    desk.arm(ArmState.LIMITED, strategy=1, limited_percent=101)  # no percentage: as it was
    assert desk.engine.limited_percent == 3


def test_the_lowest_scope_counts_and_names_itself():
    desk = trading_desk()
    desk.arm(ArmState.LIMITED)
    desk.arm(ArmState.REDUCE_ONLY, strategy=1)
    desk.arm(ArmState.CANCEL_ONLY, instrument=1)

    found = [(s, i, desk.engine.arm_state_of(s, i).name) for s in range(2) for i in range(2)]

    assert found == [(0, 0, "LIMITED"), (0, 1, "CANCEL_ONLY"), (1, 0, "REDUCE_ONLY"), (1, 1, "CANCEL_ONLY")]


def test_a_strategy_that_may_only_reduce_closes_its_own_position_whatever_the_others_hold():
    desk = long_desk()
    ask_for(desk, 30, side=SELL, strategy=0)
    fill_last(desk, 30)  # the account is flat, strategy 1 is long 30 and strategy 0 short 30
    desk.arm(ArmState.REDUCE_ONLY, strategy=1)
    assert ask_for(desk, 30, side=SELL) == Reason.NONE

    desk = long_desk()
    ask_for(desk, 30, side=SELL, strategy=0)
    fill_last(desk, 30)
    desk.arm(ArmState.REDUCE_ONLY, instrument=0)  # nobody may move the account away from flat
    assert ask_for(desk, 30, side=SELL) == Reason.REDUCE_ONLY


def everywhere(desk: Desk) -> None:
    """One resting buy of each of two strategies in each of two instruments."""
    for strategy in (0, 1):
        for instrument in (0, 1):
            assert ask_for(desk, 5, strategy=strategy, instrument=instrument) == Reason.NONE


@pytest.mark.parametrize("level", [KillLevel.HARD, KillLevel.CORD])
@pytest.mark.parametrize(
    ("scope", "gone"),
    [
        ({}, [(0, 0), (0, 1), (1, 0), (1, 1)]),
        ({"strategy": 1}, [(1, 0), (1, 1)]),
        ({"instrument": 1}, [(0, 1), (1, 1)]),
    ],
)
def test_a_hard_kill_cancels_its_scope_and_opens_nothing_there(level, scope, gone):
    desk = trading_desk()
    everywhere(desk)

    assert cancelled(desk.kill(level, **scope)) == gone
    for strategy, instrument in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        refused = (strategy, instrument) in gone
        assert ask_for(desk, 1, strategy=strategy, instrument=instrument) == (Reason.KILLED if refused else Reason.NONE)


def test_a_hard_kill_of_an_instrument_takes_quotes_away_and_leaves_the_others():
    desk = trading_desk()
    for n in (0, 1):
        desk.feed(d.add(50 + n, 999_900, 1, buy=True, instrument=n), script=(d.quote(0, BID, 10, ASK, 10, n),))
        desk.outcomes()

    assert cancelled(desk.kill(instrument=1)) == [(0, 1), (0, 1)]
    assert cancelled(desk.kill(strategy=0)) == [(0, 0), (0, 0)]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_soft_kill_cancels_what_grows_and_lets_reduce(scope):
    desk = long_desk()
    ask_for(desk, 5)
    ask_for(desk, 10, side=SELL)

    decision = desk.kill(KillLevel.SOFT, **scope)

    assert [read(r)["side"] for r in decision if r[0] == Type.CANCEL_ORDER] == [BUY]
    assert ask_for(desk, 20, side=SELL) == Reason.NONE
    assert ask_for(desk, 1, side=SELL) == Reason.REDUCE_ONLY  # all 30 are on their way out


def test_what_still_reduced_is_cancelled_when_a_fill_makes_it_grow():
    desk = long_desk()
    ask_for(desk, 30, side=SELL)
    ask_for(desk, 10, side=SELL, strategy=0, instrument=1)
    desk.arm(ArmState.REDUCE_ONLY, strategy=1)
    first = desk.engine.live_orders()[0].cl_ord_id

    # The venue breaks the trade that made the position: selling is no longer reducing.
    filled = desk.engine.position(1, 0)["qty"]
    assert filled == 30
    bust = d.report(Type.BUSTED, first - 1, exec_id=busted_exec(desk), last_qty=30, last_px=BID)
    assert cancelled(desk.hear(bust)) + cancelled(desk.feed(d.add(900, 990_000, 1, buy=True))) == [(1, 0)]


def busted_exec(desk: Desk) -> int:
    return next(exec_id for _, exec_id in desk.twin.oms.fills)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_kill_survives_arming_and_a_restart_and_only_its_own_release_ends_it(scope):
    desk = trading_desk()
    desk.kill(**scope)
    desk.arm(ArmState.FULL, **scope)
    desk.start()
    desk.connect()
    desk.resolve()
    desk.arm()
    assert ask_for(desk, 1) == Reason.KILLED
    for other in [s for s in SCOPES if s != scope]:
        desk.arm(after_kill=True, **other)
        assert ask_for(desk, 1) == Reason.KILLED

    desk.arm(after_kill=True, **scope)
    assert ask_for(desk, 1) == Reason.NONE


def test_a_stop_of_somebody_unknown_stops_everybody_and_an_arming_of_nobody_nobody():
    desk = trading_desk()
    desk.arm(ArmState.OFF, strategy=1, instrument=1)
    desk.arm(ArmState.OFF, strategy=9)
    desk.arm(ArmState.OFF, instrument=9)
    assert ask_for(desk, 1) == Reason.NONE

    desk.kill(strategy=1, instrument=1)
    assert desk.engine.kill_level == KillLevel.HARD


def test_what_is_no_state_arms_nothing_and_what_is_no_level_is_the_highest():
    desk = trading_desk()
    desk.frame(events.control(Type.ARM, code=77), source=d.OPERATOR)
    assert desk.engine.arm_state == ArmState.OFF

    desk.frame(events.control(Type.KILL, code=77), source=d.OPERATOR)
    assert desk.engine.kill_level == KillLevel.CORD


def test_an_overfill_holds_its_instrument_and_an_unknown_order_the_node():
    desk = trading_desk()
    ask_for(desk, 5)
    fill_last(desk, 6)

    assert ask_for(desk, 1) == Reason.NOT_ARMED
    assert ask_for(desk, 1, instrument=1) == Reason.NONE
    assert desk.engine.arming(NO_STRATEGY, 0)[3] and desk.engine.is_reconciled
    desk.arm(ArmState.FULL, instrument=0)
    assert ask_for(desk, 1) == Reason.NOT_ARMED
    desk.arm(ArmState.FULL, instrument=0, after_kill=True)
    assert ask_for(desk, 1) == Reason.NONE

    desk.hear(d.report(Type.ACCEPTED, 77, version=1, px=BID, leaves_qty=1))
    assert ask_for(desk, 1, instrument=1) == Reason.NOT_ARMED
    assert not desk.engine.is_reconciled


def test_a_halted_strategy_goes_on_by_its_own_release():
    desk = trading_desk()
    desk.feed(d.add(60, 999_900, 1, buy=True), script=(d.halt(1),))
    desk.arm(after_kill=True, strategy=0)
    assert desk.engine.is_halted(1)

    desk.arm(after_kill=True, strategy=1)
    assert not desk.engine.is_halted(1)


def test_a_grant_lifts_over_a_doubt_never_over_a_kill_and_ends_by_itself():
    desk = long_desk()
    desk.hear(d.report(Type.ACCEPTED, 77, version=1, px=BID, leaves_qty=1))
    assert ask_for(desk, 1, side=SELL) == Reason.NOT_ARMED
    desk.arm(ArmState.REDUCE_ONLY, grant_until_ns=desk.now + 50_000)
    assert ask_for(desk, 30, side=SELL) == Reason.NONE
    assert ask_for(desk, 1) == Reason.REDUCE_ONLY
    desk.kill(strategy=1)
    assert ask_for(desk, 1, side=SELL) == Reason.KILLED
    desk.arm(after_kill=True, strategy=1)

    assert desk.told is None
    desk.fire()
    assert desk.told is None  # it is no timer of a strategy's
    assert ask_for(desk, 1, side=SELL) == Reason.NOT_ARMED
    assert not desk.engine.is_reconciled


def test_a_grant_lasts_a_quarter_of_an_hour_at_most_and_not_over_a_restart():
    desk = trading_desk()
    desk.arm(ArmState.FULL, grant_until_ns=2**62)
    assert desk.engine.arming()[4] == desk.now + GRANT_MAX_NS
    assert desk.restored().engine.arming() == desk.engine.arming()

    desk.start()
    assert desk.engine.arming()[::4] == (ArmState.OFF, 0)
    desk.arm(ArmState.FULL, grant_until_ns=desk.now)  # in the past
    assert desk.engine.arm_state == ArmState.OFF


def test_a_grant_that_no_timer_could_end_is_not_given():
    desk = trading_desk()
    timers = tuple(d.arm_timer(0, n, desk.now + 10**9) for n in range(d.TIMERS_MAX))
    desk.feed(d.add(60, 999_900, 1, buy=True), script=timers)
    desk.arm(ArmState.CANCEL_ONLY)

    desk.arm(ArmState.FULL, grant_until_ns=desk.now + 10**9)

    assert desk.engine.arm_state == ArmState.CANCEL_ONLY


def test_a_timer_that_ends_the_grant_of_nobody_ends_none():
    desk = trading_desk()
    desk.arm(ArmState.CANCEL_ONLY)
    desk.arm(ArmState.FULL, grant_until_ns=desk.now + 10**9)
    of_nobody = 1 << 32 | d.STRATEGIES_MAX
    desk.frame(d.record("Timer", type=Type.TIMER, strategy=NO_STRATEGY, timer_id=of_nobody), source=d.OPERATOR)
    assert desk.engine.arm_state == ArmState.FULL


def test_a_scope_that_is_not_there_cannot_be_asked_for():
    desk = trading_desk()
    for strategy, instrument in [(1, 1), (d.STRATEGIES_MAX, NO_INSTRUMENT), (NO_STRATEGY, d.INSTRUMENTS_MAX)]:
        with pytest.raises(ConfigError, match="expected the node, one strategy or one instrument"):
            desk.engine.arming(strategy, instrument)
