"""Both speeds compute the same bits: random programs, run as Python and as machine code, step by step."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, note, reject, settings
from hypothesis import strategies as st

from openbell.strategy.compiler.program import Failure
from openbell.strategy.compiler.refusals import NotCompiledError
from strategy.compiler import checked
from strategy.compiler.harness import Asked, Rig, book, book_words, class_of, words_of
from strategy.compiler.programs import program

STEPS = 6


def rig_or_assume(strategy_class):
    """Machine code; a program whose constants can never work is refused and says nothing about equality."""
    try:
        return Rig(strategy_class)
    except NotCompiledError as error:
        assert all("constant" in refusal.instead or "smaller" in refusal.instead for refusal in error.refusals), error
        reject()


def outcome(strategy, asked, view):
    """The words after one callback, or the error."""
    try:
        strategy.on_book(asked, view)
        return list(words_of(strategy)), None
    except Exception as error:
        return None, error


# Compiling takes a quarter of a second, so a failing program is printed whole and not made smaller.
@settings(
    max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(st.randoms(use_true_random=False), st.integers(-100, 2**40))
def test_random_programs_do_the_same_in_both_speeds(rng, start):
    text = program(rng)
    note(text)
    with tempfile.TemporaryDirectory() as folder:
        strategy_class = class_of(text, Path(folder) / "plain")
        oracle_class = class_of(checked.rewrite(text), Path(folder) / "held")
        rig = rig_or_assume(strategy_class)
        plain, oracle = strategy_class(), oracle_class()
    words, asked, asked_by_oracle = words_of(plain), Asked(), Asked()

    for step in range(STEPS):
        view = book(instrument=step, bid_px=start + 7 * step, ask_px=11 * step - 3, is_valid=step % 2 == 0)
        failure = rig.run("on_book", words, book_words(view))
        if failure[0] == Failure.FUEL:
            return  # Python has none and would turn for hours
        expected, error = outcome(oracle, asked_by_oracle, view)

        assert (failure[0] != 0) == (error is not None), (failure, error)
        if error is not None:
            return
        assert list(words) == expected
        assert rig.asked.calls == asked_by_oracle.calls
        assert outcome(plain, asked, view)[0] == expected, "no step left 64 bits, so plain Python says the same"
        assert asked.calls == asked_by_oracle.calls
