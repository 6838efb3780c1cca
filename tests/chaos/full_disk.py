"""A supervised node whose disk fills up while it trades, in a namespace where that disk can be a small one.

python -m chaos.full_disk HOME DISK      # DISK: a file system of its own, mounted by who starts this
"""

import json
import os
import signal
import sys
from pathlib import Path

from tests.cli.world import WAIT_S, World, openbell, wait_for

from chaos.audit import Audit
from openbell.node.page import read_page

BLOCK = bytes(64 << 10)
FRAMES = 300
"""Of market data, that have to pass without an order."""


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for block in (BLOCK, BLOCK[:512], b"x"):
            while True:
                try:
                    file.write(block)
                except OSError:
                    break
    return ballast


def main(home: Path, disk: Path) -> None:
    """Trade, fill the disk, see the node stop opening, make room, start again, trade, compare everything."""
    with World(home) as world:
        text = world.node_file.read_text().replace('durability = "memory"', 'durability = "local"')
        world.journal = disk / "journal"
        world.node_file.write_text(text.replace('journal_dir = "journal"', f'journal_dir = "{world.journal}"'))
        node = world.run("--live", "--json")
        wait_for(lambda: len(world.ledger()["fills"]) >= 3, "fills")

        ballast = fill(disk)
        wait_for(lambda: world.status()["arm"] == "CANCEL_ONLY", "the node to open nothing any more")
        wait_for(lambda: not world.open_orders(), "its orders to be pulled")
        orders, seq = len(world.ledger()["orders"]), read_page(world.hot).committed_seq
        assert read_page(world.hot).durable_seq < seq
        wait_for(lambda: read_page(world.hot).committed_seq > seq + FRAMES, "the market to go on")
        assert world.is_alive()
        assert len(world.ledger()["orders"]) == orders, "nothing was opened on a full disk"
        last_seq = stopped(node, "No space left on device; free space there")

        os.unlink(ballast)  # noqa: PTH108
        before = len(world.ledger()["fills"])
        node = world.run("--live", "--json")
        wait_for(lambda: len(world.ledger()["fills"]) >= before + 3, "it to trade again")
        assert stopped(node, f": {last_seq:_} frames in ") > last_seq

        audit = Audit(world.journal, world.hot)
        audit.expect_nothing_lost(world.ledger())
        assert audit.counts()["fills"] == len(world.ledger()["fills"]) and not world.open_orders()
        for words in (("replay", world.journal, "--verify"), ("journal", "verify", world.journal)):
            openbell(*words, check=0)
        print(json.dumps(audit.counts() | {"pulled at": seq, "last of the full disk": last_seq}))


def stopped(node, says: str) -> int:
    """Ctrl-C; its last frame, when it has ended in order and has said so."""
    node.send_signal(signal.SIGINT)
    out, err = node.communicate(timeout=WAIT_S)
    assert node.returncode == 0, (node.returncode, out, err)
    assert says in err + out, (says, out, err)
    return int(json.loads(out)["last_seq"])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
