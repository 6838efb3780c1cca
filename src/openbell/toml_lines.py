"""Where a key stands in a TOML text, so that an error can point at its line.

`tomllib` keeps no positions. This scan is not a second parser: it runs only over text that `tomllib` has
accepted, and looks at table headers and at keys that start a line. A key inside an inline table, or an item of
an array, is found at the line of the key that holds it.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

Path = tuple[str | int, ...]
"""A place in the parsed data: `("limits", 0, "position_max_lots")`."""

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"^\s*({_DOTTED})\s*=")
_MULTILINE_QUOTES = ('"""', "'''")


def line_of(text: str, path: Path) -> int:
    """Return the line (from 1) of the deepest part of `path` that the text spells out; 1 if none does."""
    lines = key_lines(text)
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1


@lru_cache(maxsize=1)  # every error of a file asks
def key_lines(text: str) -> dict[Path, int]:
    """Return the line of every table header and key of `text`, by its path; items of `[[tables]]` by index."""
    lines: dict[Path, int] = {}
    tables: dict[Path, int] = {}
    here: Path = ()
    for number, line in _lines_outside_strings(text):
        if header := _HEADER.match(line):
            here = _enter(header, tables)
            _note(lines, here, number)
        elif key := _KEY.match(line):
            _note(lines, here + _parts(key[1]), number)
    return lines


def _enter(header: re.Match[str], tables: dict[Path, int]) -> Path:
    """Return the path that `header` opens; `tables` counts the items of each array of tables."""
    path: Path = ()
    parts = _parts(header[2])
    for part in parts[:-1]:
        path = (*path, part)
        if path in tables:
            path = (*path, tables[path])
    path = (*path, parts[-1])
    if header[1] == "[[":
        tables[path] = tables.get(path, -1) + 1
        return (*path, tables[path])
    return path


def _note(lines: dict[Path, int], path: Path, number: int) -> None:
    for end in range(1, len(path) + 1):
        lines.setdefault(path[:end], number)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _lines_outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of the lines that do not start within a multi-line string."""
    open_quotes = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not open_quotes:
            yield number, line
        for quotes in _MULTILINE_QUOTES:
            if open_quotes in ("", quotes) and line.count(quotes) % 2:
                open_quotes = "" if open_quotes else quotes
