"""The exchange, the node and the strategies of the drill."""

import subprocess
from pathlib import Path
from typing import Any

from tests.cli.world import World

from configurations import exchange_toml, limits_toml, node_toml

EVENTS_PER_S = 2_000
BUDGET_MS = 60_000
"""Of a callback: the drill is about what a kill does to one that does not return."""
ROUNDS_PER_MS = 5_000
"""Of four powers each, in machine code."""


class Room(World):
    """A World with a busy market and a restless strategy."""

    def __init__(self, home: Path, stuck_ms: int, *, is_compiled: bool) -> None:
        super().__init__(home)
        self.stuck_ms = stuck_ms
        self.is_compiled = is_compiled
        self.stuck = home / "stuck"

    def write_node(self, **_: object) -> None:
        """The node's file, with the strategy of the drill."""
        (self.home / "limits.toml").write_text(limits_toml())
        path = self.home / "restless.py"
        template = COMPILED if self.is_compiled else RESTLESS
        rounds = self.stuck_ms * ROUNDS_PER_MS
        path.write_text(template.format(stuck_ms=self.stuck_ms, stuck=str(self.stuck), rounds=rounds))
        text = node_toml(feed=self.feed, ready=self.ready, strategy=path, strategy_class="Restless")
        text = text.replace('class = "Restless"', f'class = "Restless"\nspeed = "{self.speed}"')
        self.node_file.write_text(text.replace("[node]", f"[node]\ncallback_budget_ms = {BUDGET_MS}", 1))

    @property
    def speed(self) -> str:
        """Of the strategy."""
        return "compiled" if self.is_compiled else "interpreted"

    def spawn(self, *arguments: Any) -> subprocess.Popen[str]:
        """As World does it; an exchange gets a busier market first."""
        if arguments[0] == "exchange":
            Path(arguments[1]).write_text(exchange_toml(feed=self.feed, rate=EVENTS_PER_S))
        return super().spawn(*arguments)


RESTLESS = """import time
from pathlib import Path

from openbell import Strategy


class Restless(Strategy):
    '''Another price with each book; now and then it does not return for a while.'''

    turn: int = 0

    def on_book(self, ctx, book):
        if not book.bid_px or not book.ask_px:
            return
        self.turn += 1
        if {stuck_ms} and self.turn % 200 == 0 and len(ctx.orders()) >= 2:
            Path({stuck!r}).touch()
            until = time.monotonic() + {stuck_ms} / 1000
            while time.monotonic() < until:
                pass
        far = (40 + self.turn % 2) * book.tick
        ctx.quote(book.instrument, bid_px=book.bid_px - far, bid_qty=100, ask_px=book.ask_px + far, ask_qty=100)
"""

COMPILED = """from openbell import Strategy, math


class Restless(Strategy):
    '''Another price with each book, and now and then a long calculation in machine code.'''

    turn: int = 0
    worn: float = 1.0

    def on_book(self, ctx, book):
        if not book.bid_px or not book.ask_px:
            return
        self.turn += 1
        for _ in range({rounds} if self.turn % 400 == 0 else 0):
            self.worn = math.pow(math.pow(math.pow(math.pow(self.worn + 1.0, 0.5), 1.1), 0.9), 0.7)
        far = (40 + self.turn % 2) * book.tick
        ctx.quote(book.instrument, bid_px=book.bid_px - far, bid_qty=100, ask_px=book.ask_px + far, ask_qty=100)
"""
