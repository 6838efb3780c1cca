"""States of a node in which a fault may meet it. It can be in several at once."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.process import RESTLESS, ROGUE, Node

from openbell.types import ArmState, KillLevel, OrderState

LAG = 3
"""Records that wait for the disk."""


def _is_starting(node: Node) -> bool:
    return node.native is None or not node.is_settled


def _arm(state: ArmState) -> Callable[[Node], bool]:
    return lambda node: node.engine.arm_state == state


def _book_invalid(node: Node) -> bool:
    return any(not node.engine.is_book_valid(i) for i in range(node.engine.instruments))


def _in_doubt(node: Node) -> bool:
    return any(order.state == OrderState.IN_DOUBT for order in node.engine.live_orders())


STATES: dict[str, Callable[[Node], bool]] = {
    "down": lambda node: node.native is None,
    "starting": _is_starting,
    "offline": lambda node: not node.engine.is_session_up,
    "cancel-only": _arm(ArmState.CANCEL_ONLY),
    "reduce-only": _arm(ArmState.REDUCE_ONLY),
    "limited": _arm(ArmState.LIMITED),
    "full": _arm(ArmState.FULL),
    "in doubt": _in_doubt,
    "bad book": _book_invalid,
    "rebuilding": lambda node: node.native is not None and node.native.is_feed_recovering(),
    "killed": lambda node: node.engine.kill_level != KillLevel.NONE,
    "draining": lambda node: node.engine.is_draining,
    "lagging": lambda node: node.native is not None and node.native.last_seq - node.native.durable_seq > LAG,
    "halted": lambda node: any(node.engine.is_halted(s) for s in (RESTLESS, ROGUE)),
    "working": lambda node: bool(node.engine.live_orders()),
}


def states_of(node: Node) -> list[str]:
    """All that hold at the moment."""
    return [name for name, holds in STATES.items() if holds(node)]
