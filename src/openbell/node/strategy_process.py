"""A strategy in a process of its own: it follows the node's journal and sends what it says by a ring.

    python -m openbell.node.strategy_process NODE.toml MODE NAME

The supervisor starts one for each `process = "own"` of the file and starts it again when it has ended. A strategy that
was halted is not called until a person has released it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path

from openbell import _native as native
from openbell.errors import ConfigError, OpenbellError
from openbell.node import assemble
from openbell.node.config import NodeConfig, load_node
from openbell.node.lifeline import STOP_SIGNALS, end_with_parent
from openbell.node.record import StrategyRecord, build_host
from openbell.node.snapshots import usable_snapshots
from openbell.node.versions import follow_versions
from openbell.strategy.budget import watched


def run(config: NodeConfig, name: str) -> None:
    """Call the strategy `name` until a signal.

    Raises:
        ConfigError: the file has no such strategy, or another process calls it already.
        StrategyError: it cannot be loaded.
        InvariantError: this core decides otherwise than the trading process.
    """
    record = strategy_record(config, name)
    node = config.node
    host = build_host((record,))
    follow_versions(host, node.journal_dir, (record,))
    process = native.StrategyProcess(
        assemble.capacity_of(config),
        str(node.journal_dir),
        str(node.hot_dir),
        record.id,
        host,
        record.identity().hex()[:64],
        node.wait == "busy",
        1 + sum(one.process == "own" for one in config.strategies),
    )
    for snapshot in usable_snapshots(node.journal_dir, node.hot_dir):
        process.load(snapshot.state)
        break
    gc.collect()
    gc.freeze()
    gc.disable()  # as in the trading thread: callbacks make no cycles worth keeping
    with watched(host, node.callback_budget_ms * 1_000_000):
        process.run()


def strategy_record(config: NodeConfig, name: str) -> StrategyRecord:
    """The strategy of that name.

    Raises:
        ConfigError: there is none that has a process of its own.
    """
    for record in assemble.run_record(config).strategies:
        if record.name == name and record.process == "own":
            return record
    known = ", ".join(one.name for one in config.strategies if one.process == "own") or "none"
    raise ConfigError(f'expected a strategy with process = "own", found {name!r}; the file has {known}')


def main(arguments: list[str]) -> int:
    """Run it; 2 when it could not start or go on."""
    end_with_parent()
    native.install_stop_handler()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    path, mode, name = arguments
    try:
        config = load_node(Path(path), mode)
        config.node.hot_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        run(config, name)
    except OpenbellError as error:
        print(f"openbell strategy {name} (process {os.getpid()}): {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
