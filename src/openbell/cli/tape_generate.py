"""`openbell tape generate`: a tape for whoever has no market data yet."""

from pathlib import Path

import cyclopts

from openbell.errors import ConfigError

app = cyclopts.App(name="generate", help="Make a tape of simulated flow.")


@app.default
def generate(
    out: Path, /, *, hours: float = 1.0, seed: int = 1, preset: str = "large-tick", symbol: str = "DEMO"
) -> None:
    """Run the simulated exchange's agents on one instrument, and write what its feed would have said.

    The same arguments give the same tape, byte for byte. `openbell exchange facts` judges how real the flow looks.

    Parameters
    ----------
    out
        Directory of the new tape.
    hours
        Of trading, at most 72.
    seed
        Of every agent.
    preset
        large-tick, small-tick, steady or zero-intelligence.
    symbol
        Of the instrument.
    """
    from openbell.backtest.tape import write_index
    from openbell.backtest.tape_generate import generate_tape
    from openbell.cli.progress import bar
    from openbell.exchange.agents.presets import preset_names
    from openbell.exchange.agents.simulation import HOURS_MAX

    if preset not in preset_names():
        raise ConfigError(f"--preset: expected one of {', '.join(preset_names())}, found {preset!r}")
    if not 0 < hours <= HOURS_MAX:
        raise ConfigError(f"--hours: expected more than 0 and at most {HOURS_MAX}, found {hours:g}")
    if seed < 0:
        raise ConfigError(f"--seed: expected 0 or more, found {seed}")
    with bar("minutes of trading") as progress:
        done = generate_tape(out, hours=hours, seed=seed, preset=preset, symbol=symbol, progress=progress)
    facts = write_index(out)
    print(f"{out}: {done.messages:_} messages of {symbol}, {hours:g} h of {preset}, seed {seed}, hash {facts.hash}")
