"""Stop, flatten, start: orders end, the engine closes the position, it goes on when a person says so."""

from tests.engine import desk as d
from tests.engine.test_intents import say

from openbell import events
from openbell._native import OperatorVerb, StrategyLife
from openbell.types import ArmState, KillLevel, Side, Tif, Type

BID, ASK = d.BID, d.ASK


def ask(desk: d.Desk, verb: OperatorVerb, qty_max: int = 0, strategy: int = 0) -> list[bytes]:
    values = (qty_max, 0, 0, 0)
    record = events.control(Type.OPERATOR, code=int(verb), strategy=strategy, values=values)
    return desk.frame(record, source=d.OPERATOR)


def fill_all(desk: d.Desk, match: int, px: int) -> None:
    """What was sent is accepted and executed."""
    commands = list(desk.sent)
    desk.outcomes()
    for number, c in enumerate(commands):
        whole = {"version": c["version"], "px": c["px"]}
        desk.hear(d.report(Type.ACCEPTED, c["cl_ord_id"], leaves_qty=c["qty"], **whole))
        trade = {"exec_id": match + number, "last_px": px, "last_qty": c["qty"]}
        desk.hear(d.report(Type.FILLED, c["cl_ord_id"], **trade))


def holding_desk(qty: int = 10) -> d.Desk:
    """Strategy 0 bought `qty` at the ask."""
    desk = d.trading_desk()
    say(desk, d.intent(2, 0, side=Side.BUY, px=ASK, qty=qty, tif=Tif.IOC))
    fill_all(desk, 1, ASK)
    assert desk.engine.position(0, 0)["qty"] == qty
    return desk


def test_a_stopped_strategy_leaves_nothing_open_and_is_not_heard():
    desk = d.quoting_desk()
    ask(desk, OperatorVerb.STRATEGY_STOP)
    assert [c["type"] for c in desk.sent] == [Type.CANCEL_ORDER, Type.CANCEL_ORDER]
    assert desk.engine.life_of(0) == StrategyLife.STOPPED
    desk.outcomes()
    desk.feed(d.add(60, BID - 500, 1, buy=True), script=(d.QUOTE,))
    assert desk.sent == []


def test_start_lets_a_stopped_one_go_on_and_not_one_that_failed():
    desk = d.trading_desk()
    ask(desk, OperatorVerb.STRATEGY_STOP)
    ask(desk, OperatorVerb.STRATEGY_START)
    assert desk.engine.life_of(0) == StrategyLife.RUNS
    assert desk.told is not None, "it is called: on_start"
    desk.feed(d.add(60, BID - 500, 1, buy=True), script=(d.halt(0),))
    ask(desk, OperatorVerb.STRATEGY_STOP)
    ask(desk, OperatorVerb.STRATEGY_START)
    assert desk.engine.life_of(0) == StrategyLife.HALTED
    desk.arm(ArmState.FULL, after_kill=True, strategy=0)
    assert desk.engine.life_of(0) == StrategyLife.RUNS


def test_flatten_closes_at_the_touch_in_bounded_orders_and_then_stops():
    desk = holding_desk(10)
    ask(desk, OperatorVerb.STRATEGY_FLATTEN, qty_max=6)
    sold = []
    while desk.sent:
        sold += [(c["side"], c["px"], c["qty"]) for c in desk.sent]
        fill_all(desk, 100 + len(sold), BID)
    assert sold == [(Side.SELL, BID, 6), (Side.SELL, BID, 4)]
    assert desk.engine.position(0, 0)["qty"] == 0
    assert desk.engine.life_of(0) == StrategyLife.STOPPED


def test_the_order_that_flattens_follows_the_touch():
    desk = holding_desk()
    ask(desk, OperatorVerb.STRATEGY_FLATTEN)
    (first,) = desk.sent
    desk.outcomes()
    desk.hear(d.report(Type.ACCEPTED, first["cl_ord_id"], version=1, px=BID, leaves_qty=10))
    desk.feed(d.market(Type.BOOK_CANCEL, order_id=1, flags=2), d.add(70, BID - 300, 50, buy=True))
    assert [(c["type"], c["px"]) for c in desk.sent] == [(Type.REPLACE_ORDER, BID - 300)]
    assert desk.engine.life_of(0) == StrategyLife.FLATTENING


def test_flatten_opens_nothing_against_a_kill_and_goes_on_when_it_is_released():
    desk = holding_desk()
    desk.kill(KillLevel.HARD)
    ask(desk, OperatorVerb.STRATEGY_FLATTEN)
    assert desk.sent == []
    desk.arm(ArmState.REDUCE_ONLY, after_kill=True)
    desk.feed(d.add(70, BID - 300, 50, buy=True))
    assert [(c["type"], c["side"], c["qty"]) for c in desk.sent] == [(Type.NEW_ORDER, Side.SELL, 10)]


def test_what_failed_is_flattened_too_and_stays_halted():
    desk = holding_desk()
    desk.feed(d.add(60, BID - 500, 1, buy=True), script=(d.halt(0),))
    ask(desk, OperatorVerb.STRATEGY_FLATTEN)
    fill_all(desk, 100, BID)
    assert desk.engine.position(0, 0)["qty"] == 0
    assert desk.engine.life_of(0) == StrategyLife.HALTED


def test_what_failed_while_it_is_flattened_goes_on_flattening_when_a_person_releases_it():
    desk = holding_desk()
    desk.feed(d.add(60, BID - 500, 1, buy=True), script=(d.halt(0),))
    ask(desk, OperatorVerb.STRATEGY_FLATTEN)
    assert desk.engine.life_of(0) == StrategyLife.FLATTENING_HALTED
    desk.arm(ArmState.FULL, after_kill=True, strategy=0)
    assert desk.engine.life_of(0) == StrategyLife.FLATTENING


def test_a_snapshot_in_the_middle_of_flattening_goes_on():
    desk = holding_desk()
    ask(desk, OperatorVerb.STRATEGY_FLATTEN)
    assert desk.restored().engine.life_of(0) == StrategyLife.FLATTENING
