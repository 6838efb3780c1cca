"""A node on real sockets: what the kernel stamps, grants and drops is journalled, shown and told."""

import socket
from pathlib import Path

import pytest
from tests.node.lives import MAKER, NODE

from configurations import limits_toml
from openbell import _native as native
from openbell.journal import open_journal
from openbell.node import assemble, trading
from openbell.node.card import card_of
from openbell.node.config import FeedSettings, NodeConfig, load_node
from openbell.node.start import Start
from openbell.ops.feed_view import checks_line, take_feeds
from openbell.ops.herald import Herald
from openbell.types import Type
from oracles import mold

RUN_NS = 100_000_000
SECOND_NS = 1_000_000_000
SENT = 300
FEED = 16


class Node:
    """A trading process in this one: what was sent before `run` waits in its sockets."""

    def __init__(self, folder: Path, feed: str, instrument: str = "") -> None:
        text = NODE.format(speed="interpreted").replace("[[sessions]]", f"{feed}\n[[sessions]]", 1)
        (folder / "node.toml").write_text(text.replace('symbol = "OBEL"', f'symbol = "OBEL"\n{instrument}', 1))
        (folder / "maker.py").write_text(MAKER)
        (folder / "limits.toml").write_text(limits_toml("OBEL"))
        self.config: NodeConfig = load_node(folder / "node.toml")
        self.config.node.hot_dir.mkdir(exist_ok=True)
        start = Start(self.config, "")
        self.engine, recovered = start.recover()
        strategies = assemble.build_strategies(self.config)
        self.node = native.LiveNode(assemble.live_config(self.config), self.engine, strategies)
        trading._open_epoch(self.node, self.config, start, recovered, self.engine)

    def hear(self, line: int, datagrams: list[bytes]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for datagram in datagrams:
                sender.sendto(datagram, ("127.0.0.1", self.node.feed_port(0, line)))

    def run(self) -> None:
        self.node.run(RUN_NS)

    def counters(self) -> dict[str, int]:
        return dict(native.Counters.attach(str(self.config.node.hot_dir / "counters")).read())


def packets(first: int, last: int) -> list[bytes]:
    """Each a directory message, padded so that a small buffer holds few of them."""
    directory = native.itch_encode({"type": "R", "locate": 1, "symbol": "OBEL"})
    return [mold.packet("DAY1", seq, [directory + bytes(600)]) for seq in range(first, last + 1)]


def test_kernel_drops_are_counted_shown_and_told(tmp_path: Path):
    node = Node(tmp_path, 'listen_b = "127.0.0.1:0"\nreceive_buffer_kib = 4')
    said: list[str] = []
    herald = Herald(card_of(node.config, tmp_path / "node.toml"), said.append)
    herald.tell()

    node.hear(0, packets(1, SENT))
    node.node.step(native.WallClock().now_ns())
    node.hear(0, packets(SENT + 1, SENT + 1))  # the kernel's count comes with the next datagram
    node.run()

    herald.tell()
    counters = node.counters()
    (feed,) = take_feeds(counters, counters["now_ns"])
    assert feed.lines[0].dropped == SENT + 1 - feed.lines[0].packets > 0
    assert feed.lines[1].dropped == 0
    (alarm,) = feed.alarms()
    assert alarm.startswith(f"line A: the kernel dropped {feed.lines[0].dropped:,} datagrams")
    assert f"line A: the kernel dropped {feed.lines[0].dropped:,} datagrams; raise receive_buffer_kib" in said[-1]
    assert feed.lost > 0 and not node.engine.is_book_valid(0)


def test_a_frame_has_the_kernels_time_of_arrival(tmp_path: Path):
    node = Node(tmp_path, "")
    node.hear(0, packets(1, 1))
    clock = native.WallClock()
    heard = clock.now_ns()
    while clock.now_ns() < heard + 20_000_000:  # the datagram waits in the socket
        pass

    node.run()
    node.node.close()

    config = node.config.node
    journal = open_journal(config.journal_dir, config.hot_dir)
    (frame,) = [frame for frame in journal if frame.source == FEED]
    assert heard - SECOND_NS < frame.ts_recv <= heard < frame.ts_seq
    assert frame.ts_seq - frame.ts_recv >= 20_000_000
    assert node.counters()["feed.feed.waited_ns_max"] >= 20_000_000


def test_a_buffer_that_the_kernel_did_not_grant_is_told():
    class Granting:
        def feed_buffer_bytes(self, feed: int, line: int) -> int:
            return {(0, 0): 1 << 20, (0, 1): 8 << 20}[feed, line]

    feed = FeedSettings.model_validate(
        {"name": "f", "kind": "itch_moldudp64", "listen": "127.0.0.1:1", "listen_b": "127.0.0.1:2"}
    )
    config = NodeConfig.model_construct(feeds=(feed,))

    (line,) = trading.small_buffers(config, Granting())

    assert line == (
        "feed f, line A: expected a receive buffer of 8192 KiB, the kernel granted 1024: a burst may be lost; "
        "sysctl -w net.core.rmem_max=8388608"
    )


@pytest.mark.parametrize("kib", [64, 1024])
def test_what_is_asked_for_is_granted(tmp_path: Path, kib: int):
    node = Node(tmp_path, f"receive_buffer_kib = {kib}")

    assert node.node.feed_buffer_bytes(0, 0) == kib << 10
    assert list(trading.small_buffers(node.config, node.node)) == []


def test_a_bad_price_and_a_silent_feed_over_sockets(tmp_path: Path):
    """A day on which a price is a thousand times too high, a message is cut, and the venue then falls silent."""
    node = Node(tmp_path, "stale_ms = 50", 'px_high = "100.00"\nqty_max_shares = 500')
    add = {"type": "A", "locate": 1, "side": "B", "symbol": "OBEL", "qty": 100}
    day = [
        native.itch_encode({"type": "R", "locate": 1, "symbol": "OBEL"}),
        native.itch_encode(add | {"order_id": 1, "px": 500_000}),
        native.itch_encode(add | {"order_id": 2, "px": 500_000_000}),
        native.itch_encode(add | {"order_id": 3, "px": 500_000, "qty": 501}),
        native.itch_encode({"type": "D", "locate": 1, "order_id": 2}),
        native.itch_encode(add | {"order_id": 4, "px": 500_050}),
    ]
    node.hear(0, [mold.packet("DAY1", 1, day)])
    node.node.step(native.WallClock().now_ns())
    assert node.engine.touch(0)[:2] == (500_050, 100)
    assert node.engine.is_book_valid(0)

    node.run()  # for longer than the feed may be silent
    node.node.step(native.WallClock().now_ns())
    (feed,) = take_feeds(node.counters(), native.WallClock().now_ns())
    assert not node.engine.is_book_valid(0)
    assert (feed.stale, feed.silences) == (1, 1)
    assert any(alarm.startswith("silent") for alarm in feed.alarms())
    assert checks_line(feed) == (
        "feed: px_band 1, px_tick 1, qty_band 1, quarantined 2, of orders left out 1, silences 1"
    )

    node.hear(0, [mold.notice("DAY1", len(day) + 1)])
    node.node.step(native.WallClock().now_ns())
    assert node.engine.is_book_valid(0)
    node.hear(0, [mold.packet("DAY1", len(day) + 1, [day[1][:-1]])])
    node.node.step(native.WallClock().now_ns())
    assert not node.engine.is_book_valid(0)
    node.node.close()

    config = node.config.node
    again = native.Engine(assemble.capacity_of(node.config))
    report = native.replay_journal(again, str(config.journal_dir), str(config.hot_dir))
    assert (report.core_differs_at, report.what) == (0, "")
    assert again.state_hash == node.engine.state_hash


def test_the_tick_of_the_configuration_is_the_instruments(tmp_path: Path):
    node = Node(tmp_path, "", 'tick = "0.05"')
    node.hear(0, packets(1, 1))
    node.node.step(native.WallClock().now_ns())
    node.node.close()

    config = node.config.node
    journal = open_journal(config.journal_dir, config.hot_dir)
    (instrument,) = [
        r for frame in journal for r in frame.records if frame.source == FEED and r["type"] == Type.INSTRUMENT
    ]
    assert instrument["tick"] == 500
