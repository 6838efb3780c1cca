"""What a strategy may ask about its single orders, one rule each; every frame is compared with the twin."""

from tests.engine import desk as d

from openbell.types import NO_INSTRUMENT, IntentKind, Reason, Side, Type

BID = d.BID


def say(desk: d.Desk, *intents: bytes) -> list[bytes]:
    """A strategy says it when its book changes; the commands leave."""
    return desk.feed(d.add(1_000 + desk.message, 900_000, 1, buy=True), script=intents)


def order(desk: d.Desk, strategy: int = 0, side: Side = Side.BUY, px: int = BID, qty: int = 10, **more: int) -> int:
    """An order that rests at the venue; its id."""
    say(desk, d.intent(IntentKind.ORDER, strategy, side=side, px=px, qty=qty, **more))
    (command,) = desk.sent
    desk.outcomes()
    desk.hear(d.report(Type.ACCEPTED, command["cl_ord_id"], version=1, px=px, leaves_qty=qty))
    return command["cl_ord_id"]


def refusals(decision: list[bytes]) -> list[tuple[Reason, int]]:
    """(reason, cl_ord_id) of what was refused."""
    found = [d.read(r) for r in decision if r[0] == Type.REFUSED]
    return [(Reason(r["reason"]), r["cl_ord_id"]) for r in found]


def test_a_replace_names_the_total_of_the_chain():
    desk = d.trading_desk()
    number = order(desk)
    desk.hear(d.report(Type.FILLED, number, version=1, last_px=BID, last_qty=4, exec_id=1))

    say(desk, d.intent(IntentKind.REPLACE, 0, cl_ord_id=number, px=BID - 100, qty=12))

    (command,) = desk.sent
    assert (command["type"], command["version"], command["px"]) == (Type.REPLACE_ORDER, 2, BID - 100)
    assert (command["qty"], command["leaves_qty"], command["prev_qty"]) == (12, 8, 10)


def test_a_replace_to_what_was_executed_already_is_refused():
    desk = d.trading_desk()
    number = order(desk)
    desk.hear(d.report(Type.FILLED, number, version=1, last_px=BID, last_qty=4, exec_id=1))

    decision = say(desk, d.intent(IntentKind.REPLACE, 0, cl_ord_id=number, px=BID, qty=4))

    assert refusals(decision) == [(Reason.QTY_NOT_POSITIVE, number)]


def test_a_replace_waits_for_the_one_before():
    desk = d.trading_desk()
    number = order(desk)

    say(desk, d.intent(IntentKind.REPLACE, 0, cl_ord_id=number, px=BID - 100, qty=10))
    desk.outcomes()
    decision = say(desk, d.intent(IntentKind.REPLACE, 0, cl_ord_id=number, px=BID - 200, qty=10))

    assert refusals(decision) == [(Reason.NOT_REPLACEABLE, number)]


def test_orders_of_others_are_neither_cancelled_nor_replaced_and_it_is_counted():
    desk = d.trading_desk()
    number = order(desk, strategy=1)
    before = desk.engine.refusals

    kinds = (IntentKind.CANCEL, IntentKind.REPLACE)
    decision = say(desk, *(d.intent(kind, 0, cl_ord_id=number, px=BID, qty=5) for kind in kinds))

    assert refusals(decision) == [(Reason.NOT_OWN_ORDER, number)] * 2
    assert desk.engine.refusals == before + 2
    assert not desk.sent


def test_an_id_that_nobody_knows_is_refused():
    desk = d.trading_desk()
    decision = say(desk, d.intent(IntentKind.CANCEL, 0, cl_ord_id=77), d.intent(IntentKind.CANCEL, 1, cl_ord_id=77))

    assert refusals(decision) == [(Reason.UNKNOWN_ORDER, 77), (Reason.NOT_OWN_ORDER, 77)]


def test_the_order_of_a_quote_is_the_quoters_to_change():
    desk = d.quoting_desk()
    number = desk.engine.live_orders()[0].cl_ord_id

    decision = say(desk, d.intent(IntentKind.REPLACE, 0, cl_ord_id=number, px=BID - 100, qty=10))

    assert refusals(decision) == [(Reason.NOT_REPLACEABLE, number)]


def test_a_mass_cancel_takes_one_instrument_or_one_side_of_one_strategy():
    desk = d.trading_desk()
    bid = order(desk)
    ask = order(desk, side=Side.SELL, px=d.ASK)
    there = order(desk, instrument=1)
    others = order(desk, strategy=1)

    say(desk, d.intent(IntentKind.CANCEL_ALL, 0, instrument=0, side=Side.SELL))
    assert [c["cl_ord_id"] for c in desk.sent] == [ask]
    desk.outcomes()
    say(desk, d.intent(IntentKind.CANCEL_ALL, 0, instrument=NO_INSTRUMENT, side=Side.BUY))
    assert [c["cl_ord_id"] for c in desk.sent] == [bid, there]
    assert others in [o.cl_ord_id for o in desk.engine.live_orders()]


def test_a_parent_order_is_refused_until_there_are_algorithms():
    desk = d.trading_desk()
    parent = d.intent(IntentKind.PARENT, 0, side=Side.BUY, qty=1_000, basket=1)

    decision = say(desk, parent, d.intent(IntentKind.ORDER, 0, side=Side.BUY, px=BID, qty=1))

    ((reason, number),) = refusals(decision)
    assert (reason, number & 0x3FFF_FFFF) == (Reason.NO_ALGORITHM, 1)
    assert desk.sent[0]["cl_ord_id"] & 0x3FFF_FFFF == 2  # the parent has the first id
