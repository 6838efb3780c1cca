"""Loops: every turn burns fuel, so that none is endless; ranges count as Python's do and never wrap round."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from openbell.strategy.compiler import kinds, sequences
from openbell.strategy.compiler.kinds import INT, Value
from openbell.strategy.compiler.refusals import Refused

if TYPE_CHECKING:
    from openbell.strategy.compiler.functions import FunctionLowering

_FORMS = "loop over range(n), a declared array or ring, ctx.instruments or ctx.orders()"


class Loops:
    """Lowers loops within one function."""

    def __init__(self, within: FunctionLowering) -> None:
        self.within = within
        self.breaks: list[list[set[str]]] = []  # of each open loop: names set at each break

    def while_(self, node: ast.While) -> None:
        """while ...: its test stands inside, for it may take several lines."""
        within = self.within
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        ended = within.temporary() if node.orelse and not is_endless else ""
        if ended:
            within.emit(f"{ended} = False")
        within.emit(f"while burn(rt, {within.line(node)}):")
        within.depth += 1
        if not is_endless:
            within.emit(f"if not {within.condition(node.test)}:")
            within.emit(f"    {ended} = True" if ended else "    pass")
            within.emit("    break")
        self._turn(node, is_endless)
        if ended:
            within.emit(f"if {ended}:")
        self._after(node, has_else=bool(ended))

    def _turn(self, node: ast.While | ast.For, is_endless: bool = False) -> None:
        """The body; from here on names are those that were set before it."""
        within = self.within
        before = None if within.set is None else set(within.set)
        self.breaks.append([])
        within.block(node.body)
        within.depth -= 1
        within.set = None if is_endless else before

    def _after(self, node: ast.While | ast.For, *, has_else: bool) -> None:
        """The else of a loop, and the ways that meet behind it."""
        breaks = self.breaks.pop()
        if has_else:
            self.within.indented(node.orelse)
        for at_break in breaks:
            self.within.set = joined(self.within.set, at_break)

    def break_(self) -> None:
        """break"""
        if self.within.set is not None:
            self.breaks[-1].append(set(self.within.set))
        self.within.emit("break")
        self.within.set = None

    def for_(self, node: ast.For) -> None:
        """for ... in ...:"""
        if not isinstance(node.target, ast.Name):
            raise Refused(node.target, "a for over several names is not compiled", "use one name")
        over = node.iter
        if isinstance(over, ast.Call) and self.within.expressions.static(over.func) is range:
            self._range(node, node.target, over)
        elif isinstance(over, (ast.Name, ast.Attribute, ast.Call)) and self._is_listed(over):
            self._each(node, node.target, self.within.expressions.lower(over))
        else:
            raise Refused(over, f"a loop over {ast.unparse(over)} is not compiled", _FORMS)

    def _is_listed(self, over: ast.expr) -> bool:
        found = self.within.expressions.static(over.func if isinstance(over, ast.Call) else over)
        return not callable(found) and not isinstance(found, (list, tuple, dict, set, str))

    def _range(self, node: ast.For, target: ast.Name, call: ast.Call) -> None:
        within = self.within
        if not 1 <= len(call.args) <= 3 or call.keywords:
            raise Refused(
                call,
                f"range() with {len(call.args)} values is not compiled",
                "write range(n), range(a, b) or range(a, b, step)",
            )
        values = [within.expressions.number(one) for one in call.args]
        if any(value.kind is not INT for value in values):
            raise Refused(call, "range() of float is not compiled", "write int(x)")
        step = values[2].constant if len(values) == 3 else 1
        if not step:
            raise Refused(call, "range() needs a constant step that is not 0", "write while, or a constant step")
        held = [within.hold(value).text for value in values[:2]]
        if len(held) == 1:
            held.insert(0, within.temporary())
            within.emit(f"{held[0]} = 0")
        at, stop = held
        within.emit(f"while {at} {'<' if step > 0 else '>'} {stop}:")
        now = within.temporary()
        self._begin(node, now, at, f"step({at}, {step}, {stop})")
        self._bind(node, target, Value(now, INT))

    def _begin(self, node: ast.For, now: str, at: str, following: str) -> None:
        """The head of a turn: fuel, this turn's number, the next one's."""
        self.within.depth += 1
        self.within.emit(f"burn(rt, {self.within.line(node)})")
        self.within.emit(f"{now} = {at}")
        self.within.emit(f"{at} = {following}")

    def _bind(self, node: ast.For, target: ast.Name, value: Value) -> None:
        """Gives the loop's name its value, and does the rest of the loop."""
        within = self.within
        before = None if within.set is None else set(within.set)
        within.assign(target, value)
        self._turn(node)
        within.set = before
        if node.orelse:
            within.emit("else:")
        self._after(node, has_else=bool(node.orelse))

    def _each(self, node: ast.For, target: ast.Name, over: Value) -> None:
        within = self.within
        at, count = within.temporary(), within.temporary()
        if isinstance(over.kind, kinds.ArrayOf):
            length = str(over.kind.length)
        elif sequences.has_elements(over.kind):
            length = sequences.length(within, over, node.iter).text
        elif over.kind in (kinds.ORDERS, kinds.INSTRUMENTS):
            length = within.calls.count(over.kind, node.iter).text
        else:
            raise Refused(node.iter, f"a loop over {over.kind} is not compiled", _FORMS)
        within.emit(f"{at} = 0")
        within.emit(f"{count} = {length}")
        within.emit(f"while {at} < {count}:")
        now = within.temporary()
        self._begin(node, now, at, f"{at} + 1")
        if isinstance(over.kind, kinds.ArrayOf):
            value = within.expressions.element(over, f"({now} << 3)")
        elif sequences.has_elements(over.kind):
            value = sequences.item(within, over, now, node.iter)
        else:
            value = within.calls.item(over.kind, now, node.iter)
        self._bind(node, target, value)


def joined(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    """Names that are set whichever way was taken; None is a way that nothing takes."""
    if one is None or other is None:
        return other if one is None else one
    return one & other
