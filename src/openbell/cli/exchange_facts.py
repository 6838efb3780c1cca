"""`openbell exchange facts`: run a preset of the background flow in simulated time and judge what it shows."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from openbell.exchange.agents.simulation import Simulated
    from openbell.research.facts import Fact

SYMBOL = "OBEL"

app = cyclopts.App(name="facts", help="Which stylised facts a preset of the background flow shows.")


@app.default
def facts(
    *,
    preset: str = "large-tick",
    seed: int = 1,
    hours: float | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Run PRESET on one instrument in simulated time and print twenty statistics beside the ranges of real markets.

    Parameters
    ----------
    preset
        large-tick, small-tick, steady or zero-intelligence.
    seed
        Of every agent.
    hours
        Of trading, at most 72. Default: what the preset was calibrated with.
    as_json
        One JSON object instead of the table.
    """
    from openbell.cli.progress import bar
    from openbell.exchange.agents.presets import load_preset, preset_names
    from openbell.exchange.agents.simulation import HOURS_MAX, simulate
    from openbell.exchange.config import ListedSettings
    from openbell.exchange.flow_config import AgentFlowSettings
    from openbell.research.facts import facts as table_of
    from openbell.research.simulated import sample_of

    if preset not in preset_names():
        raise ConfigError(f"--preset: expected one of {', '.join(preset_names())}, found {preset!r}")
    hours = load_preset(preset).facts.hours if hours is None else hours
    if not 0 < hours <= HOURS_MAX:
        raise ConfigError(f"--hours: expected more than 0 and at most {HOURS_MAX}, found {hours:g}")
    if seed < 0:
        raise ConfigError(f"--seed: expected 0 or more, found {seed}")
    settings = AgentFlowSettings.model_validate({"kind": "agents", "preset": preset, "seed": seed})
    began = time.monotonic()
    with bar("minutes of trading") as progress:
        simulated = simulate(settings, ListedSettings(symbol=SYMBOL, px=load_preset(preset).facts.px), hours, progress)
    wall_s = time.monotonic() - began
    rows = table_of(sample_of(simulated, settings.session_s))
    if as_json:
        print(json.dumps(_as_dict(rows, preset, seed, hours, simulated)))
    else:
        _show(rows, f"{preset}, seed {seed}, {hours:g} h: {_events(simulated, wall_s)}")


def _events(simulated: "Simulated", wall_s: float) -> str:
    return f"{simulated.events:,} events in {wall_s:.1f} s, {simulated.events / wall_s:,.0f}/s"


def _as_dict(
    rows: "list[Fact]", preset: str, seed: int, hours: float, simulated: "Simulated"
) -> dict[str, str | float | list[dict[str, object]]]:
    lines: list[dict[str, object]] = [
        {
            "number": fact.number,
            "statistic": fact.name,
            "value": _number(fact.estimate.value),
            "interval": [_number(fact.estimate.low), _number(fact.estimate.high)],
            "accepted": [_number(bound) for bound in fact.accept],
            "verdict": fact.verdict.value,
        }
        for fact in rows
    ]
    return {"preset": preset, "seed": seed, "hours": hours, "events": simulated.events, "facts": lines}


def _number(value: float) -> float | None:
    """JSON knows neither nan nor infinity."""
    return value if -1e300 < value < 1e300 else None


def _show(rows: "list[Fact]", title: str) -> None:
    from rich.console import Console

    console = Console()
    console.print(_table(rows))
    passed = sum(fact.verdict == "pass" for fact in rows)
    console.print(f"{title}\n{passed} of {len(rows)} lines pass", highlight=False)


def _table(rows: "list[Fact]") -> "Table":
    from rich.table import Table

    colours = {"pass": "green", "fail": "red", "unsure": "yellow", "n/a": "dim"}
    table = Table("", "statistic", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("value", "95 %", "accepted"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for fact in rows:
        value, low, high = fact.estimate
        least, most = fact.accept
        table.add_row(
            str(fact.number),
            fact.name,
            "-" if value != value else f"{value:.3f}",
            "" if low != low else f"{low:.2f}..{high:.2f}",
            f"{_bound(least)}..{_bound(most)}",
            f"[{colours[fact.verdict]}]{fact.verdict}",
        )
    return table


def _bound(value: float) -> str:
    return "" if abs(value) > 1e300 else f"{value:g}"
