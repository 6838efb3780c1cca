"""The trading process: recover, start an epoch, trade until asked to stop, leave nothing open in silence.

    python -m openbell.node.trading NODE.toml [--for SECONDS]

`openbell run` starts it under a supervisor, beside the archiver and the process that makes snapshots.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openbell import _native as native
from openbell import events
from openbell.errors import OpenbellError
from openbell.journal import Source
from openbell.node import assemble
from openbell.node.config import NodeConfig, load_node
from openbell.node.holdings import holdings_of
from openbell.node.lifeline import STOP_SIGNALS, end_with_parent
from openbell.node.limit_lines import expect_meant
from openbell.node.loading import loading_beside
from openbell.node.names import Names
from openbell.node.record import read_record
from openbell.node.recovery import Recovered
from openbell.node.start import Start
from openbell.node.versions import follow_versions
from openbell.strategy.budget import watched
from openbell.types import OrderState

ORDERS_LEFT, DOUBTED = 3, 4
"""Exit codes of a node that closed its journal, and left something to a person."""
CLOCK_BEHIND_S = 0.1
"""What a clock that is disciplined may lose between two lives of a node."""


@dataclass(frozen=True)
class Summary:
    """What a session left behind; money in the instrument's smallest unit (1e-4 for ITCH)."""

    epoch: int
    last_seq: int
    orders_open: int
    recovered: str
    positions: dict[str, dict[str, Any]]
    refusals: int
    state_hash: str
    is_doubted: bool
    """A person has to reconcile and to release the node before it opens anything."""


def trade(
    config: NodeConfig, *, for_s: float = 0, accepted_limits: int | None = None, acknowledged: str = ""
) -> Summary:
    """Run the node of `config` in this process until a signal, or for `for_s` seconds.

    Raises:
        JournalLockedError: a node with another hot folder writes this journal.
        OpenbellError: nothing was started, or the journal or a socket failed; the order sockets are closed.
    """
    with native.FolderLock(str(config.node.journal_dir), str(config.node.hot_dir)):
        expect_limits_meant(config, accepted_limits)
        start = Start(config, acknowledged)
        engine, recovered = start.recover()
        return session(config, start, engine, recovered, assemble.build_strategies(config), for_s)


def session(
    config: NodeConfig,
    start: Start,
    engine: native.Engine,
    recovered: Recovered,
    strategies: native.StrategyHost,
    for_s: float = 0,
) -> Summary:
    """Trade in a new epoch, from the end of the journal at which `engine` stands.

    Raises:
        OpenbellError: as `trade`.
    """
    node_settings = config.node
    versions = follow_versions(strategies, node_settings.journal_dir, start.configured.strategies)
    with (
        watched(strategies, node_settings.callback_budget_ms * 1_000_000),  # their on_start too
        loading_beside(versions, node_settings.hot_dir),
    ):
        node = native.LiveNode(assemble.live_config(config), engine, strategies)
        start.record.write(node_settings.journal_dir, node.epoch)
        for line in (*small_buffers(config, node), *start.says):
            print(line, file=sys.stderr)
        print(f"epoch {node.epoch}: {recovered}; durability {node_settings.durability}", file=sys.stderr, flush=True)
        _open_epoch(node, config, start, recovered, engine)
        gc.collect()
        gc.freeze()
        gc.disable()  # law 12: nothing collects while armed; callbacks make no cycles worth keeping
        open_orders = node.run(int(for_s * 1e9))
    name_open_orders(node, engine)
    node.close()
    return Summary(
        epoch=node.epoch,
        last_seq=node.last_seq,
        orders_open=open_orders,
        recovered=str(recovered),
        positions=holdings_of(engine, config.strategy_ids().values(), Names(config.feed_names()).of(engine)),
        refusals=engine.refusals,
        state_hash=f"{engine.state_hash:016x}",
        is_doubted=not engine.is_reconciled,
    )


def expect_limits_meant(config: NodeConfig, accepted: int | None) -> None:
    """Compare the limits with those of the last run, which are in force until these are.

    Raises:
        ConfigError: they loosen too much at once, and their version was not accepted.
    """
    last = read_record(config.node.journal_dir)
    if last is not None and last.limits is not None:
        before = last.limits
        expect_meant(before.compared, before.version, config.limits, accepted=accepted, origin=config.node.limits)


def small_buffers(config: NodeConfig, node: native.LiveNode) -> Iterator[str]:
    """A line for each socket of a feed to which the kernel has given less memory than was asked for."""
    for index, feed in enumerate(config.feeds):
        for line, letter in enumerate("AB"[: len(feed.lines)]):
            granted_kib = node.feed_buffer_bytes(index, line) >> 10
            if granted_kib < feed.receive_buffer_kib:
                yield (
                    f"feed {feed.name}, line {letter}: expected a receive buffer of {feed.receive_buffer_kib} KiB, the "
                    f"kernel granted {granted_kib}: a burst may be lost; "
                    f"sysctl -w net.core.rmem_max={feed.receive_buffer_kib << 10}"
                )


def _open_epoch(
    node: native.LiveNode, config: NodeConfig, start: Start, recovered: Recovered, engine: native.Engine
) -> None:
    is_known = start.is_acknowledged
    started = assemble.started_record(config, start.record, node.epoch, time.time_ns(), is_acknowledged=is_known)
    node.submit(started, Source.NODE)
    doubts = sum(order.state == OrderState.IN_DOUBT for order in engine.live_orders())
    if doubts:
        print(f"{doubts} orders in doubt: they count as live until the venue has told", file=sys.stderr, flush=True)
    behind_s = (engine.now_ns - time.time_ns()) / 1e9
    if behind_s > CLOCK_BEHIND_S:
        print(
            f"the wall clock stands {behind_s:.1f} s before the end of the journal: it was set back; engine time "
            "goes on from the journal's end, so stamps are that much ahead: look after the clock (chronyc tracking)",
            file=sys.stderr,
            flush=True,
        )
    for record in start.records(recovered, doubts, node.torn_bytes):
        node.submit(record, Source.NODE)
    node.submit(assemble.trading_day_record(config), Source.NODE)
    if config.node.mode == "paper":
        node.open_paper()
    state = "shadow" if config.node.mode == "shadow" else config.node.arm_at_start
    by = events.By(os.getuid(), why="arm_at_start")
    arm = events.arm(assemble.arm_state(state), by=by, limited_percent=config.node.limited_percent)
    node.submit(arm, Source.OPERATOR)


def name_open_orders(node: native.LiveNode, engine: native.Engine) -> None:
    """Journal every order that this process leaves open, and why."""
    for order in engine.live_orders():
        why = (
            "no word of the venue whether it has it" if order.state == OrderState.IN_DOUBT else "no word of its cancel"
        )
        if not engine.session(Source.ORDER_ENTRY + order.session)[1]:
            why = "its order session is down; cancel-on-disconnect is what remains"
        record = events.left_open(
            cl_ord_id=order.cl_ord_id,
            version=order.version,
            leaves_qty=order.leaves_qty,
            state=int(order.state),
            why=why,
            strategy=order.strategy,
        )
        node.submit(record, Source.NODE)


def main(arguments: list[str] | None = None) -> int:
    """Run the process; 0, or 2 when it could not start or had to stop, 3 orders were left open, 4 it is in doubt."""
    parser = argparse.ArgumentParser(prog="python -m openbell.node.trading")
    parser.add_argument("config", type=Path)
    parser.add_argument("--mode", default="", help="a safer mode than the file's")
    parser.add_argument("--for", dest="for_s", type=float, default=0.0, help="seconds; 0: until a signal")
    parser.add_argument("--accept-limits", type=int, help="the version of the limits that loosens, and is meant")
    parser.add_argument("--acknowledge", default="", help="what runs, where it is not what ran")
    options = parser.parse_args(arguments)
    return lived(
        lambda: trade(
            load_node(options.config, options.mode),
            for_s=options.for_s,
            accepted_limits=options.accept_limits,
            acknowledged=options.acknowledge,
        )
    )


def lived(live: Callable[[], Summary | None]) -> int:
    """Live as the trading process, from its first signal to the summary on standard output; the exit code of `main`."""
    native.install_stop_handler()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # held back by the supervisor while Python was starting
    end_with_parent()
    try:
        summary = live()
    except OpenbellError as error:
        print(f"openbell: {error}", file=sys.stderr)
        return 2
    if summary is None:
        return 0
    print(json.dumps(asdict(summary)), flush=True)
    return exit_code(summary.orders_open, is_doubted=summary.is_doubted)


def exit_code(orders_open: int, *, is_doubted: bool) -> int:
    """Of a node that ended in order: 0 only where nobody has to look."""
    return ORDERS_LEFT if orders_open else DOUBTED if is_doubted else 0


if __name__ == "__main__":
    sys.exit(main())
