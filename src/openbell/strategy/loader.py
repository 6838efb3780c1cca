"""Loads a strategy class from a file and hashes what was loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
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
        raise StrategyError(
            f"strategy file: expected a Python file, found none at {path}; check `file` in [[strategies]]"
        )
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
    return hashlib.blake2b(Path(file).read_bytes(), digest_size=16).digest()
