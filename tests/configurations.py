"""Configuration files of a small exchange and of a node on it, for tests over real processes."""

import json
import socket
from pathlib import Path

from openbell.node.limits import NOT_REQUIRED

SYMBOLS = ("OBEL", "RING")

EXCHANGE = """
ready_file = "{ready_file}"
[[instruments]]
symbol = "OBEL"
px = "50.00"
[[instruments]]
symbol = "RING"
px = "120.00"
[[accounts]]
name = "NODE1"
password = "plain:demo"
cancel_on_disconnect = {cancel}
[feed]
send_to = ["127.0.0.1:{feed}"]
linger_ms = 0
[flow]
kind = "agents"
preset = "steady"
seed = {seed}
agents.traders.events_per_s = {rate}
"""

NODE = """
[node]
name = "{name}"
id = 1
mode = "{mode}"
run_dir = "{hot}"
journal_dir = "{journal}"
limits = "limits.toml"
durability = "{durability}"
seed = 7
arm_at_start = "{arm}"
segment_mib = 4
snapshot_every_s = 1.0
[control]
identities = {identities}
[watchdog]
with_node = false
[[feeds]]
name = "feed"
kind = "itch_moldudp64"
listen = "127.0.0.1:{feed}"
retransmit = "{retransmit}"
[[sessions]]
name = "ouch"
kind = "ouch42_soupbintcp"
connect = "{order_entry}"
user = "NODE1"
password = "plain:demo"
messages_per_second_max = 0
unreconciled = true
{instruments}
[[strategies]]
name = "maker"
id = 1
file = "{strategy}"
class = "{strategy_class}"
instruments = ["OBEL", "RING"]
process = "{process}"
"""

INSTRUMENT = """
[[instruments]]
symbol = "{symbol}"
"""
LIMITS = f"""owner = "desk"
version = 1
base_currency = "USD"
unlimited = {json.dumps([*NOT_REQUIRED])}
[account]
order_rate_max = 1000
order_rate_window_ms = 1000
gross_notional_max = "1000000.00"
daily_loss_max = "100000.00"
"""
LIMITS_OF = """
[[instruments]]
symbol = "{symbol}"
px_last = "50.00"
order_qty_max_lots = 500
order_notional_max = "150000.00"
position_long_max_lots = 2000
position_short_max_lots = 2000
collar_bps = 500
open_orders_max = 20
"""


def reconciled(node: str, table: str) -> str:
    """That node's file with a `[reconciliation]` of these lines."""
    return node.replace("unreconciled = true\n", "") + f"\n[reconciliation]\n{table}\n"


def watched(node: str, *lines: str) -> str:
    """That node's file with these lines in `[watchdog]`, in place of the word that one is started apart."""
    said = any(line.startswith("with_node") for line in lines)
    return node.replace("with_node = false\n", "\n".join([*([] if said else ["with_node = false"]), *lines]) + "\n")


def limits_toml(*symbols: str) -> str:
    """A file of limits of those instruments, or of both."""
    return LIMITS + "".join(LIMITS_OF.format(symbol=symbol) for symbol in symbols or SYMBOLS)


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_tcp_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def exchange_toml(
    *, feed: int, ready_file: str = "exchange.json", cancel_on_disconnect: bool = True, seed: int = 1, rate: int = 300
) -> str:
    """An exchange with two instruments, steady flow and the account NODE1; every other port is the system's choice."""
    cancel = str(cancel_on_disconnect).lower()
    return EXCHANGE.format(feed=feed, ready_file=ready_file, cancel=cancel, seed=seed, rate=f"{rate:.1f}")


def node_toml(
    *,
    feed: int,
    ready: dict[str, str],
    strategy: Path,
    strategy_class: str = "MarketMaker",
    name: str = "tested",
    mode: str = "live",
    arm: str = "full",
    hot: Path | str = "hot",
    journal: Path | str = "journal",
    durability: str = "memory",
    identities: int = 1,
    process: str = "trading",
    more: str = "",
) -> str:
    """A node with one strategy on that exchange; `ready` is what the exchange's ready file says."""
    return (
        NODE.format(
            feed=feed,
            retransmit=ready["retransmit"],
            order_entry=ready["order_entry"],
            instruments="".join(INSTRUMENT.format(symbol=symbol) for symbol in SYMBOLS),
            strategy=strategy,
            strategy_class=strategy_class,
            name=name,
            mode=mode,
            arm=arm,
            hot=hot,
            journal=journal,
            durability=durability,
            identities=identities,
            process=process,
        )
        + more
    )
