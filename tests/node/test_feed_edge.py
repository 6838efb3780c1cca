"""The edge of a node's feed: what is kept out of the journal and why, and a feed that falls silent."""

from pathlib import Path

import pytest
from tests.node.test_feed_sessions import FIRST, SECOND, Node

from openbell import _native as native
from openbell.node.recovery import recover_engine
from openbell.types import Check, CheckPolicy, Type
from oracles import mold

STALE_NS = 1_000_000_000
GAP_STALE = 3
DROPPED = 32
FAR = {"type": "A", "order_id": 7, "symbol": "OBEL", "side": "B", "qty": 100, "px": 900_000}


class Edge(Node):
    """Prices up to 2.00; silent after a second."""

    stale_ns = STALE_NS

    def __init__(self, directory: Path, **policies: CheckPolicy) -> None:
        super().__init__(directory)
        self.checks = native.EdgeConfig()
        numbers = self.checks.policies
        for name, policy in policies.items():
            numbers[Check[name.upper()]] = policy
        self.checks.policies = numbers
        self.checks.add_limits("OBEL", px_high=20_000)
        self.start()
        self.hear(FIRST, 1)  # the instrument, and a bid of 100

    def say(self, seq: int, **fields: int | str) -> None:
        message = native.itch_encode({"locate": 1, "ts": seq} | fields)
        self.receive(mold.packet(FIRST, seq, [message]))

    def heartbeat(self, session: str = FIRST) -> None:
        self.receive(mold.packet(session, self.next_seq, []))

    @property
    def is_valid(self) -> bool:
        return bool(self.engine.is_book_valid(0))

    def gaps(self) -> list[tuple[int, int]]:
        """(code, from) of the gaps and (-1, next) of the recoveries, in their order."""
        said = [
            (int(r["ts_event"]), -1 if kind == Type.RECOVERED else int(r["code"]), int(r["values"][0]))
            for kind in (Type.GAP, Type.RECOVERED)
            for r in self.records(kind, "Control")
        ]
        return [(code, first) for _, code, first in sorted(said)]


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    return Edge(tmp_path)


# ---- checks ----------------------------------------------------------------------------------------


def test_a_price_outside_of_its_band_never_reaches_the_book(edge: Edge):
    edge.say(3, **FAR)
    edge.say(4, type="D", order_id=7)

    assert (edge.bid_qty, edge.is_valid, edge.next_seq) == (100, True, 4)
    (aside,) = edge.records(Type.QUARANTINED, "Quarantined")
    assert (aside["check"], aside["flags"], aside["instrument"], aside["count"]) == (Check.PX_BAND, DROPPED, 0, 1)
    assert bytes(aside["bytes"])[: aside["length"]][:1] == b"A"
    assert (edge.counter("failed_px_band"), edge.counter("quarantined"), edge.counter("follow_ups")) == (1, 1, 1)


def test_a_process_that_comes_back_knows_what_the_one_before_left_out(edge: Edge):
    edge.say(3, **FAR)
    edge.stop()
    edge.start()

    edge.say(4, type="X", order_id=7, qty=10)
    edge.say(5, type="X", order_id=1, qty=10)  # this one is in the book
    edge.say(6, type="D", order_id=7)

    assert (edge.bid_qty, edge.is_valid) == (90, True)
    assert edge.counter("follow_ups") == 2


def test_orders_of_the_same_datagram_are_no_strangers(edge: Edge):
    edge.stop()
    edge.start()
    add = native.itch_encode(FAR | {"locate": 1, "px": 10_000})
    replace = native.itch_encode({"type": "U", "locate": 1, "order_id": 7, "new_order_id": 8, "qty": 50, "px": 10_000})
    delete = native.itch_encode({"type": "D", "locate": 1, "order_id": 8})

    edge.receive(mold.packet(FIRST, 3, [add, replace, delete]))

    assert (edge.bid_qty, edge.is_valid, edge.counter("follow_ups")) == (100, True, 0)


def test_a_replay_gives_the_same_books(edge: Edge):
    edge.say(3, **FAR)
    edge.receive(mold.packet(FIRST, 4, [b"D", b"A\0\1cut"]))
    edge.stop()

    again, _ = recover_engine(edge.capacity, edge.directory / "journal", edge.directory / "hot")

    assert again.state_hash == edge.engine.state_hash
    assert not again.is_book_valid(0)


def test_a_message_that_is_cut_halts_its_book(edge: Edge):
    edge.receive(mold.packet(FIRST, 3, [b"A\0\1cut"]))

    assert not edge.is_valid
    (check,) = edge.records(Type.FEED_CHECK, "Market")
    assert (check["ref"], check["instrument"]) == (Check.MALFORMED, 0)


def test_a_datagram_of_nothing_but_rubbish_fits_the_journal(tmp_path: Path):
    edge = Edge(tmp_path, malformed=CheckPolicy.HALT)

    edge.receive(mold.packet(FIRST, 3, [b""] * 20_000))

    assert edge.next_seq == 20_003
    assert len(edge.records(Type.QUARANTINED, "Quarantined")) == 64
    assert edge.counter("failed_malformed") == 20_000


# ---- silence ---------------------------------------------------------------------------------------


def test_a_silent_feed_is_told_and_the_next_packet_ends_it(edge: Edge):
    edge.wait(STALE_NS - 20_000_001)
    assert edge.is_valid and edge.gaps() == []
    edge.wait(20_000_001)
    assert not edge.is_valid and edge.gaps() == [(GAP_STALE, 3)]
    assert (edge.counter("silences"), edge.counter("stale")) == (1, 1)
    edge.wait(10 * STALE_NS)
    assert edge.gaps() == [(GAP_STALE, 3)]

    edge.heartbeat()

    assert edge.is_valid and edge.gaps() == [(GAP_STALE, 3), (-1, 3)]
    assert edge.counter("stale") == 0


def test_heartbeats_are_heard_and_strangers_are_not(edge: Edge):
    edge.wait(STALE_NS // 2)
    edge.heartbeat()
    edge.wait(STALE_NS // 2)
    assert edge.is_valid
    edge.heartbeat(SECOND)
    edge.wait(STALE_NS // 2)

    assert not edge.is_valid


def test_a_packet_that_ends_the_silence_and_opens_a_gap_leaves_the_book_not_valid(edge: Edge):
    edge.wait(2 * STALE_NS)
    edge.say(5, type="D", order_id=2)

    assert not edge.is_valid
    assert edge.gaps() == [(GAP_STALE, 3), (0, 3)]


def test_a_session_that_has_ended_may_be_silent(edge: Edge):
    edge.hear(FIRST, 3, ends=True)
    edge.wait(10 * STALE_NS)

    assert edge.gaps() == []


@pytest.mark.parametrize("was_silent", [False, True])
def test_a_process_that_comes_back_has_to_hear_the_feed_first(edge: Edge, was_silent: bool):
    if was_silent:
        edge.wait(2 * STALE_NS)
    edge.stop()
    edge.start()
    edge.wait(1)
    assert not edge.is_valid

    edge.heartbeat()

    assert edge.is_valid
    assert edge.gaps()[-2:] == [(GAP_STALE, 3), (-1, 3)]
