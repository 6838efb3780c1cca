"""A tape whose orders are in the real book: alone it makes its own book; with others, what they take is missing."""

from collections import Counter
from itertools import groupby

import pytest
from tests.exchange.harness import Client, brief, exchange, run

from openbell._native import Books, VenueCore, itch_decode, itch_encode
from openbell.book import LEVEL
from openbell.errors import ConfigError
from openbell.exchange.config import ListedSettings, load_exchange
from openbell.exchange.lobster import itch_messages
from openbell.exchange.lobster_file import load_lobster
from openbell.exchange.tape_matching import COUNTED, TapeMatcher
from openbell.research.observed import records_of
from openbell.types import Side, Tif

BUY, SELL = Side.BUY, Side.SELL
OTHER = "RING"


class Played:
    """A venue, somebody who trades on it, and a tape that is matched."""

    def __init__(self):
        self.venue = VenueCore([("OBEL", 100, 100)], 0, 1_000_000, 1, 10_000_000)
        self.flow, self.other = self.venue.add_account(internal=True), self.venue.add_account(internal=True)
        self.venue.open_day(0)
        self.tape = TapeMatcher(self.venue, self.flow, [ListedSettings(symbol="OBEL")])
        self.now_ns = 0
        self.says("R", symbol="OBEL")

    def says(self, kind, **fields):
        self.now_ns += 1
        head = {"type": kind, "locate": 7, "tracking": 0, "ts": self.now_ns}
        self.tape.play([itch_encode({**head, **fields})], self.now_ns)

    def add(self, order_id, side, px, qty):
        self.says("A", order_id=order_id, side=side, qty=qty, symbol="OBEL", px=px)

    def execute(self, order_id, qty):
        self.says("E", order_id=order_id, qty=qty, match_id=1)

    def enter(self, side, px, qty, tif=Tif.DAY):
        self.now_ns += 1
        return self.venue.submit(self.other, 0, side, px, qty, tif, self.now_ns)

    def touches(self):
        return self.venue.touch(0, BUY), self.venue.touch(0, SELL)

    def position(self):
        return self.venue.holdings(self.other)[0][0]

    def counts(self):
        return {name: count for name, count in self.tape.counts.items() if count}


def test_a_real_day_that_nobody_trades_with_makes_its_own_book_row_by_row(shared_data):
    day = load_lobster(shared_data / "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip")
    venue = VenueCore([("AMZN", 100, 100)], 0, 1 << 18, 1, 1_000_000)
    tape = TapeMatcher(venue, venue.add_account(internal=True), [ListedSettings(symbol="AMZN")])
    venue.open_day(0)
    opened = venue.itch_next
    ends = []
    rows = groupby(itch_messages(day), key=lambda timed: (timed[0], timed[1][3:5]))
    for (ns, _), messages in rows:
        tape.play([message for _, message in messages], ns)
        ends.append(venue.itch_next - opened)

    records = records_of(venue.itch_message, venue.itch_next - 1, "AMZN")
    books, at = Books(1, 1 << 18), 0
    books.add_instrument(0)
    skipped = venue.itch_next - 1 - len(records) - opened + 1  # those that make no record
    for row, end in enumerate(ends[1:]):  # the first group is the start of the day
        books.apply(records[at : end - skipped])
        at = end - skipped
        if row % 16 and row < len(day) - 1:
            continue
        shown = day.book[row].reshape(-1, 4)
        for side, columns in ((SELL, (0, 1)), (BUY, (2, 3))):
            levels = books.depth(0, side, day.levels).view(LEVEL)[:, 0]
            wanted = [tuple(level) for level in shown[:, columns].tolist() if level[1]]
            assert [(int(x["px"]), int(x["qty"])) for x in levels] == wanted, f"row {row}"
    counts = tape.counts
    assert (counts["executed"], counts["hidden"]) == (8_974, 2_445)
    assert not any(counts[name] for name in ("short", "gone", "refused", "crossed"))
    assert venue.holdings(0) == [(0, 0)]


def test_an_execution_is_an_aggressor_that_meets_who_is_first():
    at = Played()
    at.enter(SELL, 50_0000, 100)
    at.add(1, "S", 50_0000, 300)
    at.enter(SELL, 50_0000, 50)
    at.execute(1, 300)

    # The first 100 went to the account in front; the tape's order is gone all the same, the one behind stays.
    assert at.position() == -100
    assert at.touches() == ((0, 0), (50_0000, 50))
    assert at.counts() == {"entered": 1, "executed": 1, "displaced": 1}


def test_an_execution_finds_a_better_price_first_and_nothing_beyond_its_own():
    at = Played()
    at.add(1, "B", 49_0000, 300)
    at.add(2, "B", 49_0000, 100)
    at.enter(BUY, 49_0100, 100)
    at.enter(BUY, 48_9900, 500)
    at.execute(1, 300)  # 100 of the account's, 200 of the order, which then leaves
    assert (at.position(), at.touches()[0]) == (100, (49_0000, 100))
    at.enter(SELL, 49_0000, 100, Tif.IOC)
    at.execute(2, 100)

    assert at.touches() == ((48_9900, 500), (0, 0))
    assert at.counts() == {"entered": 2, "executed": 1, "displaced": 1, "short": 1}


def test_what_others_have_taken_cannot_be_canceled_reduced_or_replaced():
    at = Played()
    for order_id in (1, 2, 3):
        at.add(order_id, "S", 50_0000, 100)
    at.enter(BUY, 50_0000, 300, Tif.IOC)
    at.says("D", order_id=1)
    at.says("X", order_id=2, qty=40)
    at.says("U", order_id=3, new_order_id=4, qty=80, px=50_0100)
    at.says("D", order_id=4)

    assert at.touches() == ((0, 0), (0, 0))
    assert at.counts() == {"entered": 3, "gone": 4}


def test_an_order_that_others_made_smaller_is_never_more_than_its_tape_says_and_never_more_than_is_left():
    at = Played()
    at.add(1, "S", 50_0000, 300)
    at.enter(BUY, 50_0000, 200, Tif.IOC)
    at.says("X", order_id=1, qty=100)
    assert at.touches()[1] == (50_0000, 100)
    at.says("X", order_id=1, qty=150)
    assert at.touches()[1] == (50_0000, 50)
    at.says("U", order_id=1, new_order_id=2, qty=400, px=50_0200)

    # The tape has 50 left, we have 50: nothing is missing in the new one.
    assert at.touches()[1] == (50_0200, 400)
    at.enter(BUY, 50_0200, 100, Tif.IOC)
    at.says("U", order_id=2, new_order_id=3, qty=500, px=50_0300)
    assert at.touches()[1] == (50_0300, 400)


def test_an_order_that_meets_somebody_elses_price_trades_at_once():
    at = Played()
    at.enter(SELL, 49_9900, 100)
    at.add(1, "B", 50_0000, 300)
    at.execute(1, 200)

    # It bought 100 at once, so the aggressor of 200 finds all of the rest; on the tape 100 would stay.
    assert at.position() == -100
    assert at.touches() == ((0, 0), (0, 0))
    assert at.counts() == {"entered": 1, "crossed": 1, "executed": 1}


def test_orders_of_the_tape_stand_for_each_other_when_it_executes_out_of_turn():
    at = Played()
    at.add(1, "S", 50_0000, 100)
    at.add(2, "S", 50_0000, 300)
    at.execute(2, 200)  # the engine takes 100 of the first and 100 of the second

    assert at.touches()[1] == (50_0000, 200)
    at.says("D", order_id=1)
    assert at.touches()[1] == (50_0000, 100)
    at.says("D", order_id=2)
    assert at.touches()[1] == (0, 0)
    assert at.counts() == {"entered": 2, "executed": 1, "displaced": 1, "canceled": 2}


def test_what_is_not_ours_to_match_is_ignored_or_refused_and_counted():
    at = Played()
    at.says("S", event="Q")
    at.says("P", side="B", qty=10, symbol="OBEL", px=50_0000, match_id=1)
    at.tape.play([itch_encode({"type": "A", "locate": 8, "tracking": 0, "ts": 9, "order_id": 5, "side": "B",
                               "qty": 10, "symbol": OTHER, "px": 50_0000}), b"?", b""], 9)  # fmt: skip
    for kind, fields in (("D", {}), ("X", {"qty": 1}), ("E", {"qty": 1, "match_id": 1})):
        at.says(kind, order_id=99, **fields)
    at.says("U", order_id=99, new_order_id=98, qty=1, px=50_0000)
    at.add(1, "B", 50_0050, 100)

    assert at.counts() == {"ignored": 8, "hidden": 1, "refused": 1}
    assert set(at.tape.counts) == set(COUNTED)


def test_a_halt_on_the_tape_is_a_halt_of_the_venue():
    at = Played()
    at.says("H", symbol="OBEL", state="T")
    before = at.venue.itch_next
    at.says("H", symbol="OBEL", state="H")
    at.add(1, "B", 50_0000, 100)
    at.says("H", symbol="OBEL", state="T")
    at.add(2, "B", 50_0000, 100)

    told = [itch_decode(at.venue.itch_message(n)) for n in range(before, at.venue.itch_next)]
    assert [(m["type"], m.get("state")) for m in told] == [("H", "H"), ("H", "T"), ("A", None)]
    assert at.counts() == {"refused": 1, "entered": 1}


# ---- the server --------------------------------------------------------------------------------------------


def tape_file(tmp_path):
    """Two sides, a second apart executions of the ask, and at last its delete."""
    head = {"locate": 1, "tracking": 0}
    messages = [
        {"type": "R", **head, "ts": 0, "symbol": "OBEL"},
        {"type": "A", **head, "ts": 10, "order_id": 1, "side": "B", "qty": 1000, "symbol": "OBEL", "px": 50_0000},
        {"type": "A", **head, "ts": 10, "order_id": 2, "side": "S", "qty": 1000, "symbol": "OBEL", "px": 50_0100},
        *({"type": "E", **head, "ts": n * 1_000_000, "order_id": 2, "qty": 1, "match_id": n} for n in range(1, 900)),
    ]
    path = tmp_path / "small.itch"
    path.write_bytes(b"".join(len(m).to_bytes(2, "big") + m for m in map(itch_encode, messages)))
    return str(path)


def test_accounts_trade_with_a_matched_tape(tmp_path):
    async def conversation():
        flow = {"kind": "itch", "path": tape_file(tmp_path), "mode": "match", "speed": 10.0}
        async with exchange(flow=flow) as server:
            await server.flow_done.wait()
            client = await Client.login(server)
            await client.replay()
            client.enter("A1", "B", qty=50, px=50_0100)

            assert [brief(r) for r in await client.reports(2)] == [
                ("A", "A1", 50, 50_0100),
                ("E", "A1", 50, 50_0100, "R"),
            ]
            status = server.answer({"verb": "status"})
            assert status["flow"]["messages"] == 902
            assert (status["flow"]["entered"], status["flow"]["executed"]) == (2, 899)
            held = [row["OBEL"] for row in status["holdings"].values()]
            assert sum(h["position"] for h in held) == sum(h["cash"] for h in held) == 0

    run(conversation)


def test_agents_trade_beside_a_tape_around_its_prices(tmp_path):
    async def conversation():
        beside = {"kind": "agents", "preset": "steady", "agents": {"traders": {"events_per_s": 2_000.0}}}
        flow = {"kind": "itch", "path": tape_file(tmp_path), "mode": "match", "speed": 1.0, "beside": beside}
        async with exchange(flow=flow, instruments=[{"symbol": "OBEL", "px": "99.00"}]) as server:
            await server.flow_done.wait()
            open_orders = server.venue.open_orders
            messages = [itch_decode(server.venue.itch_message(n)) for n in range(1, server.venue.itch_next)]

        prices = [m["px"] for m in messages if m["type"] == "A"]
        assert open_orders > 50
        assert len(prices) > 200
        assert all(40_0000 < px < 60_0000 for px in prices)
        assert Counter(m["type"] for m in messages)["E"] > 500

    run(conversation)


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ('mode = "both"', "'pass' or 'match'"),
        ('beside = {kind = "agents", preset = "steady"}', 'mode = "match" with [flow.beside]'),
        ('mode = "match"\nspeed = 0.0\nbeside = {kind = "agents", preset = "steady"}', "a speed above 0"),
        ('mode = "match"\nbeside = {kind = "agents", preset = "calm"}', "one of large-tick"),
    ],
)
def test_a_tape_that_cannot_be_played_so_is_refused(tmp_path, flow, message):
    path = tmp_path / "exchange.toml"
    path.write_text(f'[[instruments]]\nsymbol = "OBEL"\n[flow]\nkind = "itch"\npath = "x.itch"\n{flow}\n')

    with pytest.raises(ConfigError) as caught:
        load_exchange(path)
    assert message in str(caught.value)
