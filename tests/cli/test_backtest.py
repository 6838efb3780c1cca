"""`openbell backtest` and `openbell replay`, as a person types them."""

import json

import pytest

from openbell.cli import main
from tapes import write_tape

STRATEGY = """
from openbell import Strategy, param

class Joiner(Strategy):
    size: int = param(10, ge=1, unit="lots")
    is_loud: bool = param(False)

    def on_book(self, ctx, book):
        if book.bid_px and book.ask_px:
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=self.size, ask_px=book.ask_px, ask_qty=self.size)

class Idle(Strategy):
    pass
"""


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return write_tape(tmp_path_factory.mktemp("tape"), events=500)


@pytest.fixture
def openbell(tmp_path, capsys, monkeypatch):
    """Run a command line; (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "joiner.py").write_text(STRATEGY)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def test_a_result_and_its_replay(openbell, tape):
    arguments = ("--strategy-class", "Joiner", "--param", "size=5", "is_loud=true", "--out", "out")
    code, out, _ = openbell("backtest", "joiner.py", "--tape", tape, *arguments)

    assert code == 0
    assert "Joiner (size=5, is_loud=True)" in out and "virtual own orders in an unaltered book: no impact" in out
    assert "OBEL" in out and "PnL at mid" in out and "fees        none" in out

    code, out, _ = openbell("replay", "out", "--verify")
    assert code == 0
    assert "core: identical\nstrategy: identical\nreplay: identical\n" in out
    code, out, _ = openbell("replay", "out")
    assert code == 0 and "strategy: not run again; add --verify" in out


def test_for_machines(openbell, tape):
    code, out, _ = openbell(
        "backtest", "joiner.py", "--tape", tape, "--strategy-class", "Joiner", "--out", "out", "--json"
    )
    result = json.loads(out)

    assert code == 0 and result["card"]["events"] == 502
    assert result["instruments"][0]["symbol"] == "OBEL" and result["halts"] == []
    code, out, _ = openbell("replay", "out", "--verify", "--json")
    assert code == 0 and json.loads(out)["is_identical"] is True


def test_a_difference_is_exit_code_1(openbell, tape, tmp_path):
    openbell("backtest", "joiner.py", "--tape", tape, "--strategy-class", "Joiner", "--out", "out")
    (tmp_path / "joiner.py").write_text(STRATEGY.replace("ask_px=book.ask_px", "ask_px=book.ask_px + 100"))

    code, out, _ = openbell("replay", "out", "--verify")

    assert code == 1
    assert "core: identical" in out and "strategy: differs at seq" in out and "INTENT ask_px: expected" in out
    assert "replay: identical" not in out


def test_damage_names_the_position(openbell, tape, tmp_path):
    openbell("backtest", "joiner.py", "--tape", tape, "--strategy-class", "Joiner", "--out", "out")
    segment = tmp_path / "out/00000001.seg"
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0xFF
    segment.write_bytes(content)

    code, _, err = openbell("replay", "out", "--verify")

    assert code == 2 and "that are no whole frame after seq" in err and "00000001.seg at offset" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--strategy-class", "Joinre"), "expected class Joinre, found Joiner, Idle"),
        ((), "expected one strategy class, found Joiner, Idle"),
        (("--strategy-class", "Joiner", "--param", "sise=5"), "expected a parameter, found 'sise'; did you mean size?"),
        (("--strategy-class", "Joiner", "--param", "size=big"), "Joiner.size: expected int, found 'big' in 'size=big'"),
        (("--strategy-class", "Joiner", "--param", "size=0"), "expected 1 <= size lots, found 0"),
        (("--strategy-class", "Joiner", "--param", "is_loud=1"), "Joiner.is_loud: expected bool, found '1'"),
        (("--strategy-class", "Joiner", "--param", "size"), "expected NAME=VALUE such as size=50, found 'size'"),
        (("--strategy-class", "Joiner", "--seed", "-1"), "--seed: input should be greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_told(openbell, tape, arguments, message):
    code, _, err = openbell("backtest", "joiner.py", "--tape", tape, *arguments)

    assert code == 2 and message in err


def test_a_missing_tape_is_told(openbell):
    code, _, err = openbell("backtest", "joiner.py", "--strategy-class", "Joiner", "--tape", "nowhere")

    assert code == 2 and "expected a tape (a directory of .seg files) at nowhere, found none" in err


def test_a_strategy_that_raises_is_exit_code_1(openbell, tape, tmp_path):
    (tmp_path / "joiner.py").write_text(STRATEGY.replace("if book.bid_px", "1 // 0\n        if book.bid_px"))

    code, out, _ = openbell("backtest", "joiner.py", "--strategy-class", "Joiner", "--tape", tape, "--out", "out")

    assert code == 1 and "Joiner was halted at seq" in out and "ZeroDivisionError" in out


STUCK = """
import signal

from openbell import Strategy

class Stuck(Strategy):
    def HOOK:
        BEFORE
        while True:
            pass
"""


@pytest.mark.parametrize("hook", ["on_start(self, ctx)", "on_book(self, ctx, book)"])
@pytest.mark.parametrize(
    ("before", "options", "code", "words"),
    [
        ("pass", ("--callback-budget-ms", 50), 1, "CallbackTimeoutError: over the budget of 50 ms (stuck.py:"),
        ("signal.raise_signal(signal.SIGINT)", (), 130, "KeyboardInterrupt: Ctrl-C (stuck.py:"),
    ],
    ids=["its budget", "one Ctrl-C"],
)
def test_a_callback_that_does_not_come_back_is_ended_by(openbell, tape, tmp_path, hook, before, options, code, words):
    (tmp_path / "stuck.py").write_text(STUCK.replace("HOOK", hook).replace("BEFORE", before))

    ended, out, _ = openbell("backtest", "stuck.py", "--tape", tape, "--out", "out", *options)

    assert (ended, "Stuck was halted at seq" in out, words in out) == (code, True, True), out


def test_a_directory_without_a_record_is_told(openbell, tape):
    code, _, err = openbell("replay", tape)
    assert code == 2 and "expected backtest.json or node.json in" in err
    code, _, err = openbell("replay", "nowhere")
    assert code == 2 and "expected the directory of a journal, found none at nowhere" in err
