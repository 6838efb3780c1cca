"""A long sequence that shows a difference, made as short and as plain as it can be and still show one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from oracles.exchange import WHOLE, PostOnly, SelfTrade, Terms, Tif
from scenarios.language.steps import Action, Replace, Submit

Fails = Callable[[Sequence[Action]], bool]


def shorter(actions: list[Action], fails: Fails) -> list[Action]:
    """Leave out what can be left out: halves, quarters, single actions; then say the rest more plainly."""
    if not fails(actions):
        return actions
    size = len(actions)
    while size:
        start = 0
        while start < len(actions):
            without = actions[:start] + actions[start + size :]
            if fails(without):
                actions = without
            else:
                start += size
        size //= 2
    return plainer(actions, fails)


def plainer(actions: list[Action], fails: Fails) -> list[Action]:
    for number, action in enumerate(actions):
        for plain in plain_forms(action):
            trial = [*actions[:number], plain, *actions[number + 1 :]]
            if fails(trial):
                actions = trial
                break
    return actions


def plain_forms(action: Action) -> Iterator[Action]:
    """The action with fewer attributes, the plainest first."""
    if isinstance(action, Submit | Replace):
        terms = action.terms
        for plain in (
            Terms(px=terms.px, qty=terms.qty, type=terms.type, peg=terms.peg, stop_px=terms.stop_px),
            replace(terms, group=0, self_trade=SelfTrade.ALLOW),
            replace(terms, min_qty=0),
            replace(terms, display=WHOLE),
            replace(terms, post_only=PostOnly.NO),
            replace(terms, tif=Tif.DAY),
        ):
            if plain != terms:
                yield replace(action, terms=plain)
