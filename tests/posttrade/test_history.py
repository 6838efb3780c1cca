"""The history of an order: every record of it, and what it came to."""

import json
import signal

import pytest
from tests.cli.world import WAIT_S, World, openbell, wait_for
from tests.posttrade.trades import AAPL, STRATEGY, decided, heard, listed, order_id, record

from openbell.posttrade.history import Histories
from openbell.types import LimitKind, LimitScope, Reason, Side, Type

NEW = {"side": 1, "instrument": 0, "px": 1_500_000, "qty": 100, "version": 1}


def command(type_, number=7, /, **fields):
    return record("Order", type_, cl_ord_id=order_id(number), **NEW | fields)


def report(kind, number=7, **fields):
    return record("Report", kind, cl_ord_id=order_id(number), **fields)


def history(*frames, number=7):
    return Histories().take_all([heard(1, listed(0, AAPL)), *frames]).orders[order_id(number)]


def opened():
    return [
        decided(2, command(Type.APPROVED), command(Type.NEW_ORDER)),
        heard(3, report(Type.SENT, command=int(Type.NEW_ORDER))),
        heard(4, report(Type.ACCEPTED, px=1_500_000, leaves_qty=100, order_id=9)),
    ]


def test_an_order_from_its_approval_to_its_end():
    order = history(
        *opened(),
        heard(5, report(Type.FILLED, last_px=1_499_900, last_qty=30, exec_id=4)),
        heard(6, report(Type.FILLED, last_px=1_500_000, last_qty=70, exec_id=5)),
    )

    assert (order.state, order.cum_qty, order.avg_px, order.order_id) == ("FILLED", 100, 1_499_970.0, 9)
    assert (order.side, order.strategy, order.is_open) == (Side.BUY, STRATEGY, False)
    assert [(step.seq, step.kind.name, step.text) for step in order.steps] == [
        (2, "APPROVED", ""),
        (2, "NEW_ORDER", ""),
        (3, "SENT", "NEW_ORDER"),
        (4, "ACCEPTED", ""),
        (5, "FILLED", "match 4"),
        (6, "FILLED", "match 5"),
    ]


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        ([report(Type.CANCELED, last_qty=100, reason=int(Reason.USER_CANCEL))], "CANCELED"),
        ([report(Type.CANCELED, last_qty=40)], "NEW"),
        ([report(Type.FILLED, last_px=1, last_qty=1, exec_id=1)], "PARTIALLY_FILLED"),
        ([report(Type.EXPIRED)], "EXPIRED"),
        ([report(Type.REPLACED, px=1_400_000, leaves_qty=50, version=2)], "NEW"),
    ],
)
def test_what_reports_make_of_it(reports, state):
    assert history(*opened(), heard(5, *reports)).state == state


def test_an_order_that_never_left():
    not_sent = report(Type.NOT_SENT, command=int(Type.NEW_ORDER), reason=int(Reason.SOCKET_FULL))
    order = history(opened()[0], heard(3, not_sent))

    assert (order.state, order.steps[-1].text) == ("NOT_SENT", "NEW_ORDER SOCKET_FULL")


def test_a_refusal_says_whose_limit_it_was():
    terms = {"reason": int(Reason.ORDER_QTY), "scope": int(LimitScope.STRATEGY), "kind": int(LimitKind.ORDER_QTY)}
    order = history(decided(2, command(Type.REFUSED, limit=50, observed=100, **terms)))

    assert order.state == "REFUSED"
    assert order.steps[0].text == "ORDER_QTY: ORDER_QTY of STRATEGY limit 50, found 100"


def test_a_refused_replace_leaves_the_order_as_it_was():
    order = history(*opened(), decided(5, command(Type.REFUSED, version=2, reason=int(Reason.KILLED))))

    assert order.state == "NEW"
    assert order.steps[-1].text == "KILLED: limit 0, found 0"


def test_a_stop_waits_and_becomes_another_order():
    held = command(Type.STOP_HELD, px=0, prev_px=1_490_000, prev_qty=500)
    waiting = history(decided(2, held))
    assert (waiting.state, waiting.is_open, waiting.steps[0].text) == ("STOP", True, "stop at 1490000, trail 500")

    became = history(decided(2, held), decided(5, command(Type.STOP_ENDED, observed=0x77)))
    assert (became.state, became.is_open, became.steps[-1].text) == ("TRIGGERED", False, "became 0x77")

    ended = history(decided(2, held), decided(5, command(Type.STOP_ENDED, reason=int(Reason.KILLED))))
    assert (ended.state, ended.steps[-1].text) == ("CANCELED", "KILLED")


def test_a_cancel_of_what_nobody_knows_is_no_order():
    refused = record("Order", Type.REFUSED, cl_ord_id=77, reason=int(Reason.UNKNOWN_ORDER))
    assert Histories().take_all([decided(2, refused)]).orders == {}


def test_reports_of_nothing_known_are_left_alone():
    histories = Histories().take_all(
        [heard(1, report(Type.FILLED, number=99)), decided(2, record("Order", Type.REFUSED))]
    )

    assert histories.orders == {}


def test_orders_of_a_node(tmp_path):
    with World(tmp_path) as world:
        node = world.run("--live")
        wait_for(lambda: world.ledger()["fills"], "a fill")
        node.send_signal(signal.SIGINT)
        assert node.wait(WAIT_S) == 0

        rows = [
            json.loads(line)
            for line in openbell("orders", world.journal, "--json", "--last", 10**6).stdout.split("\n")[:-1]
        ]
        filled = sum(row["cum_qty"] for row in rows)
        assert filled == sum(fill["qty"] for fill in world.ledger()["fills"])
        assert not [row for row in rows if row["state"] in ("NEW", "PENDING_NEW", "PARTIALLY_FILLED")]

        one = next(row for row in rows if row["cum_qty"])
        text = openbell("orders", world.journal, "--order", one["order"], check=0).stdout
        assert "APPROVED" in text and "FILLED" in text and "match" in text
        steps = openbell("orders", world.journal, "--order", one["order"], "--json", check=0).stdout
        assert len(steps.splitlines()) == one["steps"]
        table = openbell(
            "orders", world.journal, "--symbol", "OBEL", "--strategy", "maker", "--last", 5, check=0
        ).stdout
        count = sum((row["symbol"], row["strategy"]) == ("OBEL", "maker") for row in rows)
        assert "OBEL" in table and "RING" not in table and f"{min(5, count)} of {count} orders" in table
        assert "0 of 0 orders" in openbell("orders", world.journal, "--state", "open", check=0).stdout
        assert "expected the id of an order" in openbell("orders", world.journal, "--order", "12", check=2).stderr
        assert "expected one of maker" in openbell("orders", world.journal, "--strategy", "x", check=2).stderr
