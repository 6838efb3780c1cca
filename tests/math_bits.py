"""Write `tests/math_bits.txt`, results of openbell.math bit by bit: `python tests/math_bits.py`. A test compares.

The file is the promise: a line changes only with a note in the changelog, since journals hold what old bits decided.
"""

import random
import struct
from pathlib import Path

from math_arguments import ONE, TWO, arguments
from openbell import math

BITS = Path(__file__).resolve().parent / "math_bits.txt"
EACH = 15


def hex_of(x: float) -> str:
    """The 64 bits of a double."""
    return struct.pack(">d", x).hex()


def line(name: str, *drawn: float) -> str:
    """Function, arguments and result; the result in words where there is none."""
    try:
        result = hex_of(getattr(math, name)(*drawn))
    except ValueError:
        result = "refused"
    return " ".join([name, *map(hex_of, drawn), result])


def document() -> str:
    """The whole file."""
    rng = random.Random(13)
    lines = [line(name, *drawn) for name in [*ONE, *TWO] for drawn in arguments(name, EACH, rng)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    BITS.write_text(document())
