"""`openbell strategy`: look at a strategy before it trades, or begin a new one."""

import json
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter

app = cyclopts.App(name="strategy", help="Check a strategy before it trades, or begin a new one.")

EXIT_REFUSED = 1


@app.command
def check(
    file: Path,
    /,
    *,
    strategy_class: Annotated[str | None, Parameter(name="--class")] = None,
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
    lowered
        Print the functions that it is compiled from.
    as_json
        Print the answer as JSON.
    """
    from openbell.strategy.compiler.report import look_at
    from openbell.strategy.loader import load_strategy

    report = look_at(load_strategy(file, strategy_class))
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        print(report.lowered if lowered and report.lowered else "\n".join(report.lines()))
    return EXIT_REFUSED if report.refusals else 0


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
