"""What callbacks are handed is read where it lies: every field of a record, each with its own width and type."""

import ctypes

import numpy as np

from openbell import _native
from openbell.strategy.compiler import host
from openbell.strategy.compiler.program import Failure
from openbell.types import RECORDS, Reason, Side, Type
from strategy.compiler.harness import Rig, class_of, words_of

HEAD = "from openbell import Strategy\nfrom openbell.types import Reason, Side, Type\n\n\nclass Trial(Strategy):\n"


def trial(tmp_path, hook, body, fields):
    lines = [HEAD, *(f"    {name}: {kind}\n" for name, kind in fields.items()), f"\n    def {hook}(self, ctx, it):\n"]
    return class_of("".join([*lines, *(f"        {line}\n" for line in body)]), tmp_path)


def handed(name, **values):
    """A record's bytes, every other field zero."""
    record = np.zeros(1, RECORDS[name])
    for field, value in values.items():
        record[field] = value
    return record.ctypes.data_as(ctypes.c_void_p), record


def run(strategy, hook, pointer):
    rig, words = Rig(strategy), words_of(strategy())
    failure = rig.run(hook, words, pointer)
    return failure, dict(zip([cell.name for cell in strategy.layout().cells], list(words)[1:], strict=True))


def test_every_field_of_a_print_is_read(tmp_path):
    fields = ("flags", "order_id", "instrument", "ts_event", "px", "qty", "ref")
    body = [f"self.{name} = it.{name}" for name in fields]
    body += ["self.is_trade = it.type == Type.TRADE", "self.resting = it.resting_side", "self.shown = it.is_printable"]
    kinds = dict.fromkeys(fields, "int") | {"is_trade": "bool", "resting": "int", "shown": "bool"}
    values = {
        "flags": 9,
        "order_id": 2**62,
        "instrument": 2**32 - 2,
        "ts_event": -5,
        "px": -(2**60),
        "qty": 3,
        "ref": 8,
    }
    pointer, _kept = handed("Market", type=int(Type.TRADE), **values)

    failure, found = run(trial(tmp_path, "on_trade", body, kinds), "on_trade", pointer)

    assert failure == (0, 0, 0)
    assert found == values | {"is_trade": 1, "resting": int(Side.BUY), "shown": 1}


def test_every_field_of_a_report_is_read(tmp_path):
    fields = ("instrument", "ts_event", "cl_ord_id", "version", "exec_id", "last_px", "last_qty", "leaves_qty")
    body = [f"self.{name} = it.{name}" for name in fields]
    body += ["self.sold = it.side == Side.SELL", "self.why = it.reason", "self.is_fill = it.type == Type.FILLED"]
    kinds = dict.fromkeys(fields, "int") | {"sold": "bool", "why": "int", "is_fill": "bool"}
    values = {name: 1000 + number for number, name in enumerate(fields)}
    kinds_of_it = {"type": int(Type.FILLED), "side": int(Side.SELL), "reason": int(Reason.POSITION)}
    pointer, _kept = handed("Report", **kinds_of_it, **values)

    failure, found = run(trial(tmp_path, "on_fill", body, kinds), "on_fill", pointer)

    assert failure == (0, 0, 0)
    assert found == values | {"sold": 1, "why": int(Reason.POSITION), "is_fill": 1}


def test_an_identifier_beyond_63_bits_is_an_error(tmp_path):
    strategy = trial(tmp_path, "on_trade", ["self.n = it.order_id"], {"n": "int"})
    pointer, _kept = handed("Market", order_id=2**63)

    assert run(strategy, "on_trade", pointer)[0] == (Failure.CONVERSION, 9, 0)


def test_a_timer_hands_its_id(tmp_path):
    strategy = trial(tmp_path, "on_timer", ["self.n = it * 2"], {"n": "int"})

    assert run(strategy, "on_timer", ctypes.byref(ctypes.c_uint64(21))) == ((0, 0, 0), {"n": 42})
    assert run(strategy, "on_timer", ctypes.byref(ctypes.c_uint64(2**63)))[0][0] == Failure.CONVERSION


def test_the_views_of_both_speeds_have_the_same_fields():
    """What an interpreted callback may read, a compiled one may; what has no number is left out by name."""
    without = {"Market": {"letters", "prices"}, "LiveOrder": {"strategy", "session"}}
    views = {"Market": host.record("Market"), "Report": host.record("Report"), "BookView": host.book()}
    for name, view in {**views, "LiveOrder": host.order()}.items():
        shown = {one for one in dir(getattr(_native, name)) if not one.startswith("_")}
        verbs = {one for one in shown if callable(getattr(getattr(_native, name), one))}
        assert shown - verbs - without.get(name, set()) == set(view.fields), name


def test_the_verbs_of_compiled_code_take_what_the_interpreted_ones_do():
    for function in host.functions():
        owner, _, rest = function.verb.partition(".")
        if not function.verb or "(" not in rest:
            continue
        verb = host.verb(owner, rest.partition("(")[0])
        assert verb is not None, function.verb
        given = [argument.name for argument in verb.arguments]
        taken = [text.partition("=")[0].strip() for text in rest.partition("(")[2].rstrip(")").split(",") if text]
        assert (["instrument", *given] if owner == "book" else given) == taken, function.verb
        assert len(host.parse_foreign(function.name, function.signature).arguments) == len(taken)
