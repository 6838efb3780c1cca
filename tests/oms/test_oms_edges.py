"""The last value that is taken and the first that is not; ids that meet in the index; states that only a damaged
snapshot can hold."""

import struct
from itertools import count

import pytest
from tests.oms.test_oms_orders import BUY, SELL, Desk

from openbell import _native
from openbell.errors import ConfigError, InvariantError, OpenbellError
from openbell.types import NO_STRATEGY, RECORDS, OrderState, Reason, Type
from oracles.order_records import fields_of

QTY_MAX, PX_MAX, VERSION_MAX, COUNTER_MAX = 2**44, 2**48, 62**3 - 1, 2**30 - 1
COUNTERS_AT, ORDERS_AT = 16, 28  # of what Desk.oms saves: ids' counters by strategy, the first live order
FIELDS = {name: (dtype, offset) for name, dtype, offset in _native.live_order_layout()[1]}


def damaged(**fields: int) -> tuple[Desk, int]:
    """A desk with one order at rest, which has other fields; and its id."""
    desk = Desk()
    i = desk.resting()
    saved = bytearray(desk.oms.save())
    for name, value in fields.items():
        dtype, offset = FIELDS[name]
        width = int(dtype[-1])
        saved[ORDERS_AT + offset : ORDERS_AT + offset + width] = value.to_bytes(width, "little", signed=value < 0)
    return loaded(saved), i


def loaded(saved: bytes | bytearray) -> Desk:
    desk = Desk()
    desk.oms.load(bytes(saved))
    return desk


# ---- commands


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"qty": QTY_MAX}, Reason.NONE),
        ({"qty": QTY_MAX + 1}, Reason.WOULD_OVERFLOW),
        ({"px": PX_MAX}, Reason.NONE),
        ({"px": PX_MAX + 1}, Reason.WOULD_OVERFLOW),
        ({"qty": 1}, Reason.NONE),
        ({"qty": 0}, Reason.QTY_NOT_POSITIVE),
        ({"px": 1}, Reason.NONE),
        ({"px": 0}, Reason.PRICE_NOT_POSITIVE),
    ],
)
@pytest.mark.parametrize("kind", [Type.NEW_ORDER, Type.REPLACE_ORDER])
def test_a_command_at_its_largest_and_smallest_and_one_beyond(kind, terms, reason):
    desk = Desk()
    i = desk.resting() if kind == Type.REPLACE_ORDER else desk.oms.reserve(0)
    version = 2 if kind == Type.REPLACE_ORDER else 1
    terms = {"qty": 100, "px": 1000, "version": version, "side": BUY} | terms
    assert desk.command(kind, i, **terms) == reason


def test_an_order_without_an_id_or_with_a_used_one_is_none():
    desk = Desk()
    terms = {"side": BUY, "qty": 1, "px": 1, "version": 1}
    assert desk.command(Type.NEW_ORDER, 0, **terms) == Reason.UNKNOWN_ORDER
    assert desk.command(Type.NEW_ORDER, desk.resting(), **terms) == Reason.UNKNOWN_ORDER


def test_the_last_version_is_replaced_no_more():
    for newest, answer in ((VERSION_MAX - 1, Reason.NONE), (VERSION_MAX, Reason.NOT_REPLACEABLE)):
        desk, i = damaged(version=newest, pending_version=newest)
        assert desk.command(Type.REPLACE_ORDER, i, version=newest + 1, px=1, qty=1) == answer


def test_the_last_id_of_a_strategy_is_followed_by_none():
    saved = bytearray(Desk().oms.save())
    struct.pack_into("<I", saved, COUNTERS_AT, COUNTER_MAX - 2)
    desk = loaded(saved)
    ahead = [desk.oms.next_id(0, n) for n in range(3)]
    assert [desk.oms.reserve(0) for _ in range(3)] == ahead
    assert ahead[1] == ahead[0] + 1
    assert ahead[2] == 0


def test_ids_are_foretold_as_they_will_be_given():
    desk = Desk()
    ahead = [desk.oms.next_id(1, n) for n in range(4)]
    assert [desk.oms.reserve(1) for _ in range(4)] == ahead
    assert desk.oms.next_id(2, 0) == 0
    assert _native.Oms(4, 1, 1).next_id(0, 0) == 0


def test_an_id_that_a_strategy_gave_itself_is_taken_once_and_in_order():
    desk = Desk()
    first, later = desk.oms.next_id(0, 0), desk.oms.next_id(0, 5)
    assert [desk.oms.claim(0, i) for i in (first, first, later, first)] == [True, False, True, False]
    assert desk.oms.reserve(0) == later + 1
    of_another, of_another_epoch = desk.oms.next_id(1, 9), later + 7 + (1 << 40)
    assert [desk.oms.claim(0, i) for i in (of_another, of_another_epoch)] == [False, False]
    assert not desk.oms.claim(2, later)  # there are two
    assert not _native.Oms(4, 1, 1).claim(0, first)  # before the first epoch there is none


def test_a_hole_in_the_reports_puts_in_doubt_what_was_sent_and_nothing_else():
    desk = Desk()
    at_rest, asked, replaced, cancelled, unsent = (
        desk.resting(), desk.buy(), desk.resting(), desk.resting(), desk.buy()
    )  # fmt: skip
    desk.command(Type.REPLACE_ORDER, replaced, version=2, px=1001, qty=50)
    desk.command(Type.CANCEL_ORDER, cancelled, version=1)
    sent = {asked: (Type.NEW_ORDER, 1), replaced: (Type.REPLACE_ORDER, 2), cancelled: (Type.CANCEL_ORDER, 1)}
    for i, (kind, version) in sent.items():
        desk.report(Type.SENT, i, command=kind, version=version)

    desk.oms.doubt_in_flight(0)

    in_doubt = [i for i in (at_rest, asked, replaced, cancelled, unsent) if desk.state(i) == OrderState.IN_DOUBT]
    assert in_doubt == [asked, replaced, cancelled]
    desk.oms.audit()


def test_more_orders_than_the_index_can_hold_are_refused_at_once():
    with pytest.raises(ConfigError, match="expected 1 to 262144 orders, got 262145"):
        _native.Oms(2**18 + 1, 1, 1)


def test_of_a_strategy_or_instrument_that_is_not_there_nothing_is_held():
    desk = Desk()
    desk.fill(desk.resting(), 100)
    flat = (0, 0, 0, 0)
    for strategy, instrument in ((2, 0), (0, 2), (NO_STRATEGY, 2), (2, 2)):
        assert desk.oms.exposure(strategy, instrument) == flat
        assert set(desk.oms.position(strategy, instrument).values()) == {0}
    assert desk.oms.exposure(NO_STRATEGY, 0) == desk.oms.exposure(0, 0) == (100, 0, 0, 0)
    assert [desk.oms.can_open(strategy) for strategy in (1, 2)] == [True, False]


# ---- reports


def test_a_report_of_no_kind_of_ours_is_illegal():
    desk = Desk()
    assert desk.report(Type.TRADE, desk.resting()) == "ILLEGAL"


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        ({"last_qty": QTY_MAX}, "OVERFILL"),
        ({"last_qty": QTY_MAX + 1}, "ILLEGAL"),
        ({"last_px": PX_MAX}, "DONE"),
        ({"last_px": PX_MAX + 1}, "ILLEGAL"),
    ],
)
def test_a_fill_at_its_largest_and_one_more(terms, kind):
    desk = Desk()
    assert desk.report(Type.FILLED, desk.resting(), exec_id=1, **{"last_qty": 1, "last_px": 1} | terms) == kind


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        ({"leaves_qty": QTY_MAX}, "BEYOND_ASKED"),
        ({"leaves_qty": QTY_MAX + 1}, "ILLEGAL"),
        ({"leaves_qty": -1}, "ILLEGAL"),
        ({"px": PX_MAX}, "BEYOND_ASKED"),
        ({"px": PX_MAX + 1}, "ILLEGAL"),
        ({"px": 0}, "DONE"),
        ({"px": -1}, "ILLEGAL"),
    ],
)
@pytest.mark.parametrize("confirmed", [Type.ACCEPTED, Type.REPLACED])
def test_a_confirmation_at_its_largest_and_one_more(confirmed, terms, kind):
    desk = Desk()
    version = 1 if confirmed == Type.ACCEPTED else 2
    i = desk.buy() if confirmed == Type.ACCEPTED else desk.resting()
    if version == 2:
        desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)
    assert desk.report(confirmed, i, version=version, **{"px": 1000, "leaves_qty": 50} | terms) == kind


def test_a_correction_that_says_the_same_is_a_second_copy():
    desk = Desk()
    i = desk.resting()
    desk.fill(i, 40, exec_id=1)
    for px, qty, kind in [(1000, 40, "DUPLICATE"), (1000, 30, "DONE"), (999, 30, "DONE"), (999, 30, "DUPLICATE")]:
        assert desk.report(Type.CORRECTED, i, exec_id=1, last_px=px, last_qty=qty) == kind
    assert (desk.position(), desk.oms.position(0, 0)["cash"]) == (30, -30 * 999)


def test_an_order_that_was_executed_without_end_is_believed_no_further():
    desk = Desk()
    i = desk.resting()
    kinds = [desk.fill(i, QTY_MAX, px=1, exec_id=n) for n in (1, 2, 3)]
    assert kinds == ["OVERFILL", "OVERFILL", "ILLEGAL"]
    assert desk.position() == 2 * QTY_MAX


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_position_that_64_bits_cannot_hold_is_never_booked(side):
    desk = Desk()
    held = desk.resting(777, side=side)
    desk.fill(held, 333, exec_id=1)
    signed = 333 if side == BUY else -333
    saved = desk.oms.save().replace(struct.pack("<q", signed), struct.pack("<q", 2**63 - 2 if signed > 0 else -(2**63)))
    assert loaded(saved).fill(held, 2, exec_id=2) == "ILLEGAL"


def test_a_replace_to_what_was_executed_meanwhile_ends_the_order():
    desk = Desk()
    i = desk.resting()
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)
    assert desk.report(Type.REPLACED, i, version=2, leaves_qty=0) == "DONE"
    assert (desk.state(i), desk.open_buy()) == (OrderState.CANCELED, 0)


@pytest.mark.parametrize(("version", "kind"), [(1, "ILLEGAL"), (2, "DUPLICATE"), (3, "DONE")])
def test_a_reject_counts_for_the_version_it_names(version, kind):
    desk = Desk()
    i = desk.resting()
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)
    desk.report(Type.REJECTED, i, version=2)
    desk.command(Type.REPLACE_ORDER, i, version=3, px=1002, qty=50)
    assert desk.report(Type.REJECTED, i, version=version) == kind
    assert desk.state(i) == (OrderState.NEW if version == 3 else OrderState.PENDING_REPLACE)


@pytest.mark.parametrize(("version", "kind"), [(1, "ILLEGAL"), (2, "ILLEGAL"), (3, "DONE"), (4, "ILLEGAL")])
def test_a_replace_is_confirmed_only_where_it_is_in_flight(version, kind):
    desk = Desk()
    i = desk.resting()
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)
    desk.report(Type.REJECTED, i, version=2)
    told = {"version": version, "px": 1002, "leaves_qty": 50}
    assert desk.report(Type.REPLACED, i, **told | {"version": 2}) == "ILLEGAL"  # nothing is
    desk.command(Type.REPLACE_ORDER, i, version=3, px=1002, qty=50)
    assert desk.report(Type.REPLACED, i, **told) == kind


def test_a_replace_that_an_order_did_not_live_to_see_is_confirmed_no_more():
    desk = Desk()
    i = desk.resting()
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)
    desk.report(Type.REJECTED, i, version=2)
    desk.report(Type.CANCELED, i, version=1, last_qty=100)
    assert desk.report(Type.REPLACED, i, version=2, px=1001, leaves_qty=50) == "ILLEGAL"


@pytest.mark.parametrize(("version", "kind"), [(0, "DONE"), (1, "IGNORED"), (2, "DONE"), (3, "ILLEGAL")])
def test_a_refused_replace_is_taken_back_where_it_is_named(version, kind):
    desk = Desk()
    i = desk.resting()
    desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)
    assert desk.report(Type.CANCEL_REJECTED, i, version=version, command=Type.REPLACE_ORDER) == kind
    assert desk.state(i) == (OrderState.NEW if kind == "DONE" else OrderState.PENDING_REPLACE)


def test_what_is_said_of_an_untold_fill_of_a_forgotten_order_is_said_to_somebody():
    desk = Desk(orders_max=1, fills_max=4)
    i = desk.resting()
    desk.report(Type.CORRECTED, i, exec_id=7, last_px=990, last_qty=5)
    desk.report(Type.CANCELED, i, version=1, last_qty=100)
    desk.buy()
    assert desk.oms.find(i) is None
    assert desk.report(Type.BUSTED, i, exec_id=7) == "ILLEGAL"
    assert desk.position() == 0


def test_doubts_are_settled_in_parts_where_there_is_room_for_few():
    def doubtful() -> Desk:
        desk = Desk()
        for _ in range(3):
            i = desk.buy()
            desk.command(Type.CANCEL_ORDER, i, version=1)
        desk.start(epoch=2)
        return desk

    def settled(desk: Desk, room: int) -> list[tuple[int, int]]:
        out = []
        while part := fields_of(desk.oms.on_resolved(0, room), RECORDS["Report"]):
            assert len(part) <= room
            out += [(r["cl_ord_id"], r["command"]) for r in part]
        desk.oms.audit()
        return out

    everything = settled(doubtful(), 64)
    assert len(everything) == 3
    assert settled(doubtful(), 1) == settled(doubtful(), 2) == everything


def test_cancels_in_doubt_are_settled_one_by_one():
    desk = Desk()
    ids = [desk.resting() for _ in range(3)]
    for i in ids:
        desk.command(Type.REPLACE_ORDER, i, version=2, px=1001, qty=50)
        desk.command(Type.CANCEL_ORDER, i, version=1)
    desk.start(epoch=2)
    said = [fields_of(desk.oms.on_resolved(0, 1), RECORDS["Report"])[0] for _ in range(6)]
    both = [Type.REPLACE_ORDER, Type.CANCEL_ORDER]
    assert [(r["cl_ord_id"], r["command"]) for r in said] == [(i, kind) for i in ids for kind in both]
    assert desk.oms.on_resolved(0, 1) == b""
    assert {desk.state(i) for i in ids} == {OrderState.NEW}


# ---- ids that meet in the index


def mixed(n: int) -> int:
    h = n * 0x9E37_79B9_7F4A_7C15 % 2**64
    return h ^ h >> 32


def test_orders_whose_ids_meet_are_each_found_whoever_is_forgotten():
    """Eight orders in 32 places: all of them want the same, or one of the two behind it."""
    homes = (i for i in count(1) if mixed(i) % 32 in (5, 6, 7))
    ids = [next(homes) for _ in range(24)]
    desk = Desk()
    terms = {"side": BUY, "px": 1000, "version": 1}
    there: list[int] = []  # those that ended, the oldest first; then those that live
    for n, i in enumerate(ids):
        del there[: len(there) == 8]
        there.append(i)
        assert desk.command(Type.NEW_ORDER, i, qty=n + 1, **terms) == Reason.NONE
        assert {k for k in ids if desk.oms.find(k)} == set(there)
        assert [desk.order(k)["qty"] for k in there] == [ids.index(k) + 1 for k in there]
        if n % 8 == 7:  # out of order, so that holes open in the middle
            there = [*there[::2], *there[1::2]]
            for k in there:
                assert desk.report(Type.REJECTED, k, version=1) == "DONE"


def test_fills_whose_keys_meet_are_each_remembered_until_they_are_forgotten():
    desk = Desk(fills_max=4)
    i = desk.resting(1000)
    meet = (e for e in count(1) if mixed(i ^ mixed(e)) % 16 in (3, 4))
    executions = [next(meet) for _ in range(12)]
    for n, exec_id in enumerate(executions):
        assert desk.fill(i, 1, exec_id=exec_id) == "DONE"
        assert [desk.fill(i, 1, exec_id=e) for e in executions[max(0, n - 3) : n + 1]] == ["DUPLICATE"] * min(4, n + 1)
    assert desk.position() == 12


# ---- the audit finds what cannot be


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": 0}, "I5 list of an order"),
        ({"in_doubt": 1}, "I5 doubt about a command in flight"),
        ({"cum_qty": -1}, "I6 quantities, order .* expected 0, found -1"),
        ({"leaves_qty": -5}, "I6 quantities, order .* expected 0, found -5"),
    ],
)
def test_an_order_that_cannot_be_is_named(fields, said):
    with pytest.raises(InvariantError, match=said):
        damaged(**fields)[0].oms.audit()


def test_money_without_a_fill_and_an_account_that_is_not_its_strategies_are_named():
    desk = Desk()
    desk.fill(desk.resting(777), 333, px=11, exec_id=1)
    saved = desk.oms.save()
    names = set()
    for at in range(ORDERS_AT + 112, len(saved) - 8):
        if struct.unpack_from("<q", saved, at)[0] != 1:
            continue
        for fills in (0, 2):
            changed = bytearray(saved)
            struct.pack_into("<q", changed, at, fills)
            try:
                loaded(changed).oms.audit()
            except InvariantError as error:
                names.add(str(error).partition(": ")[0])
            except OpenbellError:
                continue  # a count that cannot be: refused by load
    assert {
        "I12 cash without a fill, strategy 0, instrument 0",
        "I12 sum over strategies, account, instrument 0",
    } <= names
