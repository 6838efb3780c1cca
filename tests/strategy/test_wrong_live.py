"""Every deliberately wrong strategy, both speeds, in one live node: each is halted, the maker beside them trades on."""

from pathlib import Path
from typing import Any

import numpy as np
from tests.cli.world import World, wait_for

from openbell.journal import open_journal
from openbell.types import RECORDS, Reason, Type
from strategy import wrong
from strategy.test_wrong_strategies import CASES, COMPILED

MAKER_ID = 1
SPENDER_ID = 2
FIRST_ID = 10
ONE_MORE = """
[[strategies]]
name = "{name}"
id = {id}
file = "{file}"
class = "{class_name}"
instruments = ["RING"]
speed = "{speed}"
process = "trading"
"""
SPENDER = """from openbell import Strategy
from openbell.types import Side, Tif


class Spends(Strategy):
    def on_book(self, ctx, book):
        for _ in range(5):
            ctx.order(book.instrument, Side.BUY, book.bid_px, 1, tif=Tif.IOC)
"""
SPENDERS_LIMIT = """
[[strategies]]
strategy = "spender"
order_rate_max = 20
order_rate_window_ms = 1000
"""
WRONG = [(name, "interpreted", words) for name, words in CASES.items()]
WRONG += [(name, "compiled", words) for name, words in COMPILED.items()]
TEXT_AT = RECORDS["Control"].fields["text"][1]


class Crowd(World):
    """One node with all of them, and the maker first."""

    def write_node(self, **given: Any) -> None:
        super().write_node(**given)
        tables = [
            ONE_MORE.format(
                name=f"{name.lower()}-{speed[:1]}", id=FIRST_ID + i, file=wrong.__file__, class_name=name, speed=speed
            )
            for i, (name, speed, _) in enumerate(WRONG)
        ]
        spender = self.home / "spends.py"
        spender.write_text(SPENDER)
        tables.append(
            ONE_MORE.format(name="spender", id=SPENDER_ID, file=spender, class_name="Spends", speed="interpreted")
        )
        self.node_file.write_text(self.node_file.read_text() + "".join(tables))
        limits = self.node_file.with_name("limits.toml")
        limits.write_text(limits.read_text() + SPENDERS_LIMIT)


def number_in(row: np.ndarray, record: str, name: str) -> int:
    """One field of a record's bytes."""
    kind, at = RECORDS[record].fields[name][:2]
    return int(row[at : at + kind.itemsize].view(kind)[0])


class Told:
    """What the journal says so far; `look` reads on from where it stood."""

    def __init__(self, world: Crowd) -> None:
        self.world = world
        self.next_seq = 1
        self.halts: dict[int, str] = {}
        self.throttled: set[int] = set()
        self.orders = {"before": 0, "behind": 0}  # of the maker: before the last halt, and behind it

    def look(self) -> bool:
        """Whether all have been halted, the spender refused, and the maker has given orders since."""
        if not (self.world.journal.is_dir() and self.world.hot.is_dir()):
            return False
        for frame in open_journal(self.world.journal, self.world.hot).seek(self.next_seq):
            self.next_seq = frame.seq + 1
            for row in frame.raw if frame.is_decision else ():
                self.take(row)
        return len(self.halts) == len(WRONG) and SPENDER_ID in self.throttled and self.orders["behind"] > 20

    def take(self, row: np.ndarray) -> None:
        """One record of a decision."""
        if row[0] == Type.STRATEGY_HALTED:
            self.halts[number_in(row, "Control", "strategy")] = row[TEXT_AT:].tobytes().split(b"\0")[0].decode()
        elif row[0] == Type.NEW_ORDER and number_in(row, "Order", "strategy") == MAKER_ID:
            self.orders["behind" if len(self.halts) == len(WRONG) else "before"] += 1
        elif row[0] == Type.REFUSED and number_in(row, "Order", "reason") == Reason.ORDER_RATE:
            self.throttled.add(number_in(row, "Order", "strategy"))


def test_all_are_halted_in_a_live_node_and_the_maker_beside_them_trades_on(tmp_path: Path):
    with Crowd(tmp_path) as world:
        world.run("--live")

        told = Told(world)
        wait_for(told.look, "every halt, and orders of the maker behind the last", 90)
        assert world.is_alive()

    for i, (name, speed, words) in enumerate(WRONG):
        expected = words.replace("20 ms", "100 ms").replace(f"of {name} ", f"of {name.lower()}-i ")
        assert told.halts[FIRST_ID + i].startswith(expected), (name, speed)
    assert MAKER_ID not in told.halts
    assert told.throttled == {SPENDER_ID}, "it has spent its own rate of orders, not the account's"
