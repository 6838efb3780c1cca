"""openbell.math: the same bits however it is compiled, nothing of the system's library, errors that name the call."""

import ctypes
import functools
import math as system
import random
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

import math_bits
from math_arguments import ONE, TWO, arguments
from openbell import _native as native
from openbell import math

MODES = ["-O0", "-O3", "-O3 -march=native"]
FLAGS = ["-std=c++20", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-shared"]
NOTHING_ELSE = ["-nostdlib", "-Wl,--no-undefined"]  # a call of any library does not link

ARGUMENT = {"f64": ctypes.c_double, "i64": ctypes.c_int64}
INFINITE = float("inf")
NAN = float("nan")


def c_function(address: int, signature: str) -> "ctypes._CFunctionType":
    result, _, rest = signature.removesuffix(")").partition("(")
    return ctypes.CFUNCTYPE(ARGUMENT[result], *(ARGUMENT[kind] for kind in rest.split(",")))(address)


TABLE = {name: c_function(address, signature) for name, address, signature in native.math_functions()}


def bits(x: float) -> bytes:
    return struct.pack("d", x)


def test_results_are_the_pinned_bits():
    assert math_bits.BITS.read_text() == math_bits.document()


@functools.cache
def compiler() -> str:
    return shutil.which("c++") or shutil.which("g++") or ""


@pytest.mark.skipif(not compiler(), reason="no C++ compiler: the pinned bits stand alone")
@pytest.mark.parametrize("mode", MODES)
def test_every_compilation_gives_the_same_bits_and_calls_no_library(mode: str, tmp_path: Path, repo: Path, seed: int):
    library = tmp_path / "math.so"
    sources = sorted(map(str, (repo / "native/math").glob("*.cpp")))
    sanitizer_free = ["-fno-stack-protector", *mode.split()]
    subprocess.run(
        [compiler(), *FLAGS, *sanitizer_free, *NOTHING_ELSE, f"-I{repo / 'native'}", *sources, "-o", str(library)],
        check=True,
    )
    loaded = ctypes.CDLL(str(library))

    for name in [*ONE, *TWO]:
        function = getattr(loaded, f"ob_{name}")
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * (2 if name in TWO else 1)
        for drawn in arguments(name, 2000, random.Random(f"{seed} {name}")):
            assert bits(function(*drawn)) == bits(TABLE[f"ob_{name}"](*drawn)), (name, drawn)


def test_the_table_has_every_function_of_the_module():
    functions = [name for name in math.__all__ if name not in ("pi", "e")]
    assert sorted(TABLE) == sorted(f"ob_{name}" for name in functions)
    assert (math.pi, math.e) == (system.pi, system.e)


@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_python_and_the_table_say_the_same(name: str, rng: random.Random):
    for drawn in arguments(name, 200, rng):
        result = TABLE[f"ob_{name}"](*drawn)
        if system.isfinite(result):
            assert bits(getattr(math, name)(*drawn)) == bits(result), drawn


REFUSED = [
    ("exp", (710.0,), "inf"),
    ("expm1", (1e308,), "inf"),
    ("log", (0.0,), "-inf"),
    ("log", (-1.0,), "nan"),
    ("log1p", (-1.0,), "-inf"),
    ("log1p", (-1.5,), "nan"),
    ("log2", (-0.0,), "-inf"),
    ("log10", (-5e-324,), "nan"),
    ("pow", (-2.0, 0.5), "nan"),
    ("pow", (0.0, -1.0), "inf"),
    ("pow", (-0.0, -3.0), "-inf"),
    ("pow", (10.0, 400.0), "inf"),
    ("pow", (-10.0, 401.0), "-inf"),
    ("sqrt", (-1.0,), "nan"),
    ("hypot", (1.7e308, 1.7e308), "inf"),
    ("fmod", (1.0, 0.0), "nan"),
    ("asin", (1.0000000000000002,), "nan"),
    ("acos", (-2.0,), "nan"),
    ("sinh", (-711.0,), "-inf"),
    ("cosh", (-711.0,), "inf"),
    ("floor", (1e19,), "1e+19"),
    ("ceil", (NAN,), "nan"),
    ("trunc", (-INFINITE,), "-inf"),
]


@pytest.mark.parametrize(("name", "drawn", "found"), REFUSED)
def test_a_result_that_is_not_finite_raises_and_names_the_call(name: str, drawn: tuple[float, ...], found: str):
    call = f"{name}({', '.join(map(repr, drawn))})"
    expected = "an int of 64 bits" if name in ("floor", "ceil", "trunc") else "a finite result"

    with pytest.raises(ValueError) as raised:
        getattr(math, name)(*drawn)

    assert str(raised.value) == f"{call}: expected {expected}, found {found}; check the arguments before the call"


# IEEE 754-2019, 9.2.1
LIMITS = [
    ("exp", (INFINITE,), INFINITE),
    ("exp", (-INFINITE,), 0.0),
    ("exp", (-1e308,), 0.0),
    ("expm1", (-INFINITE,), -1.0),
    ("expm1", (-0.0,), -0.0),
    ("log", (INFINITE,), INFINITE),
    ("log", (1.0,), 0.0),
    ("log1p", (-0.0,), -0.0),
    ("sqrt", (-0.0,), -0.0),
    ("hypot", (-INFINITE, NAN), INFINITE),
    ("fmod", (-3.0, INFINITE), -3.0),
    ("fmod", (-4.0, 2.0), -0.0),
    ("sin", (-0.0,), -0.0),
    ("tan", (-0.0,), -0.0),
    ("asin", (-0.0,), -0.0),
    ("acos", (1.0,), 0.0),
    ("atan", (-INFINITE,), -system.pi / 2),
    ("atan2", (0.0, -0.0), system.pi),
    ("atan2", (-0.0, 0.0), -0.0),
    ("atan2", (-0.0, -1.0), -system.pi),
    ("atan2", (INFINITE, -INFINITE), 3 * system.pi / 4),
    ("atan2", (-1.0, -INFINITE), -system.pi),
    ("atan2", (1.0, INFINITE), 0.0),
    ("sinh", (-INFINITE,), -INFINITE),
    ("cosh", (-INFINITE,), INFINITE),
    ("tanh", (INFINITE,), 1.0),
    ("erf", (-INFINITE,), -1.0),
    ("erfc", (INFINITE,), 0.0),
    ("normal_cdf", (-INFINITE,), 0.0),
    ("normal_cdf", (0.0,), 0.5),
    ("normal_pdf", (INFINITE,), 0.0),
    ("pow", (NAN, 0.0), 1.0),
    ("pow", (1.0, NAN), 1.0),
    ("pow", (-1.0, INFINITE), 1.0),
    ("pow", (0.5, INFINITE), 0.0),
    ("pow", (2.0, INFINITE), INFINITE),
    ("pow", (-0.0, 3.0), -0.0),
    ("pow", (-0.0, 2.0), 0.0),
    ("pow", (-INFINITE, 3.0), -INFINITE),
    ("pow", (-INFINITE, -3.0), -0.0),
    ("pow", (INFINITE, -0.5), 0.0),
    ("pow", (-8.0, 3.0), -512.0),
    ("pow", (-2.0, 2.0**53), INFINITE),
]


@pytest.mark.parametrize(("name", "drawn", "expected"), LIMITS)
def test_limits_are_those_of_ieee_754(name: str, drawn: tuple[float, ...], expected: float):
    assert bits(TABLE[f"ob_{name}"](*drawn)) == bits(expected)


@pytest.mark.parametrize("name", [name for name in math.__all__ if name not in ("pi", "e", "isfinite")])
def test_nan_comes_out_as_one_pattern_of_bits(name: str):
    other_nan = struct.unpack("d", struct.pack("Q", 0xFFF8_0000_0000_0123))[0]
    drawn = (other_nan, other_nan) if name in TWO else (other_nan,)
    assert bits(TABLE[f"ob_{name}"](*drawn)) == struct.pack("Q", 0x7FF8_0000_0000_0000)


def test_arguments_are_floats_and_ints_and_nothing_else():
    assert math.exp(np.float64(1.0)) == math.exp(1)  # it is a float
    assert (math.isfinite(1), math.isfinite(INFINITE), math.isfinite(NAN)) == (True, False, False)
    for wrong in (np.float32(1.0), np.int64(1), True, "1", None, 2**64):
        with pytest.raises(TypeError, match="float"):
            math.exp(wrong)  # type: ignore[arg-type]
