"""What the C++ host offers to compiled code: verbs of ctx, records it shows, functions of openbell.math.

Nothing is repeated here that the extension says of itself: C functions come from `compiled_functions()`, the names,
kinds and defaults of a verb's arguments from the signature of the interpreted `Context`, offsets from
`record_layouts()`.
"""

from __future__ import annotations

import ast
import enum
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from openbell import _native
from openbell.strategy import Strategy
from openbell.strategy.compiler import kinds
from openbell.strategy.compiler.kinds import BOOL, FLOAT, INT, Access, Kind, ViewOf, view_of
from openbell.strategy.compiler.program import Foreign

REQUIRED = object()
ABSENT = object()  # the default of a verb's argument that may be left out, as None: 0 in the C function


@dataclass(frozen=True)
class Argument:
    """One argument of a verb or helper; `default` is a constant, ABSENT or REQUIRED."""

    name: str
    kind: Kind | None
    default: Any = REQUIRED


@dataclass(frozen=True)
class Verb:
    """One verb of ctx as its author writes it."""

    name: str
    arguments: tuple[Argument, ...]
    result: Kind


_ENUM_FIELDS: dict[str, type[enum.IntEnum]] = {
    "type": _native.Type,
    "reason": _native.Reason,
    "side": _native.Side,
    "state": _native.OrderState,
    "trading": _native.TradingState,
    "tif": _native.Tif,
}
_BOOL_FIELDS = ("is_valid",)
# Worked out where it is read, as the interpreted views do (native/bindings/strategy.cpp).
_DERIVED = {
    "Market": {
        "resting_side": Access("", 0, kinds.enum_of(_native.Side), "(2 - (load_u8({p}, 1) & 1))"),
        "is_printable": Access("", 0, BOOL, "((load_u8({p}, 1) & 8) != 0)"),
    }
}
_LOADS = {"u1": "load_u8", "u2": "load_u16", "u4": "load_u32", "u8": "load_u64", "i8": "load_i", "f8": "load_f"}

# The words of BookCell and OrderCell, in the order of native/strategy/compiled/abi.h.
BOOK_WORDS = (
    *("instrument", "bid_px", "bid_qty", "ask_px", "ask_qty", "tick", "lot"),
    *("is_valid", "trading", "px_decimals", "qty_decimals"),
)
ORDER_WORDS = ("cl_ord_id", "instrument", "px", "qty", "cum_qty", "leaves_qty", "version", "state", "side", "tag")
_ROOMS = {"book*": 8 * len(BOOK_WORDS), "order*": 8 * len(ORDER_WORDS)}


def _access(name: str, form: str, offset: int) -> Access:
    load = _LOADS[form.lstrip("<")]
    kind: Kind = FLOAT if load == "load_f" else INT
    if name in _ENUM_FIELDS:
        kind = kinds.enum_of(_ENUM_FIELDS[name])
    elif name in _BOOL_FIELDS:
        kind = BOOL
    return Access(load, offset, kind)


@cache
def record(name: str) -> ViewOf:
    """A record as callbacks see it: the fields that its interpreted view has too."""
    _, layout = _native.record_layouts()[name]
    seen = dir(getattr(_native, name))
    fields = {
        field: _access(field, form, at) for field, form, at in layout if field in seen and form.lstrip("<") in _LOADS
    }
    return view_of(name, {**fields, **_DERIVED.get(name, {})})


@cache
def book() -> ViewOf:
    """BookCell of native/strategy/compiled/abi.h."""
    return view_of("book", {name: _access(name, "<i8", 8 * i) for i, name in enumerate(BOOK_WORDS)})


@cache
def order() -> ViewOf:
    """OrderCell of native/strategy/compiled/abi.h."""
    return view_of("order", {name: _access(name, "<i8", 8 * i) for i, name in enumerate(ORDER_WORDS)})


@dataclass(frozen=True)
class HostFunction:
    """A C function of the host; `verb` is how a strategy writes it, such as `ctx.cancel(cl_ord_id)`, or empty."""

    name: str
    address: int
    signature: str
    verb: str


@cache
def functions() -> tuple[HostFunction, ...]:
    """Every C function that compiled code may call."""
    verbs = (HostFunction(*row) for row in _native.compiled_functions())
    math = (HostFunction(*row, "") for row in _native.math_functions())
    return (*verbs, *math)


@cache
def verb(owner: str, name: str) -> Verb | None:
    """The verb of the interpreted `ctx` or `book`, None where it has none of this name."""
    method = getattr(getattr(_native, {"ctx": "Context", "book": "BookView"}[owner]), name, None)
    signature = getattr(method, "__nb_signature__", None)
    if not signature:
        return None
    text, _, defaults = signature[0]
    tree = ast.parse(re.sub(r"\\(\d+)", r"_\1", text) + ": ...").body[0]
    assert isinstance(tree, ast.FunctionDef)
    given = tree.args.args[1:]
    first = len(given) - len(tree.args.defaults)
    arguments = [
        Argument(
            one.arg, _kind(one.annotation), REQUIRED if i < first else _default(defaults, tree.args.defaults[i - first])
        )
        for i, one in enumerate(given)
    ]
    return Verb(name, tuple(arguments), _kind(tree.returns) or kinds.UNKNOWN)


def result_of(function: Any) -> Kind:
    """What a function of the extension returns, by its signature."""
    text = str(function.__nb_signature__[0][0])
    return _kind(ast.parse(text.rpartition("->")[2].strip(), mode="eval").body) or kinds.UNKNOWN


def _default(defaults: Any, node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and node.value is None:
        return ABSENT
    assert isinstance(node, ast.Name)
    found = defaults[int(node.id[1:])]
    return ABSENT if found is None else found


def _kind(node: ast.expr | None) -> Kind | None:
    text = "None" if node is None else ast.unparse(node).removesuffix(" | None")
    if text in kinds.NUMBERS:
        return kinds.NUMBERS[text]
    if text == "None":
        return kinds.NOTHING
    found = getattr(_native, text.rpartition(".")[2], None)
    return kinds.enum_of(found) if isinstance(found, type) and issubclass(found, enum.Enum) else None


_CODES = {"i64": "i", "f64": "f", "double": "f", "void": "n", "": "n"}


def parse_foreign(name: str, signature: str) -> Foreign:
    """`i64(rt,i64,f64)` as a Foreign; a pointer is a record that the function fills."""
    result, _, rest = signature.replace(" ", "").partition("(")
    arguments = [one for one in rest.rstrip(")").split(",") if one]
    takes_runtime = bool(arguments) and arguments[0] == "rt"
    values = arguments[1:] if takes_runtime else arguments
    if values and values[-1].endswith("*"):
        return Foreign(name, "p", "".join(_CODES[one] for one in values[:-1]), takes_runtime, _ROOMS[values[-1]])
    return Foreign(name, _CODES[result], "".join(_CODES[one] for one in values), takes_runtime)


def argument_of(hook: str) -> Kind | None:
    """What a callback is handed beside ctx; an int where it is a timer's id."""
    if hook in ("on_start", "on_stop"):
        return None
    if hook == "on_book":
        return book()
    if hook == "on_timer":
        return INT
    return record({"on_order": "Report", "on_fill": "Report", "on_signal": "Signal"}.get(hook, "Market"))


HOOKS = tuple(name for name in vars(Strategy) if name.startswith("on_"))


def context_names() -> list[str]:
    """What the interpreted ctx has."""
    return [name for name in dir(_native.Context) if not name.startswith("_")]


def book_names() -> list[str]:
    """What the interpreted book has."""
    return [name for name in dir(_native.BookView) if not name.startswith("_")]
