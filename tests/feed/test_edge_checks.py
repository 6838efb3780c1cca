"""native/feed/edge_checks.h: what a feed's edge finds fault with, and what becomes of it before the journal."""

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from itch_messages import messages
from openbell import _native as native
from openbell.types import NO_INSTRUMENT, RECORDS, Check, CheckPolicy, Type
from oracles import edge_checks, itch
from oracles import itch_feed as oracle

MARK, DROP, HALT = CheckPolicy.MARK, CheckPolicy.DROP, CheckPolicy.HALT
BUY, WHOLE, DROPPED, INVALIDATES = 1, 2, 32, 64
MIDNIGHT = 1_580_360_400_000_000_000
OF_EDGE = [Check.PX_BAND, Check.PX_TICK, Check.QTY_BAND, Check.QTY_LOT, Check.CLOCK_BACK, Check.MALFORMED]


class Feed:
    """A feed of ALC (locate 1) at 100.00 or so, with the policies and limits that a test gives it."""

    def __init__(self, policies: dict[Check, CheckPolicy], **limits: int) -> None:
        config = native.EdgeConfig()
        config.policies = with_policies(config.policies, policies)
        config.left_out_max = limits.pop("left_out_max", 8)
        config.clock_back_ns = limits.pop("clock_back_ns", 0)
        config.add_limits("ALC", **limits)
        self.native = native.ItchFeed([], MIDNIGHT, checks=config)
        self.ts = 1_000
        self.hear(type="R", symbol="ALC")

    def hear(self, **fields: Any) -> None:
        self.ts += 1
        self.native.push(native.itch_encode({"locate": 1, "ts": self.ts} | fields))

    def add(self, order_id: int, px: int, qty: int = 100, side: str = "B") -> None:
        self.hear(type="A", order_id=order_id, px=px, qty=qty, side=side, symbol="ALC")

    def replace(self, order_id: int, new_order_id: int, px: int, qty: int = 100) -> None:
        self.hear(type="U", order_id=order_id, new_order_id=new_order_id, px=px, qty=qty)

    def take(self) -> list[tuple[int, ...]]:
        """(type, flags, order_id, px, qty, ref) of the records since the last call."""
        return [(row[0], row[1], *row[5:]) for row in rows_of(self.native)]

    def asides(self) -> list[edge_checks.Aside]:
        return asides_of(self.native)


def with_policies(policies: list[int], changed: dict[Check, CheckPolicy]) -> list[int]:
    return [int(changed.get(Check(n), CheckPolicy(policy))) if n in list(Check) else policy
            for n, policy in enumerate(policies)]  # fmt: skip


def rows_of(feed: native.ItchFeed) -> list[tuple[int, ...]]:
    return [tuple(row) for row in np.frombuffer(feed.take_markets(), RECORDS["Market"]).tolist()]


def asides_of(feed: native.ItchFeed) -> list[edge_checks.Aside]:
    found = np.frombuffer(feed.take_quarantined(), RECORDS["Quarantined"])
    return [
        (int(q["flags"]), int(q["check"]), int(q["instrument"]), int(q["ts_event"]), int(q["count"]),
         bytes(q["bytes"])[: q["length"]])
        for q in found
    ]  # fmt: skip


def added(order_id: int, px: int, qty: int = 100, flags: int = BUY) -> tuple[int, ...]:
    return (Type.BOOK_ADD, flags, order_id, px, qty, 0)


# ---- each check, marked -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "limits", "good", "bad"),
    [
        (Check.PX_BAND, {"px_low": 900_000, "px_high": 1_100_000}, (900_000, 100), (899_999, 100)),
        (Check.PX_BAND, {"px_low": 900_000, "px_high": 1_100_000}, (1_100_000, 100), (1_100_001, 100)),
        (Check.PX_TICK, {"tick": 100}, (1_000_000, 100), (1_000_050, 100)),
        (Check.PX_TICK, {"tick": 100}, (9_999, 100), (10_001, 100)),
        (Check.QTY_BAND, {"qty_max": 500}, (1_000_000, 500), (1_000_000, 501)),
        (Check.QTY_BAND, {}, (1_000_000, 2**32 - 1), (1_000_000, 0)),
        (Check.QTY_LOT, {"lot": 100}, (1_000_000, 300), (1_000_000, 150)),
    ],
)
def test_a_mark_is_told_beside_the_record(
    check: Check, limits: dict[str, int], good: tuple[int, int], bad: tuple[int, int]
):
    feed = Feed({check: MARK}, **limits)

    feed.add(1, *good)
    feed.add(2, *bad)

    assert feed.take() == [added(1, *good), added(2, *bad), (Type.FEED_CHECK, 0, 2, *bad, check)]
    assert feed.native.checks["failed"][check] == 1
    assert feed.asides() == []


def test_a_price_far_from_the_last_print_is_found_and_the_band_goes_along():
    feed = Feed({Check.PX_BAND: MARK}, band_bps=1_000)

    def odd(px: int) -> bool:
        feed.add(7, px)
        return len(feed.take()) == 2

    def print_at(px: int) -> None:
        feed.hear(type="P", px=px, qty=1, side="B", symbol="ALC")
        feed.take()

    assert not odd(5_000_000)  # nothing was traded yet
    print_at(1_000_000)
    assert [odd(px) for px in (899_999, 900_000, 1_100_000, 1_100_001)] == [True, False, False, True]
    print_at(5_000_000)  # one bad print moves the band by its own width
    assert [odd(px) for px in (989_999, 990_000, 1_210_000, 1_210_001)] == [True, False, False, True]


def test_the_band_never_leaves_the_absolute_one():
    feed = Feed({Check.PX_BAND: MARK}, band_bps=1_000, px_low=950_000, px_high=1_050_000)

    feed.hear(type="P", px=5_000_000, qty=1, side="B", symbol="ALC")
    feed.hear(type="P", px=1_000_000, qty=1, side="B", symbol="ALC")
    feed.take()
    feed.add(1, 949_900)
    feed.add(2, 1_050_000)

    assert [row[0] for row in feed.take()] == [Type.BOOK_ADD, Type.FEED_CHECK, Type.BOOK_ADD]


def test_a_directory_that_is_said_again_leaves_the_band_where_it_is():
    feed = Feed({Check.PX_BAND: MARK}, band_bps=1_000)

    feed.hear(type="P", px=1_000_000, qty=1, side="B", symbol="ALC")
    feed.hear(type="R", symbol="ALC")
    feed.add(1, 5_000_000)

    assert [row[0] for row in feed.take()] == [Type.TRADE, Type.BOOK_ADD, Type.FEED_CHECK]


def test_a_clock_that_goes_back_is_told_once_and_within_its_tolerance_not():
    feed = Feed({}, clock_back_ns=10)

    for ts in (2_000, 1_990, 1_979, 1_980):
        feed.hear(type="D", order_id=1, ts=ts)

    assert [row[0] for row in feed.take()] == [Type.BOOK_CANCEL] * 3 + [Type.FEED_CHECK, Type.BOOK_CANCEL]


def test_a_snapshot_is_of_earlier_moments():
    feed = Feed({})

    feed.native.begin_snapshot()
    feed.hear(type="D", order_id=1, ts=5)
    feed.native.end_snapshot()
    feed.hear(type="D", order_id=1)

    assert [row[0] for row in feed.take()] == [Type.BOOK_CANCEL] * 2


@pytest.mark.parametrize(
    ("message", "instrument", "ts"),
    [(b"", NO_INSTRUMENT, 0), (b"A\0", NO_INSTRUMENT, 0), (b"A\0\1", 0, 0), (b"S\0\1", NO_INSTRUMENT, 0),
     (b"D\0\1\0\0\0\0\0\0\0\7", 0, MIDNIGHT + 7)],
)  # fmt: skip
def test_a_message_that_cannot_be_read_halts_what_it_concerns(message: bytes, instrument: int, ts: int):
    feed = Feed({})

    feed.native.push(message)

    said = (int(Type.FEED_CHECK), DROPPED | INVALIDATES, 0, instrument, ts, 0, 0, 0, int(Check.MALFORMED))
    assert rows_of(feed.native) == [said]
    assert feed.asides() == [(DROPPED | INVALIDATES, Check.MALFORMED, instrument, ts, 1, message)]


# ---- orders that are left out -----------------------------------------------------------------------


def test_what_is_said_of_an_order_that_was_dropped_is_left_out_too():
    feed = Feed({Check.PX_BAND: DROP}, px_high=1_100_000)

    feed.add(1, 5_000_000, 100)
    feed.hear(type="X", order_id=1, qty=30)
    feed.hear(type="E", order_id=1, qty=70, match_id=1)  # it is gone
    feed.hear(type="D", order_id=1)

    assert feed.take() == [(Type.BOOK_CANCEL, WHOLE, 1, 0, 0, 0)]
    ((flags, check, *_, count, message),) = feed.asides()
    assert (flags, check, count, message[:1]) == (DROPPED, Check.PX_BAND, 1, b"A")
    assert feed.native.checks["follow_ups"] == 2


def test_an_order_that_was_dropped_comes_back_when_it_is_replaced_by_a_good_one():
    feed = Feed({Check.PX_BAND: DROP}, px_high=1_100_000)

    feed.add(1, 5_000_000, side="S")
    feed.replace(1, 2, px=1_000_000, qty=60)

    assert feed.take() == [added(2, 1_000_000, 60, flags=0)]


def test_a_replacement_that_is_dropped_takes_its_order_out_of_the_book():
    feed = Feed({Check.PX_BAND: DROP}, px_high=1_100_000)

    feed.add(1, 1_000_000)
    feed.replace(1, 2, px=5_000_000)
    feed.hear(type="X", order_id=2, qty=10)

    assert feed.take() == [added(1, 1_000_000), (Type.BOOK_CANCEL, WHOLE, 1, 0, 0, 0)]


def test_nobody_knows_the_side_of_a_replacement_that_comes_back():
    feed = Feed({Check.PX_BAND: DROP}, px_high=1_100_000)

    feed.replace(1, 2, px=5_000_000)
    feed.replace(2, 3, px=1_000_000)
    feed.hear(type="D", order_id=3)

    told = (Type.FEED_CHECK, DROPPED | INVALIDATES, 2, 1_000_000, 100, Check.UNKNOWN_ORDER)
    assert feed.take() == [(Type.BOOK_CANCEL, WHOLE, 1, 0, 0, 0), told]


def test_without_room_to_remember_an_order_its_book_is_halted_instead():
    feed = Feed({Check.PX_BAND: DROP}, px_high=1_100_000, left_out_max=1)

    feed.add(1, 5_000_000)
    feed.add(2, 5_000_000)

    assert feed.take() == [
        added(2, 5_000_000), (Type.FEED_CHECK, INVALIDATES, 2, 5_000_000, 100, Check.PX_BAND),
    ]  # fmt: skip
    assert feed.native.checks["no_room"] == 1


def test_what_takes_from_the_book_is_never_left_out():
    feed = Feed({Check.PX_BAND: DROP}, px_high=1_100_000)

    feed.hear(type="C", order_id=1, qty=10, px=5_000_000, printable="Y", match_id=1)

    assert [(row[0], row[1]) for row in feed.take()] == [(Type.BOOK_EXECUTE, 8), (Type.FEED_CHECK, 0)]


def test_an_execution_of_nothing_is_dropped():
    feed = Feed({Check.QTY_BAND: DROP})

    feed.hear(type="E", order_id=1, qty=0, match_id=1)

    assert feed.take() == []
    assert len(feed.asides()) == 1


def test_a_new_snapshot_says_anew_which_orders_are_left_out():
    feed = Feed({Check.PX_BAND: DROP}, px_high=1_100_000)
    feed.add(1, 5_000_000)

    feed.native.begin_snapshot()
    feed.hear(type="D", order_id=1)

    assert feed.take() == [(Type.BOOK_CANCEL, WHOLE, 1, 0, 0, 0)]


def test_the_strictest_policy_decides_and_every_failure_is_counted():
    feed = Feed({Check.PX_BAND: DROP, Check.PX_TICK: MARK, Check.QTY_BAND: HALT}, px_high=1_100_000, tick=100)

    feed.add(1, 5_000_001, 0)

    assert feed.take() == [
        added(1, 5_000_001, 0), (Type.FEED_CHECK, INVALIDATES, 1, 5_000_001, 0, Check.QTY_BAND),
    ]  # fmt: skip
    failed = feed.native.checks["failed"]
    assert [failed[check] for check in (Check.PX_BAND, Check.PX_TICK, Check.QTY_BAND)] == [1, 1, 1]


# ---- filters and floods -----------------------------------------------------------------------------


def test_orders_outside_of_what_is_kept_are_filtered_with_their_follow_ups():
    feed = Feed({}, keep_low=900_000, keep_high=1_100_000, tick=100)

    feed.add(1, 100)
    feed.add(2, 1_000_000)
    feed.hear(type="X", order_id=1, qty=10)
    feed.replace(2, 3, px=199_999_900)
    feed.replace(3, 4, px=199_999_900)
    feed.hear(type="P", px=100, qty=1, side="B", symbol="ALC", order_id=0)  # prints are kept

    assert [row[:3] for row in feed.take()] == [
        (Type.BOOK_ADD, BUY, 2), (Type.BOOK_CANCEL, WHOLE, 2), (Type.TRADE, 9, 0),
    ]  # fmt: skip
    assert (feed.native.checks["filtered"], feed.native.checks["follow_ups"]) == (3, 2)
    assert feed.asides() == []


def test_types_that_are_left_out_are_counted_and_not_even_read():
    config = native.EdgeConfig()
    config.types = "LP"
    feed = native.ItchFeed([], MIDNIGHT, checks=config)

    for message in (b"L", b"P\0\1", b"D\0\1"):
        feed.push(message)

    assert rows_of(feed) == []
    assert (feed.checks["filtered"], feed.counters["malformed"]) == (2, 1)


def test_a_flood_of_bad_messages_does_not_flood_the_journal():
    feed = Feed({Check.MALFORMED: MARK})
    for _ in range(3_000):
        feed.native.push(b"D\0\1")

    asides = feed.asides()
    assert len(asides) == 64 and len(feed.take()) == 1_024
    checks = feed.native.checks
    assert (checks["quarantined"], checks["unwritten"], checks["untold"]) == (3_000, 2_936, 1_976)
    for _ in range(65_536):
        feed.hear(type="L", mpid="GSCO", symbol="ALC")
    feed.native.push(b"D\0\1")  # of another window
    assert feed.asides()[0][4] == 3_001


# ---- any bytes, any policies ------------------------------------------------------------------------

PRICES = st.sampled_from([0, 99, 100, 9_999, 10_050, 999_900, 1_000_000, 1_000_050, 1_100_000, 2**32 - 1])
FEW = {
    "order_id": st.integers(0, 4), "new_order_id": st.integers(0, 4), "px": PRICES, "side": st.sampled_from("BS"),
    "qty": st.sampled_from([0, 1, 50, 100, 150, 2**32 - 1]), "ts": st.integers(0, 40),
}  # fmt: skip


@st.composite
def crowded(draw: st.DrawFn) -> bytes:
    """A message about one of few orders, or any other one; sometimes cut."""
    kind = draw(st.sampled_from("AAAFECXDUUUPQR?"))
    if kind == "R":
        fields = {"type": "R", "locate": draw(st.integers(0, 2)), "symbol": draw(st.sampled_from(["S0", "S1", "S2"]))}
    elif kind == "?":
        fields = draw(messages(locates=st.integers(0, 2), kinds="ILS"))
    else:
        names = itch.layout(kind)[1]
        fields = {"type": kind, "locate": draw(st.integers(0, 2))}
        fields |= {name: draw(FEW[name]) for name in (*names, "ts") if name in FEW}
    message = native.itch_encode(fields)
    return message[: draw(st.integers(0, len(message)))] if draw(st.integers(0, 19)) == 0 else message


LIMITS = st.builds(
    edge_checks.Limits,
    px_low=st.sampled_from([0, 100, 999_900]),
    px_high=st.sampled_from([2**32 - 1, 1_000_050, 1_100_000]),
    band_bps=st.sampled_from([0, 0, 1, 1_000, 20_000]),
    tick=st.sampled_from([1, 50, 100]),
    lot=st.sampled_from([1, 50, 100]),
    qty_max=st.sampled_from([0, 1, 100]),
    keep_low=st.sampled_from([0, 0, 0, 9_999]),
    keep_high=st.sampled_from([2**32 - 1, 2**32 - 1, 2**32 - 1, 1_000_000]),
)


@settings(max_examples=int(os.environ.get("OPENBELL_EXAMPLES", "400")))
@given(
    stream=st.lists(st.one_of(crowded(), st.sampled_from(["begin_snapshot", "end_snapshot"])), max_size=60),
    policies=st.fixed_dictionaries({check: st.sampled_from(list(CheckPolicy)) for check in OF_EDGE}),
    limits=st.dictionaries(st.sampled_from(["S0", "S1", "S2"]), LIMITS),
    room=st.integers(0, 4),
    tolerance=st.sampled_from([0, 5]),
    types=st.sampled_from(["", "", "PQ", "LI"]),
)
def test_any_bytes_under_any_policies_become_what_the_oracle_says(
    stream: list[bytes | str],
    policies: dict[Check, CheckPolicy],
    limits: dict[str, edge_checks.Limits],
    room: int,
    tolerance: int,
    types: str,
):
    config = native.EdgeConfig()
    config.policies = with_policies(config.policies, policies)
    config.left_out_max, config.clock_back_ns, config.types = room, tolerance, types
    for symbol, of in limits.items():
        config.add_limits(symbol, **vars(of))
    checks = edge_checks.EdgeChecks(
        [CheckPolicy(p) for p in config.policies], limits, tolerance, left_out_max=room, types=types
    )
    fast, slow = native.ItchFeed([], MIDNIGHT, checks=config), oracle.ItchFeed(MIDNIGHT, checks)
    directory = [native.itch_encode({"type": "R", "locate": n, "symbol": f"S{n}"}) for n in range(2)]

    rows = []
    for step in [*directory, *stream]:
        if isinstance(step, bytes):
            fast.push(step)
            rows += slow.push(step)
        else:
            getattr(fast, step)()
            getattr(checks, step)()

    assert rows_of(fast) == rows
    assert asides_of(fast) == checks.asides
    assert fast.counters == slow.counters
    assert fast.checks == {"failed": checks.failed} | checks.counters
