"""Events and steps as the text that a scenario file holds."""

from collections.abc import Callable, Sequence

from oracles.exchange import (
    WHOLE,
    Event,
    Peg,
    Phase,
    PostOnly,
    Priority,
    Refusal,
    Rules,
    SelfTrade,
    Side,
    Terms,
    Tif,
    Type,
)
from oracles.exchange.terms import Cause
from scenarios.language.steps import Action, Instrument, MassCancel, Reduce, Replace, SetBands, SetPhase, Submit
from scenarios.language.words import px_text, word

Name = Callable[[int], str]
CAUSES = {Cause.IMMEDIATE_OR_CANCEL: "ioc"}
Level = tuple[int, int]
Resting = tuple[str, int, int, int]  # label, px, shown, open


def cause_text(cause: Cause) -> str:
    return CAUSES.get(cause, word(cause))


def event_text(event: Event, name: Name) -> str:
    """One event, in the words of README.md."""
    return WRITERS[event.kind](event, name)


def executed_text(e: Event, name: Name) -> str:
    at = f"@ {px_text(e.px)}"
    if e.auction:
        return f"{name(e.order)} crosses {e.qty} with {name(e.aggressor)} {at}"
    verb, to = ("buys", "from") if e.side == Side.SELL else ("sells", "to")
    return f"{name(e.aggressor)} {verb} {e.qty} {to} {name(e.order)} {at}"


def reduced_text(e: Event, name: Name) -> str:
    what = f"loses {e.qty}" if e.leaves else "is canceled"
    return f"{name(e.order)} {what} ({cause_text(e.cause)})"


def replaced_text(e: Event, name: Name) -> str:
    if e.priority == Priority.KEPT:
        return f"{name(e.order)} keeps its place with {e.leaves}"
    verb = "goes to the back" if e.priority == Priority.LOST else "reenters"
    return f"{name(e.order)} {verb} with {e.leaves} @ {px_text(e.px)}"


def repriced_text(e: Event, name: Name) -> str:
    if not e.px:
        return f"{name(e.order)} parks"
    return f"{name(e.order)} moves {f'from {px_text(e.prev_px)} ' if e.prev_px else ''}to {px_text(e.px)}"


def rested_text(e: Event, name: Name) -> str:
    return f"{name(e.order)} rests {e.qty or 'hidden'} @ {px_text(e.px)}"


WRITERS: dict[str, Callable[[Event, Name], str]] = {
    "accepted": lambda e, name: f"{name(e.order)} is accepted",
    "rested": rested_text,
    "executed": executed_text,
    "reduced": reduced_text,
    "discarded": lambda e, name: f"{name(e.order)} drops {e.qty} ({cause_text(e.cause)})",
    "replaced": replaced_text,
    "refreshed": lambda e, name: f"{name(e.order)} shows {e.qty} @ {px_text(e.px)}",
    "repriced": repriced_text,
    "triggered": lambda e, name: f"{name(e.order)} triggers",
    "crossed": lambda e, _: f"uncross {e.qty} @ {px_text(e.px)}" if e.qty else "uncross nothing",
    "phase_changed": lambda e, _: f"{word(e.phase)} begins" if e.phase else "no phase",
}


def levels_text(levels: Sequence[Level]) -> str:
    return ", ".join(f"{px_text(px)} x {qty}" for px, qty in levels) or "empty"


def queue_text(queue: Sequence[Resting]) -> str:
    return (
        ", ".join(f"{label} {shares_text(shown, whole)} @ {px_text(px)}" for label, px, shown, whole in queue)
        or "empty"
    )


def shares_text(shown: int, whole: int) -> str:
    return str(shown) if shown == whole else f"{shown}+{whole - shown}"


def action_text(action: Action, symbols: Sequence[str]) -> str:
    """One action as a line of a scenario file."""
    match action:
        case Submit():
            where = f" on {symbols[action.instrument]}" if action.instrument else ""
            account = f" account {action.account}" if action.account != 1 else ""
            return f"{action.label} {word(action.side)} {terms_text(action.terms)}{account}{where}"
        case Replace():
            return f"{action.label} replace {terms_text(action.terms, is_whole=False)}"
        case Reduce():
            verb = "cancel" if action.cause == Cause.USER else "expire"
            return f"{verb} {action.label}" + (f" to {action.leaves}" if action.leaves else "")
        case MassCancel():
            return mass_cancel_text(action, symbols)
        case SetPhase():
            auction = " auction" if action.with_closing_auction else ""
            return f"phase {word(action.phase)}{auction}{on(action.instrument, symbols)}"
        case SetBands():
            bands = f"{px_text(action.lower)} {px_text(action.upper)}" if action.upper else "none"
            return f"bands {bands}{on(action.instrument, symbols)}"


def told_text(refusal: Refusal, told: Sequence[Event], name: Name) -> str:
    """What a line expects; being accepted, and that a phase begins alone, goes without saying."""
    if refusal != Refusal.NONE:
        return f"  -> refused {word(refusal)}"
    texts = [event_text(event, name) for event in told if event.kind != "accepted"]
    says_phase_only = [event.kind for event in told] == ["phase_changed"]
    return f"  -> {', '.join(texts)}" if texts and not says_phase_only else ""


def instrument_text(instrument: Instrument) -> str:
    """The line that sets an instrument up."""
    rules, (_, first_tick) = instrument.rules, instrument.rules.ticks[0]
    words = [f"instrument {instrument.symbol} tick {px_text(first_tick)}"]
    words += [f"from {px_text(from_px)} {px_text(tick)}" for from_px, tick in rules.ticks[1:]]
    words += [f"lot {rules.lot}"] if rules.lot != 1 else []
    words += [f"max {rules.qty_max}"] if rules.qty_max != Rules.qty_max else []
    words += [f"listed {px_text(rules.listed_px)}"] if rules.listed_px else []
    words += [f"limit-collar {rules.limit_collar_bps / 100:g}%"] if rules.limit_collar_bps else []
    words += [f"market-collar {rules.market_collar_bps / 100:g}%"] if rules.market_collar_bps else []
    if rules.is_pro_rata:
        words += ["pro-rata", *(["top"] if rules.grants_top else [])]
        words += [f"fifo {rules.fifo_percent}% min-allocation {rules.min_allocation}"]
    words += [f"starts {word(instrument.starts)}"] if instrument.starts != Phase.CONTINUOUS else []
    return " ".join(words)


def on(instrument: int, symbols: Sequence[str]) -> str:
    return f" on {symbols[instrument]}" if instrument else ""


def mass_cancel_text(action: MassCancel, symbols: Sequence[str]) -> str:
    words = ["mass-cancel", "account", str(action.account)]
    if action.instrument is not None:
        words += ["on", symbols[action.instrument]]
    if action.side is not None:
        words += ["bids" if action.side == Side.BUY else "asks"]
    return " ".join(words)


def terms_text(terms: Terms, *, is_whole: bool = True) -> str:
    """Quantity, price and attributes; a replace names every attribute, and none that it cannot change."""
    words = [str(terms.qty)]
    if terms.has_limit or not is_whole:
        words += ["@", px_text(terms.px)]
    words += kind_words(terms) if is_whole else moved_words(terms)
    words += [word(terms.tif)] if terms.tif != Tif.DAY or not is_whole else []
    words += display_words(terms, is_whole)
    if terms.min_qty or not is_whole:
        words += ["min", str(terms.min_qty)]
    if terms.post_only != PostOnly.NO:
        words += ["slide" if terms.post_only == PostOnly.SLIDE else "post-only"]
    elif not is_whole:
        words += ["may-take"]
    if is_whole and (terms.group or terms.self_trade != SelfTrade.ALLOW):
        words += ["group", str(terms.group), word(terms.self_trade)]
    if not terms.keeps_place:
        words += ["loses-place"]
    return " ".join(words)


def kind_words(terms: Terms) -> list[str]:
    words = []
    if terms.type == Type.MARKET_TO_LIMIT:
        words += ["market-to-limit"]
    if terms.is_stop:
        words += ["stop", px_text(terms.stop_px)]
    if terms.type == Type.PEGGED or terms.peg != Peg.NONE:
        words += ["peg", word(terms.peg), px_text(terms.peg_offset)]
    return words


def moved_words(terms: Terms) -> list[str]:
    if terms.is_stop:
        return ["stop", px_text(terms.stop_px)]
    return ["offset", px_text(terms.peg_offset)] if terms.type == Type.PEGGED else []


def display_words(terms: Terms, is_whole: bool) -> list[str]:
    if terms.display == WHOLE:
        return [] if is_whole else ["plain"]
    return ["hidden"] if terms.display == 0 else ["iceberg", str(terms.display)]
