"""Every verb of ctx says the same record in both speeds: the method of Context and the C function of compiled code."""

import ctypes
from dataclasses import dataclass, field
from typing import Any

import pytest

from openbell import _native as native
from openbell.strategy import Strategy
from openbell.types import RECORDS, Side, Tif, Trigger, Type
from strategy.world import World, halted

HOOK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
ERROR_AT = 4  # word of Runtime
I64 = ctypes.c_int64

# verb, arguments by name, arguments of the C function
SAID = [
    ("quote", {"instrument": 0, "bid_px": 5, "ask_qty": 7}, [0, 5, 0, 0, 7]),
    ("order", {"instrument": 0, "side": Side.BUY, "px": 10, "qty": 2}, [0, 1, 10, 2, 0, 0, 0, 0, 0, 0, 0]),
    (
        "order",
        {"instrument": 0, "side": Side.SELL, "px": 10, "qty": 2, "tif": Tif.GTD, "tag": 9, "post_only": True}
        | {"display_qty": 1, "expires_ns": 99},
        [0, 2, 10, 2, 6, 9, 1, 0, 1, 0, 99],
    ),
    (
        "order",
        {"instrument": 0, "side": Side.SELL, "px": 0, "qty": 2, "tif": Tif.IOC, "hidden": True, "collar_bps": 30},
        [0, 2, 0, 2, 3, 0, 0, 1, 0, 30, 0],
    ),
    (
        "stop",
        {"instrument": 0, "side": Side.SELL, "qty": 2, "stop_px": 90, "px": 80},
        [0, 2, 2, 90, 80, 0, 1, 0, 0, 0, 0],
    ),
    (
        "stop",
        {"instrument": 0, "side": Side.BUY, "qty": 2, "trail": 4, "trigger": Trigger.TOUCH, "tif": Tif.IOC, "tag": 3}
        | {"collar_bps": 20},
        [0, 1, 2, 0, 0, 4, 2, 3, 3, 20, 0],
    ),
    (
        "parent",
        {"instrument": 0, "side": Side.BUY, "qty": 900, "algorithm": 2, "px": 10, "begins_ns": 1, "ends_ns": 2}
        | {"participation_bps": 3, "urgency_bps": 4, "tag": 5},
        [0, 1, 900, 2, 10, 1, 2, 3, 4, 5],
    ),
    ("target", {"instrument": 0, "position": -7, "px": 10, "qty_max": 3, "tag": 2}, [0, -7, 10, 3, 2]),
    ("target_off", {"instrument": 0}, [0]),
    ("replace", {"cl_ord_id": 77, "px": 10, "qty": 4}, [77, 10, 4]),
    ("cancel", {"cl_ord_id": 77}, [77]),
    ("cancel_all", {}, []),
    ("mass_cancel", {}, [-1, 0]),
    ("mass_cancel", {"instrument": 0, "side": Side.SELL}, [0, 2]),
    ("set_timer", {"timer_id": 4, "deadline_ns": 1_000_000}, [4, 1_000_000]),
]


class Says(Strategy):
    """Calls what the test gives it when its book changes."""

    def on_book(self, ctx, _):
        CALLS[0](ctx)


CALLS: list[Any] = [None]


@dataclass
class Code:
    """What the compiler would hand over."""

    hooks: dict[str, int]
    keep: Any
    raised: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=lambda: ["says.py"])


def interpreted(call: Any) -> list[bytes]:
    CALLS[0] = call
    world = World(Says())
    world.start(has_book=False)
    return world.book(1)


def compiled(*calls: tuple[str, list[int]]) -> list[bytes]:
    functions = {name: address for name, address, _, _ in native.compiled_functions()}

    def hook(rt: int, *_: int) -> int:
        for name, values in calls:
            function = ctypes.CFUNCTYPE(I64, ctypes.c_void_p, *[I64] * len(values))(functions[f"ob_{name}"])
            function(rt, *values)
        return int(ctypes.cast(rt, ctypes.POINTER(I64))[ERROR_AT] != 0)

    native_hook = HOOK(hook)
    address = ctypes.cast(native_hook, ctypes.c_void_p).value
    world = World(Says())
    world.host = native.StrategyHost()
    world.host.add_compiled(0, "Says", Says(), ["SYM0"], Code({"on_book": address}, native_hook))
    world.start(has_book=False)
    return world.book(1)


def said(records: list[bytes]) -> list[bytes]:
    return [r for r in records if r[0] in (Type.INTENT, Type.TIMER_ARMED)]


@pytest.mark.parametrize(("verb", "named", "values"), SAID)
def test_a_verb_says_the_same_in_both_speeds(verb: str, named: dict[str, Any], values: list[int]):
    one = said(interpreted(lambda ctx: getattr(ctx, verb)(**named)))
    other = said(compiled((verb, values)))

    assert len(one) == 1
    assert one == other


def test_a_basket_is_orders_of_one_number_in_both_speeds():
    def call(ctx: Any) -> None:
        ctx.order(0, Side.BUY, 10, 1)
        ctx.basket_open()
        ctx.order(0, Side.BUY, 10, 2)
        ctx.order(0, Side.BUY, 10, 3)
        ctx.basket_close()
        ctx.basket_open()
        ctx.order(0, Side.BUY, 10, 4)
        ctx.basket_close()

    def leg(qty: int) -> tuple[str, list[int]]:
        return "order", [0, 1, 10, qty, 0, 0, 0, 0, 0, 0, 0]

    opens, closes = ("basket_open", []), ("basket_close", [])
    records = said(interpreted(call))
    at = RECORDS["Intent"].fields["basket"][1]
    assert [r[at] for r in records] == [0, 1, 1, 2]
    assert records == said(compiled(leg(1), opens, leg(2), leg(3), closes, opens, leg(4), closes))


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([("basket_open", []), ("basket_open", [])], "expected no open basket"),
        ([("basket_close", [])], "expected an open basket"),
        ([("basket_open", []), ("cancel_all", [])], "a basket holds nothing but ctx.order"),
        ([("order", [0, 1, 0, 1, 3, 0, 0, 0, 0, 10_000, 0])], "expected collar_bps from 0 to 9999"),
        ([("target", [9, 1, 0, 0, 0])], "expected the id of a known instrument"),
    ],
)
def test_what_a_verb_refuses_it_refuses_in_both_speeds(calls: list[tuple[str, list[int]]], expected: str):
    def call(ctx: Any) -> None:
        for name, values in calls:
            names = {"order": ("instrument", "side", "px", "qty", "tif"), "target": ("instrument", "position")}
            given = dict(zip(names.get(name, ()), values, strict=False))
            given |= {"side": Side.BUY, "tif": Tif.IOC, "collar_bps": values[9]} if name == "order" else {}
            getattr(ctx, name)(**given)

    assert expected in halted(interpreted(call))
    assert expected in halted(compiled(*calls))


def test_a_strategy_asks_what_its_stop_became():
    asked = []

    class Stops(Strategy):
        stop: int = 0

        def on_book(self, ctx, book):
            if self.stop == 0:
                self.stop = ctx.stop(book.instrument, Side.SELL, 1, stop_px=10, px=5)
            asked.append(ctx.became(self.stop))

    world = World(Stops())
    world.start(has_book=False)
    world.book(1)
    world.book(2)
    assert asked == [0, 0]
