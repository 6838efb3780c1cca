"""Arguments that try the elementary functions, from a seed: where they are used, where they are hard, and any bits."""

import math
import random
import struct
from collections.abc import Callable

Draw = Callable[[random.Random], float]


def any_bits(rng: random.Random) -> float:
    """A finite double of any size, subnormal ones among them."""
    while True:
        (x,) = struct.unpack("d", struct.pack("Q", rng.getrandbits(64)))
        if math.isfinite(x):
            return float(x)


def ordinary(rng: random.Random) -> float:
    """Of either sign, from 2^-12 to 64."""
    return rng.uniform(-1, 1) * 2.0 ** rng.randint(-12, 6)


def tiny(rng: random.Random) -> float:
    """Of either sign and subnormal, or nearly."""
    return rng.uniform(-1, 1) * 2.0 ** rng.randint(-1074, -1000)


def between(low: float, high: float) -> Draw:
    """Evenly between two numbers."""
    return lambda rng: rng.uniform(low, high)


def near(x: float) -> Draw:
    """Next to `x`, at every distance."""
    return lambda rng: x + rng.choice([-1, 1]) * rng.random() * 2.0 ** -rng.randint(1, 53)


def positive(draw: Draw) -> Draw:
    """Without the sign, and not zero."""
    return lambda rng: abs(draw(rng)) or 1.0


def clipped(draw: Draw, low: float, high: float) -> Draw:
    """Not beyond two numbers."""
    return lambda rng: min(high, max(low, draw(rng)))


def many_quarter_turns(rng: random.Random) -> float:
    """Close to a multiple of a quarter turn, where a sine or cosine is nearly 0."""
    return rng.randint(1, 10 ** rng.randint(1, 15)) * math.pi / 2


ANGLES = [ordinary, between(-4, 4), between(-2e5, 2e5), many_quarter_turns, any_bits, tiny]
LOGS = [positive(any_bits), positive(tiny), near(1), between(0.5, 2), between(1, 1000)]
ARCS = [between(-1, 1), clipped(near(1), -1, 1), clipped(near(-1), -1, 1), clipped(ordinary, -1, 1), tiny]
GROWTHS = [ordinary, between(-1, 1), between(-30, 30), between(-710, 709.7), tiny]

ONE: dict[str, list[Draw]] = {
    "exp": [ordinary, between(-746, 709.7), near(0), tiny],
    "expm1": [ordinary, between(-60, 709.7), near(0), tiny],
    "log": LOGS,
    "log1p": [between(-0.999, 2), near(0), positive(any_bits), clipped(near(-1), -1 + 2**-53, 0), tiny],
    "log2": LOGS,
    "log10": LOGS,
    "sqrt": LOGS,
    "sin": ANGLES,
    "cos": ANGLES,
    "tan": ANGLES,
    "asin": ARCS,
    "acos": ARCS,
    "atan": [ordinary, between(-2, 2), any_bits, tiny],
    "sinh": GROWTHS,
    "cosh": GROWTHS,
    "tanh": GROWTHS,
    "erf": [ordinary, between(-1, 1), between(-6, 6), near(0.5), tiny],
    "erfc": [ordinary, between(-1, 1), between(-6, 27.3), near(0.5), tiny],
    "normal_cdf": [ordinary, between(-1, 1), between(-38.5, 9), tiny],
    "normal_pdf": [ordinary, between(-1, 1), between(-39, 39), tiny],
}


def power(rng: random.Random) -> tuple[float, float]:
    """A base above 0 and an exponent, so that the power is mostly neither 0 nor infinite."""
    base = rng.choice([positive(any_bits), between(1e-3, 4), near(1)])(rng)
    bits = math.log(base) or 1.0
    return base, rng.choice([between(-3, 3)(rng), rng.uniform(-745, 709) / bits * 2.0 ** -rng.randint(0, 20)])


def two_sides(rng: random.Random) -> tuple[float, float]:
    """Of any sizes, and of comparable ones."""
    x = rng.choice([any_bits, ordinary, tiny])(rng)
    return x, rng.choice([any_bits(rng), x * rng.uniform(-2, 2), x * 2.0 ** rng.randint(-60, 60)]) or 1.0


TWO: dict[str, Callable[[random.Random], tuple[float, float]]] = {
    "pow": power,
    "hypot": two_sides,
    "atan2": two_sides,
    "fmod": two_sides,
}


def arguments(name: str, count: int, rng: random.Random) -> list[tuple[float, ...]]:
    """`count` arguments of the function `name`, every one finite."""
    found: list[tuple[float, ...]] = []
    while len(found) < count:
        drawn = TWO[name](rng) if name in TWO else (rng.choice(ONE[name])(rng),)
        if all(map(math.isfinite, drawn)):
            found.append(drawn)
    return found
