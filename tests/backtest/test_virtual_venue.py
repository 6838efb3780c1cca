"""Our orders in an unaltered book: conversations by hand, then random sequences against the slow twin."""

import numpy as np
import pytest

from crossing_flow import CrossingFlow, market
from openbell._native import POST_ONLY, VirtualVenue
from openbell.types import BUY, RECORDS, SELL, Reason, Tif, TradingState, Type
from oracles import virtual_venue as oracle

ORDER, REPORT, INSTRUMENT = (RECORDS[name] for name in ("Order", "Report", "Instrument"))
NAMES = {
    Type.ACCEPTED: "Accepted",
    Type.REJECTED: "Rejected",
    Type.REPLACED: "Replaced",
    Type.CANCELED: "Canceled",
    Type.FILLED: "Filled",
}


def command(kind, cl_ord_id, side=BUY, px=0, qty=0, version=1, tif=Tif.DAY, prev_version=0, flags=0):
    c = np.zeros((), ORDER)
    c["type"], c["cl_ord_id"], c["side"], c["px"], c["qty"] = kind, cl_ord_id, side, px, qty
    c["version"], c["tif"], c["prev_version"], c["flags"] = version, tif, prev_version, flags
    return c


def readable(r):
    """A report as the tuple the oracle writes."""
    head = (NAMES[Type(int(r["type"]))], int(r["cl_ord_id"]), int(r["version"]))
    match Type(int(r["type"])):
        case Type.FILLED:
            return (*head, int(r["last_px"]), int(r["last_qty"]), int(r["leaves_qty"]), chr(r["liquidity"]))
        case Type.CANCELED:
            return (*head, int(r["last_qty"]), Reason(int(r["reason"])))
        case Type.REJECTED:
            return (*head, Reason(int(r["reason"])))
        case _:
            return (*head, int(r["px"]), int(r["leaves_qty"]))


class Talk:
    """A venue with one instrument, spoken to one line at a time; every line answers with the reports it caused."""

    def __init__(self, tick=0, own_orders_max=64, orders_max=4096):
        self.limits = (2, orders_max, own_orders_max)
        self.venue = VirtualVenue(*self.limits)
        instrument = np.zeros(1, INSTRUMENT)
        instrument["type"], instrument["tick"] = Type.INSTRUMENT, tick
        assert self.venue.add_instrument(instrument)
        self.now = 0

    def answer(self):
        self.raw = self.venue.take_reports().view(REPORT)[:, 0]
        return [readable(r) for r in self.raw]

    def tape(self, record):
        self.now += 1
        self.venue.on_market(record, self.now)
        return self.answer()

    def send(self, order):
        self.now += 1
        self.venue.on_commands(order, self.now)
        return self.answer()

    def add(self, order_id, side, px, qty, flags=0):
        return self.tape(market(Type.BOOK_ADD, order_id, side, px, qty, flags=flags))

    def execute(self, order_id, qty):
        return self.tape(market(Type.BOOK_EXECUTE, order_id, qty=qty, flags=oracle.AT_ORDER_PX))

    def delete(self, order_id):
        return self.tape(market(Type.BOOK_CANCEL, order_id, flags=oracle.WHOLE))

    def cut(self, order_id, qty):
        return self.tape(market(Type.BOOK_CANCEL, order_id, qty=qty))

    def modify(self, order_id, ref, px, qty):
        return self.tape(market(Type.BOOK_MODIFY, order_id, px=px, qty=qty, ref=ref))

    def print_(self, px, qty):
        return self.tape(market(Type.TRADE, px=px, qty=qty))

    def status(self, state):
        return self.tape(market(Type.STATUS, ref=state.value))

    def new(self, cl_ord_id, side, px, qty, **more):
        return self.send(command(Type.NEW_ORDER, cl_ord_id, side, px, qty, **more))

    def replace(self, cl_ord_id, px, qty, version, **more):
        return self.send(command(Type.REPLACE_ORDER, cl_ord_id, BUY, px, qty, version, **more))

    def cancel(self, cl_ord_id, version=1):
        return self.send(command(Type.CANCEL_ORDER, cl_ord_id, version=version))


def test_an_order_joins_the_tail_and_advances_only_by_what_is_in_front():
    talk = Talk()
    talk.add(1, BUY, 100, 30)
    talk.add(2, BUY, 100, 20)

    assert talk.new(7, BUY, 100, 10) == [("Accepted", 7, 1, 100, 10)]
    assert talk.venue.queue_ahead(7) == 50
    talk.add(3, BUY, 100, 40)
    assert talk.venue.queue_ahead(7) == 50
    talk.delete(3)
    assert talk.venue.queue_ahead(7) == 50
    talk.cut(1, 5)
    assert talk.venue.queue_ahead(7) == 45
    assert talk.execute(1, 25) == []
    assert talk.venue.queue_ahead(7) == 20
    talk.modify(2, 4, px=100, qty=20)
    assert talk.venue.queue_ahead(7) == 0


def test_an_execution_behind_ours_would_have_met_us_first():
    talk = Talk()
    talk.add(1, BUY, 100, 30)
    talk.new(7, BUY, 100, 10)
    talk.add(2, BUY, 100, 40)

    assert talk.execute(1, 30) == []
    assert talk.execute(2, 4) == [("Filled", 7, 1, 100, 4, 6, "A")]
    assert talk.execute(2, 36) == [("Filled", 7, 1, 100, 6, 0, "A")]
    assert talk.venue.queue_ahead(7) == -1
    assert talk.venue.own_orders() == 0


def test_an_execution_at_a_worse_price_traded_through_us_and_pays_our_price():
    talk = Talk()
    talk.add(1, SELL, 105, 50)
    talk.new(7, SELL, 103, 10)
    talk.new(8, SELL, 104, 10)

    assert talk.execute(1, 15) == [("Filled", 7, 1, 103, 10, 0, "A"), ("Filled", 8, 1, 104, 5, 5, "A")]


def test_a_new_order_that_crosses_ours_is_the_aggressor_and_its_size_is_spent_once():
    talk = Talk()
    talk.new(7, BUY, 100, 10)

    assert talk.add(1, SELL, 99, 4) == [("Filled", 7, 1, 100, 4, 6, "A")]
    assert talk.new(8, BUY, 100, 5) == [("Accepted", 8, 1, 100, 5)]
    assert talk.venue.touch(0) == (0, 0, 99, 4)


def test_taking_goes_level_by_level_and_what_was_taken_is_not_sold_to_us_again():
    talk = Talk()
    talk.add(1, SELL, 101, 10)
    talk.add(2, SELL, 101, 10)
    talk.add(3, SELL, 102, 10)

    assert talk.new(7, BUY, 102, 25) == [
        ("Accepted", 7, 1, 102, 25),
        ("Filled", 7, 1, 101, 20, 5, "R"),
        ("Filled", 7, 1, 102, 5, 0, "R"),
    ]
    assert talk.raw["exec_id"].tolist()[1:] == [1, 2]
    assert talk.new(8, BUY, 102, 9, tif=Tif.IOC)[1:] == [
        ("Filled", 8, 1, 102, 5, 4, "R"),
        ("Canceled", 8, 1, 4, Reason.IOC_REMAINDER),
    ]
    talk.delete(3)
    talk.add(4, SELL, 102, 3)
    assert talk.new(9, BUY, 102, 9, tif=Tif.IOC)[1] == ("Filled", 9, 1, 102, 3, 6, "R")


def test_an_order_we_took_part_of_has_nothing_more_until_it_shows_more_than_we_took():
    talk = Talk()
    talk.add(1, SELL, 101, 100)
    talk.new(7, BUY, 101, 60)
    talk.execute(1, 30)

    assert talk.new(8, BUY, 101, 20, tif=Tif.IOC)[1] == ("Filled", 8, 1, 101, 10, 10, "R")
    talk.modify(1, 2, px=101, qty=50)
    assert talk.new(9, BUY, 101, 20, tif=Tif.IOC)[1] == ("Filled", 9, 1, 101, 20, 0, "R")


def test_fok_fills_whole_or_not_at_all():
    talk = Talk()
    talk.add(1, SELL, 101, 10)

    assert talk.new(7, BUY, 101, 11, tif=Tif.FOK)[1:] == [("Canceled", 7, 1, 11, Reason.IOC_REMAINDER)]
    assert talk.new(8, BUY, 101, 10, tif=Tif.FOK)[1:] == [("Filled", 8, 1, 101, 10, 0, "R")]


def test_post_only_goes_away_where_it_would_trade_and_rests_where_not():
    talk = Talk()
    talk.add(1, SELL, 101, 10)
    assert talk.new(7, BUY, 101, 5, flags=POST_ONLY)[1:] == [("Canceled", 7, 1, 5, Reason.VENUE_REJECT)]
    assert talk.new(8, BUY, 100, 5, flags=POST_ONLY) == [("Accepted", 8, 1, 100, 5)]
    assert talk.replace(8, 101, 5, 2, flags=POST_ONLY)[1:] == [("Canceled", 8, 2, 5, Reason.VENUE_REJECT)]


def test_only_quantity_down_keeps_the_place():
    talk = Talk()
    talk.new(7, BUY, 100, 10)
    talk.add(1, BUY, 100, 30)

    assert talk.replace(7, 100, 8, version=2) == [("Replaced", 7, 2, 100, 8)]
    assert talk.raw["prev_version"].tolist() == [1]
    assert talk.venue.queue_ahead(7) == 0
    assert talk.replace(7, 100, 9, version=3) == [("Replaced", 7, 3, 100, 9)]
    assert talk.venue.queue_ahead(7) == 30


def test_a_replace_counts_executed_shares():
    talk = Talk()
    talk.new(7, BUY, 100, 10)
    talk.add(1, SELL, 100, 4)

    assert talk.replace(7, 100, 9, version=2) == [("Replaced", 7, 2, 100, 5)]
    assert talk.replace(7, 100, 4, version=3) == [("Canceled", 7, 2, 5, Reason.USER_CANCEL)]


def test_what_is_not_live_is_answered_by_silence():
    talk = Talk()
    talk.new(7, BUY, 100, 10)

    assert talk.cancel(8) == []
    assert talk.cancel(7, version=2) == []
    assert talk.replace(8, 100, 5, version=2) == []
    assert talk.replace(7, 100, 5, version=3) == []
    assert talk.new(7, BUY, 101, 10) == []
    assert talk.replace(7, 100, 5, version=3, prev_version=1) == [("Replaced", 7, 3, 100, 5)]
    assert talk.cancel(7, version=3) == [("Canceled", 7, 3, 5, Reason.USER_CANCEL)]
    assert talk.cancel(7, version=3) == []


def test_we_do_not_trade_with_ourselves():
    talk = Talk()
    talk.add(1, SELL, 101, 5)
    talk.new(7, SELL, 101, 10)
    talk.add(2, SELL, 101, 5)

    assert talk.new(8, BUY, 101, 8)[1:] == [
        ("Filled", 8, 1, 101, 5, 3, "R"),
        ("Canceled", 8, 1, 3, Reason.SELF_MATCH),
    ]


def test_a_print_against_a_hidden_order_fills_ours_only_at_the_front():
    talk = Talk()
    talk.add(1, BUY, 100, 5)
    talk.new(7, BUY, 100, 10)

    assert talk.print_(100, 3) == []
    assert talk.print_(99, 3) == [("Filled", 7, 1, 100, 3, 7, "A")]
    talk.delete(1)
    assert talk.print_(100, 3) == [("Filled", 7, 1, 100, 3, 4, "A")]


def test_details_that_cannot_be_are_rejected():
    talk = Talk(tick=100, own_orders_max=1)

    assert talk.new(7, BUY, 150, 10) == [("Rejected", 7, 1, Reason.VENUE_REJECT)]
    assert talk.new(7, BUY, 200, 0) == [("Rejected", 7, 1, Reason.VENUE_REJECT)]
    talk.new(7, BUY, 200, 10)
    assert talk.new(8, BUY, 200, 10) == [("Rejected", 8, 1, Reason.ORDERS_FULL)]
    assert talk.replace(7, 250, 10, version=2) == [("Canceled", 7, 1, 10, Reason.VENUE_REJECT)]


def test_nothing_fills_while_the_book_is_invalid_or_the_instrument_halted():
    talk = Talk()
    talk.new(7, BUY, 100, 10)
    talk.status(TradingState.HALTED)
    assert talk.add(1, SELL, 99, 5) == []
    assert talk.new(8, BUY, 100, 10) == [("Rejected", 8, 1, Reason.NOT_TRADING)]
    talk.status(TradingState.TRADING)
    talk.execute(999, 1)
    assert talk.new(8, BUY, 100, 10) == [("Rejected", 8, 1, Reason.BOOK_NOT_VALID)]
    assert talk.cancel(7) == [("Canceled", 7, 1, 10, Reason.USER_CANCEL)]
    talk.venue.set_valid(0, True)
    assert talk.new(8, BUY, 99, 1)[1] == ("Filled", 8, 1, 99, 1, 0, "R")


def test_orders_of_a_snapshot_stand_in_front():
    talk = Talk()
    talk.new(7, BUY, 100, 10)
    talk.add(1, BUY, 100, 30, flags=16)

    assert talk.venue.queue_ahead(7) == 30
    assert talk.execute(1, 30) == []


class Flow(CrossingFlow):
    """Random lines for a talk and its twin: a tape that sometimes crosses, and commands around its touch."""

    def __init__(self, seed):
        super().__init__(seed)
        self.versions = {}

    def command(self):
        rng = self.rng
        cl_ord_id = int(rng.integers(1, 12))
        version = self.versions.get(cl_ord_id, 1)
        side = BUY if rng.random() < 0.5 else SELL
        tif = Tif(int(rng.choice([0, 0, 0, 0, 1, 3, 4])))
        flags = POST_ONLY if tif == Tif.DAY and rng.random() < 0.2 else 0
        u = rng.random()
        if u < 0.5:
            self.versions.setdefault(cl_ord_id, 1)
            return command(
                Type.NEW_ORDER, cl_ord_id, side, self.px(side), int(rng.integers(0, 25)), version, tif, 0, flags
            )
        if u < 0.85:
            self.versions[cl_ord_id] = version + 1
            qty, prev = int(rng.integers(0, 30)), version if rng.random() < 0.3 else 0
            px = self.px(side)
            return command(Type.REPLACE_ORDER, cl_ord_id, side, px, qty, version + 1, tif, prev, flags)
        return command(Type.CANCEL_ORDER, cl_ord_id, version=version)


@pytest.mark.parametrize("seed", range(8))
def test_random_sequences_say_what_the_oracle_says(seed):
    flow, talk, slow = Flow(seed), Talk(), oracle.VirtualVenue()
    counts = dict.fromkeys(NAMES.values(), 0)
    for step in range(2500):
        if flow.rng.random() < 0.7:
            record = flow.tape()
            said = talk.tape(record)
            slow.on_market(record[()])
        else:
            order = flow.command()
            said = talk.send(order)
            slow.on_command(order[()])
        expected, slow.reports = slow.reports, []
        assert said == expected, f"seed {seed}, step {step}"
        for cl_ord_id in range(1, 12):
            assert talk.venue.queue_ahead(cl_ord_id) == slow.queue_ahead(cl_ord_id), f"seed {seed}, step {step}"
        if step % 500 == 250:
            state = talk.venue.save()
            again = VirtualVenue(*talk.limits)
            again.load(state)
            assert again.save() == state
            talk.venue = again
        for name, *_ in said:
            counts[name] += 1
    assert min(counts.values()) > 5, counts
