"""The watchdog as the supervisor starts it: `python -m openbell.ops.watchdog NODE.toml MODE`.

It does not end with its parent: a supervisor that dies asks the trading process to end in order, and somebody has to
see that it does. It leaves when it is asked to, or when it has been left alone with a node that has ended.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from openbell.errors import ConfigError, OpenbellError
from openbell.node.card import NodeCard, read_card
from openbell.node.config import NodeConfig, load_node
from openbell.node.lifeline import stop_asked
from openbell.ops.find import read_page
from openbell.ops.watchdog.guard import Guard

PRIORITY = -10
"""Before others: who waits for a processor on a busy host sees a silence late."""


def come_first() -> None:
    """Take that priority where the system allows it (root, or CAP_SYS_NICE); stay as we are elsewhere."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)


def expect_its_user(hot_dir: Path) -> None:
    """Root may watch over a node, and the user it runs as.

    Raises:
        ConfigError: we are neither: its shared memory and its process are closed to us, and a stop would do nothing.
    """
    we = os.geteuid()
    try:
        owner = f"uid {hot_dir.stat().st_uid}"
    except FileNotFoundError:
        return  # whoever looks for the node says so
    except PermissionError:
        owner = "whose folder is closed to us"
    if we != 0 and owner != f"uid {we}":
        raise ConfigError(
            f"expected to run as the user of the node, {owner}, or as root, found uid {we}: it could neither close the "
            f"gate in {hot_dir} nor end the process; start it as that user, or with the node: with_node = true"
        )


def watch(config: NodeConfig, card: NodeCard, to: TextIO, is_left: Callable[[], bool] = lambda: False) -> None:
    """Watch over the node of a card until SIGINT, SIGTERM, or `is_left` says that nobody needs it."""
    is_asked_to_stop = stop_asked()

    def say(line: str) -> None:
        with contextlib.suppress(OSError):  # whoever read has gone, and must not take the watchdog along
            print(line, file=to, flush=True)

    come_first()
    Guard(config, card, say).run(lambda: is_asked_to_stop() or is_left())


def main(arguments: list[str]) -> int:
    """Run it; 2 when it could not start."""
    parent = os.getppid()
    try:
        config = load_node(Path(arguments[0]), arguments[1])
        hot = config.node.hot_dir
        expect_its_user(hot)
        watch(config, read_card(hot), sys.stderr, lambda: os.getppid() != parent and not read_page(hot).is_alive)
    except OpenbellError as error:
        print(f"openbell watchdog: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
