"""Random programs with every verb on the real host, in a backtest of each speed: the same journals.

    python -m strategy.compiler.speeds --programs 10000 --seed 7

The interpreted one is the program with every integer held to 64 bits (`checked`). One that burns all its fuel is not
run as Python, which has none.
"""

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.journal import open_journal
from openbell.strategy.compiler.refusals import NotCompiledError
from openbell.types import RECORDS, Type
from strategy.compiler import checked
from strategy.compiler.speaking import speaking
from tapes import write_tape

EVENTS = 200
TEXT = RECORDS["Control"].fields["text"][1]


def decisions(tape: Path, folder: Path, text: str, speed: str) -> tuple[list[bytes], list[str]]:
    """What was decided, without the words of a halt; and those."""
    folder.mkdir()
    file = folder / "trial.py"
    file.write_text(text)
    settings = BacktestSettings(tape=tape, strategy_file=file, strategy_class="Trial", speed=speed, out=folder / "run")
    halts = [halt.why for halt in run_backtest(settings).halts]
    said = []
    for frame in open_journal(folder / "run"):
        if not frame.is_decision:
            continue
        rows = frame.raw[frame.raw[:, 0] != Type.HASH].copy()
        rows[rows[:, 0] == Type.STRATEGY_HALTED, TEXT:] = 0
        said.append(frame.ts_seq.to_bytes(8, "little") + rows.tobytes())
    return said, halts


def compare(rng: random.Random, tape: Path, folder: Path) -> Counter[str]:
    """Runs one program in both speeds; what was met. An AssertionError holds the program."""
    text = speaking(rng)
    try:
        compiled, why = decisions(tape, folder / "compiled", text, "compiled")
    except NotCompiledError as refused:  # its constants can never work, which says nothing about equality
        assert "constant" in str(refused) or "smaller" in str(refused), f"{refused}\n{text}"
        return Counter(refused=1)
    if any(one.startswith("TimeoutError") for one in why):
        return Counter(fuel=1)
    held, held_why = decisions(tape, folder / "interpreted", checked.rewrite(text), "interpreted")
    at = next((i for i, (a, b) in enumerate(zip(compiled, held, strict=False)) if a != b), None)
    assert (at, len(compiled)) == (None, len(held)), f"frame {at}: {why} and {held_why}\n{text}"
    return Counter(same=1, halted=bool(why), decisions=len(compiled))


def main() -> None:
    """As many programs as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    met: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        tape = write_tape(Path(scratch) / "tape", events=EVENTS)
        for number in range(options.first, options.first + options.programs):
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                met += compare(random.Random(f"{options.seed}/{number}"), tape, Path(folder))
    print(f"seed {options.seed}, programs {options.first} to {options.first + options.programs - 1}: {dict(met)}")


if __name__ == "__main__":
    main()
