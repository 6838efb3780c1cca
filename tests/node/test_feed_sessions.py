"""Which session of a feed a node hears: the known one until its end, and no stranger's."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from openbell import _native as native
from openbell import events
from openbell.journal.frames import records_view
from openbell.node.recovery import recover_engine
from openbell.types import RECORDS, Type
from oracles import mold

DAY = 86_400_000_000_000
MIDNIGHT, NOON = 20_000 * DAY, 20_000 * DAY + DAY // 2
LINE, SENDER, STRANGER = ("10.0.0.2", 7000), ("10.0.0.1", 9001), ("10.0.0.66", 9001)
FEED = 16
FIRST, SECOND = "S000000001", "S000000002"


class Node:
    """A node on one line; each `start` is a process of its own."""

    stale_ns = 0
    checks = native.EdgeConfig()
    later_days: tuple[tuple[int, bytes], ...] = ()

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = native.SimClock(NOON)
        self.net = native.SimNet(self.clock, 1)
        self.line = native.SimDatagrams(self.net, LINE)
        self.senders = {at: native.SimDatagrams(self.net, at) for at in (SENDER, STRANGER)}

    def start(self, session: str = "", senders: tuple[str, ...] = (), midnight_ns: int = MIDNIGHT) -> None:
        config, feed, capacity = native.LiveConfig(), native.LiveFeedConfig(), native.EngineCapacity()
        capacity.instruments_max, capacity.book_orders_max, capacity.orders_max = 2, 1 << 10, 16
        config.journal_dir, config.hot_dir = str(self.directory / "journal"), str(self.directory / "hot")
        config.segment_bytes, config.capacity = 1 << 20, capacity
        self.capacity = capacity
        feed.name, feed.session, feed.midnight_ns, feed.symbols = "f", session, midnight_ns, ["OBEL"]
        feed.stale_ns, feed.checks = self.stale_ns, self.checks
        for days, record in self.later_days:
            feed.add_day(midnight_ns + days * DAY, record)
        for sender in senders:
            feed.add_sender(sender)
        config.feeds = [feed]
        self.engine, _ = recover_engine(capacity, Path(config.journal_dir), Path(config.hot_dir))
        strategies = native.StrategyHost()
        self.node = native.LiveNode(config, self.engine, strategies, self.clock, [native.FeedPorts([self.line])], [])
        self.node.submit(events.started(node=1, epoch=self.node.epoch, now_ns=self.clock.now_ns(), seed=1))

    def hear(self, session: str, seq: int, *, ends: bool = False, sender: tuple[str, int] = SENDER) -> None:
        """Messages `seq` and the one after it: the instrument, and an order whose reference is its number."""
        messages = [
            native.itch_encode({"type": "R", "locate": 1, "symbol": "OBEL"}),
            native.itch_encode(
                {"type": "A", "locate": 1, "order_id": seq, "side": "B", "qty": 100, "symbol": "OBEL", "px": 10_000}
            ),
        ]
        packet = mold.notice(session, seq, mold.END_OF_SESSION) if ends else mold.packet(session, seq, messages)
        self.receive(packet, sender)

    def receive(self, packet: bytes, sender: tuple[str, int] = SENDER) -> None:
        self.senders[sender].send_to(LINE, packet)
        self.wait(20_000_000)

    def wait(self, ns: int) -> None:
        self.clock.advance(ns)
        while self.node.step(self.clock.now_ns()):
            pass

    def stop(self) -> None:
        self.node.close()
        del self.node

    @property
    def next_seq(self) -> int:
        return int(self.engine.source_seq(FEED)) + 1

    @property
    def bid_qty(self) -> int:
        return int(self.engine.touch(0)[1])

    def counter(self, name: str) -> int:
        return int(dict(native.Counters.attach(str(self.directory / "hot" / "counters")).read())[f"feed.f.{name}"])

    def controls(self, kind: Type) -> list[str]:
        return [record["text"].decode() for record in self.records(kind, "Control")]

    def records(self, kind: Type, layout: str) -> np.ndarray:
        """All of a kind in the journal."""
        reader = native.JournalReader(str(self.directory / "journal"), str(self.directory / "hot"), False)
        raw, _, _ = reader.gather(RECORDS[layout].itemsize, [int(kind)], 10_000)
        return records_view(raw, layout)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = Node(tmp_path)
    made.start()
    made.hear(FIRST, 1)
    assert (made.next_seq, made.bid_qty) == (3, 100)
    return made


def test_a_stray_session_does_not_clear_the_books(node: Node):
    node.hear(SECOND, 1, sender=STRANGER)

    assert (node.next_seq, node.bid_qty, node.counter("wrong_session")) == (3, 100, 1)
    node.hear(FIRST, 3)
    assert (node.next_seq, node.bid_qty) == (5, 200)


def test_after_a_restart_the_known_session_still_goes_on(node: Node):
    node.stop()
    node.start()
    node.hear(SECOND, 1, sender=STRANGER)

    assert (node.next_seq, node.bid_qty) == (3, 100)
    node.hear(FIRST, 3)
    assert (node.next_seq, node.bid_qty) == (5, 200)


def test_after_its_end_the_next_session_begins_with_empty_books(node: Node):
    node.hear(FIRST, 3, ends=True)
    node.hear(SECOND, 1)

    assert (node.next_seq, node.bid_qty) == (3, 100)
    assert node.controls(Type.CONNECTED) == [FIRST, SECOND]
    assert node.engine.is_book_valid(0)


@pytest.mark.parametrize(("slept", "expected"), [(0, []), (1, [20_261_122]), (2, [20_261_123]), (9, [20_261_124])])
def test_a_session_of_a_later_day_counts_from_its_own_midnight(tmp_path: Path, slept: int, expected: list[int]):
    days = [events.trading_day(datetime.date(2026, 11, 21 + n), "UTC", 0) for n in (1, 2, 3)]
    node = Node(tmp_path)
    node.later_days = tuple(enumerate(days, start=1))
    node.start()
    node.hear(FIRST, 1)
    node.hear(FIRST, 3, ends=True)
    node.wait(slept * DAY)
    node.hear(SECOND, 1)

    last = node.records(Type.BOOK_ADD, "Market")[-1]
    assert last["ts_event"] == MIDNIGHT + min(slept, 3) * DAY
    assert [int(r["values"][0]) for r in node.records(Type.TRADING_DAY, "Control")] == expected


def test_a_new_session_gives_its_own_locates(node: Node):
    node.hear(FIRST, 3, ends=True)
    stray = native.itch_encode(
        {"type": "A", "locate": 1, "order_id": 9, "side": "B", "qty": 7, "symbol": "ELSE", "px": 5}
    )
    node.receive(mold.packet(SECOND, 1, [stray]))

    assert node.bid_qty == 0


def test_the_end_is_remembered_over_a_restart(node: Node):
    node.hear(FIRST, 3, ends=True)
    node.stop()
    node.start()
    node.hear(SECOND, 1)

    assert node.controls(Type.CONNECTED) == [FIRST, SECOND]


def test_a_session_of_an_earlier_day_is_over(node: Node):
    node.stop()
    node.clock.advance(DAY)
    node.start(midnight_ns=MIDNIGHT + DAY)
    node.hear(SECOND, 1)
    node.hear(FIRST, 1, sender=STRANGER)

    assert node.controls(Type.CONNECTED) == [FIRST, SECOND]
    assert node.counter("wrong_session") == 1


def test_the_operator_says_which_session_it_is(node: Node):
    node.stop()
    node.start(session=SECOND)
    node.hear(FIRST, 3)
    assert node.controls(Type.CONNECTED) == [FIRST, SECOND]
    assert (node.next_seq, node.bid_qty) == (1, 0)

    node.hear(SECOND, 1)
    assert (node.next_seq, node.bid_qty) == (3, 100)


def test_a_feed_with_senders_hears_no_others(tmp_path: Path):
    node = Node(tmp_path)
    node.start(senders=(SENDER[0],))

    node.hear(SECOND, 1, sender=STRANGER)
    assert (node.next_seq, node.counter("strangers")) == (1, 1)
    node.hear(FIRST, 1)

    assert (node.next_seq, node.controls(Type.CONNECTED)) == (3, [FIRST])
