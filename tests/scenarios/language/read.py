"""The text of a scenario file to cases. Every kind of line is one entry of `LINES`."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from oracles.exchange import (
    MARKET_PX,
    WHOLE,
    Auction,
    Cause,
    Peg,
    Phase,
    PostOnly,
    Rules,
    SelfTrade,
    Side,
    Terms,
    Tif,
    Type,
)
from scenarios.language.steps import (
    Action,
    Case,
    Instrument,
    MassCancel,
    Question,
    Reduce,
    Replace,
    SetBands,
    SetPhase,
    ShowBook,
    ShowIndicative,
    ShowQueue,
    Step,
    Submit,
)
from scenarios.language.words import member, px_of, word


class ScenarioError(Exception):
    """A line that is not in the language."""


class Words:
    """The words of a line, taken from the left."""

    def __init__(self, text: str) -> None:
        self.left = text.split()

    def __bool__(self) -> bool:
        return bool(self.left)

    def next(self) -> str:
        if not self.left:
            raise ScenarioError("expected another word, found the end of the line")
        return self.left.pop(0)

    def takes(self, text: str) -> bool:
        """Take the next word if it is this one."""
        if self.left[:1] != [text]:
            return False
        self.left.pop(0)
        return True

    def number(self) -> int:
        return int(self.next())

    def px(self) -> int:
        return px_of(self.next())


@dataclass
class Reader:
    """One case while it is read; `terms` are those of every label so far, where a replace starts from."""

    case: Case
    terms: dict[str, Terms] = field(default_factory=dict)

    def instrument(self, words: Words) -> int:
        """The instrument after `on`, the first one without."""
        return self.named(words.next()) if words.takes("on") else 0

    def named(self, symbol: str) -> int:
        symbols = [instrument.symbol for instrument in self.case.instruments]
        if symbol not in symbols:
            raise ScenarioError(f"expected an instrument of {symbols}, found {symbol!r}")
        return symbols.index(symbol)


def read_cases(text: str) -> list[Case]:
    """Every case of a file; what stands before the first belongs to all of them."""
    shared: list[tuple[int, str]] = []
    cases: list[Case] = []
    readers: list[Reader] = []
    for number, line in joined(text):
        if line.startswith("case:"):
            cases.append(Case(line.removeprefix("case:").strip(), number))
            readers.append(Reader(cases[-1]))
            for shared_line in shared:
                read_line(readers[-1], *shared_line)
        elif not cases:
            shared.append((number, line))
        else:
            read_line(readers[-1], number, line)
    return cases


def joined(text: str) -> list[tuple[int, str]]:
    """The lines without comments, each with those that go on with `->`."""
    lines: list[tuple[int, str]] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = " ".join(re.sub(r"(^|\s)#.*", "", raw).split())
        if line.startswith("->") and lines:
            first, before = lines[-1]
            line = line if "->" not in before else f", {line.removeprefix('->').strip()}"
            lines[-1] = (first, f"{before} {line}".replace(" , ", ", "))
        elif line:
            lines.append((number, line))
    return lines


def read_line(reader: Reader, number: int, line: str) -> None:
    done, arrow, told = line.partition("->")
    words = Words(done)
    try:
        kind = words.next()
        if kind in SETTINGS:
            SETTINGS[kind](reader, words)
        elif kind in QUESTIONS:
            expected = " ".join(words.left)
            what = QUESTIONS[kind](reader, words)
            reader.case.steps.append(Step(number, line, what, [expected]))
        else:
            action = ACTIONS[kind](reader, words) if kind in ACTIONS else read_order(reader, kind, words)
            expected_words = [part.strip() for part in told.split(",") if part.strip()] if arrow else silence(action)
            reader.case.steps.append(Step(number, line, action, expected_words))
        if words and kind not in QUESTIONS:
            raise ScenarioError(f"expected the end of the line, found {' '.join(words.left)!r}")
    except (ScenarioError, ValueError, KeyError) as error:
        raise ScenarioError(f"line {number}: {line!r}: {error}") from error


def silence(action: Action) -> list[str]:
    """What is told where a line expects nothing: a change of phase at least is."""
    return [f"{word(action.phase)} begins"] if isinstance(action, SetPhase) else []


def read_order(reader: Reader, label: str, words: Words) -> Action:
    """`A buy 100 @ 10.00 ...` or `A replace 60 @ 10.00 ...`"""
    verb = words.next()
    if verb == "replace":
        terms = read_terms(reader.terms[label], words, is_new=False)
        reader.terms[label] = terms
        return Replace(label, terms)
    if verb not in ("buy", "sell"):
        raise ScenarioError(f"expected buy, sell or replace after the label, found {verb!r}")
    account, instrument, left = 1, 0, Words("")
    while words:
        if words.takes("account"):
            account = words.number()
        elif words.takes("on"):
            instrument = reader.named(words.next())
        else:
            left.left.append(words.next())
    reader.terms[label] = read_terms(Terms(px=MARKET_PX, type=Type.MARKET), left, is_new=True)
    return Submit(label, Side(verb), reader.terms[label], account, instrument)


def read_terms(terms: Terms, words: Words, *, is_new: bool) -> Terms:
    """The quantity, then price and attributes; a replace keeps those it does not name."""
    terms = replace(terms, qty=words.number(), keeps_place=True)
    if words.takes("@"):
        terms = replace(terms, px=words.px())
        terms = replace(terms, type=Type.LIMIT) if is_new else terms
    while words:
        attribute = words.next()
        if attribute not in ATTRIBUTES:
            raise ScenarioError(f"expected an attribute, one of {sorted(ATTRIBUTES)}, found {attribute!r}")
        terms = ATTRIBUTES[attribute](terms, words)
    return terms


def read_tif(tif: Tif, terms: Terms, _: Words) -> Terms:
    return replace(terms, tif=tif)


def read_stop(terms: Terms, words: Words) -> Terms:
    stops = {Type.LIMIT: Type.STOP_LIMIT, Type.MARKET: Type.STOP}
    return replace(terms, stop_px=words.px(), type=stops.get(terms.type, terms.type))


def read_peg(terms: Terms, words: Words) -> Terms:
    terms = replace(terms, peg=member(Peg, words.next()))
    if not terms.is_stop:
        terms = replace(terms, type=Type.PEGGED)
    if words and re.fullmatch(r"-?[\d.]+", words.left[0]):
        terms = replace(terms, peg_offset=words.px())
    return terms


def read_group(terms: Terms, words: Words) -> Terms:
    return replace(terms, group=words.number(), self_trade=member(SelfTrade, words.next()))


Attribute = Callable[[Terms, Words], Terms]
ATTRIBUTES: dict[str, Attribute] = {
    **{word(tif): partial(read_tif, tif) for tif in Tif},
    "post-only": lambda terms, _: replace(terms, post_only=PostOnly.REJECT),
    "slide": lambda terms, _: replace(terms, post_only=PostOnly.SLIDE),
    "may-take": lambda terms, _: replace(terms, post_only=PostOnly.NO),
    "iceberg": lambda terms, words: replace(terms, display=words.number()),
    "hidden": lambda terms, _: replace(terms, display=0),
    "plain": lambda terms, _: replace(terms, display=WHOLE),
    "min": lambda terms, words: replace(terms, min_qty=words.number()),
    "all-or-none": lambda terms, _: replace(terms, min_qty=terms.qty),
    "market-to-limit": lambda terms, _: replace(terms, type=Type.MARKET_TO_LIMIT),
    "stop": read_stop,
    "peg": read_peg,
    "offset": lambda terms, words: replace(terms, peg_offset=words.px()),
    "group": read_group,
    "loses-place": lambda terms, _: replace(terms, keeps_place=False),
}


def read_cancel(words: Words, cause: Cause) -> Action:
    label = words.next()
    return Reduce(label, words.number() if words.takes("to") else 0, cause)


def read_mass_cancel(reader: Reader, words: Words) -> Action:
    if not words.takes("account"):
        raise ScenarioError("expected mass-cancel account NUMBER")
    account = words.number()
    instrument = reader.named(words.next()) if words.takes("on") else None
    side = Side.BUY if words.takes("bids") else Side.SELL if words.takes("asks") else None
    return MassCancel(account, instrument, side)


def read_phase(reader: Reader, words: Words) -> Action:
    phase = member(Phase, words.next())
    with_closing_auction = words.takes("auction")
    return SetPhase(phase, reader.instrument(words), with_closing_auction)


def read_bands(reader: Reader, words: Words) -> Action:
    lower, upper = (0, 0) if words.takes("none") else (words.px(), words.px())
    return SetBands(lower, upper, reader.instrument(words))


def read_instrument(reader: Reader, words: Words) -> None:
    """`instrument OBEL tick 0.01 from 1.00 0.05 lot 10 ...`"""
    symbol, starts, ticks = words.next(), Phase.CONTINUOUS, [(0, 100)]
    rules: dict[str, Any] = {}
    while words:
        setting = words.next()
        if setting == "tick":
            ticks = [(0, words.px())]
        elif setting == "from":
            ticks.append((words.px(), words.px()))
        elif setting == "starts":
            starts = member(Phase, words.next())
        elif setting in RULES:
            rules |= RULES[setting](words)
        else:
            raise ScenarioError(f"expected tick, from, starts or one of {sorted(RULES)}, found {setting!r}")
    instruments = reader.case.instruments
    instruments[:] = [other for other in instruments if other.symbol != symbol]
    instruments.append(Instrument(symbol, Rules(ticks=tuple(ticks), **rules), starts))


def percent_bps(words: Words) -> int:
    return round(float(words.next().removesuffix("%")) * 100)


RULES: dict[str, Callable[[Words], dict[str, int | bool]]] = {
    "lot": lambda words: {"lot": words.number()},
    "max": lambda words: {"qty_max": words.number()},
    "listed": lambda words: {"listed_px": words.px()},
    "limit-collar": lambda words: {"limit_collar_bps": percent_bps(words)},
    "market-collar": lambda words: {"market_collar_bps": percent_bps(words)},
    "pro-rata": lambda _: {"is_pro_rata": True},
    "top": lambda _: {"grants_top": True},
    "fifo": lambda words: {"fifo_percent": int(words.next().removesuffix("%"))},
    "min-allocation": lambda words: {"min_allocation": words.number()},
}


def read_orders_max(reader: Reader, words: Words) -> None:
    reader.case.orders_max = words.number()


def read_book(reader: Reader, words: Words) -> Question:
    sides = {side for side, text in ((Side.BUY, "bids"), (Side.SELL, "asks")) if text in words.left}
    return ShowBook(sides.pop() if len(sides) == 1 else None, last_on(reader, words))


def read_queue(reader: Reader, words: Words) -> Question:
    return ShowQueue(Side.BUY if words.left[:1] == ["bids"] else Side.SELL, last_on(reader, words))


def last_on(reader: Reader, words: Words) -> int:
    return reader.named(words.left[-1]) if words.left[-2:-1] == ["on"] else 0


def read_indicative(reader: Reader, words: Words) -> Question:
    return ShowIndicative(member(Auction, words.left[0]), last_on(reader, words))


SETTINGS: dict[str, Callable[[Reader, Words], None]] = {
    "instrument": read_instrument,
    "orders-max": read_orders_max,
}
ACTIONS: dict[str, Callable[[Reader, Words], Action]] = {
    "cancel": lambda _, words: read_cancel(words, Cause.USER),
    "expire": lambda _, words: read_cancel(words, Cause.TIMEOUT),
    "mass-cancel": read_mass_cancel,
    "phase": read_phase,
    "bands": read_bands,
}
QUESTIONS: dict[str, Callable[[Reader, Words], Question]] = {
    "book": read_book,
    "queue": read_queue,
    "indicative": read_indicative,
}
