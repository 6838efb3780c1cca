"""Run the benchmarks, print one table with the targets beside, write `bench/results/<name>.json`."""

import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.harness import REPO, Figure, Result, SkippedError, as_json, from_dict, machine

RESULTS = REPO / "bench/results"


def main(names: list[str]) -> int:
    """Run the benchmarks called `names`, or all of them; return 1 if one failed."""
    known = benchmarks()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"expected names of files in bench/, found {', '.join(unknown)}; known: {', '.join(known) or 'none'}")
        return 2
    console = Console(width=None if sys.stdout.isatty() else 140)
    results, failed = [], []
    for name in names or known:
        console.print(f"[dim]running bench/{name}.py[/dim]")
        try:
            results.append(run_one(name))
        except SkippedError as reason:
            console.print(f"[yellow]bench/{name}.py skipped:[/yellow] {reason}")
        except Exception as error:
            failed.append(name)
            console.print(f"[red]bench/{name}.py failed:[/red] {type(error).__name__}: {error}")
    console.print(table(results))
    console.print(f"median beside target; files in {RESULTS.relative_to(REPO)}/")
    return 1 if failed else 0


def benchmarks() -> list[str]:
    """Return the names of the files that have a `run`; the others help them."""
    here = Path(__file__).parent
    return sorted(path.stem for path in here.glob("*.py") if "\ndef run(" in path.read_text())


def run_one(name: str) -> Result:
    """Run bench/`name`.py and write its file."""
    result = from_dict(importlib.import_module(f"bench.{name}").run())
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(as_json(result), indent=2) + "\n")
    return result


def table(results: list[Result]) -> Table:
    """Return every figure of `results` as one row, its target beside the median."""
    here = machine()
    out = Table(title=f"{here['cpu']}, {here['cores']} cores, load {here['load_1min']}, Python {here['python']}")
    for column in ("bench", "figure", "unit"):
        out.add_column(column)
    for column in ("n", "min", "median", "p99", "p99.9", "max", "target", ""):
        out.add_column(column, justify="right")
    for result in results:
        for figure in result.figures:
            out.add_row(result.name, figure.name, figure.unit, *_numbers(figure))
        out.add_section()
    return out


def _numbers(figure: Figure) -> list[str]:
    sign = {None: "", True: "[green]reached[/green]", False: "[yellow]not yet[/yellow]"}[figure.reached]
    target = "" if figure.target is None else f"{'>=' if figure.larger_is_better else '<='} {_short(figure.target)}"
    p999 = figure.more.get("p99.9")
    spread = [_short(value) for value in (figure.min, figure.median, figure.p99)]
    spread += ["" if p999 is None else _short(p999), _short(figure.max)]
    return [f"{figure.repetitions:,}", *spread, target, sign]


def _short(value: float) -> str:
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (size if suffix != 'k' else 1e3):.3g} {suffix}"
    return f"{value:.4g}"


sys.exit(main(sys.argv[1:]))
