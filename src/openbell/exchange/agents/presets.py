"""The calibrated populations that ship with the package: `presets/NAME.toml`."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import Field

from openbell.config import Settings
from openbell.config_types import DecimalText

FOLDER = files("openbell.exchange.agents") / "presets"
SUFFIX = ".toml"
Table = dict[str, Any]


class FactsSettings(Settings):
    """`[facts]`: what `openbell exchange facts` runs, and the statistics whose range it does not claim to meet."""

    hours: float = Field(gt=0, le=72)
    px: DecimalText = Field(description="where an instrument with a tick of 0.01 begins")
    fails: tuple[int, ...] = ()


class Preset(Settings):
    """A preset file."""

    about: str
    facts: FactsSettings
    flow: Table
    """What stands in for the `[flow]` section of an exchange file."""


def preset_names() -> list[str]:
    """Return the names of all presets."""
    return sorted(entry.name.removesuffix(SUFFIX) for entry in FOLDER.iterdir() if entry.name.endswith(SUFFIX))


@cache
def load_preset(name: str) -> Preset:
    """Return the preset `name`.

    Raises:
        KeyError: there is none of that name.
    """
    if name not in preset_names():
        raise KeyError(name)
    return Preset.model_validate(_tuples(tomllib.loads((FOLDER / f"{name}{SUFFIX}").read_text(encoding="utf-8"))))


def merged(table: Table, over: Table) -> Table:
    """Return `table` with what `over` says instead, table by table; an agent of another kind replaces the whole one."""
    result = dict(table)
    for key, value in over.items():
        old = table.get(key, {})
        result[key] = merged(old, value) if _goes_on(old, value) else _tuples(value)
    return result


def _goes_on(old: Any, value: Any) -> bool:
    if not isinstance(old, dict) or not isinstance(value, dict):
        return False
    return bool(value.get("kind", old.get("kind")) == old.get("kind"))


def _tuples(value: Any) -> Any:
    """TOML arrays as the tuples that strict settings want."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
