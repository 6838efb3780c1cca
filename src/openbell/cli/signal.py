"""`openbell signal`: send strategies a value that the node's file names."""

import json
from typing import Annotated

import cyclopts
from cyclopts import Parameter

app = cyclopts.App(name="signal", help="Send a value to the strategies of a running node.")


@app.default
def signal(
    name: str,
    value: float,
    /,
    *,
    node: str | None = None,
    instrument: str = "",
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Send VALUE as signal NAME; `[[signals]]` says its bounds and who is told.

    Parameters
    ----------
    name
        As the node's file names it.
    value
        A number within its bounds. A negative one stands behind `--`.
    node
        Its name, its .toml file or its hot directory; without it, the only node of this host.
    instrument
        The symbol that it is about; of several venues OBEL@home, with the name of the feed.
    as_json
        The node's answer as one JSON object.
    """
    from openbell.ops.find import find_hot_dir
    from openbell.ops.signals import send_signal

    hot_dir = find_hot_dir(node)
    send_signal(hot_dir, name, value, instrument=instrument)
    print(json.dumps({"sent": name, "value": value}) if as_json else f"{hot_dir.name}: {name} = {value:g}")
    return 0
