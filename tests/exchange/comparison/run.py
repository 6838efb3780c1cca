"""Random sequences from a seed. Where the engine says something else, a short one is told as a scenario."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exchange.comparison.draw import Drawer, draw_instruments
from exchange.comparison.pair import Differs, Engine, Pair
from exchange.comparison.shorten import shorter
from scenarios.language.native import NativeBackend
from scenarios.language.steps import Action, Instrument
from scenarios.language.write import action_text, instrument_text, told_text

LENGTHS = (50, 200, 200, 1_000)
"""Operations of one sequence."""
CHECK_EVERY, SAVE_EVERY = 16, 100
"""Operations between two looks at what is costly to look at."""


class EngineDiffersError(AssertionError):
    """The shortest sequence found, as a case for tests/scenarios, and both answers."""


@dataclass(frozen=True)
class World:
    """What a sequence is played on."""

    instruments: Sequence[Instrument]
    orders_max: int

    make_engine: Callable[[Sequence[Instrument], int], Engine] = NativeBackend

    def pair(self) -> Pair:
        return Pair(self.instruments, self.orders_max, self.make_engine)


def draw_world(rng: random.Random) -> World:
    return World(draw_instruments(rng), 6 if rng.random() < 0.1 else 1 << 10)


def run_sequence(seed: str) -> int:
    """Compare one sequence, and return how many operations it had.

    Raises:
        EngineDiffersError: With the shortened sequence as a scenario.
    """
    rng = random.Random(seed)
    world = draw_world(rng)
    actions: list[Action] = []
    try:
        pair = world.pair()
        drawer = Drawer.of(rng, world.instruments, world.orders_max)
        for number in range(1, rng.choice(LENGTHS) + 1):
            actions.append(drawer.draw(pair.live(), pair.phases()))
            step(pair, actions[-1], number)
    except Differs:
        raise EngineDiffersError(report(seed, world, shorter(actions, lambda kept: differs(world, kept)))) from None
    return len(actions)


def step(pair: Pair, action: Action, number: int) -> None:
    pair.do(action)
    if number % CHECK_EVERY == 0:
        pair.compare_rest()
    if number % SAVE_EVERY == 0:
        pair.save_and_load()


def replay(world: World, actions: Sequence[Action]) -> list[str]:
    """Play the actions, all of them looked at; the lines of the scenario up to where the answers differ."""
    lines = []
    symbols = [instrument.symbol for instrument in world.instruments]
    pair = None
    try:
        pair = world.pair()
        for action in actions:
            lines.append(action_text(action, symbols))
            lines[-1] += told_text(*pair.do(action), pair.name)
            pair.compare_rest()
            pair.save_and_load()
    except Differs as found:
        return [*lines, *(f"# {line}" for line in str(found).splitlines())]
    return []


def differs(world: World, actions: Sequence[Action]) -> bool:
    return bool(replay(world, actions))


def report(seed: str, world: World, actions: Sequence[Action]) -> str:
    room = [f"orders-max {world.orders_max}"] if world.orders_max < 100 else []
    lines = [*map(instrument_text, world.instruments), *room, *replay(world, actions)]
    return f"seed {seed!r}\n\ncase: found by comparison\n  " + "\n  ".join(lines) + "\n"
