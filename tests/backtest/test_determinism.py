"""A class that looks at something else than its arguments is found: two runs decide differently."""

import pytest

from openbell.backtest.determinism import run_twice
from openbell.backtest.tape_generate import generate_tape
from openbell.errors import StrategyError

HEAD = "import random\nimport time\n\nfrom openbell import Strategy\n\n\nclass S(Strategy):\n    books: int = 0\n\n"
BODY = """    def on_book(self, ctx, book):
        self.books += 1
        if self.books % 50 == 0 and book.bid_px:
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty={qty})
"""
LOOKS_AWAY = {
    "the order of a set": "1 + hash('abc') % 50",
    "a random number": "random.randint(1, 99)",
    "a clock": "1 + time.perf_counter_ns() % 99",
}


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    path = tmp_path_factory.mktemp("tape") / "demo"
    generate_tape(path, hours=0.02)
    return path


def written(tmp_path, qty):
    file = tmp_path / "s.py"
    file.write_text(HEAD + BODY.format(qty=qty))
    return file


@pytest.mark.parametrize("what", LOOKS_AWAY)
def test_it_is_found_where_the_first_decision_differs(tmp_path, tape, what):
    found = run_twice(written(tmp_path, LOOKS_AWAY[what]), None, tape, {})
    assert found.differs_at > 0
    assert "INTENT bid_qty: expected" in found.what


def test_seeded_randomness_of_the_context_is_the_same_again(tmp_path, tape):
    assert run_twice(written(tmp_path, "1 + int(ctx.random() * 99)"), None, tape, {}).is_identical


def test_a_class_that_does_not_run_says_why(tmp_path, tape):
    file = tmp_path / "s.py"
    file.write_text("x = 1\n")
    with pytest.raises(StrategyError, match="expected one strategy class, found none"):
        run_twice(file, None, tape, {})
