"""What the compiler makes of a strategy, for people: `openbell strategy check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from openbell.strategy import Strategy
from openbell.strategy.compiler.host import HOOKS
from openbell.strategy.compiler.refusals import NotCompiledError, Refusal
from openbell.strategy.compiler.source import method_of
from openbell.strategy.compiler.unit import lower
from openbell.strategy.fields import Field


@dataclass(frozen=True)
class Report:
    """What is compiled; or every refusal, and then nothing is."""

    name: str
    callbacks: tuple[str, ...]
    helpers: tuple[str, ...]
    state_words: int
    words: int
    params: tuple[Field, ...]
    refusals: tuple[Refusal, ...]
    lowered: str

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        if self.refusals:
            count = len(self.refusals)
            yield f"{self.name}: not compiled: {count} {'place is' if count == 1 else 'places are'} outside the subset"
            yield from (f"  {refusal}" for refusal in self.refusals)
            yield 'change these lines, or run it with speed = "interpreted" (docs/strategies.md)'
            return
        yield f"{self.name}: can be compiled"
        yield f"  callbacks   {', '.join(self.callbacks) or 'none'}"
        yield f"  helpers     {', '.join(self.helpers) or 'none'}"
        params = self.words - self.state_words
        yield f"  state       {self.state_words} words of 8 bytes journalled, {params} of parameters"
        for field in self.params:
            yield f"  parameter   {field.name}: {field.said()}"

    def as_dict(self) -> dict[str, Any]:
        """For a program."""
        params = [
            {"name": one.name, "type": one.kind.__name__} | (asdict(one.param) if one.param else {})
            for one in self.params
        ]
        return {one.name: getattr(self, one.name) for one in fields(self)} | {
            "params": params,
            "refusals": [asdict(one) for one in self.refusals],
        }


def look_at(strategy: type[Strategy]) -> Report:
    """What the compiler makes of `strategy`; nothing is compiled, and Numba is not needed."""
    layout = strategy.layout()
    params = tuple(field for field in strategy.__fields__.values() if field.param is not None)
    callbacks = tuple(name for name in HOOKS if method_of(strategy, name) is not method_of(Strategy, name))
    try:
        program = lower(strategy)
    except NotCompiledError as error:
        return Report(strategy.__name__, callbacks, (), layout.state_words, layout.words, params, error.refusals, "")
    return Report(
        strategy.__name__, callbacks, program.helpers, layout.state_words, layout.words, params, (), program.text
    )
