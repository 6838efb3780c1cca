"""Configuration files: TOML read into strict models, with errors that name the line, the value and the cure.

A file is accepted whole or not at all: every error of a file is reported at once, nothing is converted
silently, and an unknown key is an error. The unit of a value ends its key (`stale_after_ms`,
`position_max_lots`), so a wrong unit is a wrong key and is told as such.

The pieces of values (decimals, addresses, secrets, paths) are in `config_types.py`.
"""

import json
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from openbell.config_errors import describe
from openbell.errors import ConfigError
from openbell.toml_lines import Path as KeyPath
from openbell.toml_lines import line_of

FILE_BYTES_MAX = 1024 * 1024


class Problem(NamedTuple):
    """What is wrong at one place of an otherwise well-formed file."""

    path: KeyPath
    message: str


class Settings(BaseModel):
    """Base of every configuration model: strict types, no unknown key, unchangeable once read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    def cross_check(self) -> Iterable[Problem]:
        """Yield what is wrong between keys that are each right alone; `load_toml` reports all of it."""
        return ()


M = TypeVar("M", bound=Settings)


def load_toml(path: Path | str, model: type[M], more: Callable[[M], Iterable[Problem]] = lambda _: ()) -> M:
    """Return the file at `path` as a `model`; relative file names inside it are taken from its own folder.

    `more` yields what is wrong between it and another file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or does not fit the model. The message has one line
            per error, `file:line: key: expected ..., found ...`.
    """
    path = Path(path)
    return parse_toml(_read(path), model, path, more)


def parse_toml(text: str, model: type[M], origin: Path, more: Callable[[M], Iterable[Problem]] = lambda _: ()) -> M:
    """Return `text` as a `model`; `origin` names the text in errors and anchors relative file names."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{origin}: expected TOML, found {_lower_first(str(error))}; nothing was started") from None
    try:
        # Validated as JSON, so that arrays become tuples and dates dates while everything else stays strict.
        settings = model.model_validate_json(json.dumps(data, default=str), context={"folder": origin.parent})
    except ValidationError as error:
        problems = [Problem(path, message) for path, message in describe(error, model)]
    else:
        problems = [*settings.cross_check(), *more(settings)]
        if not problems:
            return settings
    raise ConfigError(_report(problems, text, origin))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ConfigError(f"{path}: expected at most {FILE_BYTES_MAX} bytes, found {path.stat().st_size}")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: expected a configuration file, found none; copy examples/node.toml and edit it"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected a readable UTF-8 file: {error}") from None


def _report(problems: list[Problem], text: str, origin: Path) -> str:
    placed = sorted((line_of(text, problem.path), problem) for problem in problems)
    lines = [f"{origin}:{line}: {spell(problem.path)}{problem.message}" for line, problem in placed]
    count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
    return "\n".join([f"{origin}: {count}; nothing was started", *(f"  {line}" for line in lines)])


def spell(path: KeyPath) -> str:
    """Return `limits[0].symbol: ` for `("limits", 0, "symbol")`; empty for the whole file."""
    spelled = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return f"{spelled.removeprefix('.')}: " if path else ""


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
