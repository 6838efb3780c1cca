"""An exchange with the instruments of every reference, and one node that runs them all."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.world import World
from tests.strategies.references import FOLDER

from configurations import NODE
from openbell.strategy.loader import load_strategy

EVENTS_PER_S = 40.0
"""Of the flow, in each instrument."""


@dataclass(frozen=True)
class Live:
    """A reference with instruments of its own: symbol -> (price, tick), in the order in which it counts them."""

    name: str
    instruments: dict[str, tuple[str, str]]
    params: dict[str, Any] = field(default_factory=dict)


LIVE = (
    Live("market_maker", {"MAKE": ("50.00", "0.01")}),
    Live("avellaneda_stoikov", {"AVST": ("50.00", "0.01")}, {"horizon_s": 20.0, "half_life_s": 10.0, "k": 1.0}),
    Live("gueant_lehalle_tapia", {"GLTM": ("50.00", "0.01")}, {"k": 0.5}),
    Live("queue_imbalance", {"QIMB": ("25.00", "0.01")}),
    Live("grid", {"GRID": ("50.00", "0.01")}, {"step_ticks": 3}),
    Live(
        "pairs_kalman",
        {"PAIRY": ("45.00", "0.01"), "PAIRX": ("50.00", "0.01")},
        {"look_ms": 250, "warm_looks": 40, "drift": 1e-9, "edge": 0.02},
    ),
    Live("cross_exchange", {"VENA": ("60.00", "0.01"), "VENB": ("60.00", "0.01")}),
    Live("basis", {"SPOT": ("80.00", "0.01"), "FUTR": ("80.00", "0.01")}, {"entry_bps": 3.0}),
    Live(
        "triangular",
        {"ATOB": ("10.00", "0.01"), "BTOC": ("20.00", "0.01"), "ATOC": ("200.00", "0.01")},
        {"edge_bps": 15.0, "size": 20, "position_max": 100},
    ),
    Live("breakout", {"BREA": ("50.00", "0.01")}, {"bar_s": 0.5, "entry_bars": 10, "exit_bars": 5, "target": 1.0}),
    Live(
        "rebalancer",
        {"REBA": ("50.00", "0.01"), "REBB": ("100.00", "0.01"), "REBC": ("20.00", "0.01")},
        {"look_ms": 250, "warm_looks": 20, "every_looks": 8, "span": 60.0, "band": 0.01},
    ),
)
INSTRUMENTS = {symbol: facts for live in LIVE for symbol, facts in live.instruments.items()}

EXCHANGE = """
ready_file = "exchange.json"
[[accounts]]
name = "NODE1"
password = "plain:demo"
cancel_on_disconnect = true
[[drop_copies]]
name = "COPY"
password = "plain:demo"
accounts = ["NODE1"]
[feed]
send_to = ["127.0.0.1:{feed}"]
linger_ms = 0
[flow]
kind = "agents"
preset = "steady"
seed = {seed}
agents.traders.events_per_s = {rate}
"""
LIMITS = """owner = "desk"
version = 1
base_currency = "USD"
[account]
order_rate_max = 2000
order_rate_window_ms = 1000
gross_notional_max = "20000000.00"
daily_loss_max = "1000000.00"
"""
LIMITS_OF = """
[[instruments]]
symbol = "{symbol}"
order_qty_max_lots = 3000
order_notional_max = "300000.00"
position_long_max_lots = 6000
position_short_max_lots = 6000
collar_bps = 500
open_orders_max = 40
"""


class Floor(World):
    """A World with all of them."""

    def __init__(self, home: Path, seed: int, speed: str) -> None:
        super().__init__(home)
        self.seed, self.speed = seed, speed

    def spawn(self, *arguments: Any) -> Any:
        """As World does it; the exchange gets more instruments first."""
        if arguments[0] == "exchange":
            text = EXCHANGE.format(feed=self.feed, seed=self.seed, rate=EVENTS_PER_S)
            Path(arguments[1]).write_text(text + "".join(map(self.listed, INSTRUMENTS)))
        return super().spawn(*arguments)

    def listed(self, symbol: str) -> str:
        """An instrument of the exchange's file."""
        px, tick = INSTRUMENTS[symbol]
        return f'[[instruments]]\nsymbol = "{symbol}"\npx = "{px}"\ntick = "{tick}"\n'

    def write_node(self, **_: Any) -> None:
        """One node, every reference one of its strategies."""
        limits = LIMITS + "".join(LIMITS_OF.format(symbol=symbol) for symbol in INSTRUMENTS)
        self.node_file.with_name("limits.toml").write_text(limits)
        head, _, _ = NODE.partition("[[strategies]]")
        wanted = "".join(
            f'\n[[instruments]]\nsymbol = "{symbol}"\ntick = "{tick}"\n' for symbol, (_, tick) in INSTRUMENTS.items()
        )
        text = head.format(
            name="references",
            mode="live",
            hot="hot",
            journal="journal",
            durability="memory",
            arm="full",
            identities=1,
            feed=self.feed,
            retransmit=self.ready["retransmit"],
            order_entry=self.ready["order_entry"],
            instruments=wanted,
        )
        self.node_file.write_text(text + "".join(self.strategy(number, live) for number, live in enumerate(LIVE)))

    def strategy(self, number: int, live: Live) -> str:
        """A strategy of the node's file."""
        file = FOLDER / f"{live.name}.py"
        params = "".join(f"{name} = {str(value).lower()}\n" for name, value in live.params.items())
        return (
            f'\n[[strategies]]\nname = "{live.name}"\nid = {number + 1}\nspeed = "{self.speed}"\nfile = "{file}"\n'
            f'class = "{load_strategy(file).__name__}"\ninstruments = {list(live.instruments)}\n'
            f"[strategies.params]\n{params}"
        ).replace("'", '"')

    def others(self) -> tuple[str, ...]:
        """Whom the node's books are compared with."""
        venue = ("--venue", self.ready["control"], "--account", "NODE1")
        return (*venue, "--drop-copy", self.ready["order_entry"], "--user", "COPY", "--password", "plain:demo")
