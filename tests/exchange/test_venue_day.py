"""The day of the venue: phases by schedule and by people, auctions, imbalances, bands, the market-wide breaker."""

import pytest
from tests.exchange.harness import enter

from openbell._native import (
    Auction,
    BandRules,
    InstrumentRules,
    Phase,
    Protocol,
    ScheduleRules,
    StepKind,
    VenueCore,
    itch_decode,
    ouch50_decode_outbound,
    ouch50_encode_inbound,
    ouch_decode_outbound,
    ouch_encode_inbound,
    soup_packets,
)

S = 1_000_000_000
PX = 50_0000
MARKET = 0x7FFF_FFFF
CALL_AT, OPEN_AT, LATE_AT, CLOSE_AT = 10 * S, 12 * S, 90 * S, 100 * S


def step(at, kind, phase=Phase.CLOSED, interval=0):
    return (at, kind, phase, Auction.CLOSING, interval, "")


DAY = ScheduleRules(
    [
        step(CALL_AT, StepKind.PHASE, Phase.OPENING_CALL),
        step(OPEN_AT, StepKind.PHASE, Phase.CONTINUOUS),
        step(LATE_AT, StepKind.IMBALANCE, interval=4 * S),
        step(CLOSE_AT, StepKind.AUCTION),
        step(CLOSE_AT, StepKind.PHASE, Phase.CLOSED),
    ],
    S,
)


class Desk:
    """A venue with one instrument and two accounts, and what it has said since it was last asked."""

    def __init__(self, schedule=None, bands=None, protocol=Protocol.OUCH42, symbols=("OBEL",)):
        rules = [InstrumentRules(symbol, listed_px=PX) for symbol in symbols]
        self.venue = VenueCore(rules, 0, 1000, 10_000, 100_000)
        if schedule:
            self.venue.set_schedule(None, schedule)
        if bands:
            self.venue.set_bands(0, bands)
        self.accounts = [self.venue.add_account(protocol=protocol) for _ in range(2)]
        self.decode = ouch_decode_outbound if protocol == Protocol.OUCH42 else ouch50_decode_outbound
        self.read = [1, 1, 1]

    def order(self, now, token, side, qty, px, *, account=0, **words):
        message = enter(token, side, qty, px, **words)
        assert self.venue.receive(self.accounts[account], ouch_encode_inbound(message), now)

    def feed(self):
        """(type, then what the type is about) of every new message."""
        new = [itch_decode(self.venue.itch_message(n)) for n in range(self.read[2], self.venue.itch_next)]
        self.read[2] = self.venue.itch_next
        keys = {"H": ("state", "reason"), "S": ("event",), "A": ("side", "qty", "px"), "Q": ("qty", "px", "cross"),
                "I": ("paired_qty", "imbalance_qty", "direction", "near_px", "cross"), "E": ("qty",), "D": (),
                "C": ("qty", "printable", "px"), "J": ("lower_px", "upper_px", "extensions"), "W": ("level",), "R": (),
                "V": ("level1_px8",), "U": ("qty", "px"), "P": ("qty", "px"), "X": ("qty",)}  # fmt: skip
        return [(m["type"], *(v.strip() if isinstance(v := m[k], str) else v for k in keys[m["type"]])) for m in new]

    def told(self, account=0):
        data, self.read[account] = self.venue.reports(self.accounts[account]).sequenced(self.read[account], 1 << 20)
        keys = {"A": ("qty",), "E": ("qty", "px", "liquidity"), "C": ("qty", "reason"), "J": ("reason",),
                "S": ("event",), "T": ("px",)}  # fmt: skip
        reports = [self.decode(payload) for _, payload in soup_packets(data, 1000)[0]]
        return [(r["type"], r.get("token", "").strip(), *(r[key] for key in keys[r["type"]])) for r in reports]


def test_a_scheduled_day_goes_through_its_phases_at_their_times():
    desk = Desk(DAY)
    desk.venue.open_day(1)
    assert desk.feed() == [("S", "O"), ("R",), ("H", "H", ""), ("S", "S")]

    desk.venue.advance(11 * S)
    quiet = (0, 0, "N", 0, "O")
    assert desk.feed() == [("H", "Q", ""), ("I", *quiet), ("I", *quiet)]
    desk.venue.advance(13 * S)
    assert desk.feed() == [("Q", 0, 0, "O"), ("H", "T", ""), ("S", "Q")]
    desk.venue.advance(CLOSE_AT)
    assert desk.feed() == [("I", 0, 0, "N", 0, "C")] * 3 + [("Q", 0, 0, "C"), ("S", "M")]  # at 90, 94, 98 s
    desk.venue.close_day(101 * S)
    assert desk.feed() == [("S", "E"), ("S", "C")]


def test_what_was_due_happened_at_its_own_time():
    desk = Desk(DAY)
    desk.venue.open_day(1)
    desk.venue.advance(13 * S)

    phases = [itch_decode(desk.venue.itch_message(n)) for n in range(5, desk.venue.itch_next)]
    assert [(m["type"], m["ts"]) for m in phases if m["type"] in "HQS"] == [
        ("H", CALL_AT), ("Q", OPEN_AT), ("H", OPEN_AT), ("S", OPEN_AT),
    ]  # fmt: skip


def test_an_exchange_that_starts_late_goes_where_the_day_is():
    desk = Desk(DAY)
    desk.venue.open_day(50 * S)

    assert desk.feed() == [("S", "O"), ("R",), ("H", "Q", ""), ("Q", 0, 0, "O"), ("H", "T", ""), ("S", "S"), ("S", "Q")]
    assert desk.venue.phase(0) == Phase.CONTINUOUS


def test_the_opening_auction_fills_at_one_price_and_shows_what_stays():
    desk = Desk(DAY)
    desk.venue.open_day(1)
    desk.order(2, "EARLY", "B", 100, PX)
    desk.order(CALL_AT, "B1", "B", 300, PX + 100)
    desk.order(CALL_AT, "B2", "B", 100, PX - 500)
    desk.order(CALL_AT, "OPG", "S", 500, PX, account=1, cross="O")
    desk.order(CALL_AT, "MOO", "B", 100, MARKET, cross="O")
    desk.feed(), desk.told(), desk.told(1)
    desk.venue.advance(CALL_AT + S)
    assert desk.feed() == [("I", 400, 100, "S", PX, "O")]
    desk.venue.advance(OPEN_AT)

    assert desk.feed() == [("Q", 400, PX, "O"), ("H", "T", ""), ("A", "B", 100, PX - 500), ("S", "Q")]
    assert desk.told() == [("E", "MOO", 100, PX, "O"), ("E", "B1", 300, PX, "O")]
    assert desk.told(1) == [("E", "OPG", 100, PX, "O"), ("E", "OPG", 300, PX, "O"), ("C", "OPG", 100, "C")]


def test_the_closing_auction_meets_the_book_and_tells_the_displayed_by_c():
    desk = Desk(DAY)
    desk.venue.open_day(1)
    desk.venue.advance(OPEN_AT)
    desk.order(13 * S, "B1", "B", 100, PX)
    desk.order(14 * S, "LOC", "S", 300, PX - 100, account=1, cross="C")
    desk.feed(), desk.told(), desk.told(1)
    desk.venue.advance(CLOSE_AT - 1)
    assert desk.feed() == [("I", 100, 200, "S", PX - 100, "C")] * 3
    desk.venue.advance(CLOSE_AT)

    assert desk.feed() == [("C", 100, "N", PX - 100), ("Q", 100, PX - 100, "C"), ("S", "M")]
    assert desk.told() == [("E", "B1", 100, PX - 100, "C")]
    assert desk.told(1) == [("E", "LOC", 100, PX - 100, "C"), ("C", "LOC", 200, "C")]


def test_at_the_close_day_orders_end():
    desk = Desk(DAY)
    desk.venue.open_day(1)
    desk.venue.advance(OPEN_AT)
    desk.order(13 * S, "B1", "B", 100, PX)
    desk.venue.close_day(20 * S)

    assert desk.told() == [("S", "", "S"), ("A", "B1", 100), ("C", "B1", 100, "E"), ("S", "", "E")]
    desk.order(21 * S, "B2", "B", 100, PX)
    assert desk.told() == [("J", "B2", "C")]


def test_who_is_halted_by_people_waits_and_goes_on_where_the_day_has_come_to():
    desk = Desk(DAY)
    desk.venue.open_day(1)
    desk.venue.advance(CALL_AT)
    desk.venue.set_state(0, "H", 11 * S)
    desk.venue.advance(30 * S)
    assert desk.venue.phase(0) == Phase.HALTED
    desk.feed()
    desk.order(31 * S, "B1", "B", 100, PX)
    assert desk.told()[-1] == ("J", "B1", "H")

    desk.venue.set_state(0, "T", 40 * S)
    assert desk.venue.phase(0) == Phase.CONTINUOUS
    assert desk.feed()[-2:] == [("H", "T", ""), ("S", "Q")]


def test_the_close_comes_for_the_halted_too():
    desk = Desk(DAY)
    desk.venue.open_day(1)
    desk.venue.advance(OPEN_AT)
    desk.order(13 * S, "B1", "B", 100, PX)
    desk.venue.set_state(0, "H", 20 * S)
    desk.venue.advance(CLOSE_AT)

    assert desk.venue.phase(0) == Phase.CLOSED
    assert desk.told()[-1] == ("C", "B1", 100, "E")


def test_a_reopening_collects_and_crosses():
    desk = Desk()
    desk.venue.open_day(1)
    desk.order(2, "TOO", "B", 100, PX, cross="H")
    assert desk.told()[-1] == ("J", "TOO", "R")
    desk.venue.set_state(0, "H", 10)
    desk.venue.set_state(0, "Q", 20)
    desk.order(21, "B1", "B", 200, PX + 100, cross="H")
    desk.order(22, "S1", "S", 100, PX, account=1)
    desk.feed(), desk.told(), desk.told(1)
    desk.venue.set_state(0, "T", 30)

    assert desk.feed() == [("Q", 100, PX + 100, "H"), ("H", "T", ""), ("A", "B", 100, PX + 100)]
    assert desk.told() == [("E", "B1", 100, PX + 100, "H")]
    assert desk.told(1) == [("E", "S1", 100, PX + 100, "H")]


BANDS = BandRules([(0, 500, 0, False)], limit_ns=15 * S, pause_ns=300 * S, collar_bps=500)


def open_with_bands(**words):
    """Trade once at PX, so that the bands stand 5 % around it."""
    desk = Desk(bands=BANDS, **words)
    desk.venue.open_day(0)
    desk.order(S, "S0", "S", 100, PX, account=1)
    desk.order(S, "B0", "B", 100, PX)
    desk.feed(), desk.told(), desk.told(1)
    return desk


def test_nothing_trades_outside_the_bands():
    desk = open_with_bands()
    desk.order(2 * S, "B1", "B", 100, 2 * PX)
    desk.order(3 * S, "S1", "S", 100, PX // 2, account=1)

    assert desk.feed() == [("A", "B", 100, PX * 105 // 100), ("E", 100)]
    assert desk.told(1) == [("A", "S1", 100), ("E", "S1", 100, PX * 105 // 100, "R")]


def test_the_limit_state_pauses_trading_and_a_reopening_ends_it():
    desk = open_with_bands()
    upper = PX * 105 // 100
    desk.order(2 * S, "B1", "B", 100, upper)
    desk.venue.advance(2 * S + 15 * S)
    assert desk.feed() == [
        ("A", "B", 100, upper), ("H", "P", "LUDP"), ("J", 47_5000, 52_5000, 0), ("I", 0, 0, "N", 0, "H"),
    ]  # fmt: skip

    desk.order(100 * S, "S1", "S", 300, upper, account=1)
    desk.told(), desk.told(1), desk.feed()
    desk.venue.advance(17 * S + 300 * S)
    said = [row for row in desk.feed() if row[0] != "I"]
    assert said == [("C", 100, "N", upper), ("Q", 100, upper, "H"), ("H", "T", ""), ("A", "S", 200, upper)]
    assert desk.told() == [("E", "B1", 100, upper, "H")]
    desk.order(400 * S, "B2", "B", 100, 2 * PX)  # the bands are those of the auction's price
    assert desk.feed() == [("E", 100)]


def test_a_price_outside_its_collar_extends_the_call():
    desk = open_with_bands()
    desk.order(2 * S, "B1", "B", 100, PX * 105 // 100)
    desk.venue.advance(17 * S)
    desk.order(20 * S, "B2", "B", 100, 60_0000)
    desk.order(20 * S, "S2", "S", 100, 60_0000, account=1)
    desk.feed()
    desk.venue.advance(17 * S + 300 * S)
    assert [row for row in desk.feed() if row[0] != "I"] == [("J", 45_0000, 55_0000, 1)]
    assert desk.venue.phase(0) == Phase.REOPENING_CALL


def test_an_order_that_a_band_moves_is_told_so():
    desk = Desk(bands=BandRules([(0, 500, 0, False)], hold_ns=0, move_bps=1))
    desk.venue.open_day(0)
    for at, px in ((S, PX), (2 * S, 48_0000)):
        desk.order(at, f"S{px}", "S", 100, px, account=1)
        desk.order(at, f"B{px}", "B", 100, px)
    desk.order(2 * S + 1, "HIGH", "B", 100, 52_0000)
    desk.told(), desk.feed()
    desk.venue.advance(3 * S)  # the mean is 49 now, and the upper band 51.45

    assert desk.feed() == [("U", 100, 51_4500)]
    assert desk.told() == [("T", "HIGH", 51_4500)]


def test_a_fall_of_the_index_halts_the_whole_venue():
    desk = Desk(symbols=("OBEL", "RING"))
    desk.venue.set_breaker(1_000_00000000)
    desk.venue.open_day(1)
    assert ("V", 930_00000000) in desk.feed()
    desk.venue.index(931_00000000, 2)
    assert desk.feed() == []
    desk.venue.index(930_00000000, 3 * S)
    assert desk.feed() == [("W", "1"), ("H", "H", "MWC1"), ("H", "H", "MWC1")]

    desk.venue.advance(3 * S + 900 * S)
    assert [row for row in desk.feed() if row[0] == "H"] == [("H", "Q", "")] * 2
    desk.venue.advance(3 * S + 900 * S + 300 * S)
    assert [row for row in desk.feed() if row[0] == "H"] == [("H", "T", "")] * 2


@pytest.mark.parametrize("display", ["N", "Y"])
def test_a_hidden_order_that_trades_is_a_trade_message(display):
    desk = Desk()
    desk.venue.open_day(0)
    desk.order(1, "S1", "S", 100, PX, account=1, display=display)
    desk.order(2, "B1", "B", 100, PX)

    shown = [("A", "S", 100, PX), ("E", 100)]
    assert desk.feed()[5:] == ([("P", 100, PX)] if display == "N" else shown)
    assert desk.told(1)[-1] == ("E", "S1", 100, PX, "J" if display == "N" else "A")


def test_an_iceberg_of_ouch_50_is_restated_slice_by_slice():
    desk = Desk(protocol=Protocol.OUCH50)
    desk.venue.open_day(0)
    order = {"type": "O", "side": "S", "symbol": "OBEL    ", "px": PX, "tif": "0", "display": "Y", "capacity": "P",
             "iso": "N", "cross": "N", "cl_ord_id": " " * 14}  # fmt: skip
    iceberg = {**order, "user_ref": 1, "qty": 300, "options": {"max_floor": 100}}
    desk.venue.receive(desk.accounts[1], ouch50_encode_inbound(iceberg), 1)
    desk.feed()
    desk.venue.receive(desk.accounts[0], ouch50_encode_inbound({**order, "user_ref": 1, "side": "B", "qty": 150}), 2)

    assert desk.feed() == [("E", 100), ("A", "S", 100, PX), ("E", 50)]
    data, _ = desk.venue.reports(desk.accounts[1]).sequenced(1, 1 << 20)
    told = [ouch50_decode_outbound(payload) for _, payload in soup_packets(data, 1000)[0]]
    assert [m["type"] for m in told] == ["S", "A", "E", "R", "E"]
    assert told[1]["options"] == {"max_floor": 100}
    slices = [itch_decode(desk.venue.itch_message(n)) for n in range(1, desk.venue.itch_next)]
    second = [m["order_id"] for m in slices if m["type"] == "A"][1]
    assert told[3]["options"] == {"display_qty": 100, "secondary_order_id": second}
