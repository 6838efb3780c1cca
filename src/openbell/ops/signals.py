"""Sends values to the strategies of a node: for models and other programs that run beside it.

from openbell.ops.signals import send_signal
send_signal("/dev/shm/openbell/demo", "alpha", 0.25, instrument="OBEL")
"""

from __future__ import annotations

from pathlib import Path

from openbell.ops.control.client import ask


def send_signal(hot_dir: Path | str, name: str, value: float, *, instrument: str = "") -> None:
    """Give the node in `hot_dir` a value that its `[[signals]]` names; it is journalled, then strategies hear of it.

    Raises:
        RefusedError: no such signal or instrument, a value outside the bounds or no number, or too many a second.
        NetError: the node's control process does not answer.
    """
    ask(Path(hot_dir), {"verb": "signal", "name": name, "value": value, "instrument": instrument})
