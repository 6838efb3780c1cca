"""Elementary functions that give the same bits on every machine, in both speeds of a strategy.

Python's `math` and NumPy call the system's library, whose last bits differ from one version to the next; these are
openbell's own, and the core, interpreted and compiled strategies use the same ones. Arguments are floats or ints.

A finite argument whose result is not finite (`log(0.0)`, `exp(1000.0)`, `sqrt(-1.0)`) raises ValueError, naming
function and argument; infinite and NaN arguments are answered as IEEE 754 says. `floor`, `ceil` and `trunc` give an
int of 64 bits, or raise. Accuracy and sources: docs/math.md.
"""

from openbell._native import math_acos as acos
from openbell._native import math_asin as asin
from openbell._native import math_atan as atan
from openbell._native import math_atan2 as atan2
from openbell._native import math_ceil as ceil
from openbell._native import math_cos as cos
from openbell._native import math_cosh as cosh
from openbell._native import math_erf as erf
from openbell._native import math_erfc as erfc
from openbell._native import math_exp as exp
from openbell._native import math_expm1 as expm1
from openbell._native import math_floor as floor
from openbell._native import math_fmod as fmod
from openbell._native import math_hypot as hypot
from openbell._native import math_isfinite as isfinite
from openbell._native import math_log as log
from openbell._native import math_log1p as log1p
from openbell._native import math_log2 as log2
from openbell._native import math_log10 as log10
from openbell._native import math_normal_cdf as normal_cdf
from openbell._native import math_normal_pdf as normal_pdf
from openbell._native import math_pow as pow
from openbell._native import math_sin as sin
from openbell._native import math_sinh as sinh
from openbell._native import math_sqrt as sqrt
from openbell._native import math_tan as tan
from openbell._native import math_tanh as tanh
from openbell._native import math_trunc as trunc

__all__ = [
    "acos",
    "asin",
    "atan",
    "atan2",
    "ceil",
    "cos",
    "cosh",
    "e",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "floor",
    "fmod",
    "hypot",
    "isfinite",
    "log",
    "log1p",
    "log2",
    "log10",
    "normal_cdf",
    "normal_pdf",
    "pi",
    "pow",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
]

pi = 3.141592653589793
e = 2.718281828459045
