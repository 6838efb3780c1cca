"""What `openbell strategy new` writes: a strategy, its test, a node and an exchange to run it. They run as they are."""

from __future__ import annotations

import re
from pathlib import Path

from openbell.errors import StrategyError

EXCHANGE = "exchange.toml"
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,30}$")

_STRATEGY = '''"""{title}: what it does and why it should earn, in a sentence or two."""

from openbell import BookView, Context, Report, Strategy, param


class {title}(Strategy):
    """Joins both sides of the touch, up to a largest position."""

    size: int = param(100, ge=1, unit="lots", doc="quantity shown on each side")
    max_position: int = param(500, ge=1, unit="lots", doc="beyond it only the reducing side is quoted")
    fills: int = 0

    def on_book(self, ctx: Context, book: BookView) -> None:
        """Called once for each changed book, at the end of a frame."""
        if not book.is_valid or not book.bid_px or not book.ask_px:
            ctx.quote(book.instrument)  # no sizes: both sides are pulled
            return
        position = ctx.position(book.instrument)
        ctx.quote(
            book.instrument,
            bid_px=book.bid_px,
            bid_qty=self.size if position < self.max_position else 0,
            ask_px=book.ask_px,
            ask_qty=self.size if position > -self.max_position else 0,
        )

    def on_fill(self, ctx: Context, fill: Report) -> None:
        """Called for every execution of one of our orders."""
        self.fills += 1
'''

_TEST = '''"""{title}, one callback at a time: pytest {folder}/test_{name}.py"""

from pathlib import Path
from types import SimpleNamespace

from openbell.strategy.compiler.report import look_at
from openbell.strategy.loader import load_strategy

{title} = load_strategy(Path(__file__).with_name("{name}.py"))
BOOK = SimpleNamespace(instrument=3, bid_px=1000, bid_qty=5, ask_px=1010, ask_qty=5, is_valid=True, tick=10)


class Ctx:
    """Holds a position and writes down what was quoted."""

    def __init__(self, position=0):
        self.held, self.quotes = position, []

    def position(self, instrument):
        return self.held

    def quote(self, instrument, bid_px=0, bid_qty=0, ask_px=0, ask_qty=0):
        self.quotes.append((bid_px, bid_qty, ask_px, ask_qty))


def test_it_joins_both_sides_of_the_touch():
    ctx = Ctx()

    {title}(size=7).on_book(ctx, BOOK)

    assert ctx.quotes == [(1000, 7, 1010, 7)]


def test_it_buys_no_more_at_the_largest_position():
    ctx = Ctx(position=20)

    {title}(size=7, max_position=20).on_book(ctx, BOOK)

    assert ctx.quotes == [(1000, 0, 1010, 7)]


def test_it_can_be_compiled():
    assert look_at({title}).refusals == ()
'''

_NODE = """# {title} on paper, on the simulated exchange of this machine.
# In one terminal: openbell exchange {folder}/exchange.toml    in another: openbell run {folder}/{name}.toml

[node]
name = "{name}"
id = 1
mode = "paper"              # paper, shadow, or live (also needs --live, and what examples/node.toml has more)
journal_dir = "../run/{name}"
limits = "{name}_limits.toml"
arm_at_start = "full"

[[feeds]]
name = "nasdaq"
kind = "itch_moldudp64"
listen = "127.0.0.1:26400"
retransmit = "127.0.0.1:26401"

[[instruments]]
symbol = "OBEL"
tick = "0.01"

[[strategies]]
name = "{name}"
id = 1
owner = "desk"
file = "{name}.py"
class = "{title}"
instruments = ["OBEL"]
speed = "interpreted"       # compiled: as machine code; `openbell strategy check {folder}/{name}.py`

[strategies.params]
size = 100
"""

_EXCHANGE = """# An exchange on this machine for the strategies of this folder: docs/exchange.md has every key.
ready_file = "../run/exchange.json"   # where it listens, once it does

[[instruments]]
symbol = "OBEL"
tick = "0.01"
px = "50.00"

[[accounts]]                # for mode = "live"
name = "NODE1"
password = "plain:demo"
cancel_on_disconnect = true

[order_entry]
listen = "127.0.0.1:26402"

[feed]
send_to = ["127.0.0.1:26400"]
retransmit = "127.0.0.1:26401"

[control]
listen = "127.0.0.1:26403"

[flow]                      # who trades there
kind = "agents"
preset = "steady"
seed = 1
agents.traders.events_per_s = 200.0
"""

_LIMITS = """# What the node of {name}.toml may do: docs/limits.md. Raise `version` with every change.

owner = "desk"
version = 1
base_currency = "USD"
# Kinds that an order may pass without, on purpose: what is not limited has to be said.
unlimited = [
    "drift", "message_rate", "duplicates", "repeats", "orders_per_trade", "book_age", "permission", "net_notional",
    "margin", "drawdown",
]

[firm]
open_orders_max = 20

[account]
order_rate_max = 1000
order_rate_window_ms = 1000
gross_notional_max = "500000.00"
daily_loss_max = "10000.00"

[[instruments]]
symbol = "OBEL"
px_last = "50.00"
order_qty_max_lots = 500
order_notional_max = "150000.00"
collar_bps = 200
position_long_max_lots = 1000
position_short_max_lots = 1000
open_orders_max = 20

[[strategies]]
strategy = "{name}"
order_rate_max = 100        # so that one cannot spend the account's rate, which all strategies share
order_rate_window_ms = 1000
"""


def write_strategy(name: str, folder: Path) -> list[Path]:
    """Write the files of a new strategy; returns their paths.

    Raises:
        StrategyError: the name cannot be a Python file's, or one of the files is there already.
    """
    if not _NAME.match(name):
        raise StrategyError(f"strategy name: expected small letters, digits and _ such as fast_maker, found {name!r}")
    texts = {
        f"{name}.py": _STRATEGY,
        f"test_{name}.py": _TEST,
        f"{name}.toml": _NODE,
        f"{name}_limits.toml": _LIMITS,
    }
    for file in texts:
        if (folder / file).exists():
            raise StrategyError(f"{folder / file}: expected no file of this name, found one; choose another name")
    title = "".join(part.capitalize() for part in name.split("_"))
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / EXCHANGE).exists():  # one serves every strategy of the folder
        texts[EXCHANGE] = _EXCHANGE
    for file, text in texts.items():
        (folder / file).write_text(text.format(name=name, title=title, folder=folder))
    return [folder / file for file in texts]
