"""`openbell params`: the parameters of running strategies; change them while they trade."""

import json
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from openbell.errors import ConfigError

app = cyclopts.App(name="params", help="Show the parameters of a node's strategies; change them while they trade.")


@app.default
def params(
    node: str | None = None,
    strategy: str = "",
    /,
    *changes: str,
    why: str = "",
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Show the parameters of NODE; with NAME=VALUE change those of STRATEGY, all of them between two frames.

    Parameters
    ----------
    node
        Its name, its .toml file or its hot directory; without it, the only node of this host.
    strategy
        By its name; without it, every strategy.
    changes
        NAME=VALUE, within the bounds of the class. They hold until the node starts with another file or strategy.
    why
        For the journal.
    as_json
        The node's answer as one JSON object.
    """
    from openbell.ops.control.client import ask
    from openbell.ops.find import find_hot_dir

    hot_dir = find_hot_dir(node)
    values = dict(_change(text) for text in changes)
    answer = ask(hot_dir, {"verb": "params", "strategy": strategy, "values": values, "why": why})
    if as_json:
        print(json.dumps(answer))
    elif "done" in answer:
        print(f"{hot_dir.name}: {answer['done']}; the journal says so")
    else:
        _show(hot_dir, answer["params"])
    return 0


def _change(text: str) -> tuple[str, bool | int | float]:
    name, _, value = text.partition("=")
    try:
        read = json.loads(value)
    except ValueError:
        read = None
    if not name or not isinstance(read, bool | int | float):
        raise ConfigError(f"expected NAME=VALUE with a number, true or false, found {text!r}")
    return name, read


def _show(hot_dir: Path, strategies: dict[str, dict[str, Any]]) -> None:
    if not any(strategies.values()):
        print(f"{hot_dir.name}: no strategy has parameters")
    for strategy, fields in strategies.items():
        for name, one in fields.items():
            low, high = one["ge"], one["le"]
            bounds = (
                ""
                if low is None and high is None
                else f"  [{'' if low is None else low}, {'' if high is None else high}]"
            )
            changed = "" if one["value"] == one["configured"] else f"  (file: {one['configured']})"
            doc = f"  {one['doc']}" if one["doc"] else ""
            print(f"{strategy}.{name} = {one['value']}{' ' * bool(one['unit'])}{one['unit']}{bounds}{changed}{doc}")
