"""Fees as post-trade computes them, against fractions and against what the engine charges."""

from fractions import Fraction
from math import floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.posttrade.trades import order_id

from openbell import _native, events
from openbell.posttrade.fees import FeeBook, FeeTerms
from openbell.types import RECORDS, Side, Type
from oracles.order_records import record

RATE = st.integers(-5_000, 5_000)
TERMS = st.builds(
    FeeTerms, RATE, RATE, st.sampled_from([0, 10_000]), st.sampled_from([0, 5]), st.sampled_from([0, 1_000])
)


def exact(terms, px, qty):
    """With prices in 1e-4, in 1e-4."""
    split = terms.value_below_px > 0
    by_lot = 0 if split and px < terms.value_below_px else qty * terms.per_lot
    by_value = 0 if split and px >= terms.value_below_px else Fraction(px * qty * terms.per_value, 10**4)
    total = Fraction(by_lot + by_value, 100)
    amount = floor(abs(total) + Fraction(1, 2)) * (1 if total > 0 else -1)
    amount = max(amount, terms.charge_min) if total > 0 else amount
    return max(-terms.charge_max, min(terms.charge_max, amount)) if terms.charge_max else amount


@given(TERMS, st.integers(1, 10**6), st.integers(1, 10**5))
def test_a_fee_is_what_fractions_give(terms, px, qty):
    assert terms.fee(px, qty, 1, 4) == exact(terms, px, qty)


@given(
    TERMS, TERMS, st.lists(st.tuples(st.sampled_from("AR"), st.integers(1, 10**6), st.integers(1, 10**4)), max_size=8)
)
def test_the_engine_charges_the_same(added, others, fills):
    oms, book = _native.Oms(64, 8, 1), FeeBook()
    oms.on_started(record("Started", type=Type.STARTED, node=1, epoch=1))
    oms.set_instrument(record("Instrument", type=Type.INSTRUMENT, px_decimals=4, multiplier=1))
    for flags, terms in (("A", added), ("", others)):
        rate = events.fee_rate(flags, **terms._asdict())
        oms.set_fee_rate(rate)
        book.take(np.frombuffer(rate, RECORDS["Control"])[0])
    total = 0
    for number, (flag, px, qty) in enumerate(fills, start=1):
        terms = {"cl_ord_id": order_id(number), "side": int(Side.BUY), "px": px, "qty": qty, "leaves_qty": qty}
        oms.on_command(record("Order", type=Type.NEW_ORDER, version=1, strategy=3, **terms))
        fill = {"exec_id": number, "last_px": px, "last_qty": qty, "liquidity": ord(flag)}
        oms.on_report(record("Report", type=Type.FILLED, cl_ord_id=order_id(number), **fill))
        total += book.terms(flag).fee(px, qty, 1, 4)

    assert oms.position(3, 0)["fees"] == total


def test_nothing_said_is_nothing_known():
    assert not FeeBook().is_known
    assert FeeBook().terms("A") == FeeTerms()
