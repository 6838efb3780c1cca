"""What a new version of a strategy's class takes over of the old one's declared state and changed parameters.

A field of the same name and type is carried over, wherever either class has it; a new one takes its default; one that
is gone is dropped. A field that has another type, or an array of another length, is refused: nobody can say what its
value would mean.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from openbell.errors import StrategyError
from openbell.strategy import Strategy
from openbell.strategy.fields import Layout, bits_of, value_of

CARRIES_MAX = 128
"""Of one change; neighbours are carried together."""


class Leaf(NamedTuple):
    """A number or an array of declared state or parameters, as a record of a run keeps it; a nested one: `leg.qty`."""

    name: str
    kind: str
    offset: int
    words: int
    is_parameter: bool


class Carry(NamedTuple):
    """`words` words of the old layout from `old` on become those from `new` on; without any, `new` gets `bits`."""

    new: int
    old: int
    words: int
    bits: int = 0


@dataclass(frozen=True)
class Carried:
    """What is carried over, and in words what is not as it was."""

    carries: tuple[Carry, ...]
    says: tuple[str, ...]


def leaves_of(strategy: type[Strategy]) -> tuple[Leaf, ...]:
    """Where everything that `strategy` declares lies."""
    layout = strategy.layout()
    return tuple(_leaves(layout, "", 0, layout.state_words))


def _leaves(layout: Layout, prefix: str, base: int, state_words: int) -> Iterator[Leaf]:
    for cell in layout.cells:
        name, at = prefix + cell.name, base + cell.offset
        if cell.kind == "state":
            yield from _leaves(cell.of.layout(), f"{name}.", at, state_words)  # type: ignore[attr-defined]
            continue
        kind = f"array of {cell.of.__name__}[{cell.words}]" if cell.kind == "array" else cell.kind
        yield Leaf(name, kind, at, cell.words, at >= state_words)


def carry(old: Iterable[Leaf], new: Strategy, changed: dict[int, int]) -> Carried:
    """What `new`, an instance with its parameters set, takes over from a class with the leaves `old`, of whose
    parameters those in `changed` (bits by word) were changed while it ran.

    Raises:
        StrategyError: a field or a changed parameter is of another type, or outside its new bounds.
    """
    name = type(new).__name__
    before = {leaf.name: leaf for leaf in old}
    after = {leaf.name: leaf for leaf in leaves_of(type(new))}
    found, says = [Carry(0, 0, 1)], []
    for leaf in after.values():
        if leaf.is_parameter:
            continue
        known = before.get(leaf.name)
        if known is None or known.is_parameter:
            says.append(f"new {leaf.name}")
            found += _default(leaf, new)
        elif known.kind != leaf.kind:
            raise StrategyError(
                f"{name}.{leaf.name}: expected {known.kind}, as the version that runs has it, found {leaf.kind}; give "
                "the field another name, or restart the node with a new journal"
            )
        else:
            found.append(Carry(leaf.offset, known.offset, leaf.words))
    says += [f"without {one.name}" for one in before.values() if not one.is_parameter and one.name not in after]
    parameters, told = _parameters(before, after, new, changed)
    carries = tuple(_joined(found)) + tuple(parameters)
    if len(carries) > CARRIES_MAX:
        raise StrategyError(
            f"{name}: expected at most {CARRIES_MAX} separate changes of declared state, found {len(carries)}; restart "
            "the node with it"
        )
    return Carried(carries, (*says, *told))


def _default(leaf: Leaf, new: Strategy) -> Iterator[Carry]:
    """Of a field that is new; arrays begin at zero."""
    if not leaf.kind.startswith("array"):
        bits = bits_of(leaf.kind, functools.reduce(getattr, leaf.name.split("."), new))  # type: ignore[arg-type]
        if bits:
            yield Carry(leaf.offset, 0, 0, bits)


def _joined(carries: list[Carry]) -> Iterator[Carry]:
    """Neighbours in both layouts as one."""
    last = carries[0]
    for one in carries[1:]:
        if last.words and one.words and (last.new + last.words, last.old + last.words) == (one.new, one.old):
            last = last._replace(words=last.words + one.words)
        else:
            yield last
            last = one
    yield last


def _parameters(
    before: dict[str, Leaf], after: dict[str, Leaf], new: Strategy, changed: dict[int, int]
) -> tuple[list[Carry], list[str]]:
    names = {leaf.offset: leaf for leaf in before.values() if leaf.is_parameter}
    found, says = [], []
    for word, bits in changed.items():
        if (old := names.get(word)) is None:
            continue
        leaf = after.get(old.name)
        if leaf is None or not leaf.is_parameter or leaf.kind != old.kind:
            says.append(f"without parameter {old.name}")
            continue
        type(new).__fields__[old.name].check(value_of(old.kind, bits), type(new).__name__)
        found.append(Carry(leaf.offset, 0, 0, bits))
    return found, says
