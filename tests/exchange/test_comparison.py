"""The comparison itself: what it writes can be read, and an engine that is wrong is found out."""

import random
from dataclasses import replace

import pytest

from exchange.comparison.draw import Drawer
from exchange.comparison.pair import Pair
from exchange.comparison.run import EngineDiffersError, World, draw_world, run_sequence
from oracles.exchange import PostOnly, Refusal
from scenarios.language.backends import OracleBackend, oracle_for
from scenarios.language.play import play
from scenarios.language.read import read_cases
from scenarios.language.steps import Action, Submit
from scenarios.language.write import action_text, instrument_text, told_text


class SecondOracle(OracleBackend):
    """The oracle in the engine's place."""

    def audit(self) -> str:
        return ""

    def state_hash(self) -> int:
        return 0

    def reloaded(self) -> "SecondOracle":
        return self


class Forgetful(SecondOracle):
    """Does not know what post-only is."""

    def do(self, action: Action, ref: int) -> Refusal:
        if isinstance(action, Submit):
            action = replace(action, terms=replace(action.terms, post_only=PostOnly.NO))
        return super().do(action, ref)


def scenario_of(world: World, rng: random.Random, operations: int) -> str:
    """A random sequence as a case, with the answers of the oracle."""
    pair = Pair(world.instruments, world.orders_max, SecondOracle)
    drawer = Drawer.of(rng, world.instruments, world.orders_max)
    lines = [*map(instrument_text, world.instruments), f"orders-max {world.orders_max}", "case: drawn"]
    symbols = [instrument.symbol for instrument in world.instruments]
    for _ in range(operations):
        action = drawer.draw(pair.live(), pair.phases())
        refusal, told = pair.do(action)
        lines.append(action_text(action, symbols) + told_text(refusal, told, pair.name))
    return "\n".join(lines)


@pytest.mark.parametrize("run", range(20))
def test_a_sequence_that_is_written_as_a_scenario_plays_the_same(run: int, seed: int):
    rng = random.Random(f"written {seed} {run}")

    (case,) = read_cases(scenario_of(draw_world(rng), rng, 150))

    play(case, oracle_for(case))


def test_an_engine_that_is_wrong_is_found_and_shown_in_few_lines(monkeypatch: pytest.MonkeyPatch, seed: int):
    def draw_for_forgetful(rng: random.Random) -> World:
        return replace(draw_world(rng), make_engine=Forgetful)

    monkeypatch.setattr("exchange.comparison.run.draw_world", draw_for_forgetful)

    with pytest.raises(EngineDiffersError) as found:
        for number in range(100):
            run_sequence(f"wrong {seed} {number}")

    actions = [line for line in str(found.value).splitlines() if line.startswith(("  o", "  phase"))]
    assert "post-only" in str(found.value) or "slide" in str(found.value)
    assert len(actions) <= 5
