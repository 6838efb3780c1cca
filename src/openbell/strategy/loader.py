"""Loads a strategy class from a file and hashes what was loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable
from pathlib import Path

from openbell.errors import StrategyError
from openbell.strategy import Strategy


def load_strategy(file: Path | str, class_name: str | None = None) -> type[Strategy]:
    """The strategy class of `file`: the only one, or the one named.

    Raises:
        StrategyError: no such file or class, several classes and no name, or the file does not import.
    """
    path = Path(file)
    if not path.is_file():
        raise StrategyError(f"strategy file: expected a Python file, found none at {path}; check the path")
    name = f"openbell_strategy_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StrategyError(f"strategy file: expected a .py file, found {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except StrategyError:
        raise
    except Exception as error:
        raise StrategyError(f"{path}: does not import: {type(error).__name__}: {error}") from error
    classes = {
        n: c for n, c in vars(module).items() if inspect.isclass(c) and issubclass(c, Strategy) and c.__module__ == name
    }
    if class_name is not None:
        if class_name not in classes:
            raise StrategyError(
                f"{path}: expected class {class_name}, found {', '.join(classes) or 'no strategy class'}"
            )
        return classes[class_name]
    if len(classes) != 1:
        raise StrategyError(
            f"{path}: expected one strategy class, found {', '.join(classes) or 'none'}; name one with `class`"
        )
    return next(iter(classes.values()))


def source_hash(file: Path | str) -> bytes:
    """16 bytes that change when the strategy's file does."""
    return hashed(Path(file).read_bytes())


def hashed(source: bytes) -> bytes:
    """The same of a source that was read."""
    return hashlib.blake2b(source, digest_size=16).digest()


def parse_params(strategy_class: type[Strategy], texts: Iterable[str]) -> dict[str, bool | int | float]:
    """`size=50` texts of a command line as the types that the class declares.

    Raises:
        StrategyError: a text is not NAME=VALUE, or the value is not of the parameter's type.
    """
    params: dict[str, bool | int | float] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise StrategyError(f"parameter: expected NAME=VALUE such as size=50, found {text!r}")
        field = strategy_class.__fields__.get(name)
        kind = field.kind if field is not None and field.param is not None else None
        try:
            params[name] = _value(value, kind)
        except ValueError:
            assert kind is not None
            raise StrategyError(
                f"{strategy_class.__name__}.{name}: expected {kind.__name__}, found {value!r} in {text!r}"
            ) from None
    strategy_class(**params)  # names and bounds, with the class's own words
    return params


def _value(text: str, kind: type | None) -> bool | int | float:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if kind is int:
        return int(text)
    return float(text) if kind is float else 0  # an unknown name is refused by the class
