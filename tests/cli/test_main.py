"""The command line starts fast and ends readably."""

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from openbell import __version__, cli
from openbell.errors import JournalError

HEAVY = ("numpy", "polars", "openbell._native")


def run(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return ended.value.code


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch):
    """Register a verb `boom` that runs the given function."""

    def register(function) -> None:
        module = types.ModuleType("openbell_test_boom")
        module.boom = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "openbell_test_boom", module)
        monkeypatch.setitem(cli.COMMANDS, "boom", cli.Verb("openbell_test_boom:boom", "Fails."))

    return register


def raising(error: BaseException):
    def boom() -> None:
        raise error

    return boom


def test_version(capsys: pytest.CaptureFixture[str]):
    assert not run("--version")
    assert capsys.readouterr().out.strip() == __version__


def test_help_lists_every_verb_and_imports_nothing_heavy():
    script = (
        "import sys; from openbell.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    source = Path(cli.__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )

    assert "HEAVY []" in result.stdout
    assert all(verb in result.stdout for verb in cli.COMMANDS)


def test_an_error_is_one_message_and_code_2(verb, capsys: pytest.CaptureFixture[str]):
    verb(raising(JournalError("expected a journal, found none at run/x; start a node first")))

    assert run("boom") == 2
    assert capsys.readouterr().err == "openbell: expected a journal, found none at run/x; start a node first\n"


def test_debug_shows_the_traceback(verb, monkeypatch: pytest.MonkeyPatch):
    verb(raising(JournalError("x")))
    monkeypatch.setenv("OPENBELL_DEBUG", "1")

    with pytest.raises(JournalError):
        cli.main(["boom"])


def test_ctrl_c_ends_with_130(verb):
    verb(raising(KeyboardInterrupt()))

    assert run("boom") == 130


def test_the_verbs_own_code_is_the_exit_code(verb):
    verb(lambda: 3)

    assert run("boom") == 3


@pytest.mark.parametrize(
    ("typed", "hint"), [("dmeo", "did you mean 'demo'?"), ("zzz", "it knows demo, run"), ("", "it knows demo")]
)
def test_an_unknown_verb_gets_a_suggestion(typed: str, hint: str, capsys: pytest.CaptureFixture[str]):
    assert run(typed) == 2
    assert hint in capsys.readouterr().err
