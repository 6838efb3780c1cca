"""`openbell strategy`: look at a strategy before it trades, begin a new one, stop, start, replace one that runs."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

app = cyclopts.App(name="strategy", help="Check or begin a strategy; stop, flatten, start or replace one that runs.")

EXIT_REFUSED = 1
ASK_AGAIN_S = 0.2


@app.command
def check(
    file: Path,
    /,
    *,
    strategy_class: Annotated[str | None, Parameter(name="--class")] = None,
    deterministic: Annotated[bool, Parameter(negative="")] = False,
    tape: Path | None = None,
    param: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    lowered: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Say what of FILE can be compiled, and what not and why; exit code 1 where something cannot.

    Parameters
    ----------
    file
        Python file with a Strategy class.
    strategy_class
        Which class of the file. Default: the only one.
    deterministic
        Run it twice over --tape, in processes of different hash seeds, and compare every decision.
    tape
        Directory of the tape for --deterministic.
    param
        Parameters for --deterministic as NAME=VALUE.
    lowered
        Print the functions that it is compiled from.
    as_json
        Print the answer as JSON.
    """
    from openbell.strategy.compiler.report import look_at
    from openbell.strategy.loader import load_strategy

    if deterministic:
        return _run_twice(file, strategy_class, tape, param)
    report = look_at(load_strategy(file, strategy_class))
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        print(report.lowered if lowered and report.lowered else "\n".join(report.lines()))
    return EXIT_REFUSED if report.refusals else 0


def _run_twice(file: Path, strategy_class: str | None, tape: Path | None, param: tuple[str, ...]) -> int:
    from openbell.backtest.determinism import run_twice
    from openbell.errors import ConfigError
    from openbell.strategy.loader import load_strategy, parse_params

    if tape is None:
        raise ConfigError("--deterministic: expected a tape to run over, found none; say which with --tape")
    params = parse_params(load_strategy(file, strategy_class), param)
    found = run_twice(file, strategy_class, tape, params)
    if found.is_identical:
        print(f"{file}: decides alike when it is run again")
        return 0
    print(f"{file}: decides differently at seq {found.differs_at:,}: {found.what}")
    print("does it look at a clock, an unseeded random number, the order of a set? ctx has now_ns and random()")
    return EXIT_REFUSED


@app.command
def new(name: str, /, *, folder: Path = Path("strategies")) -> int:
    """Write a strategy NAME, a test and a node's configuration, which run as they are.

    Parameters
    ----------
    name
        Of the file, such as fast_maker; the class is FastMaker.
    folder
        Where the files go. Default: strategies.
    """
    from openbell.strategy.template import write_strategy

    for path in write_strategy(name, folder):
        print(path)
    return 0


# What stop, flatten and start are told.
Name = Annotated[str, Parameter(help="As the node's file names it.")]
Node = Annotated[
    str | None, Parameter(help="Its name, its .toml file or its hot directory; without it, the only node of this host.")
]
Why = Annotated[str, Parameter(help="For the journal.")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="The node's answer as one JSON object.")]


@app.command
def stop(name: Name, /, *, node: Node = None, why: Why = "", as_json: AsJson = False) -> int:
    """Stop strategy NAME of a running node: its orders are cancelled, its state is kept, its position stays."""
    return _tell("stop", name, node, why, as_json)


@app.command
def flatten(name: Name, /, *, node: Node = None, why: Why = "", as_json: AsJson = False) -> int:
    """Stop strategy NAME and let the engine close its position at the touch, one order at a time."""
    return _tell("flatten", name, node, why, as_json)


@app.command
def start(name: Name, /, *, node: Node = None, why: Why = "", as_json: AsJson = False) -> int:
    """Let strategy NAME, which was stopped, go on with its state; one that failed or was killed is released instead."""
    return _tell("start", name, node, why, as_json)


@app.command
def replace(
    name: Name,
    /,
    *,
    file: Path | None = None,
    strategy_class: Annotated[str, Parameter(name="--class")] = "",
    node: Node = None,
    why: Why = "",
    as_json: AsJson = False,
) -> int:
    """Let strategy NAME go on with a new version of its class; sessions, position, limits and PnL stay.

    The new version is loaded, compiled where the strategy is, and compared with what runs before that is stopped.

    Parameters
    ----------
    file
        Where it stands. Default: the file that the node's own file names, as it is now.
    strategy_class
        Which class of the file.
    """
    from openbell.cli.arm import say
    from openbell.ops.find import find_hot_dir

    hot_dir = find_hot_dir(node)
    request = {"verb": "strategy", "act": "replace", "strategy": name, "why": why, "class_name": strategy_class}
    answer = _ask_until_looked_at(hot_dir, request | {"file": str(file.resolve()) if file else ""})
    return say(hot_dir, answer, as_json)


def _ask_until_looked_at(hot_dir: Path, request: dict[str, str]) -> dict[str, Any]:
    """The node answers others while it looks at a class; whoever wants to know asks again."""
    from openbell.ops.control.client import ask

    while "looking" in (answer := ask(hot_dir, request)):
        time.sleep(ASK_AGAIN_S)
    return answer


def _tell(act: str, name: str, node: str | None, why: str, as_json: bool) -> int:
    from openbell.ops.control.client import ask
    from openbell.ops.find import find_hot_dir

    hot_dir = find_hot_dir(node)
    answer = ask(hot_dir, {"verb": "strategy", "act": act, "strategy": name, "why": why})
    print(json.dumps(answer) if as_json else f"{hot_dir.name}: {answer['done']}; the journal says so")
    return 0
