"""The journal of a live node played again: two epochs on paper, fed over a loopback socket."""

import json
import socket
from pathlib import Path

import pytest

from configurations import limits_toml
from openbell import _native as native
from openbell.cli import main
from openbell.journal import open_journal
from openbell.node import assemble, trading
from openbell.node.config import load_node
from openbell.node.recovery import recover_engine
from openbell.types import Type

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
[[instruments]]
symbol = "OBEL"
[[strategies]]
name = "maker"
id = 1
file = "maker.py"
class = "Maker"
instruments = ["OBEL"]
params = { size = 7 }
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


def adds(first: int, count: int) -> list[bytes]:
    return [
        native.itch_encode(
            {**HEAD, "type": "A", "order_id": i, "side": "BS"[i % 2], "qty": 10, "symbol": "OBEL", "px": px}
        )
        for i in range(first, first + count)
        for px in [50_0000 + (100 + i * 100 if i % 2 else -i * 100)]
    ]


def run_epoch(config_file: Path, seq: int, messages: list[bytes]) -> None:
    """One life of the node: the datagrams wait in its socket when it starts to run."""
    config = load_node(config_file)
    config.node.hot_dir.mkdir(exist_ok=True)
    engine, _ = recover_engine(assemble.capacity_of(config), config.node.journal_dir, config.node.hot_dir)
    node = native.LiveNode(assemble.live_config(config), engine, assemble.build_strategies(config))
    assemble.run_record(config).write(config.node.journal_dir)
    trading._open_epoch(node, config)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number, message in enumerate(messages, start=seq):
            for datagram in native.mold_pack("DAY1", number, [message]):
                sender.sendto(datagram, ("127.0.0.1", node.feed_port(0)))
    node.run(RUN_NS)
    node.close()


@pytest.fixture(params=["interpreted", "compiled"])
def node_file(tmp_path, request):
    (tmp_path / "node.toml").write_text(NODE.replace("class =", f'speed = "{request.param}"\nclass ='))
    (tmp_path / "limits.toml").write_text(limits_toml("OBEL"))
    (tmp_path / "maker.py").write_text(MAKER)
    run_epoch(tmp_path / "node.toml", 1, OPENING + adds(1, 40))
    run_epoch(tmp_path / "node.toml", 43, adds(41, 20))
    return tmp_path / "node.toml"


def replay(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["replay", *map(str, arguments)])
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_two_epochs_replay_identically_and_a_changed_strategy_does_not(node_file, capsys):
    journal = node_file.parent / "journal"
    frames = list(open_journal(journal, node_file.parent / "hot"))
    intents = [f for f in frames if f.is_decision and f.raw[0, 0] == int(Type.INTENT)]
    assert {f.epoch for f in intents} == {1, 2}

    code, out, _ = replay(capsys, journal, "--verify")
    assert (code, out.splitlines()[1:]) == (0, ["core: identical", "strategy: identical", "replay: identical"])

    code, out, _ = replay(capsys, journal, "--verify", "--config", node_file)
    assert code == 0 and "replay: identical" in out

    for speed in ("interpreted", "compiled"):
        code, out, _ = replay(capsys, journal, "--verify", "--speed", speed)
        assert code == 0 and "strategy: identical" in out

    (node_file.parent / "maker.py").write_text(MAKER.replace("int(3 *", "int(300 *"))
    code, out, _ = replay(capsys, journal, "--verify", "--json")
    verdict = json.loads(out)
    assert code == 1 and verdict["core"]["differs_at"] == 0
    assert verdict["strategy"]["differs_at"] in [f.cause_seq for f in intents]
    assert "INTENT bid_px: expected" in verdict["strategy"]["what"]
    assert "strategy maker" in verdict["notes"][0] and "is not the source that ran" in verdict["notes"][0]


def test_the_record_beside_the_journal_holds_no_credential(node_file):
    text = (node_file.parent / "journal/node.json").read_text()

    assert "secret-word" not in text
    strategy = json.loads(text)["strategies"][0]
    assert strategy["params"] == {"size": 7}
    assert (strategy["object_hash"] != "") == (strategy["speed"] == "compiled")


def test_a_damaged_record_is_told(node_file, capsys):
    journal = node_file.parent / "journal"
    (journal / "node.json").write_text('{"kind": "node"}')

    code, _, err = replay(capsys, journal)

    assert code == 2 and "expected the record of a run in format 1, found a fault at" in err
