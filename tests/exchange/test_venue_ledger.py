"""The ledger: fees, busts and corrections, and that every share and every cent of it sums to zero."""

import random

import pytest
from tests.exchange.harness import enter
from tests.exchange.venue_inputs import FEES, RandomInputs, do

from openbell._native import (
    Amended,
    FeeRules,
    Protocol,
    VenueCore,
    itch_decode,
    ouch50_decode_outbound,
    ouch50_encode_inbound,
    ouch_decode_outbound,
    ouch_encode_inbound,
    soup_packets,
)
from openbell.errors import ConfigError
from openbell.exchange.ledger import ledger
from openbell.types import Side, Tif

PX = 50_0000


def open_venue(fees=None, protocols=(Protocol.OUCH42, Protocol.OUCH42)):
    venue = VenueCore([("OBEL", 100, 100)], 0, 1000, 10_000, 100_000)
    if fees:
        venue.set_fees(fees)
    numbers = [venue.add_account(protocol=protocol) for protocol in protocols]
    venue.open_day(0)
    return venue, numbers


def buy_from(venue, seller, buyer, *, qty=100, px=PX):
    """Let two OUCH 4.2 accounts trade once."""
    n = venue.itch_next
    venue.receive(seller, ouch_encode_inbound(enter(f"S{n}", "S", qty, px)), 1)
    venue.receive(buyer, ouch_encode_inbound(enter(f"B{n}", "B", qty, px)), 1)


def reports(venue, account, decode=ouch_decode_outbound):
    return [decode(payload) for _, payload in soup_packets(venue.reports(account).sequenced(1, 1 << 24)[0], 1000)[0]]


def feed(venue):
    return [itch_decode(venue.itch_message(n)) for n in range(1, venue.itch_next)]


def test_a_maker_is_paid_a_taker_pays_and_the_house_has_the_rest():
    venue, (maker, taker) = open_venue(FEES)
    buy_from(venue, maker, taker)

    assert venue.holdings(maker) == [(-100, 100 * PX + 2_000)]  # 0.20
    assert venue.holdings(taker) == [(100, -100 * PX - 3_000)]  # 0.30
    assert [row["fee"] for n in (maker, taker) for row in ledger(venue, n, ["OBEL"])["fills"]] == [-2_000, 3_000]
    venue.audit()


def test_the_tier_follows_from_the_volume_of_the_days_before():
    venue = VenueCore([("OBEL", 100, 100)], 0, 1000, 10_000, 100_000)
    small, large = venue.add_account(volume=999_999), venue.add_account(volume=1_000_000)
    venue.set_fees(FEES)
    venue.open_day(0)
    buy_from(venue, small, large)
    buy_from(venue, large, small)

    assert [row[7] for row in venue.fills(small)] == [-2_000, 3_000]
    assert [row[7] for row in venue.fills(large)] == [2_500, -2_500]


def test_a_bust_puts_position_cash_and_fees_right_and_tells_everybody():
    venue, (maker, taker) = open_venue(FEES)
    buy_from(venue, maker, taker)
    buy_from(venue, maker, taker, qty=300)
    before = venue.holdings(maker), venue.holdings(taker)
    buy_from(venue, maker, taker, qty=200)

    assert venue.bust(3, "C", 9) == Amended.DONE

    assert (venue.holdings(maker), venue.holdings(taker)) == before
    for account, name in ((maker, "S"), (taker, "B")):
        told = reports(venue, account)[-1]
        assert (told["type"], told["match_id"], told["reason"], told["ts"]) == ("B", 3, "C", 9)
        assert told["token"].startswith(name)
    assert (feed(venue)[-1]["type"], feed(venue)[-1]["match_id"]) == ("B", 3)
    assert [row["state"] for row in ledger(venue, maker, ["OBEL"])["fills"]] == ["GOOD", "GOOD", "BUSTED"]
    venue.audit()


def test_a_bust_of_an_ouch_50_trade_names_its_client_order():
    venue, (maker, taker) = open_venue(protocols=(Protocol.OUCH50, Protocol.OUCH42))
    order = {"type": "O", "user_ref": 7, "side": "S", "qty": 100, "symbol": "OBEL    ", "px": PX, "tif": "0"}
    words = {"display": "Y", "capacity": "P", "iso": "N", "cross": "N", "cl_ord_id": "MINE".ljust(14)}
    venue.receive(maker, ouch50_encode_inbound({**order, **words}), 1)
    venue.receive(taker, ouch_encode_inbound(enter("B1", "B", 100, PX)), 1)
    assert venue.bust(1, "E", 2) == Amended.DONE

    told = reports(venue, maker, ouch50_decode_outbound)[-1]
    assert (told["type"], told["user_ref"], told["match_id"], told["cl_ord_id"].strip()) == ("B", 7, 1, "MINE")


def test_a_bust_takes_one_trade_once():
    venue, (maker, taker) = open_venue()
    buy_from(venue, maker, taker)
    said = venue.itch_next

    assert venue.bust(2, "E", 1) == Amended.UNKNOWN
    assert venue.bust(0, "E", 1) == Amended.UNKNOWN
    assert venue.itch_next == said
    assert venue.bust(1, "E", 1) == Amended.DONE
    assert venue.bust(1, "E", 1) == Amended.BUSTED
    assert venue.correct(1, PX, 100, "E", 1) == Amended.BUSTED
    assert venue.itch_next == said + 1


def test_a_correction_puts_another_price_and_quantity_in_place_of_the_trade():
    venue, (maker, taker) = open_venue(FEES)
    buy_from(venue, maker, taker, qty=300)

    assert venue.correct(1, PX - 200, 100, "S", 1) == Amended.DONE

    assert venue.holdings(maker) == [(-100, 100 * (PX - 200) + 2_000)]
    told = reports(venue, taker)[-1]
    assert (told["type"], told["qty"], told["px"], told["match_id"], told["liquidity"]) == ("F", 100, PX - 200, 1, "R")
    assert (feed(venue)[-1]["type"], feed(venue)[-1]["match_id"]) == ("B", 1)
    assert ledger(venue, taker, ["OBEL"])["fills"][0] | {"order_id": 0} == {
        "match_id": 1, "token": told["token"].strip(), "symbol": "OBEL", "side": "B", "px": PX - 200, "qty": 100,
        "liquidity": "R", "fee": 3_000, "state": "CORRECTED", "order_id": 0,
    }  # fmt: skip
    venue.audit()


@pytest.mark.parametrize(("px", "qty"), [(0, 100), (-100, 100), (PX, 0), (PX, 101), (2_000_000_000, 100)])
def test_a_correction_cannot_make_a_trade_larger_or_free(px, qty):
    venue, (maker, taker) = open_venue()
    buy_from(venue, maker, taker)
    before = venue.state_hash

    assert venue.correct(1, px, qty, "S", 0) == Amended.VALUE
    assert venue.state_hash == before


def test_ouch_50_has_no_words_for_a_correction():
    venue, (maker, taker, internal) = open_venue(protocols=(Protocol.OUCH50, Protocol.OUCH42, Protocol.INTERNAL))
    venue.submit(internal, 0, Side.SELL, PX, 100, Tif.DAY, 1)
    venue.receive(taker, ouch_encode_inbound(enter("B1", "B", 100, PX)), 1)
    assert venue.correct(1, PX - 100, 100, "S", 1) == Amended.DONE  # an internal account reads the ledger

    order = {"type": "O", "user_ref": 1, "side": "S", "qty": 100, "symbol": "OBEL    ", "px": PX, "tif": "0"}
    words = {"display": "Y", "capacity": "P", "iso": "N", "cross": "N", "cl_ord_id": " " * 14}
    venue.receive(maker, ouch50_encode_inbound({**order, **words}), 1)
    venue.receive(taker, ouch_encode_inbound(enter("B2", "B", 100, PX)), 1)
    assert venue.correct(2, PX - 100, 100, "S", 1) == Amended.PROTOCOL
    assert venue.bust(2, "E", 1) == Amended.DONE


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_everything_sums_to_zero(seed):
    inputs = RandomInputs(random.Random(seed))
    venue = inputs.new_venue()
    for n, one in enumerate(inputs.take(1_500)):
        do(venue, one)
        if n % 50 == 0:
            venue.audit()
    venue.audit()

    for account in range(5):
        held = [[0, 0], [0, 0]]
        for row in ledger(venue, account, ["OBEL", "RING"])["fills"]:
            if row["state"] != "BUSTED":
                sign = 1 if row["side"] in "B" else -1
                of = held[["OBEL", "RING"].index(row["symbol"])]
                of[0] += sign * row["qty"]
                of[1] -= sign * row["qty"] * row["px"] + row["fee"]
        assert [tuple(of) for of in held] == venue.holdings(account), f"seed {seed}"


def test_fees_of_a_day_are_part_of_what_a_venue_is(tmp_path):
    venue, _ = open_venue()
    free = VenueCore([("OBEL", 100, 100)], 0, 1000, 10_000, 100_000)
    free.set_fees(FeeRules([(0, [0] * 8, [0] * 8)]))
    assert free.open_journal(str(tmp_path / "journal"), str(tmp_path / "hot"), "DAY1") == 0
    del free, venue

    same = VenueCore([("OBEL", 100, 100)], 0, 1000, 10_000, 100_000)
    assert same.open_journal(str(tmp_path / "journal"), str(tmp_path / "hot"), "DAY1") == 0
    del same
    dear = VenueCore([("OBEL", 100, 100)], 0, 1000, 10_000, 100_000)
    dear.set_fees(FEES)
    with pytest.raises(ConfigError, match="began with another one"):
        dear.open_journal(str(tmp_path / "journal"), str(tmp_path / "hot"), "DAY1")
