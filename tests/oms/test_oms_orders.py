"""The life of an order: what each report of the venue makes of it, and the races."""

import pytest

from openbell import _native
from openbell.errors import CapacityError, ConfigError, SnapshotError
from openbell.types import RECORDS, OrderState, Reason, Side, Type
from oracles.order_records import ACCOUNT, fields_of, orders_of, record

BUY, SELL = Side.BUY, Side.SELL


class Desk:
    """One OMS and the shortest way to speak to it."""

    def __init__(self, orders_max: int = 8, **capacity: int) -> None:
        self.oms = _native.Oms(orders_max, 2, 2, **capacity)
        self.start(epoch=1)

    def start(self, epoch: int) -> None:
        self.oms.on_started(record("Started", type=Type.STARTED, node=1, epoch=epoch))

    def buy(self, qty: int = 100, px: int = 1000, side: Side = BUY, strategy: int = 0) -> int:
        i = self.oms.reserve(strategy)
        assert self.command(Type.NEW_ORDER, i, side=side, qty=qty, px=px, strategy=strategy, version=1) == Reason.NONE
        return i

    def resting(self, qty: int = 100, px: int = 1000, side: Side = BUY, strategy: int = 0) -> int:
        i = self.buy(qty, px, side, strategy)
        self.report(Type.SENT, i, command=Type.NEW_ORDER)
        self.report(Type.ACCEPTED, i, version=1, order_id=77, px=px, leaves_qty=qty)
        return i

    def command(self, kind: Type, i: int, **fields: int) -> Reason:
        return self.oms.on_command(record("Order", type=kind, cl_ord_id=i, **fields))

    def report(self, kind: Type, i: int, **fields: int) -> str:
        return self.oms.on_report(record("Report", type=kind, cl_ord_id=i, **fields))[0].name

    def fill(self, i: int, qty: int, px: int = 1000, exec_id: int = 1, version: int = 1) -> str:
        return self.report(Type.FILLED, i, last_px=px, last_qty=qty, exec_id=exec_id, version=version)

    def order(self, i: int) -> dict[str, int]:
        return orders_of(self.oms.find(i))[0]

    def state(self, i: int) -> OrderState:
        return OrderState(self.order(i)["state"])

    def open_buy(self) -> int:
        return self.oms.exposure(ACCOUNT, 0)[1]

    def position(self) -> int:
        return self.oms.position(0, 0)["qty"]


def test_an_order_is_accepted_partly_filled_and_filled():
    desk = Desk()
    i = desk.buy(100)
    states = [desk.state(i)]

    for kind, fields in [
        (Type.ACCEPTED, {"leaves_qty": 100, "px": 1000, "order_id": 77}),
        (Type.FILLED, {"last_qty": 30, "last_px": 1000, "exec_id": 1}),
        (Type.FILLED, {"last_qty": 70, "last_px": 999, "exec_id": 2}),
    ]:
        assert desk.report(kind, i, version=1, **fields) == "DONE"
        states.append(desk.state(i))

    S = OrderState
    assert states == [S.PENDING_NEW, S.NEW, S.PARTIALLY_FILLED, S.FILLED]
    assert desk.oms.position(0, 0)["cash"] == -(30 * 1000 + 70 * 999)
    assert desk.oms.exposure(0, 0) == (100, 0, 0, 0)


def test_an_order_counts_as_risk_from_its_command_until_its_end():
    desk = Desk()
    i = desk.buy(100)
    assert desk.open_buy() == 100

    desk.report(Type.ACCEPTED, i, version=1, leaves_qty=100, px=1000)
    desk.command(Type.CANCEL_ORDER, i, version=1)
    assert desk.open_buy() == 100

    desk.report(Type.CANCELED, i, version=1, last_qty=100, reason=Reason.USER_CANCEL)
    assert (desk.open_buy(), desk.state(i)) == (0, OrderState.CANCELED)


def test_a_fill_before_the_ack_implies_it():
    desk = Desk()
    i = desk.buy(100)

    assert desk.fill(i, 40) == "DONE"
    assert desk.state(i) == OrderState.PARTIALLY_FILLED
    assert desk.report(Type.ACCEPTED, i, version=1, order_id=77, leaves_qty=100, px=1000) == "DONE"
    assert (desk.order(i)["order_id"], desk.order(i)["leaves_qty"]) == (77, 60)


def test_the_second_copy_of_a_report_changes_nothing():
    desk = Desk()
    i = desk.resting(100)
    desk.fill(i, 40, exec_id=5)

    assert desk.report(Type.ACCEPTED, i, version=1, leaves_qty=100, px=1000) == "DUPLICATE"
    assert desk.fill(i, 40, exec_id=5) == "DUPLICATE"
    assert (desk.position(), desk.order(i)["leaves_qty"]) == (40, 60)


def test_a_pending_replace_counts_the_larger_of_both_quantities():
    desk = Desk()
    i = desk.resting(100)

    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=150)
    assert (desk.state(i), desk.open_buy()) == (OrderState.PENDING_REPLACE, 150)
    desk.report(Type.REPLACED, i, version=2, prev_version=1, px=1001, leaves_qty=150)
    assert desk.open_buy() == 150

    desk.command(Type.REPLACE_ORDER, i, version=3, px=1001, qty=20)
    assert desk.open_buy() == 150
    desk.report(Type.REPLACED, i, version=3, prev_version=2, px=1001, leaves_qty=20)
    assert desk.open_buy() == 20


def test_a_refused_replace_leaves_the_order_as_it_was_and_its_version_used_up():
    desk = Desk()
    i = desk.resting(100)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=150)

    assert desk.report(Type.REJECTED, i, version=2, reason=Reason.VENUE_REJECT) == "DONE"

    o = desk.order(i)
    assert (o["state"], o["px"], o["leaves_qty"], o["version"]) == (OrderState.NEW, 1000, 100, 1)
    assert desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=150) == Reason.NOT_REPLACEABLE
    assert desk.command(Type.REPLACE_ORDER, i, version=3, px=1001, qty=150) == Reason.NONE


def test_a_replace_that_meets_a_fill_is_settled_by_the_fill_alone():
    desk = Desk()
    i = desk.resting(100)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=150)

    desk.fill(i, 100)  # the venue says nothing about the replace of a dead order

    assert (desk.state(i), desk.open_buy()) == (OrderState.FILLED, 0)


@pytest.mark.parametrize("rest", ["late", "last"])
def test_a_late_fill_of_the_old_version_takes_nothing_from_what_the_replace_left(rest):
    """30 of 100 were executed before the replace, so it left 70: as OUCH 5.0 says of Replace."""
    desk = Desk()
    i = desk.resting(100)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=100)
    desk.report(Type.REPLACED, i, version=2, prev_version=1, px=1001, leaves_qty=70)
    assert (desk.order(i)["qty"], desk.order(i)["leaves_qty"], desk.open_buy()) == (100, 70, 70)

    told = [(30, 1000, 1, 1), (70, 1001, 2, 2)]
    for qty, px, exec_id, version in told if rest == "late" else reversed(told):
        assert desk.fill(i, qty, px, exec_id, version) == "DONE"
        if version == 1 and rest == "late":
            assert (desk.order(i)["cum_qty"], desk.order(i)["leaves_qty"], desk.open_buy()) == (30, 70, 70)

    assert (desk.state(i), desk.order(i)["cum_qty"], desk.open_buy()) == (OrderState.FILLED, 100, 0)
    assert (desk.position(), desk.oms.position(0, 0)["cash"]) == (100, -(30 * 1000 + 70 * 1001))
    assert desk.fill(i, 1, 1000, exec_id=3) == "OVERFILL"  # more than was ever asked for


def test_a_late_fill_counts_for_what_was_asked_where_nobody_has_said_what_the_replace_left():
    desk = Desk()
    i = desk.resting(100)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=100)

    desk.fill(i, 10, exec_id=2, version=2)  # it proves the replace
    assert desk.open_buy() == 90
    assert desk.fill(i, 30, exec_id=1, version=1) == "DONE"

    assert (desk.order(i)["cum_qty"], desk.order(i)["leaves_qty"], desk.open_buy()) == (40, 60, 60)


def test_after_a_late_fill_the_rest_can_be_replaced_and_canceled():
    desk = Desk()
    i = desk.resting(100)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=100)
    desk.report(Type.REPLACED, i, version=2, px=1001, leaves_qty=70)
    desk.command(Type.REPLACE_ORDER, i, version=3, px=1002, qty=90)  # the late fill is not known yet
    assert desk.open_buy() == 90
    desk.fill(i, 30)
    assert desk.open_buy() == 70
    desk.report(Type.REPLACED, i, version=3, px=1002, leaves_qty=60)
    assert desk.open_buy() == 60

    desk.command(Type.CANCEL_ORDER, i, version=3)
    assert desk.report(Type.CANCELED, i, version=3, last_qty=60, reason=Reason.USER_CANCEL) == "DONE"

    assert (desk.state(i), desk.position(), desk.open_buy()) == (OrderState.CANCELED, 30, 0)


def test_what_was_taken_from_the_old_version_takes_nothing_from_the_new_one():
    desk = Desk()
    i = desk.resting(100)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=100)
    desk.report(Type.REPLACED, i, version=2, px=1001, leaves_qty=100)

    assert desk.report(Type.CANCELED, i, version=1, last_qty=10, reason=Reason.SELF_MATCH) == "IGNORED"

    assert (desk.order(i)["leaves_qty"], desk.open_buy()) == (100, 100)


def test_a_cancel_of_the_old_version_is_ignored_once_the_replace_got_through():
    desk = Desk()
    i = desk.resting(100)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=100)
    desk.command(Type.CANCEL_ORDER, i, version=1)

    desk.report(Type.REPLACED, i, version=2, px=1001, leaves_qty=100)

    assert desk.state(i) == OrderState.NEW  # nothing in flight: the cancel must be sent again


def test_a_cancel_of_the_pending_version_survives_the_replace():
    desk = Desk()
    i = desk.resting(100)
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=100)
    desk.command(Type.CANCEL_ORDER, i, version=2)

    desk.report(Type.REPLACED, i, version=2, px=1001, leaves_qty=100)

    assert desk.state(i) == OrderState.PENDING_CANCEL


def test_the_venue_may_take_away_a_part():
    desk = Desk()
    i = desk.resting(100)

    desk.report(Type.CANCELED, i, version=1, last_qty=30, reason=Reason.SELF_MATCH)
    assert (desk.state(i), desk.order(i)["leaves_qty"], desk.order(i)["qty"]) == (OrderState.NEW, 70, 100)
    assert desk.report(Type.CANCELED, i, version=1, last_qty=71) == "ILLEGAL"
    desk.report(Type.CANCELED, i, version=1, last_qty=70, reason=Reason.SESSION_CANCEL)
    assert desk.state(i) == OrderState.CANCELED


def test_a_fill_after_the_cancel_still_moves_the_position():
    desk = Desk()
    i = desk.resting(100)
    desk.report(Type.CANCELED, i, version=1, last_qty=100)

    assert desk.fill(i, 40) == "DONE"

    assert (desk.state(i), desk.position(), desk.oms.counters()["late_fills"]) == (OrderState.CANCELED, 40, 1)


def test_an_overfill_is_reported_and_never_clamped():
    desk = Desk()
    i = desk.resting(100)

    assert desk.fill(i, 130) == "OVERFILL"

    assert (desk.order(i)["cum_qty"], desk.position(), desk.state(i)) == (130, 130, OrderState.FILLED)


def test_a_bust_reverses_its_fill_once_and_revives_nothing():
    desk = Desk()
    i = desk.resting(100)
    desk.fill(i, 40, px=1000, exec_id=1)
    desk.fill(i, 60, px=1001, exec_id=2)

    assert desk.report(Type.BUSTED, i, exec_id=2) == "DONE"
    assert desk.report(Type.BUSTED, i, exec_id=2) == "DUPLICATE"
    assert desk.report(Type.BUSTED, i, exec_id=3) == "ILLEGAL"

    assert desk.state(i) == OrderState.FILLED
    assert (desk.position(), desk.oms.position(0, 0)["cash"], desk.oms.position(0, 0)["fills"]) == (40, -40_000, 1)


def test_a_correction_changes_price_and_quantity_of_its_fill():
    desk = Desk()
    i = desk.resting(100)
    desk.fill(i, 40, px=1000, exec_id=1)

    assert desk.report(Type.CORRECTED, i, exec_id=1, last_px=999, last_qty=30) == "DONE"

    assert (desk.position(), desk.oms.position(0, 0)["cash"], desk.order(i)["cum_qty"]) == (30, -29_970, 30)


def test_a_self_trade_has_one_execution_id_and_two_fills():
    desk = Desk()
    bid, ask = desk.resting(100), desk.resting(100, side=SELL)

    assert desk.fill(bid, 100, exec_id=9) == desk.fill(ask, 100, exec_id=9) == "DONE"
    assert desk.position() == 0


def test_profit_is_realized_at_average_cost():
    desk = Desk()
    for exec_id, (side, qty, px) in enumerate(
        [(BUY, 10, 100), (BUY, 20, 103), (SELL, 10, 110), (SELL, 40, 90)], start=1
    ):
        desk.fill(desk.resting(qty, px, side), qty, px, exec_id)

    p = desk.oms.position(0, 0)

    # 30 bought for 3060. 10 sold: 1100 - 1020. 20 sold: 1800 - 2040. 20 short for 1800.
    assert (p["qty"], p["realized"], p["cost"]) == (-20, 80 - 240, -1800)
    assert p["cash"] == p["realized"] - p["cost"]


@pytest.mark.parametrize("command", [Type.NEW_ORDER, Type.REPLACE_ORDER, Type.CANCEL_ORDER])
def test_what_was_not_sent_never_happened(command):
    desk = Desk()
    i = desk.buy(100) if command == Type.NEW_ORDER else desk.resting(100)
    if command != Type.NEW_ORDER:
        desk.command(command, i, version=2 if command == Type.REPLACE_ORDER else 1, px=1001, qty=150)

    assert desk.report(Type.NOT_SENT, i, command=command, reason=Reason.SOCKET_FULL) == "DONE"

    expected = (OrderState.REJECTED, 0) if command == Type.NEW_ORDER else (OrderState.NEW, 100)
    assert (desk.state(i), desk.open_buy()) == expected


def test_after_a_crash_an_unsent_order_is_in_doubt_and_counts_as_live():
    desk = Desk()
    unsent, resting = desk.buy(100), desk.resting(50)
    desk.start(epoch=2)
    assert (desk.state(unsent), desk.state(resting), desk.open_buy()) == (OrderState.IN_DOUBT, OrderState.NEW, 150)

    reports = fields_of(desk.oms.on_resolved(0), RECORDS["Report"])

    assert [(r["cl_ord_id"], r["reason"]) for r in reports] == [(unsent, Reason.NEVER_REACHED_VENUE)]
    assert (desk.state(unsent), desk.open_buy()) == (OrderState.REJECTED, 50)


def test_after_a_crash_the_replayed_ack_takes_an_order_out_of_doubt():
    desk = Desk()
    i = desk.buy(100)
    desk.start(epoch=2)

    desk.report(Type.ACCEPTED, i, version=1, leaves_qty=100, px=1000)

    assert (desk.state(i), desk.oms.on_resolved(0)) == (OrderState.NEW, b"")


def test_ids_are_never_used_again_over_epochs():
    desk = Desk()
    first = [desk.oms.reserve(s) for s in (0, 0, 1)]
    desk.start(epoch=2)
    second = [desk.oms.reserve(s) for s in (0, 0, 1)]
    desk.start(epoch=2)  # the same epoch again: the counter goes on

    ids = [*first, *second, desk.oms.reserve(0)]
    assert len(set(ids)) == len(ids)
    assert desk.oms.counters()["stale_starts"] == 1


def test_no_id_before_the_start_and_none_for_an_unknown_strategy():
    assert _native.Oms(4, 1, 1).reserve(0) == 0
    assert Desk().oms.reserve(2) == 0


def test_a_full_table_recycles_the_oldest_dead_order_and_never_a_live_one():
    desk = Desk(orders_max=2)
    dead, live = desk.resting(1), desk.resting(1)
    desk.report(Type.EXPIRED, dead, version=1)
    third = desk.buy(1)

    assert desk.oms.find(dead) is None
    assert desk.report(Type.CANCELED, dead, last_qty=1) == "UNKNOWN_ORDER"
    assert not desk.oms.can_open(0)
    refused = desk.command(Type.NEW_ORDER, desk.oms.reserve(0), side=BUY, qty=1, px=1)
    assert (refused, desk.state(live), desk.state(third)) == (
        Reason.ORDERS_FULL,
        OrderState.NEW,
        OrderState.PENDING_NEW,
    )


@pytest.mark.parametrize(
    ("early", "position"),
    [
        ([(Type.BUSTED, 0, 0)], 0),
        ([(Type.CORRECTED, 990, 25)], 25),
        ([(Type.CORRECTED, 990, 25), (Type.CORRECTED, 980, 20)], 20),
        ([(Type.CORRECTED, 990, 25), (Type.BUSTED, 0, 0)], 0),
        ([(Type.CORRECTED, 1000, 30)], 30),
        ([(Type.CORRECTED, 1000, 29)], 29),
    ],
)
def test_what_is_said_of_a_fill_before_it_comes_is_done_when_it_does(early, position):
    desk = Desk()
    i = desk.resting(100)
    for kind, px, qty in early:
        assert desk.report(kind, i, exec_id=7, last_px=px, last_qty=qty) == "ILLEGAL"  # somebody has to know
        assert desk.position() == 0

    assert desk.fill(i, 30, exec_id=7) == "DONE"

    assert (desk.position(), desk.order(i)["cum_qty"], desk.order(i)["leaves_qty"]) == (position, position, 70)
    assert desk.fill(i, 30, exec_id=7) == "DUPLICATE"


def test_a_bust_of_a_recycled_order_still_finds_its_fill():
    desk = Desk(orders_max=1, fills_max=4)
    old = desk.resting(5)
    desk.fill(old, 5)
    desk.buy(1)

    assert (desk.oms.find(old), desk.report(Type.BUSTED, old, exec_id=1), desk.position()) == (None, "DONE", 0)


def test_a_snapshot_fits_only_tables_of_its_size():
    saved = Desk().oms.save()
    with pytest.raises(SnapshotError, match="strategies_max 3, found 2"):
        _native.Oms(8, 3, 2).load(saved)
    with pytest.raises(SnapshotError, match="ends early"):
        _native.Oms(8, 2, 2).load(saved[:-1])


def test_a_snapshot_with_more_orders_than_room_names_the_setting():
    desk = Desk()
    desk.buy()
    desk.buy()
    with pytest.raises(CapacityError, match="raise orders_max"):
        _native.Oms(1, 2, 2).load(desk.oms.save())


@pytest.mark.parametrize(
    ("capacity", "setting"),
    [((0, 1, 1), "orders_max"), ((8, 0, 1), "strategies_max"), ((8, 1025, 1), "strategies_max")],
)
def test_impossible_capacities_name_their_setting(capacity, setting):
    with pytest.raises(ConfigError, match=setting):
        _native.Oms(*capacity)
