"""The perimeter, against a list of everything that has left."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell import _native as native
from openbell.types import KillLevel, Reason, Type
from oracles.order_records import record

SECOND = 1_000_000_000
EPOCH, STRATEGY = 5, 3
TERMS = {"side": 1, "instrument": 7, "strategy": STRATEGY, "px": 1000, "qty": 100, "leaves_qty": 100, "version": 1}


def order_id(counter, strategy=STRATEGY, epoch=EPOCH):
    return 1 << 58 | epoch << 40 | strategy << 30 | counter


class Perimeter:
    """A gate and the shortest way to send something through it."""

    def __init__(self, kill=None, **limits):
        wide = {"order_qty_max": 1000, "order_notional_max": 10**9, "orders_per_second_max": 100_000}
        out = native.GateLimits()
        out.set_messages(limits.pop("messages_per_second_max", 0), limits.pop("cancels_reserved", 0))
        for name, value in (wide | limits).items():
            setattr(out, name, value)
        self.gate, self.limits = native.Gate(out, kill), out

    def send(self, now=0, *, kind=Type.NEW_ORDER, approval=(), session=0, **terms):
        order = {"type": kind, "ts_event": now, "cl_ord_id": order_id(1)} | TERMS | terms
        approved = None if approval is None else record("Order", **order | {"type": Type.APPROVED} | dict(approval))
        return self._ask(record("Order", **order), approved, now, session)

    def cancel(self, now=0):
        return self._ask(record("Order", type=Type.CANCEL_ORDER, cl_ord_id=order_id(1)), None, now)

    def _ask(self, command, approved, now, session=0):
        reason, *self.figures = self.gate.check(command, approved, EPOCH, now, session)
        return reason


def test_what_is_approved_and_within_limits_leaves():
    perimeter = Perimeter()

    assert perimeter.send() == Reason.NONE
    assert perimeter.gate.counters == {
        "passed": 1, "refused": 0, "over_sent": 0, "rated": 0, "cancels_over_rate": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last_good", "first_bad", "reason", "figures"),
    [
        ({"leaves_qty": 1000, "qty": 1000}, {"leaves_qty": 1001, "qty": 1001}, Reason.GATE_ORDER_QTY, [1000, 1001]),
        ({"leaves_qty": 1}, {"leaves_qty": 0}, Reason.GATE_ORDER_QTY, [1, 0]),
        ({"px": 10**7}, {"px": 10**7 + 1}, Reason.GATE_NOTIONAL, [10**9, 10**9 + 100]),
        ({"ts_event": -SECOND}, {"ts_event": -SECOND - 1}, Reason.GATE_AGE, [SECOND, SECOND + 1]),
        ({}, {"cl_ord_id": order_id(1, epoch=EPOCH - 1)}, Reason.GATE_EPOCH, [EPOCH, EPOCH - 1]),
    ],
)
def test_each_limit_at_its_boundary_and_one_unit_past_it(last_good, first_bad, reason, figures):
    perimeter = Perimeter()
    assert (perimeter.send(**last_good), perimeter.figures) == (Reason.NONE, [0, 0])
    perimeter = Perimeter()
    assert (perimeter.send(**first_bad), perimeter.figures) == (reason, figures)


@pytest.mark.parametrize(
    "other", ["cl_ord_id", "version", "px", "qty", "leaves_qty", "side", "instrument", "type"], ids=str
)
def test_an_approval_of_anything_else_is_none(other):
    wrong = {other: int(Type.REFUSED) if other == "type" else 99}

    for approval in (wrong, None):
        perimeter = Perimeter()
        assert (perimeter.send(approval=approval), perimeter.figures) == (Reason.GATE_NOT_APPROVED, [1, 0])


@pytest.mark.parametrize("missing", ["order_qty_max", "order_notional_max", "orders_per_second_max"])
def test_a_missing_limit_is_no_licence(missing):
    assert Perimeter(**{missing: 0}).send() != Reason.NONE


@pytest.mark.parametrize("level", [KillLevel.SOFT, KillLevel.HARD, KillLevel.CORD])
def test_a_kill_closes_the_gate_for_all_but_cancels(tmp_path, level):
    cell = native.KillCell.open(str(tmp_path / "kill"))
    perimeter = Perimeter(kill=cell)
    cell.request(level, 1, 0)

    assert (perimeter.send(), perimeter.figures) == (Reason.GATE_CLOSED, [0, int(level)])
    assert perimeter.cancel() == Reason.NONE
    cell.ack(level)  # the engine has taken it; after a soft kill it approves only what reduces
    assert perimeter.send() == (Reason.NONE if level == KillLevel.SOFT else Reason.GATE_CLOSED)


# ---- nothing leaves twice ------------------------------------------------------------------------------


def test_an_id_leaves_once_and_ids_leave_in_order():
    perimeter = Perimeter()
    answers = [perimeter.send(cl_ord_id=order_id(n)) for n in (5, 5, 4, 6)]

    assert answers == [Reason.NONE, Reason.GATE_OVER_SEND, Reason.GATE_OVER_SEND, Reason.NONE]
    assert perimeter.gate.counters["over_sent"] == 2
    assert (perimeter.send(cl_ord_id=order_id(4)), perimeter.figures) == (Reason.GATE_OVER_SEND, [7, 4])


def test_strategies_count_for_themselves():
    perimeter = Perimeter()

    assert perimeter.send(cl_ord_id=order_id(9, strategy=1)) == Reason.NONE
    assert perimeter.send(cl_ord_id=order_id(1, strategy=2)) == Reason.NONE


def test_a_version_leaves_once():
    perimeter = Perimeter()
    perimeter.send()
    answers = [perimeter.send(kind=Type.REPLACE_ORDER, version=v) for v in (2, 2, 1, 4)]

    assert answers == [Reason.NONE, Reason.GATE_OVER_SEND, Reason.GATE_OVER_SEND, Reason.NONE]
    assert (perimeter.send(kind=Type.REPLACE_ORDER, version=3), perimeter.figures) == (Reason.GATE_OVER_SEND, [5, 3])


def test_what_was_refused_may_come_again():
    perimeter = Perimeter()
    assert perimeter.send(leaves_qty=2000) == Reason.GATE_ORDER_QTY

    assert perimeter.send() == Reason.NONE


def test_an_order_of_an_earlier_epoch_may_be_replaced():
    perimeter = Perimeter()

    assert perimeter.send(kind=Type.REPLACE_ORDER, version=7, cl_ord_id=order_id(1, epoch=2)) == Reason.NONE


# ---- rates: in any second, not in each ------------------------------------------------------------------


def numbered(perimeter, times, **terms):
    return [perimeter.send(now, cl_ord_id=order_id(n), **terms) for n, now in enumerate(times, start=1)]


def test_so_many_orders_leave_in_any_second():
    times = [0, 600, 900, 1500, 1599, 1600]
    answers = numbered(Perimeter(orders_per_second_max=2), [t * 1_000_000 for t in times])

    rate = Reason.GATE_RATE
    assert answers == [Reason.NONE, Reason.NONE, rate, Reason.NONE, rate, Reason.NONE]


def test_new_orders_leave_room_for_cancels():
    perimeter = Perimeter(messages_per_second_max=10, cancels_reserved=4)
    answers = numbered(perimeter, [0] * 7)

    assert answers == [Reason.NONE] * 6 + [Reason.GATE_MESSAGE_RATE]
    assert [perimeter.cancel() for _ in range(4)] == [Reason.NONE] * 4
    assert perimeter.gate.counters["cancels_over_rate"] == 0


def test_cancels_pass_at_any_rate_and_orders_wait_for_them():
    perimeter = Perimeter(messages_per_second_max=10, cancels_reserved=4)
    assert [perimeter.cancel() for _ in range(12)] == [Reason.NONE] * 12

    assert perimeter.gate.counters["cancels_over_rate"] == 2
    assert perimeter.send(SECOND - 1) == Reason.GATE_MESSAGE_RATE
    assert perimeter.send(SECOND) == Reason.NONE


def test_the_limit_of_one_venue_is_not_that_of_another():
    perimeter = Perimeter(messages_per_second_max=2)
    perimeter.limits.set_messages(1, 0, 1)
    perimeter.gate = native.Gate(perimeter.limits)
    home = [perimeter.send(cl_ord_id=order_id(number)) for number in (1, 2, 3)]
    away = [perimeter.send(cl_ord_id=order_id(number), session=1) for number in (4, 5)]

    assert home == [Reason.NONE, Reason.NONE, Reason.GATE_MESSAGE_RATE]
    assert away == [Reason.NONE, Reason.GATE_MESSAGE_RATE]


def test_a_session_that_the_limits_do_not_name_has_those_of_the_first():
    perimeter = Perimeter(messages_per_second_max=2)

    sent = [perimeter.send(cl_ord_id=order_id(number), session=7) for number in (1, 2, 3)]

    assert sent == [Reason.NONE, Reason.NONE, Reason.GATE_MESSAGE_RATE]
    assert perimeter.send(cl_ord_id=order_id(4)) == Reason.GATE_MESSAGE_RATE


def test_a_venue_without_a_limit_has_none():
    assert set(numbered(Perimeter(), [0] * 5_000)) == {Reason.NONE}


STEPS = st.lists(st.tuples(st.sampled_from("OOC"), st.integers(0, 700)), max_size=60)


@given(STEPS, st.integers(1, 5), st.integers(1, 8), st.integers(0, 9))
def test_no_second_ever_holds_more_than_it_may(steps, orders_max, messages_max, reserved):
    """Against the whole list of sends."""
    limits = {"messages_per_second_max": messages_max, "cancels_reserved": reserved}
    perimeter = Perimeter(orders_per_second_max=orders_max, **limits)
    now, sent = 0, []
    for number, (what, pause_ms) in enumerate(steps, start=1):
        now += pause_ms * 1_000_000
        second = [is_order for is_order, at in sent if now - at < SECOND]
        if what == "C":
            assert perimeter.cancel(now) == Reason.NONE
            sent.append((False, now))
            continue
        room = sum(second) < orders_max, len(second) < messages_max - min(reserved, messages_max)
        wanted = Reason.NONE if all(room) else Reason.GATE_MESSAGE_RATE if room[0] else Reason.GATE_RATE
        assert perimeter.send(now, cl_ord_id=order_id(number)) == wanted
        figures = {
            Reason.GATE_RATE: [orders_max, sum(second) + 1],
            Reason.GATE_MESSAGE_RATE: [messages_max - min(reserved, messages_max), min(len(second), messages_max) + 1],
        }
        assert perimeter.figures == figures.get(wanted, [0, 0])
        if all(room):
            sent.append((True, now))


def test_random_ids_and_versions_never_leave_twice(seed):
    rng, perimeter, left = random.Random(seed), Perimeter(), set()
    for _ in range(20_000):
        kind = rng.choice([Type.NEW_ORDER, Type.REPLACE_ORDER])
        version = 1 if kind == Type.NEW_ORDER else rng.randint(2, 40)
        key = (order_id(rng.randint(1, 300), strategy=rng.randint(0, 3)), version)
        if perimeter.send(rng.randint(0, 10**12), kind=kind, cl_ord_id=key[0], version=version) == Reason.NONE:
            assert key not in left
            left.add(key)


def test_the_gate_is_closed_until_the_engine_has_taken_a_kill_of_one_strategy(tmp_path):
    cell = native.KillCell.open(str(tmp_path / "kill"))
    perimeter = Perimeter(kill=cell)
    ticket = cell.ask_scoped()
    assert (perimeter.send(), perimeter.figures) == (Reason.GATE_CLOSED, [0, int(KillLevel.SOFT)])
    assert perimeter.send(kind=Type.MASS_CANCEL, approval=None) == Reason.NONE
    cell.take_scoped(ticket)
    assert perimeter.send() == Reason.NONE


# ---- what an earlier process sent ------------------------------------------------------------------------


def test_a_new_process_begins_with_the_window_of_the_last_one():
    sent = [(Type.NEW_ORDER, 0), (Type.CANCEL_ORDER, 1), (Type.REPLACE_ORDER, 2)]
    of_orders, of_messages = Perimeter(orders_per_second_max=3), Perimeter(messages_per_second_max=4)
    for kind, at in sent:
        of_orders.gate.recall(kind, at)
        of_messages.gate.recall(kind, at)

    times, none = [SECOND - 1, SECOND - 1, SECOND], Reason.NONE
    assert numbered(of_orders, times) == [none, Reason.GATE_RATE, none]
    assert numbered(of_messages, times) == [none, Reason.GATE_MESSAGE_RATE, none]


def test_a_version_that_an_earlier_process_sent_does_not_leave_again():
    perimeter = Perimeter()
    perimeter.gate.recall_version(order_id(1, epoch=2), 4)
    old = {"kind": Type.REPLACE_ORDER, "cl_ord_id": order_id(1, epoch=2)}

    assert [perimeter.send(version=v, **old) for v in (4, 5)] == [Reason.GATE_OVER_SEND, Reason.NONE]
