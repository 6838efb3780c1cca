"""Write `native/math/tables.h` from decimal arithmetic: `python tests/math_tables.py`. A test compares."""

import decimal
import sys
from decimal import Decimal
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests"))

from oracles import real_functions as real  # noqa: E402

TABLES = REPO / "native/math/tables.h"
DIGITS = 60
CONTEXT = decimal.Context(prec=DIGITS + 20)

HEAD = """\
// Constants of the elementary functions. Generated from decimal arithmetic by `python tests/math_tables.py`; a test
// compares. A pair {hi, lo} is a number to 106 bits.
// clang-format off
#pragma once

#include "math/pair.h"

namespace openbell::math {
"""


def double(x: Decimal) -> str:
    return float(x).hex()


def pair(x: Decimal, grid: int | None = None) -> str:
    """`x` as {hi, lo}; with `grid`, hi is a multiple of 2^-grid, so that products with short integers are exact."""
    return "{" + ", ".join(split(x, [grid, None])) + "}"


def split(x: Decimal, grids: list[int | None]) -> list[str]:
    """`x` as a sum of doubles; part i is a multiple of 2^-grids[i]."""
    parts = []
    for grid in grids:
        part = Decimal(float(x)) if grid is None else CONTEXT.divide((x * 2**grid).to_integral_value(), 2**grid)
        parts.append(double(part))
        x = x - part
    return parts


def constants() -> str:
    pi, ln2 = real.pi(DIGITS), real.ln(Decimal(2), DIGITS)
    step = CONTEXT.divide(ln2, Decimal(64))
    # Of the first parts 34 bits, so that they are exact times a whole number of 19 bits.
    steps = split(step, [40, 74, None])
    quarter_turns = split(CONTEXT.divide(pi, Decimal(2)), [33, 67, None])
    return f"""\
inline constexpr Pair kLn2 = {pair(ln2, 42)};
inline constexpr Pair kLog2OfE = {pair(1 / ln2)};
inline constexpr Pair kLog10OfE = {pair(1 / real.ln(Decimal(10), DIGITS))};
inline constexpr Pair kPi = {pair(pi)};
inline constexpr Pair kHalfPi = {pair(pi / 2)};
inline constexpr Pair kSqrtHalf = {pair(Decimal("0.5").sqrt())};
inline constexpr Pair kTwoOverSqrtPi = {pair(2 / pi.sqrt())};
inline constexpr Pair kOneOverSqrtTwoPi = {pair(1 / (2 * pi).sqrt())};

// ln 2 / 64 and pi / 2 in three parts; the first two are exact times a whole number of 19 bits.
inline constexpr double kExpStep[3] = {{{", ".join(steps)}}};
inline constexpr double kExpStepsInOne = {double(1 / step)};
inline constexpr double kQuarterTurn[3] = {{{", ".join(quarter_turns)}}};
inline constexpr double kQuarterTurnsInOne = {double(2 / pi)};
"""


def powers() -> str:
    rows = "\n".join(f"    {pair(real.power(Decimal(2), Decimal(j) / 64, DIGITS))}," for j in range(64))
    return f"// 2^(j/64)\ninline constexpr Pair kPowerOf2[64] = {{\n{rows}\n}};\n"


def logarithms() -> str:
    rows = []
    for i in range(90, 183):
        inverse = Decimal(round(Decimal(128 * 512) / i)) / 512
        logarithm = -real.ln(inverse, DIGITS) if inverse != 1 else Decimal(0)
        rows.append(f"    {{{double(inverse)}, {pair(logarithm, 42)}}},")
    table = "\n".join(rows)
    return f"""\
// For m about i/128, i = 90 to 182: an inverse of 10 bits, and the logarithm of what it is the inverse of.
struct LogStep {{
    double inverse;
    Pair log;
}};
inline constexpr int kLogStepFirst = 90;
inline constexpr LogStep kLogSteps[{len(rows)}] = {{
{table}
}};
"""


def arcs() -> str:
    rows = "\n".join(f"    {pair(real.atan(Decimal(i) / 32, DIGITS))}," for i in range(33))
    return f"// atan(i/32)\ninline constexpr Pair kAtan[33] = {{\n{rows}\n}};\n"


def two_over_pi() -> str:
    words = 21
    with decimal.localcontext(decimal.Context(prec=700)):
        bits = int(2 / real.pi(600) * 2 ** (64 * (words - 1)))
    rows = "\n".join(f"    0x{bits >> (64 * (words - 1 - i)) & (2**64 - 1):016x}," for i in range(words))
    return f"""\
// The fraction of 2/pi after 64 zero bits, the highest word first.
inline constexpr u64 kTwoOverPi[{words}] = {{
{rows}
}};
"""


DEGREE = 11


def scaled_erfc(x: Decimal) -> Decimal:
    """e^(x^2) erfc(x)."""
    return real.erfc(x, DIGITS) * real.exp(x * x, DIGITS)


def interpolate(centre: Decimal, half: Decimal) -> list[Decimal]:
    """The polynomial in x - centre through e^(x^2) erfc(x) at the Chebyshev nodes of centre +- half."""
    n = DEGREE + 1
    turn = real.pi(DIGITS)
    nodes = [half * real.cos(turn * (2 * k + 1) / (2 * n), DIGITS) for k in range(n)]
    divided = [scaled_erfc(centre + node) for node in nodes]  # Newton's divided differences, then expanded
    for order in range(1, n):
        for k in range(n - 1, order - 1, -1):
            divided[k] = (divided[k] - divided[k - 1]) / (nodes[k] - nodes[k - order])
    coefficients = [divided[-1]]
    for k in range(n - 2, -1, -1):
        shifted = [Decimal(0), *coefficients]
        coefficients = [s - nodes[k] * c for s, c in zip(shifted, [*coefficients, Decimal(0)], strict=True)]
        coefficients[0] += divided[k]
    return coefficients


def error_functions() -> str:
    rows = []
    for octave in range(-1, 5):
        for eighth in range(8):
            low, width = Decimal(2) ** octave * (8 + eighth) / 8, Decimal(2) ** octave / 8
            first, *others = interpolate(low + width / 2, width / 2)
            rows.append(f"    {{{double(low + width / 2)}, {pair(first)}, {{{', '.join(map(double, others))}}}}},")
    table = "\n".join(rows)
    return f"""\
// e^(x^2) erfc(x) about the middle of an eighth of an octave, from 1/2 to 32: a polynomial in x - centre.
struct ErfcStep {{
    double centre;
    Pair first;
    double others[{DEGREE}];
}};
inline constexpr ErfcStep kErfcSteps[{len(rows)}] = {{
{table}
}};
"""


def header() -> str:
    """The whole file."""
    with decimal.localcontext(CONTEXT):
        parts = [HEAD, constants(), powers(), logarithms(), arcs(), two_over_pi(), error_functions()]
    return "\n".join(parts) + "\n}  // namespace openbell::math\n"


if __name__ == "__main__":
    TABLES.write_text(header())
