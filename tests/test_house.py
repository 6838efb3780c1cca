"""The shape of the house: imports point down, files stay short, tests never wait."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
PACKAGE = REPO / "src/openbell"
NATIVE = REPO / "native"
LINES_MAX = 450

# Lower numbers are lower rooms; a file may import its own floor's room and everything on a lower floor.
FLOORS = [
    ["types", "events", "errors", "clock", "config", "config_types", "config_errors", "toml_lines", "math", "_native"],
    ["wire"],
    ["venues", "venue", "exchange", "feed", "journal", "net"],
    ["execution", "strategy", "book", "risk", "oms", "models"],
    ["engine"],
    ["node", "backtest"],
    ["cli", "ops", "posttrade", "research", "deploy", "__main__"],
]
NATIVE_FLOORS = [
    [
        *("integers", "reasons", "records", "bytes", "error", "state", "clock", "rng", "math", "frame", "owned_fd"),
        *("ladder", "big_array", "checks", "limit_kinds", "money", "conversions", "fee_terms"),
    ],
    ["wire"],
    ["venue", "exchange", "feed", "journal", "net"],
    ["execution", "strategy", "book", "risk", "oms"],
    ["engine"],
    ["node", "backtest", "research"],
    ["bindings", "tests", "fuzz", "faults", "stress", "bench", "sender"],
]
# Rooms of one floor that may know each other, and why.
NEIGHBOURS = {
    ("__main__", "cli"): "it is the command line",
    ("cli", "__main__"): "a kill has left before its verb is imported",
    ("cli", "ops"): "verbs show what operations find out",
    ("cli", "research"): "verbs show what statistics say",
    ("cli", "posttrade"): "verbs show what post-trade finds out",
    ("posttrade", "ops"): "it follows a node as operations do",
    ("feed", "journal"): "a feed's events are frames",
    ("exchange", "net"): "the exchange is a server",
    ("exchange", "journal"): "its inputs are journalled, and its memory is mapped files",
    ("execution", "oms"): "the quoter compares its target with the open orders",
    ("execution", "book"): "post-only prices are checked against the touch",
    ("risk", "oms"): "risk counts positions and open orders",
    ("risk", "book"): "the collar's reference is the live touch",
    ("strategy", "execution"): "a strategy asks what its stops became",
    ("strategy", "book"): "a strategy reads the book",
    ("strategy", "oms"): "a strategy reads its orders and positions",
    ("node", "backtest"): "paper trading uses the virtual venue",
    ("backtest", "node"): "a backtest is the node's driver with another feed",
    ("venue", "journal"): "the gate reads the kill cell",
}


def floor_of(room: str, floors: list[list[str]]) -> int:
    for number, rooms in enumerate(floors):
        if room in rooms:
            return number
    raise AssertionError(f"room {room!r} has no floor: add it to the table of tests/test_house.py")


def may_import(room: str, other: str, floors: list[list[str]]) -> bool:
    if room == other or (room, other) in NEIGHBOURS:
        return True
    return floor_of(other, floors) < floor_of(room, floors) or floor_of(room, floors) == 0 == floor_of(other, floors)


def python_imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, room) of every import of openbell, at whatever depth of the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the import in full, from openbell..."
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            top, *rest = name.split(".")
            if top == "openbell" and rest and rest[0] != "__version__":
                yield node.lineno, rest[0]


def test_python_imports_point_down():
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for line, other in python_imports(path):
            if not may_import(room, other, FLOORS):
                wrong.append(f"{path.relative_to(REPO)}:{line}: {room} imports {other}")
    assert not wrong, "imports must point down:\n" + "\n".join(wrong)


def native_room(path: Path) -> str:
    """Return the room of a native file; the frame's header is vocabulary, although the journal keeps it."""
    relative = path.resolve().relative_to(NATIVE)
    return "frame" if relative == Path("journal/frame.h") else relative.parts[0].partition(".")[0]


def test_native_includes_point_down():
    wrong = []
    for path in [*NATIVE.rglob("*.h"), *NATIVE.rglob("*.cpp")]:
        room = native_room(path)
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if included := re.match(r'\s*#include "([^"]+)"', line):
                target = NATIVE / included[1]
                if not target.exists():
                    target = path.parent / included[1]
                assert target.exists(), f"{path}:{number}: {included[1]} is neither in native/ nor beside the file"
                other = native_room(target)
                if not may_import(room, other, NATIVE_FLOORS):
                    wrong.append(f"{path.relative_to(REPO)}:{number}: {room} includes {other}")
    assert not wrong, "includes must point down:\n" + "\n".join(wrong)


def sources() -> list[Path]:
    globs = ("native/**/*.h", "native/**/*.cpp", "src/**/*.py", "tests/**/*.py", "bench/**/*.py", "strategies/**/*.py")
    return sorted(path for pattern in globs for path in REPO.glob(pattern))


def test_files_stay_short():
    long = {str(p.relative_to(REPO)): n for p in sources() if (n := len(p.read_text().splitlines())) > LINES_MAX}
    assert not long, f"split by idea, {LINES_MAX} lines at most: {long}"


def test_nothing_is_left_for_later():
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    here = Path(__file__).resolve()
    left = [str(p.relative_to(REPO)) for p in sources() if p != here and marks.search(p.read_text())]
    assert not left, f"finish or file it: {left}"


@pytest.mark.parametrize("folder", ["tests"])
def test_tests_never_wait_for_time_to_pass(folder: str):
    wrong = []
    for path in (REPO / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name.split(".")[-1] == "sleep":
                    wrong.append(f"{path.relative_to(REPO)}:{node.lineno}: {name}")
    assert not wrong, "wait for the event itself, or use simulated time:\n" + "\n".join(wrong)


def test_lock_names_no_host():
    lock = (REPO / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--index-url" not in lock
    assert "--find-links" not in lock
