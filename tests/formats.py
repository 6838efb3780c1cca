"""Write `docs/formats.md` from the native sources: `python tests/formats.py`. A test compares."""

import re
from pathlib import Path

from openbell import _native as native
from openbell._native import record_layouts

REPO = Path(__file__).resolve().parents[1]
DOCUMENT = REPO / "docs/formats.md"
SIZES = {"<i1": "i8", "<i2": "i16", "<i4": "i32", "<i8": "i64", "<u1": "u8", "<u2": "u16", "<u4": "u32", "<u8": "u64"}
SIZES["<f8"] = "f64"
HEADERS = ["native/journal/segment.h", "native/journal/frame.h"]

INTRODUCTION = """\
Generated from the native sources by `python tests/formats.py`; a test compares. Everything is little-endian
and naturally aligned; padding is explicit and zero, so equal records are equal bytes. Prices are int64 in the
instrument's fixed decimal (ITCH: 1e-4), quantities int64 in its quantity unit, times int64 ns since the Unix
epoch, UTC."""


def document() -> str:
    """Return the whole document."""
    parts = [
        "# Formats",
        INTRODUCTION,
        *(_header(REPO / name) for name in HEADERS if (REPO / name).exists()),
        "## Types",
        _types(),
        _parameters(),
        *(_record(name) for name in record_layouts()),
    ]
    return "\n\n".join(parts) + "\n"


def _header(path: Path) -> str:
    """Return the leading comment of a header, its diagram included."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("//"):
            break
        lines.append(line[2:].removeprefix(" "))
    return f"## The {path.stem}\n\n```\n" + "\n".join(lines) + "\n```"


def _records_h() -> str:
    return (REPO / "native/records.h").read_text()


def _body(opening: str) -> str:
    found = re.search(rf"{opening} \{{\n(.*?)\n\}};", _records_h(), re.DOTALL)
    if not found:
        raise ValueError(f"expected `{opening}` in native/records.h, found none")
    return found[1]


def _types() -> str:
    rows = ["| number | type | meaning |", "|--:|---|---|"]
    for name, number, comment in re.findall(r"(\w+) = (\d+),(?:[ \t]*// *(.*))?", _body(r"enum class Type : u8")):
        rows.append(f"| {number} | {name} | {_cell(comment)} |")
    return "\n".join(rows)


def _parameters() -> str:
    rows = {
        native.BREAKER_PARAMETERS: "a circuit breaker",
        native.STRATEGY_PARAMETER: "a strategy's parameter",
        native.STRATEGY_CARRY: "what a new version of a strategy takes over",
        native.ROUTE_PARAMETER: "a route: code = a feed, values[0] = the session by which its orders leave; 0: none",
    }
    return "\n".join(["`source` of `Parameters`:", "", *(f"- {source}: {what}" for source, what in rows.items())])


def _record(name: str) -> str:
    size, fields = record_layouts()[name]
    comments = {
        field: re.sub(r"^\s*\d+\s*", "", comment)
        for field, comment in re.findall(
            r"^\s*\w+ (\w+)(?:\[\w+\])?;[ \t]*//[ \t]*(.*)$", _body(f"struct {name}"), re.MULTILINE
        )
    }
    rows = [f"## {name}, {size} bytes", "", "| offset | field | is | meaning |", "|--:|---|---|---|"]
    for field, form, offset in fields:
        rows.append(f"| {offset} | {field} | {_spell(form)} | {_cell(comments.get(field, ''))} |")
    return "\n".join(rows)


def _spell(form: str) -> str:
    if form.startswith("S"):
        return f"char[{form[1:]}]"
    if array := re.match(r"\((\d+),\)(.*)", form):
        return f"{SIZES[array[2]]}[{array[1]}]"
    return SIZES[form]


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(document())
