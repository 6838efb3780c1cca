"""Runs a strategy's callbacks twice, as Python and as machine code, against verbs that only write down what was asked.

The machine code is called through ctypes with structs made here, so a test sees exactly what the host would hand over.
"""

import ctypes
import math
import struct
from pathlib import Path
from types import SimpleNamespace

from openbell.strategy.compiler import host
from openbell.strategy.compiler.build import build
from openbell.strategy.compiler.host import HostFunction
from openbell.strategy.compiler.load import load
from openbell.strategy.compiler.program import Failure
from openbell.strategy.compiler.unit import lower
from openbell.strategy.loader import load_strategy

FUEL = 10_000
NOW_NS = 1_780_000_000_123_456_789  # no float holds it
I64, F64, P = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p
CODES = {"i64": I64, "f64": F64, "rt": P, "book*": P, "order*": P}


class Refused(Exception):
    """A verb said no."""


class Asked:
    """What was asked of ctx, by either speed: a list of (verb, arguments); positions follow from the question."""

    def __init__(self):
        self.calls = []
        self.randoms = 0

    now_ns, seq = NOW_NS, 7

    def position(self, instrument):
        self.calls.append(("position", instrument))
        return instrument % 1009 - 20

    def quote(self, instrument, bid_px=0, bid_qty=0, ask_px=0, ask_qty=0):
        if any(not -(2**63) <= one < 2**63 for one in (instrument, bid_px, bid_qty, ask_px, ask_qty)):
            raise OverflowError("an int beyond 64 bits")
        if bid_qty < 0 and ask_qty < 0:
            raise Refused("both quantities are negative")
        self.calls.append(("quote", instrument, bid_px, bid_qty, ask_px, ask_qty))

    def random(self):
        self.randoms += 1
        return (self.randoms * 0.37) % 1.0

    def book(self, instrument):
        return book(instrument=instrument, bid_px=100 + instrument, ask_px=103 + instrument)


def book(**fields):
    """A book as an interpreted strategy sees it."""
    return SimpleNamespace(**(dict.fromkeys(host.BOOK_WORDS, 0) | {"is_valid": True, "tick": 1} | fields))


def book_words(view):
    """The same book as compiled code sees it."""
    return (I64 * len(host.BOOK_WORDS))(*(int(getattr(view, name)) for name in host.BOOK_WORDS))


def class_of(text: str, folder: Path):
    """The strategy class of a source text."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "trial.py"
    path.write_text(text)
    return load_strategy(path)


class Rig:
    """One strategy's machine code, with verbs of ours."""

    def __init__(self, strategy):
        self.asked = Asked()
        self.runtime = (I64 * 7)()
        self.kept = []
        functions = [self._fake(one) for one in host.functions()]
        self.program = lower(strategy, functions)
        self.engine, self.hooks = load(build(self.program), self.program, functions)

    def _fake(self, real: HostFunction) -> HostFunction:
        result, _, rest = real.signature.partition("(")
        kind = ctypes.CFUNCTYPE(CODES[result], *(CODES[one] for one in rest.rstrip(")").split(",")))
        name = real.name.removeprefix("ob_")
        if real.signature.find("rt") < 0 or not hasattr(Asked, name):
            return real

        def verb(_, *values):
            try:
                if name == "book":
                    *values, out = values
                    ctypes.memmove(out, book_words(self.asked.book(*values)), 8 * len(host.BOOK_WORDS))
                    return 0
                return getattr(self.asked, name)(*values) or 0
            except Refused:
                self.runtime[4] = int(Failure.VERB)
                return 0

        fake = kind(verb)
        self.kept.append(fake)
        return HostFunction(real.name, ctypes.cast(fake, P).value, real.signature, real.verb)

    def run(self, hook, words, argument=None):
        """(failure, line, detail) of one callback; 0 is none. `words` are changed in place."""
        for place, value in enumerate((NOW_NS, 7, FUEL, 0, 0, 0, 0)):
            self.runtime[place] = value
        call = ctypes.CFUNCTYPE(ctypes.c_int32, P, P, P)(self.hooks[hook])
        result = call(self.runtime, words, argument)
        assert (result != 0) == (self.runtime[4] != 0)
        line, failure, detail = self.runtime[3:6]
        return (failure, line, detail) if result else (0, 0, 0)


def words_of(instance):
    """The words of an instance as the host gathers them."""
    layout = type(instance).layout()
    out = [0] * layout.words
    _gather(instance, layout, 0, out)
    return (I64 * layout.words)(*out)


def _gather(instance, layout, base, out):
    for cell in layout.cells:
        value, at = getattr(instance, cell.name), base + cell.offset
        if cell.kind == "state":
            _gather(value, cell.of.layout(), at, out)
        elif cell.kind == "array":
            out[at : at + cell.words] = [word(one, cell.of) for one in value]
        else:
            out[at] = word(value, cell.of)


def word(value, kind):
    """One value as a word, in its one spelling."""
    if kind is float:
        value = math.nan if math.isnan(value) else value + 0.0
        return struct.unpack("<q", struct.pack("<d", value))[0]
    if kind is bool:
        assert type(value) is bool, f"expected a bool, found {value!r}"
    elif not isinstance(value, int):
        raise TypeError(f"expected an int, found {value!r}")
    if not -(2**63) <= value < 2**63:
        raise OverflowError("an int beyond 64 bits")
    return int(value)
