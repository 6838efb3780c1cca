"""Every OUCH message about an order, against the oracle's table."""

import random
import string
from typing import Any

import pytest

from openbell.types import Reason, Type
from oracles import ouch
from oracles.ouch_reports import CANCEL_REASONS, reports_of
from venue.client import MIDNIGHT_NS, ORDER_ID, SECOND_NS, live, sequenced

TERMS = {
    "side": "B",
    "qty": 300,
    "symbol": "AAPL",
    "px": 1_500_000,
    "tif": 99_998,
    "firm": "OPEN",
    "display": "Y",
    "order_id": 77,
    "capacity": "P",
    "iso": "N",
    "qty_min": 0,
    "cross": "N",
    "state": "L",
    "bbo_weight": " ",
}
EXECUTION = {"qty": 40, "px": 1_499_900, "liquidity": "R", "match_id": 2**63 + 5}
TOKEN = ouch.token(ORDER_ID, 2)
PREV_TOKEN = ouch.token(ORDER_ID, 1)

MESSAGES: list[dict[str, Any]] = [
    {"type": "A", "token": TOKEN} | TERMS,
    {"type": "A", "token": TOKEN} | TERMS | {"side": "S", "state": "D", "tif": 0},
    {"type": "A", "token": TOKEN} | TERMS | {"side": "E", "state": "D"},
    {"type": "U", "token": TOKEN, "prev_token": PREV_TOKEN} | TERMS,
    {"type": "U", "token": TOKEN, "prev_token": PREV_TOKEN} | TERMS | {"state": "D"},
    *({"type": "C", "token": TOKEN, "qty": 25, "reason": r} for r in string.ascii_uppercase),
    {"type": "D", "token": TOKEN, "qty": 25, "reason": "Q", "qty_prevented": 5, "px": 1, "liquidity": "A"}
    | {"strategy": "N"},
    {"type": "E", "token": TOKEN} | EXECUTION,
    {"type": "G", "token": TOKEN, "reference_px": 1, "reference_kind": "I"} | EXECUTION,
    {"type": "F", "token": TOKEN, "reason": "E"} | EXECUTION,
    {"type": "B", "token": TOKEN, "match_id": 12, "reason": "C"},
    {"type": "J", "token": TOKEN, "reason": "X"},
    {"type": "I", "token": TOKEN},
    {"type": "P", "token": TOKEN},
    {"type": "N", "token": TOKEN},
    {"type": "T", "token": TOKEN, "px": 5, "display": "Y", "order_id": 9},
    {"type": "M", "token": TOKEN, "side": "S", "qty": 4},
    {"type": "S", "event": "E"},
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m["type"] + m.get("reason", "") + m.get("state", ""))
def test_every_message_says_what_the_table_says(message: dict[str, Any]):
    message = message | {"ts": 34_200_000_000_123}
    session = live(next_seq=5)

    heard = session.hear(sequenced(**message))

    assert heard == [r | {"source_seq": 5} for r in reports_of(message, MIDNIGHT_NS)]
    assert session.next_seq == 6
    assert session.counters["foreign_tokens"] == 0


def test_the_venues_reason_is_kept_beside_ours():
    cancel = {"type": "C", "ts": 0, "token": TOKEN, "qty": 1}

    [supervisory] = live().hear(sequenced(reason="S", **cancel))
    [unknown] = live().hear(sequenced(reason="?", **cancel))

    assert (supervisory["reason"], supervisory["venue_reason"]) == (Reason.SESSION_CANCEL, ord("S"))
    assert (unknown["reason"], unknown["venue_reason"]) == (Reason.VENUE_REJECT, ord("?"))


def test_an_impossible_time_is_cut_and_the_fill_kept():
    [report] = live().hear(sequenced(type="E", ts=2**64 - 1, token=TOKEN, **EXECUTION))

    assert report["ts_event"] == MIDNIGHT_NS + 48 * 3600 * SECOND_NS
    assert report["last_qty"] == EXECUTION["qty"]


def test_accepted_and_dead_is_two_reports_of_one_message():
    heard = live().hear(sequenced(type="A", ts=0, token=TOKEN, **TERMS | {"state": "D", "tif": 0}))

    assert [(r["type"], r["source_seq"]) for r in heard] == [(Type.ACCEPTED, 1), (Type.CANCELED, 1)]
    assert heard[1]["last_qty"] == TERMS["qty"]
    assert heard[1]["reason"] == Reason.IOC_REMAINDER


@pytest.mark.parametrize("token", ["SOMEONE-ELSES1", " " * 14, "z" * 14, "0" * 14, ouch.token(0, 3)])
def test_a_token_that_is_not_ours_is_reported_without_an_id(token: str):
    session = live()

    [report] = session.hear(sequenced(type="E", ts=0, token=token, **EXECUTION))

    assert "cl_ord_id" not in report
    assert "version" not in report
    assert (report["type"], report["last_qty"]) == (Type.FILLED, 40)
    assert session.counters["foreign_tokens"] == 1
    assert session.fault is None


def test_a_replacement_of_another_order_is_not_ours():
    session = live()

    [report] = session.hear(sequenced(type="U", ts=0, token=TOKEN, prev_token=ouch.token(ORDER_ID + 1, 1), **TERMS))

    assert (report["type"], "cl_ord_id" in report) == (Type.REPLACED, False)
    assert session.counters["foreign_tokens"] == 1


def test_random_messages_agree_with_the_oracle(rng: random.Random):
    session = live()
    for source_seq in range(1, 1_000):
        message = random_message(rng)

        heard = session.hear(sequenced(**message))

        assert heard == [r | {"source_seq": source_seq} for r in reports_of(message, MIDNIGHT_NS)], message


def random_message(rng: random.Random) -> dict[str, Any]:
    version = rng.randrange(2, 62**3)
    cl_ord_id = rng.randrange(1, 2**64)
    message = rng.choice(MESSAGES) | {"ts": rng.randrange(86_400 * 10**9), "token": ouch.token(cl_ord_id, version)}
    if message["type"] == "U":
        message["prev_token"] = ouch.token(rng.choice([cl_ord_id, cl_ord_id, 1]), rng.randrange(version))
    for field, limit in {"qty": 10**6, "px": 2**31 - 1, "match_id": 2**64, "order_id": 2**64}.items():
        if field in message:
            message[field] = rng.choice([0, 1, limit - 1, rng.randrange(limit)])
    if message["type"] == "C":
        message["reason"] = rng.choice(list(CANCEL_REASONS))
    return message
