"""A case, line by line, on a backend: the first line that is told otherwise is an error that shows both."""

from dataclasses import dataclass, field
from itertools import groupby

from oracles.exchange import Event, Phase, Refusal, Side
from scenarios.language.backends import Backend
from scenarios.language.steps import Case, Reduce, Replace, SetPhase, ShowBook, ShowIndicative, ShowQueue, Step, Submit
from scenarios.language.words import px_text, word
from scenarios.language.write import event_text, levels_text, queue_text


class DiffersError(AssertionError):
    """Expected, found, and where."""


@dataclass
class Labels:
    """Which order a reference belongs to: a replaced order keeps its label."""

    label_of: dict[int, str] = field(default_factory=dict)
    ref_of: dict[str, int] = field(default_factory=dict)

    def learn(self, event: Event, label: str) -> None:
        if event.kind == "accepted":
            self.name(event.order, label)
        elif event.kind == "replaced":
            self.name(event.order, self.label_of[event.prev])

    def name(self, ref: int, label: str) -> None:
        self.label_of[ref] = label
        self.ref_of[label] = ref


def play(case: Case, backend: Backend) -> None:
    """Play the case to its end.

    Raises:
        DiffersError: A line was told otherwise than the case says.
    """
    labels = Labels()
    for number, instrument in enumerate(case.instruments):
        if instrument.starts != Phase.CLOSED:
            backend.do(SetPhase(instrument.starts, number), 0)
    backend.take_events()
    for step in case.steps:
        told = answer(step, backend, labels)
        if told != list(step.expected):
            raise DiffersError(difference(case, step, told))


def answer(step: Step, backend: Backend, labels: Labels) -> list[str]:
    """What comes back from one line."""
    what = step.what
    if isinstance(what, ShowBook):
        return [f"{book_text(what, backend)}{on_text(step)}"]
    if isinstance(what, ShowQueue):
        queue = backend.queue(what.instrument, what.side)
        rows = [(labels.label_of[ref], px, shown, whole) for ref, px, shown, whole in queue]
        return [f"{side_text(what.side)} {queue_text(rows)}{on_text(step)}"]
    if isinstance(what, ShowIndicative):
        px, paired, surplus = backend.indicative(what.instrument, what.auction)
        return [f"{word(what.auction)} {px_text(px)} x {paired} surplus {surplus}{on_text(step)}"]
    named = what.label if isinstance(what, Replace | Reduce) else ""
    refusal = backend.do(what, labels.ref_of.get(named, 0))
    if refusal != Refusal.NONE:
        return [f"refused {word(refusal)}"]
    return action_answer(what, backend.take_events(), labels)


def action_answer(what: object, events: list[Event], labels: Labels) -> list[str]:
    """The events as text. Being accepted goes without saying."""
    told = []
    for event in events:
        labels.learn(event, what.label if isinstance(what, Submit) else "")
        if event.kind != "accepted":
            told.append(event_text(event, labels.label_of.__getitem__))
    return told


def book_text(what: ShowBook, backend: Backend) -> str:
    sides = [what.side] if what.side else list(Side)
    levels = {side: displayed_levels(backend, what.instrument, side) for side in sides}
    if what.side is None and not any(levels.values()):
        return "empty"
    return " ".join(f"{side_text(side)} {levels_text(levels[side])}" for side in sides)


def displayed_levels(backend: Backend, instrument: int, side: Side) -> list[tuple[int, int]]:
    rows = [row for row in backend.queue(instrument, side) if row[2]]
    return [(px, sum(row[2] for row in level)) for px, level in groupby(rows, key=lambda row: row[1])]


def side_text(side: Side) -> str:
    return "bids" if side == Side.BUY else "asks"


def on_text(step: Step) -> str:
    """The ` on SYMBOL` that the line ends with."""
    words = step.text.split()
    return f" on {words[-1]}" if words[-2] == "on" else ""


def difference(case: Case, step: Step, told: list[str]) -> str:
    return (
        f"case {case.name!r}, line {step.line}:\n  {step.text}\n"
        f"expected:  {', '.join(step.expected) or 'nothing'}\n"
        f"found:     {', '.join(told) or 'nothing'}"
    )
