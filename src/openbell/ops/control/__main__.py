"""The control process of a node: `python -m openbell.ops.control NODE.toml [MODE]`, started by the supervisor.

It is not the trading process and shares nothing with it but shared memory: its death changes nothing in trading, and
the kill cell works without it.
"""

from __future__ import annotations

import grp
import os
import sys
import time
from pathlib import Path

from openbell.errors import ConfigError, OpenbellError
from openbell.node.card import card_of
from openbell.node.config import NodeConfig, load_node
from openbell.node.lifeline import end_with_parent, stop_asked
from openbell.ops.control.desk import ControlDesk, Operator
from openbell.ops.control.limits import NodeLimits
from openbell.ops.control.permissions import Role
from openbell.ops.control.proposals import Person
from openbell.ops.control.replacing import Replacing
from openbell.ops.control.server import SOCKET_NAME, ControlServer
from openbell.ops.control.tuning import Tuning
from openbell.ops.control.world import LiveWorld


def operators_of(config: NodeConfig) -> dict[int, Operator]:
    """The people of the node's file by uid; without any, whoever runs the node has every role."""
    if not config.operators:
        return {os.getuid(): Operator(Person(os.getuid(), "owner"), frozenset(Role))}
    return {
        operator.uid: Operator(Person(operator.uid, operator.name), frozenset(Role(role) for role in operator.roles))
        for operator in config.operators
    }


def identities_of(config: NodeConfig) -> int:
    """How many people a loosening needs: two, unless the file says otherwise or no order can leave this machine."""
    return config.control.identities or (2 if config.node.mode == "live" else 1)


def clips_of(config: NodeConfig) -> dict[str, int]:
    """By strategy, the largest order that every one of its instruments admits."""
    most = {one.symbol: one.order_qty_max_lots for one in config.limits.instruments}
    return {one.name: min(most.get(symbol, 0) for symbol in one.instruments) for one in config.strategies}


def open_server(config: NodeConfig, desk: ControlDesk) -> ControlServer:
    """The socket in the hot directory, for the node's user alone or for a group.

    Raises:
        ConfigError: there is no such group.
        NetError: it cannot be bound.
    """
    hot_dir, group = config.node.hot_dir, config.control.group
    mode, gid = 0o600, -1
    if group:
        try:
            mode, gid = 0o660, grp.getgrnam(group).gr_gid
        except KeyError:
            raise ConfigError(f"[control] group: expected a group of this host, found {group!r}; add it") from None
        os.chown(hot_dir, -1, gid)
        hot_dir.chmod(0o710)
    return ControlServer(
        hot_dir / SOCKET_NAME,
        lambda line, uid, pid: desk.answer(line, uid, time.monotonic_ns(), pid),
        requests_per_s=config.control.requests_per_s,
        mode=mode,
        gid=gid,
    )


def serve(config: NodeConfig, config_path: Path) -> None:
    """Until SIGTERM or SIGINT."""
    world = LiveWorld(card_of(config, config_path))
    owners = {strategy.name: strategy.owner for strategy in config.strategies}
    limits = NodeLimits(config, world)
    tuning = Tuning(world, {one.name: one for one in config.signals}, world.run)
    files = {one.name: (one.file, one.class_name) for one in config.strategies}
    replacing = Replacing(world, config.node.journal_dir, config.node.hot_dir, files, world.run)
    people, identities = operators_of(config), identities_of(config)
    desk = ControlDesk(world, people, identities, owners, limits, tuning, replacing, clips_of(config))
    server = open_server(config, desk)
    is_asked_to_stop = stop_asked()
    while not is_asked_to_stop():
        server.turn()
        world.poll()
    server.close()


def main(arguments: list[str]) -> int:
    """Run it; 2 when it could not start."""
    end_with_parent()
    try:
        serve(load_node(arguments[0], arguments[1] if len(arguments) > 1 else ""), Path(arguments[0]))
    except OpenbellError as error:
        print(f"openbell control: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
