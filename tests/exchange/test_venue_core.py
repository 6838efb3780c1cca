"""The venue core, sans I/O: whatever random clients do, feed, reports and ledger tell one story."""

import random
import struct
from collections import Counter

import pytest
from tests.exchange.harness import enter

from openbell._native import VenueCore, itch_decode, ouch_decode_outbound, ouch_encode_inbound, soup_packets
from openbell.exchange.ledger import ledger
from openbell.types import Side, Tif

SYMBOLS = ("OBEL", "RING")
MARKET = 0x7FFF_FFFF
TIF_SECONDS = 5


def new_venue(**limits):
    limits = {"orders_max": 1000, "tokens_max": 10_000, "messages_max": 100_000, **limits}
    return VenueCore([(symbol, 100, 100) for symbol in SYMBOLS], 0, **limits)


def published(venue):
    return [itch_decode(venue.itch_message(n)) for n in range(1, venue.itch_next)]


def reported(venue, account):
    data, _ = venue.reports(account).sequenced(1, 1 << 24)
    return [ouch_decode_outbound(payload) for _, payload in soup_packets(data, 1000)[0]]


class FeedBook:
    """What a listener of the feed believes: reference -> [symbol, side, px, qty]."""

    def __init__(self):
        self.orders = {}

    def apply(self, m):
        match m["type"]:
            case "A":
                self.orders[m["order_id"]] = [m["symbol"].strip(), m["side"], m["px"], m["qty"]]
            case "E" | "X":
                self.orders[m["order_id"]][3] -= m["qty"]
                assert self.orders[m["order_id"]][3] >= 0
                if self.orders[m["order_id"]][3] == 0:
                    del self.orders[m["order_id"]]
            case "D":
                del self.orders[m["order_id"]]
            case "U":
                symbol, side, _, _ = self.orders.pop(m["order_id"])
                self.orders[m["new_order_id"]] = [symbol, side, m["px"], m["qty"]]

    def touch(self, symbol, side):
        levels = Counter()
        for order_symbol, order_side, px, qty in self.orders.values():
            if (order_symbol, order_side) == (symbol, side):
                levels[px] += qty
        best = (max if side == "B" else min)(levels, default=0)
        return best, levels[best]


class ReportBook:
    """What a client believes from its reports alone: token -> leaves, and what it holds."""

    def __init__(self):
        self.leaves, self.side, self.symbol = {}, {}, {}
        self.held = {symbol: [0, 0] for symbol in SYMBOLS}

    def apply(self, m):
        token = m.get("token")
        match m["type"]:
            case "A" | "U":
                if m["type"] == "U":
                    self.leaves[m["prev_token"]] = 0
                self.leaves[token] = m["qty"]
                self.side[token], self.symbol[token] = m["side"], m["symbol"].strip()
            case "E":
                self.leaves[token] -= m["qty"]
                sign = 1 if self.side[token] == "B" else -1
                self.held[self.symbol[token]][0] += sign * m["qty"]
                self.held[self.symbol[token]][1] -= sign * m["qty"] * m["px"]
            case "C":
                self.leaves[token] -= m["qty"]


def random_message(rng, n):
    token, other, newest = (f"T{rng.randrange(n + 1)}", f"T{rng.randrange(n + 1)}", f"T{n}")
    px = MARKET if rng.random() < 0.05 else 100 * rng.randint(490, 510)
    terms = {
        "tif": rng.choice((99_998, 99_998, 99_999, 0, TIF_SECONDS)),
        "display": rng.choice("YYYAP"),
        "qty_min": rng.choice((0, 0, 0, 100)),
    }
    what = rng.random()
    if what < 0.6:
        qty = 100 * rng.randint(0, 5)
        return enter(rng.choice((newest, newest, token)), rng.choice("BSTE"), qty, px, rng.choice(SYMBOLS), **terms)
    if what < 0.8:
        replace = {"type": "U", "prev_token": token.ljust(14), "token": rng.choice((newest, other)).ljust(14)}
        return {**replace, "qty": 100 * rng.randint(0, 7), "px": px, "iso": "N", **terms}
    return {"type": "X", "token": token.ljust(14), "qty": rng.choice((0, 0, 100, 200))}


@pytest.mark.parametrize("seed", range(12))
def test_feed_reports_and_ledger_tell_one_story(seed):
    rng = random.Random(seed)
    venue = new_venue(orders_max=rng.choice((20, 1000)))
    flow = venue.add_account(internal=True)
    clients = [venue.add_account(internal=False) for _ in range(2)]
    venue.open_day(1)
    for n in range(700):
        now_ns = n * 50_000_000
        account = rng.choice(clients)
        if rng.random() < 0.1:
            side = rng.choice((Side.BUY, Side.SELL))
            venue.submit(flow, rng.randrange(2), side, 100 * rng.randint(490, 510), 300, Tif.DAY, now_ns)
        elif rng.random() < 0.01:
            venue.cancel_all(account, now_ns)
        else:
            assert venue.receive(account, ouch_encode_inbound(random_message(rng, n)), now_ns)

    book = FeedBook()
    times = []
    for message in published(venue):
        book.apply(message)
        times.append(message["ts"])
    assert times == sorted(times)
    assert len(book.orders) == venue.open_orders
    for n, symbol in enumerate(SYMBOLS):
        for letter, side in (("B", Side.BUY), ("S", Side.SELL)):
            assert book.touch(symbol, letter) == venue.touch(n, side), f"seed {seed}"
    for account in clients:
        client = ReportBook()
        for message in reported(venue, account):
            client.apply(message)
        truth = ledger(venue, account, SYMBOLS)
        assert {o["token"]: o["leaves_qty"] for o in truth["orders"] if o["state"] != "REJECTED"} == client.leaves
        assert {s: [h["position"], h["cash"]] for s, h in truth["positions"].items()} == client.held
        open_on_feed = {o["order_id"]: o["leaves_qty"] for o in truth["orders"] if o["leaves_qty"]}
        assert {ref: book.orders[ref][3] for ref in open_on_feed} == open_on_feed
        assert all(o["qty"] >= o["cum_qty"] + o["leaves_qty"] for o in truth["orders"])
    for n in range(len(SYMBOLS)):
        rows = [venue.holdings(account)[n] for account in (flow, *clients)]
        assert [sum(column) for column in zip(*rows, strict=True)] == [0, 0]


def test_an_internal_order_shrinks_in_place_and_says_what_is_left():
    venue = new_venue()
    flow = venue.add_account(internal=True)
    venue.open_day(1)
    order = venue.submit(flow, 0, Side.BUY, 50_0000, 300, Tif.DAY, 2)
    venue.submit(flow, 0, Side.SELL, 50_0000, 50, Tif.IOC, 3)

    assert venue.leaves(order) == 250
    assert [venue.reduce(order, leaves, 4) for leaves in (250, 300, 100)] == [False, False, True]
    assert (venue.leaves(order), venue.touch(0, Side.BUY)) == (100, (50_0000, 100))
    assert [venue.reduce(order, 0, 5), venue.leaves(order), venue.reduce(order, 0, 6)] == [True, 0, False]
    told = [(m["type"], m.get("qty")) for m in published(venue)[-4:]]
    assert told == [("A", 300), ("E", 50), ("X", 150), ("D", None)]


def test_the_day_begins_with_a_directory_and_ends_with_the_end_of_messages():
    venue = new_venue()
    venue.open_day(5)
    venue.close_day(9)

    told = [(m["type"], m.get("symbol", "").strip(), m.get("event", m.get("state", ""))) for m in published(venue)]
    assert told == [
        ("S", "", "O"), ("R", "OBEL", ""), ("R", "RING", ""), ("H", "OBEL", "T"), ("H", "RING", "T"), ("S", "", "S"),
        ("S", "", "Q"), ("S", "", "M"), ("S", "", "E"), ("S", "", "C"),
    ]  # fmt: skip
    assert [m["ts"] for m in published(venue)] == [5] * 7 + [9] * 3


def test_before_and_after_the_day_orders_are_rejected_as_closed():
    venue = new_venue()
    account = venue.add_account(internal=False)
    venue.receive(account, ouch_encode_inbound(enter("A1")), 1)
    venue.open_day(2)
    venue.close_day(3)
    venue.receive(account, ouch_encode_inbound(enter("A2")), 4)

    assert [(m["type"], m.get("reason")) for m in reported(venue, account)] == [
        ("J", "C"), ("S", None), ("S", None), ("J", "C"),
    ]  # fmt: skip


def test_an_order_lives_for_its_seconds_and_time_never_goes_back():
    venue = new_venue()
    account = venue.add_account(internal=False)
    venue.open_day(0)
    venue.receive(account, ouch_encode_inbound(enter("A1", tif=2)), 1_000_000_000)
    venue.advance(2_999_999_999)
    assert venue.open_orders == 1
    venue.advance(500)
    venue.advance(3_000_000_000)

    last = reported(venue, account)[-1]
    assert (last["type"], last["reason"], last["ts"]) == ("C", "T", 3_000_000_000)
    assert ledger(venue, account, SYMBOLS)["orders"][0]["state"] == "EXPIRED"


def test_priority_is_kept_on_the_feed_when_a_replace_only_shrinks():
    venue = new_venue()
    account = venue.add_account(internal=False)
    venue.open_day(0)
    first = venue.itch_next
    terms = {"px": 50_0000, "tif": 99_998, "display": "Y", "iso": "N", "qty_min": 0}
    venue.receive(account, ouch_encode_inbound(enter("A1", qty=300)), 1)
    for prev, token, qty in (("A1", "A2", 200), ("A2", "A3", 400)):
        message = {"type": "U", "prev_token": prev.ljust(14), "token": token.ljust(14), "qty": qty, **terms}
        venue.receive(account, ouch_encode_inbound(message), 1)

    kinds = [itch_decode(venue.itch_message(n)) for n in range(first, venue.itch_next)]
    assert [(m["type"], m["qty"]) for m in kinds] == [("A", 300), ("X", 100), ("U", 400)]
    accepted, kept, lost = reported(venue, account)[1:]
    assert accepted["order_id"] == kept["order_id"] == kinds[2]["order_id"]
    assert lost["order_id"] == kinds[2]["new_order_id"]


def test_the_same_token_belongs_to_each_account_alone():
    venue = new_venue()
    accounts = [venue.add_account(internal=False) for _ in range(2)]
    venue.open_day(0)
    for account in accounts:
        venue.receive(account, ouch_encode_inbound(enter("A1")), 1)

    assert [[m["type"] for m in reported(venue, account)] for account in accounts] == [["S", "A"]] * 2


@pytest.mark.parametrize("message", [b"", b"?", b"O", b"X" + b" " * 17, b"X" + b" " * 19])
def test_what_is_no_ouch_message_changes_nothing(message):
    venue = new_venue()
    account = venue.add_account(internal=False)
    venue.open_day(0)

    assert not venue.receive(account, message, 1)
    assert venue.counters()["malformed"] == 1
    assert len(reported(venue, account)) == 1


def test_without_room_for_its_token_an_order_has_never_arrived():
    venue = new_venue(tokens_max=1)
    account = venue.add_account(internal=False)
    venue.open_day(0)
    for token in ("A1", "A2"):
        venue.receive(account, ouch_encode_inbound(enter(token)), 1)

    assert [m["type"] for m in reported(venue, account)] == ["S", "A"]
    assert venue.counters()["tokens_full"] == 1


def test_with_the_book_full_an_order_is_rejected():
    venue = new_venue(orders_max=1)
    account = venue.add_account(internal=False)
    venue.open_day(0)
    for token in ("A1", "A2"):
        venue.receive(account, ouch_encode_inbound(enter(token)), 1)

    assert [(m["type"], m.get("reason")) for m in reported(venue, account)][1:] == [("A", None), ("J", "O")]


def test_sequenced_packets_stop_at_the_bytes_asked_for():
    venue = new_venue()
    account = venue.add_account(internal=False)
    venue.open_day(0)
    venue.receive(account, ouch_encode_inbound(enter("A1")), 1)

    data, next_seq = venue.reports(account).sequenced(1, 13)
    assert (len(data), next_seq) == (13, 2)
    assert struct.unpack_from(">Hc", data) == (11, b"S")
    assert venue.reports(account).sequenced(2, 68) == (b"", 2)
    assert venue.reports(account).sequenced(9, 1000) == (b"", 9)
