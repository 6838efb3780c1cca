"""What positions, orders and fees are worth: by example, and against the slow twin over long random lives."""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell import _native, events
from openbell.errors import SnapshotError
from openbell.types import NO_STRATEGY, RECORDS, Side, Type
from oracles import accounts as oracle
from oracles import oms as oms_oracle
from oracles.order_records import commands_of, fields_of, record

ORDERS, STRATEGIES, INSTRUMENTS = 64, 2, 3
RATE_ONE = 10**8
ROWS = (None, *range(STRATEGIES))
ALL = (NO_STRATEGY, *range(STRATEGIES))
SPECS = [  # px_decimals, qty_decimals, multiplier, currency, rate
    (4, 0, 1, "USD", RATE_ONE),
    (2, 8, 1, "EUR", 108_512_345),
    (6, 0, 50, "JPY", 663_000),
]


class Books:
    """An OMS and its accounts, twice."""

    def __init__(self) -> None:
        self.oms = _native.Oms(ORDERS, STRATEGIES, INSTRUMENTS)
        self.accounts = _native.Accounts(self.oms)
        self.twin_oms = oms_oracle.Oms(ORDERS, STRATEGIES, INSTRUMENTS, 4 * ORDERS)
        self.twin = oracle.Accounts(self.twin_oms)
        self.twin_oms.fee_of = self.twin.fee
        self.exec_id = 0
        self.oms.on_started(record("Started", type=Type.STARTED, node=3, epoch=1))
        self.twin_oms.on_started()
        for number, spec in enumerate(SPECS):
            self.tell(number, *spec)

    def tell(self, number: int, px_decimals: int, qty_decimals: int, multiplier: int, currency: str, rate: int) -> None:
        fields = {"px_decimals": px_decimals, "qty_decimals": qty_decimals, "multiplier": multiplier}
        raw = record("Instrument", instrument=number, currency=currency.encode(), **fields)
        self.accounts.set_instrument(self.oms, raw, rate)
        self.twin.instruments[number], self.twin.currencies[number] = fields | {"instrument": number}, currency
        self.twin.rates[currency] = rate

    def fee_rate(self, flags: str, **terms: int) -> None:
        self.oms.set_fee_rate(events.fee_rate(flags, **terms))
        self.twin.set_fee_rate(flags, oracle.Terms(**terms))

    def margin(self, number: int, bps: int) -> None:
        self.accounts.set_margin_bps(number, bps)
        self.twin.margin_bps[number] = bps

    def mark(self, number: int, bid: int, ask: int) -> None:
        self.accounts.mark(number, bid, ask)
        self.twin.mark(number, bid, ask)

    def start_day(self, day: int) -> None:
        self.accounts.start_day(day)
        self.twin.start_day(day)

    def settle(self) -> None:
        self.accounts.settle()
        self.twin.settle()

    def command(self, **fields: int) -> None:
        data = record("Order", **fields)
        assert self.oms.on_command(data) == self.twin_oms.on_command(commands_of(data)[0])
        order = self.twin_oms.find(fields["cl_ord_id"])
        if order is not None:
            self.accounts.refresh(order.strategy, order.instrument)

    def report(self, kind: Type, cl_ord_id: int, **fields: int) -> str:
        data = record("Report", type=kind, cl_ord_id=cl_ord_id, **fields)
        answer, _, filled_in = self.oms.on_report(data)
        self.twin_oms.on_report(fields_of(data, RECORDS["Report"])[0])
        if answer.name in ("DONE", "OVERFILL"):
            said = fields_of(filled_in, RECORDS["Report"])[0]
            self.accounts.refresh(said["strategy"], said["instrument"])
        return answer.name

    def adjust(self, strategy: int, instrument: int, qty: int, px: int, cash: int) -> None:
        assert self.oms.adjust(events.adjustment(strategy, instrument, qty=qty, px=px, cash=cash))
        assert self.twin_oms.adjust(strategy, instrument, qty, px, cash)
        self.accounts.refresh(strategy, instrument)

    # ---- what reads as trading

    def order(self, side: Side, px: int, qty: int, *, instrument: int = 0, strategy: int = 0) -> int:
        cl_ord_id = self.oms.reserve(strategy)
        terms = {"strategy": strategy, "instrument": instrument, "side": side, "px": px, "qty": qty, "version": 1}
        self.command(type=Type.NEW_ORDER, cl_ord_id=cl_ord_id, **terms)
        return cl_ord_id

    def fill(self, cl_ord_id: int, px: int, qty: int, flag: str = "R") -> int:
        self.exec_id += 1
        terms = {"version": 1, "last_px": px, "last_qty": qty, "liquidity": ord(flag), "exec_id": self.exec_id}
        assert self.report(Type.FILLED, cl_ord_id, **terms) in ("DONE", "OVERFILL")
        return self.exec_id

    def trade(self, side: Side, px: int, qty: int, *, flag: str = "R", **of: int) -> int:
        return self.fill(self.order(side, px, qty, **of), px, qty, flag)

    def totals(self, row: int | None = None) -> dict[str, int]:
        """Both say the same."""
        native = self.accounts.totals(NO_STRATEGY if row is None else row)
        assert native == self.twin.totals(row), row
        return native

    def compare(self) -> None:
        for row in ROWS:
            self.totals(row)


def shown(totals: dict[str, int], *names: str) -> tuple[int, ...]:
    return tuple(totals[name] for name in names)


def test_a_long_is_worth_the_bid_and_a_short_the_ask():
    books = Books()
    books.mark(0, 1_000_000, 1_020_000)
    books.trade(Side.BUY, 1_010_000, 10)
    books.trade(Side.SELL, 1_010_000, 4, strategy=1)

    assert shown(books.totals(0), "realized", "unrealized") == (0, -100_000)  # 10 x (100.00 - 101.00)
    assert shown(books.totals(1), "realized", "unrealized") == (0, -40_000)  # 4 x (101.00 - 102.00)
    assert shown(books.totals(), "realized", "unrealized") == (0, -60_000)  # the account is long 6


def test_a_side_that_shows_nothing_keeps_its_last_mark_and_is_in_doubt():
    books = Books()
    books.trade(Side.BUY, 1_000_000, 10)
    assert shown(books.totals(), "unrealized", "doubtful") == (0, 1)  # nothing was ever known: at its cost

    books.mark(0, 1_010_000, 1_020_000)
    assert shown(books.totals(), "unrealized", "doubtful") == (100_000, 0)
    books.mark(0, 0, 1_020_000)
    assert shown(books.totals(), "unrealized", "doubtful") == (100_000, 1)
    books.mark(0, 990_000, 0)  # a long needs no ask
    assert shown(books.totals(), "unrealized", "doubtful") == (-100_000, 0)
    books.trade(Side.SELL, 990_000, 10)
    assert shown(books.totals(), "realized", "unrealized", "doubtful") == (-100_000, 0, 0)


def test_prices_beyond_what_an_order_may_have_mark_nothing():
    books = Books()
    books.trade(Side.BUY, 100, 1)
    books.mark(0, 2**48, 2**48 + 1)
    assert books.totals()["doubtful"] == 0
    books.mark(0, 2**48 + 1, 2**62)
    assert shown(books.totals(), "unrealized", "doubtful") == (2**48 - 100, 1)


def test_fees_follow_the_flag_of_the_venue():
    books = Books()
    books.fee_rate("R", per_lot=3_000)  # 0.0030 a share to take
    books.fee_rate("AX", per_lot=-2_000)
    books.fee_rate("", per_value=100)  # 1 bp for everything else

    books.trade(Side.BUY, 1_000_000, 100, flag="R")
    assert books.totals()["fees"] == 3_000
    books.trade(Side.BUY, 1_000_000, 100, flag="X")
    assert books.totals()["fees"] == 1_000
    books.trade(Side.BUY, 1_000_000, 100, flag="J")
    assert books.totals()["fees"] == 1_000 + 10_000  # 1 bp of 10,000.00


def test_a_bust_takes_its_fee_back_and_a_correction_pays_the_new_one():
    books = Books()
    books.fee_rate("R", per_value=1_000)
    order = books.order(Side.BUY, 1_000_000, 300)
    first, second = books.fill(order, 1_000_000, 100), books.fill(order, 1_000_000, 100)
    books.fee_rate("R", per_value=9_999)  # the day's schedule has changed since
    assert books.totals()["fees"] == 200_000

    books.report(Type.BUSTED, order, exec_id=first)
    assert books.totals()["fees"] == 100_000
    books.report(Type.CORRECTED, order, exec_id=second, last_px=900_000, last_qty=50)
    assert books.totals()["fees"] == 449_955
    books.report(Type.BUSTED, order, exec_id=second)
    assert shown(books.totals(), "fees", "realized") == (0, 0)


def test_another_currency_counts_at_its_rate_of_now_against_us():
    books = Books()
    books.mark(1, 4_321_010, 4_321_020)
    books.fee_rate("", per_value=1)
    books.trade(Side.BUY, 4_321_010, 1, instrument=1)  # one hundred-millionth

    assert shown(books.totals(), "fees", "gross", "realized") == (0, 5, 0)  # 0.000432101 EUR is 0.0005 USD, upwards
    books.trade(Side.SELL, 4_321_009, 1, instrument=1)
    assert shown(books.totals(), "realized", "gross") == (-1, 0)  # a loss of 1e-10 EUR


def test_without_a_rate_nothing_is_counted_and_it_is_said():
    books = Books()
    books.order(Side.BUY, 1_000, 1, instrument=2)
    assert books.totals()["unpriced"] == 0
    books.tell(2, 6, 0, 50, "JPY", 0)
    assert shown(books.totals(), "unpriced", "gross", "net", "margin") == (1, 0, 0, 0)
    assert shown(books.totals(1), "unpriced") == (0,)


def test_fees_alone_and_orders_alone_are_something_that_needs_a_rate():
    paid, ordered = Books(), Books()
    paid.fee_rate("", per_lot=10_000)
    paid.trade(Side.BUY, 1_000, 5)
    paid.trade(Side.SELL, 1_000, 5)
    ordered.order(Side.SELL, 1_000, 5)
    for books in (paid, ordered):
        books.tell(0, 4, 0, 1, "USD", 0)
        assert books.totals()["unpriced"] == 1
        assert books.accounts.worst(NO_STRATEGY, 0, Side.BUY, 7)[3] is False


def test_the_larger_side_binds_with_all_its_orders_filled():
    books = Books()
    books.mark(0, 1_000_000, 1_000_000)
    books.trade(Side.BUY, 1_000_000, 10)
    books.order(Side.BUY, 990_000, 5)
    books.order(Side.SELL, 1_010_000, 30)

    # bought: 10 x 100 + 5 x 99; sold: 30 x 101 - 10 x 100
    assert shown(books.totals(), "gross", "net") == (20_300_000, 20_300_000)
    books.trade(Side.BUY, 1_000_000, 10, strategy=1)
    assert shown(books.totals(), "gross", "net") == (24_950_000, 24_950_000)
    assert shown(books.totals(1), "gross", "net") == (10_000_000, 10_000_000)


def test_what_one_instrument_is_short_nets_what_another_is_long_but_adds_to_gross():
    books = Books()
    books.tell(2, 4, 0, 1, "USD", RATE_ONE)
    for number in (0, 2):
        books.mark(number, 1_000_000, 1_000_000)
    books.trade(Side.BUY, 1_000_000, 10)
    books.trade(Side.SELL, 1_000_000, 4, instrument=2)
    assert shown(books.totals(), "gross", "net") == (14_000_000, 6_000_000)


def test_a_pending_replace_counts_the_version_that_is_worth_more():
    books = Books()
    order = books.order(Side.BUY, 1_000_000, 10)
    books.report(Type.ACCEPTED, order, version=1, px=1_000_000, leaves_qty=10)
    replace = {"type": Type.REPLACE_ORDER, "cl_ord_id": order, "side": Side.BUY}

    books.command(**replace, px=900_000, qty=9, version=2)
    assert books.totals()["gross"] == 10_000_000
    books.report(Type.REPLACED, order, version=2, px=900_000, leaves_qty=9)
    assert books.totals()["gross"] == 8_100_000
    books.command(**replace, px=900_000, qty=12, version=3)
    assert books.totals()["gross"] == 10_800_000


def test_an_order_in_doubt_binds_until_it_is_resolved():
    books = Books()
    books.order(Side.SELL, 1_000_000, 10)
    for oms in (books.oms, books.twin_oms):
        oms.on_started(*([record("Started", type=Type.STARTED, node=3, epoch=2)] if oms is books.oms else []))
    assert books.totals()["gross"] == 10_000_000
    books.oms.on_resolved(0)
    books.twin_oms.on_resolved()
    books.accounts.refresh(0, 0)
    assert books.totals()["gross"] == 0


def test_margin_is_a_share_of_gross_rounded_up():
    books = Books()
    books.order(Side.BUY, 333, 1)
    assert books.totals()["margin"] == 333  # as long as nothing is said, all of it
    books.margin(0, 2_500)
    assert books.totals()["margin"] == 84
    books.margin(0, 20_000)
    assert books.totals()["margin"] == 666


def test_a_day_begins_with_nothing_won_or_lost():
    books = Books()
    books.start_day(20_260_102)
    books.mark(0, 1_000_000, 1_000_000)
    books.trade(Side.BUY, 1_000_000, 10)
    for px, expected in [(1_010_000, (100_000, 100_000, 0)), (1_004_000, (40_000, 100_000, 60_000))]:
        books.mark(0, px, px)
        books.settle()
        assert shown(books.totals(), "day", "peak", "drawdown") == expected

    books.start_day(20_260_102)  # said again after a restart: nothing begins
    books.start_day(20_260_101)
    assert shown(books.totals(), "day", "peak", "drawdown") == (40_000, 100_000, 60_000)
    books.start_day(20_260_105)
    assert shown(books.totals(), "day", "peak", "drawdown") == (0, 0, 0)
    books.mark(0, 990_000, 990_000)
    books.settle()
    assert shown(books.totals(), "day", "peak", "drawdown", "unrealized") == (-140_000, 0, 140_000, -100_000)


def test_the_peak_is_taken_when_the_frame_is_done():
    books = Books()
    books.trade(Side.BUY, 1_000_000, 10)
    books.mark(0, 1_100_000, 1_100_000)
    books.mark(0, 1_000_000, 1_000_000)
    books.settle()
    assert books.totals()["peak"] == 0


def test_what_64_bits_cannot_hold_is_the_most_there_is():
    books = Books()
    books.fee_rate("", per_lot=2**62)
    books.order(Side.BUY, 2**48, 2**44)
    assert shown(books.accounts.totals(NO_STRATEGY), "gross", "margin") == (2**63 - 1, 2**63 - 1)
    terms = {"version": 1, "last_px": 2**48, "last_qty": 2**40, "exec_id": 1}
    books.oms.on_report(record("Report", type=Type.FILLED, cl_ord_id=books.twin_oms.live.popitem()[0], **terms))
    books.accounts.refresh(0, 0)
    assert shown(books.accounts.totals(NO_STRATEGY), "fees", "day") == (2**63 - 1, -(2**63) + 1)
    books.accounts.settle()
    assert books.accounts.totals(NO_STRATEGY)["drawdown"] == 2**63 - 1


@pytest.mark.parametrize("row", ALL)
def test_an_order_is_asked_what_it_would_bind(row: int):
    books = Books()
    books.mark(0, 1_000_000, 1_000_000)
    books.trade(Side.BUY, 1_000_000, 10)
    books.order(Side.SELL, 1_000_000, 3, instrument=2)
    mine = row in (0, NO_STRATEGY)
    base, other = (10_000_000, 9_945) if mine else (0, 0)  # 3 x 50 x 1.00 JPY

    assert books.accounts.worst(row, 0, Side.BUY, 7) == (base + other + 7, base + 7, base + other + 7, True)
    sold = books.accounts.worst(row, 0, Side.SELL, 7)
    assert sold == (base + other + (0 if mine else 7), other - base + 7, base + other + (0 if mine else 7), not mine)
    assert books.accounts.worst_of_instrument(row, 0, Side.BUY, 7) == (base + 7, base + 7, base + 7, True)
    assert books.accounts.worst_of_instrument(row, 0, Side.SELL, 7)[1] == 7 - base


# ---- long lives


def live(rng: random.Random, books: Books, *, days: bool = True) -> None:
    """One thing that may happen; `days`: a day may begin, which counts everything anew."""
    draw, orders = rng.random(), list(books.twin_oms.live)
    number, strategy = rng.randrange(INSTRUMENTS), rng.randrange(STRATEGIES)
    px = rng.randint(900, 1_100)
    if draw < 0.25 and len(orders) < ORDERS - 1:
        side = rng.choice([Side.BUY, Side.SELL])
        books.order(side, px, rng.randint(1, 40), instrument=number, strategy=strategy)
    elif draw < 0.7 and orders:
        order = books.twin_oms.live[rng.choice(orders)]
        books.fill(order.cl_ord_id, px, min(rng.randint(1, 20), order.leaves), rng.choice("ARX"))
    elif draw < 0.75 and orders:
        order = books.twin_oms.live[rng.choice(orders)]
        if order.version == 0:
            books.report(Type.ACCEPTED, order.cl_ord_id, version=1, px=order.px, leaves_qty=order.leaves)
        version = order.newest + 1
        books.command(type=Type.REPLACE_ORDER, cl_ord_id=order.cl_ord_id, px=px, qty=order.cum + 9, version=version)
    elif draw < 0.8 and orders:
        order = books.twin_oms.live[rng.choice(orders)]
        kind = rng.choice([Type.CANCELED, Type.REJECTED, Type.REPLACED, Type.EXPIRED])
        terms = {"version": order.newest, "last_qty": order.leaves, "leaves_qty": 5}
        books.report(kind, order.cl_ord_id, **terms)
    elif draw < 0.85 and books.twin_oms.fills:
        (order_id, exec_id), _ = rng.choice(list(books.twin_oms.fills.items()))
        kind = rng.choice([Type.BUSTED, Type.CORRECTED])
        books.report(kind, order_id, exec_id=exec_id, last_px=px, last_qty=rng.randint(1, 9))
    elif draw < 0.855:
        books.adjust(strategy, number, rng.randint(-30, 30), px, rng.choice([0, 0, 123, -456]))
    elif draw < 0.865:
        books.fee_rate(rng.choice(["", "A", "RX"]), per_lot=rng.randint(-50, 50), per_value=rng.randint(-90, 90))
    elif draw < 0.87:
        books.tell(number, *SPECS[number][:4], rng.choice([SPECS[number][4], SPECS[number][4] + 12_345, 0]))
    elif draw < 0.875:
        books.margin(number, rng.choice([0, 1, 500, 10_000, 25_000]))
    elif draw < 0.88 and days:
        books.start_day(books.twin.date + rng.randint(0, 1))
    else:
        books.mark(number, *rng.choice([(px, px + 1), (px, px + 1), (0, px), (px, 0), (0, 0)]))


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(5, 120))
def test_every_figure_is_what_is_counted_anew(rng: random.Random, steps: int):
    books = Books()
    for _ in range(steps):
        live(rng, books)
        books.settle()
        books.compare()

    saved_oms, saved = books.oms.save(), books.accounts.save()
    fresh = _native.Oms(ORDERS, STRATEGIES, INSTRUMENTS)
    fresh.load(saved_oms)
    restored = _native.Accounts(fresh)
    for number, fields in books.twin.instruments.items():
        currency = books.twin.currencies[number]
        raw = record("Instrument", **fields, currency=currency.encode())
        restored.set_instrument(fresh, raw, books.twin.rates[currency])
    restored.load(saved)
    assert (restored.save(), fresh.save()) == (saved, saved_oms)
    for row in ALL:
        assert restored.totals(row) == books.accounts.totals(row)


def test_a_long_day_of_reports_ends_with_what_is_counted_anew(rng: random.Random):
    """OPENBELL_REPORTS=1000000 for the long one."""
    steps = int(os.environ.get("OPENBELL_REPORTS", "20000"))
    books = Books()
    for step in range(steps):
        live(rng, books, days=False)
        if step % (steps // 4) == steps // 5:
            books.settle()
            books.compare()
            books.start_day(books.twin.date + 1)
    books.compare()
    assert len(books.twin_oms.trades) > steps // 3


def test_a_state_that_ends_early_is_refused():
    books = Books()
    with pytest.raises(SnapshotError, match="ends early"):
        books.accounts.load(books.accounts.save()[:-1])
