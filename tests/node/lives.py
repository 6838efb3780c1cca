"""Lives of a small paper node in this process, one epoch each, fed over a loopback socket."""

import socket
from pathlib import Path

from configurations import limits_toml
from openbell import _native as native
from openbell.journal import Source
from openbell.node import assemble, trading
from openbell.node.config import load_node
from openbell.node.recovery import Recovered
from openbell.node.start import Start

NODE = """
[node]
name = "again"
id = 1
mode = "paper"
run_dir = "hot"
journal_dir = "journal"
limits = "limits.toml"
durability = "memory"
seed = 7
arm_at_start = "full"
segment_mib = 4
[[feeds]]
name = "feed"
kind = "itch_moldudp64"
listen = "127.0.0.1:0"
[[sessions]]
name = "ouch"
kind = "ouch42_soupbintcp"
connect = "127.0.0.1:1"
user = "NODE1"
password = "plain:secret-word"
messages_per_second_max = 0
[[instruments]]
symbol = "OBEL"
[[strategies]]
name = "maker"
id = 1
file = "maker.py"
speed = "{speed}"
class = "Maker"
instruments = ["OBEL"]
params = {{ size = 7 }}
"""
MAKER = """
from openbell import Strategy, param

class Maker(Strategy):
    size: int = param(1)
    books: int = 0

    def on_book(self, ctx, book):
        self.books += 1
        if book.bid_px and book.ask_px:
            shift = 100 * int(3 * ctx.random())
            ctx.quote(book.instrument, bid_px=book.bid_px - shift, bid_qty=self.size, ask_px=book.ask_px, ask_qty=1)
"""
HEAD = {"locate": 1, "tracking": 0, "ts": 1}
OPENING = [
    native.itch_encode({**HEAD, "type": "R", "symbol": "OBEL"}),
    native.itch_encode({**HEAD, "type": "H", "symbol": "OBEL", "state": "T"}),
]
RUN_NS = 300_000_000


def write_node(directory: Path, speed: str = "interpreted") -> Path:
    """The files of a node that has not run yet; the path of its configuration."""
    (directory / "node.toml").write_text(NODE.format(speed=speed))
    (directory / "limits.toml").write_text(limits_toml("OBEL"))
    (directory / "maker.py").write_text(MAKER)
    return directory / "node.toml"


def adds(first: int, count: int) -> list[bytes]:
    """Orders that rest on both sides, away from each other."""
    return [
        native.itch_encode(
            {**HEAD, "type": "A", "order_id": i, "side": "BS"[i % 2], "qty": 10, "symbol": "OBEL", "px": px}
        )
        for i in range(first, first + count)
        for px in [50_0000 + (100 + i * 100 if i % 2 else -i * 100)]
    ]


def run_epoch(
    config_file: Path,
    seq: int,
    messages: list[bytes],
    *,
    acknowledged: str = "",
    run_ns: int = RUN_NS,
    told: tuple[bytes, ...] = (),
) -> tuple[native.Engine, Recovered, Start]:
    """One life of the node: the datagrams wait in its socket when it starts to run; `told` are records of operators."""
    config = load_node(config_file)
    config.node.hot_dir.mkdir(exist_ok=True)
    start = Start(config, acknowledged)
    engine, recovered = start.recover()
    node = native.LiveNode(assemble.live_config(config), engine, assemble.build_strategies(config))
    start.record.write(config.node.journal_dir, node.epoch)
    trading._open_epoch(node, config, start, recovered, engine)
    for record in told:
        node.submit(record, Source.OPERATOR)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number, message in enumerate(messages, start=seq):
            for datagram in native.mold_pack("DAY1", number, [message]):
                sender.sendto(datagram, ("127.0.0.1", node.feed_port(0)))
    node.run(run_ns)
    node.close()
    return engine, recovered, start
