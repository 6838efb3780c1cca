"""Random instruments and actions: few prices, few shares, few accounts, so that everything meets everything.

Each sequence draws first how often each kind of thing happens, often never: what is rare on the whole is then
common somewhere.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from oracles.exchange import (
    MARKET_PX,
    WHOLE,
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
from scenarios.language.steps import Action, Instrument, MassCancel, Reduce, Replace, SetBands, SetPhase, Submit

MIDDLE, TICK = 2000, 100
PLAIN = ((0, TICK),)
BIG, BIG_LOT, QTY_MAX = 10**9, 10**8, 10**11  # an instrument of large numbers; the last is the engine's bound
HABITS = ("market", "market_to_limit", "stop", "pegged", "iceberg", "hidden", "minimum", "immediate", "auction",
          "lasting", "post_only", "own", "change_phase", "move_bands", "mistake")  # fmt: skip
IDLE = (Phase.CLOSED, Phase.HALTED)
NEXT_PHASES = {
    Phase.CLOSED: (Phase.OPENING_CALL, Phase.OPENING_CALL, Phase.CONTINUOUS),
    Phase.OPENING_CALL: (Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.HALTED, Phase.CLOSED),
    Phase.CONTINUOUS: (Phase.CLOSING_CALL, Phase.REOPENING_CALL, Phase.REOPENING_CALL, Phase.HALTED, Phase.CLOSED),
    Phase.CLOSING_CALL: (Phase.CLOSED, Phase.CLOSED, Phase.CONTINUOUS, Phase.HALTED),
    Phase.HALTED: (Phase.REOPENING_CALL, Phase.REOPENING_CALL, Phase.CONTINUOUS, Phase.OPENING_CALL, Phase.CLOSED),
    Phase.REOPENING_CALL: (Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.CLOSING_CALL, Phase.HALTED),
}


def draw_instruments(rng: random.Random) -> list[Instrument]:
    """One or two; one time in ten with prices and quantities near the engine's bounds."""
    scale = BIG if rng.random() < 0.1 else 1
    symbols = ("OBEL", "OBEL2") if rng.random() < 0.15 else ("OBEL",)
    starts = (Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.OPENING_CALL, Phase.CLOSED)
    return [Instrument(symbol, draw_rules(rng, scale), rng.choice(starts)) for symbol in symbols]


def draw_rules(rng: random.Random, scale: int) -> Rules:
    """What an instrument may have."""
    is_pro_rata = rng.random() < 0.35
    ticks = rng.choice((PLAIN, PLAIN, PLAIN, ((0, TICK // 2), (MIDDLE, TICK)), ((0, TICK // 4),)))
    return Rules(
        ticks=ticks if scale == 1 else ((0, TICK * BIG),),
        lot=(1 if scale == 1 else BIG_LOT) * (10 if rng.random() < 0.1 else 1),
        qty_max=(60 if rng.random() < 0.1 else 999_999) if scale == 1 else QTY_MAX,
        listed_px=scale * rng.choice((0, MIDDLE, MIDDLE + 3 * TICK, MIDDLE + TICK // 2)),
        limit_collar_bps=rng.choice((0, 0, 0, 2000)),
        market_collar_bps=rng.choice((0, 0, 700, 1500)),
        is_pro_rata=is_pro_rata,
        grants_top=is_pro_rata and rng.random() < 0.5,
        fifo_percent=rng.choice((0, 0, 20, 50, 100)) if is_pro_rata else 0,
        min_allocation=rng.choice((1, 1, 2, 4)) if is_pro_rata else 1,
    )


@dataclass
class Drawer:
    """Draws one action after the other."""

    rng: random.Random
    instruments: Sequence[Instrument]
    habits: dict[str, float]
    open_max: int
    count: int = 0
    asked: dict[str, Terms] = field(default_factory=dict)
    phase: Phase = Phase.CLOSED  # of the instrument that is drawn for
    tick: int = TICK
    scale: int = 1  # of its prices

    @classmethod
    def of(cls, rng: random.Random, instruments: Sequence[Instrument], orders_max: int) -> "Drawer":
        habits = {habit: rng.choice((0.0, 0.0, 0.1, 0.25, 0.5)) for habit in HABITS}
        habits["own"] = rng.choice((0.0, 0.0, 0.5, 0.9))
        habits["change_phase"] = rng.choice((0.0, 0.01, 0.04, 0.1))
        habits["move_bands"] = rng.choice((0.0, 0.0, 0.01, 0.05))
        habits["mistake"] = rng.choice((0.0, 0.02, 0.1))
        return cls(rng, instruments, habits, min(orders_max, rng.choice((8, 20, 40))))

    def happens(self, habit: str) -> bool:
        return self.rng.random() < self.habits[habit]

    def draw(self, live: Sequence[tuple[str, Terms, int]], phases: Sequence[Phase]) -> Action:
        """The next action; `live` are (label, terms, open quantity) of open orders, `phases` of the instruments."""
        instrument = self.rng.randrange(len(self.instruments))
        self.phase, first_tick = phases[instrument], self.instruments[instrument].rules.ticks[0][1]
        self.scale = BIG if first_tick > BIG else 1
        self.tick = self.instruments[instrument].rules.tick_at(MIDDLE * self.scale)
        if self.happens("change_phase") or (self.phase in IDLE and self.rng.random() < 0.3):
            phase = self.rng.choice(NEXT_PHASES[self.phase])
            return SetPhase(phase, instrument, phase == Phase.CLOSED and self.rng.random() < 0.5)
        if self.happens("move_bands"):
            return self.bands(instrument)
        if self.rng.random() < 0.004:
            of = self.rng.choice(((None, None), (instrument, None), (instrument, self.side()), (None, self.side())))
            return MassCancel(self.account(), *of)
        if live and self.rng.random() < (0.7 if len(live) >= self.open_max else 0.25):
            return self.change(live, instrument)
        self.count += 1
        label, terms = f"o{self.count}", self.terms(instrument)
        self.asked[label] = terms
        return Submit(label, self.side(), terms, self.account(), instrument)

    def change(self, live: Sequence[tuple[str, Terms, int]], instrument: int) -> Action:
        """A cancel or a replace of an order that is open, or was."""
        label, terms, leaves = self.rng.choice(live)
        if self.rng.random() < 0.03 and self.count:
            label = f"o{self.rng.randint(1, self.count)}"
            terms = self.asked[label]
        if self.rng.random() < 0.5:
            cause = self.rng.choice((Cause.USER, Cause.USER, Cause.USER, Cause.TIMEOUT))
            return Reduce(label, self.rng.choice((0, 0, leaves // 2, leaves - 1, leaves)), cause)
        return Replace(label, self.changed(terms, leaves, instrument))

    def changed(self, terms: Terms, leaves: int, instrument: int) -> Terms:
        """The terms of an open order with something else in them, or nothing."""
        rng, lot = self.rng, self.instruments[instrument].rules.lot
        terms = replace(terms, qty=max(lot, leaves - leaves % lot), keeps_place=rng.random() < 0.9)
        fresh = self.terms(instrument)
        changes: list[dict[str, Any]] = [
            {},
            {"qty": max(lot, terms.qty // 2 // lot * lot)},
            {"qty": terms.qty + lot},
            {"px": fresh.px if terms.has_limit or terms.type == Type.PEGGED else terms.px},
            {"px": terms.px + rng.choice((-1, 1)) * self.tick if terms.px != MARKET_PX else terms.px},
            {"display": fresh.display},
            {"min_qty": fresh.min_qty},
            {"tif": fresh.tif},
            {"post_only": fresh.post_only},
            {"stop_px": self.px(), "peg_offset": self.offset()},
        ]
        for change in rng.sample(changes, rng.choice((1, 1, 1, 2))):
            terms = replace(terms, **change)
        if terms.display > terms.qty and rng.random() < 0.9:
            terms = replace(terms, display=terms.qty)
        if terms.min_qty and terms.may_rest and rng.random() < 0.9:
            terms = replace(terms, display=0)
        return replace(terms, min_qty=min(terms.min_qty, terms.qty))

    def terms(self, instrument: int) -> Terms:
        """What a new order asks for; now and then something that is refused."""
        rng, lot = self.rng, self.instruments[instrument].rules.lot
        terms = Terms(px=self.px(), qty=lot * rng.choice((1, 2, 3, 5, rng.randint(1, 12), rng.randint(1, 30))))
        terms = self.with_type(terms)
        terms = self.with_tif(terms)
        if self.happens("iceberg"):
            terms = replace(terms, display=rng.randint(1, max(1, terms.qty // 2)))
        if self.happens("hidden"):
            terms = replace(terms, display=0)
        if self.happens("minimum"):
            terms = self.with_minimum(terms)
        if self.happens("post_only"):
            terms = replace(terms, post_only=rng.choice((PostOnly.REJECT, PostOnly.SLIDE)))
        if self.happens("own"):
            terms = replace(terms, group=rng.choice((0, 1, 1, 2)), self_trade=rng.choice(list(SelfTrade)))
        return self.mistaken(terms) if self.happens("mistake") else self.sensible(terms)

    def with_type(self, terms: Terms) -> Terms:
        rng = self.rng
        if self.happens("market"):
            return replace(terms, type=Type.MARKET, px=MARKET_PX)
        if self.happens("market_to_limit"):
            return replace(terms, type=Type.MARKET_TO_LIMIT, px=MARKET_PX)
        if self.happens("stop"):
            has_limit = rng.random() < 0.5
            kind = Type.STOP_LIMIT if has_limit else Type.STOP
            return replace(terms, type=kind, px=terms.px if has_limit else MARKET_PX, stop_px=self.px())
        if self.happens("pegged"):
            px = terms.px if rng.random() < 0.3 else MARKET_PX
            peg = rng.choice((Peg.PRIMARY, Peg.MID, Peg.MARKET))
            return replace(terms, type=Type.PEGGED, px=px, peg=peg, peg_offset=self.offset())
        return terms

    def with_tif(self, terms: Terms) -> Terms:
        if self.happens("immediate"):
            return replace(terms, tif=self.rng.choice((Tif.IOC, Tif.FOK)))
        if self.happens("auction"):
            return replace(terms, tif=self.rng.choice((Tif.AT_OPEN, Tif.AT_CLOSE)))
        if self.happens("lasting"):
            return replace(terms, tif=self.rng.choice((Tif.GTC, Tif.GTD)))
        return terms

    def with_minimum(self, terms: Terms) -> Terms:
        least = self.rng.choice((terms.qty, max(1, terms.qty // 2), self.rng.randint(1, terms.qty)))
        return replace(terms, min_qty=least, display=0 if terms.may_rest else terms.display)

    def sensible(self, terms: Terms) -> Terms:
        """Without the combinations that are refused, most of the time."""
        if self.rng.random() < 0.03:
            return terms
        if self.phase.is_call and terms.is_immediate:
            terms = replace(terms, tif=Tif.DAY)
        if self.phase.is_call and terms.type == Type.MARKET_TO_LIMIT:
            terms = replace(terms, type=Type.MARKET)
        if terms.tif == Tif.AT_OPEN and self.phase != Phase.OPENING_CALL:
            terms = replace(terms, tif=Tif.AT_CLOSE)
        if terms.tif in (Tif.AT_OPEN, Tif.AT_CLOSE):
            plain: dict[str, Any] = {"display": WHOLE, "min_qty": 0, "peg": Peg.NONE}
            return replace(terms, type=Type.MARKET if terms.px == MARKET_PX else Type.LIMIT, **plain)
        if not terms.may_rest or terms.type == Type.MARKET_TO_LIMIT:
            terms = replace(terms, post_only=PostOnly.NO)
        if terms.type == Type.PEGGED:
            post_only = PostOnly.NO if terms.post_only == PostOnly.SLIDE else terms.post_only
            offset = min(0, terms.peg_offset) if terms.peg == Peg.MID else terms.peg_offset
            terms = replace(terms, post_only=post_only, peg_offset=offset)
        return terms

    def mistaken(self, terms: Terms) -> Terms:
        """The terms with one or two mistakes in them."""
        mistakes: list[dict[str, Any]] = [
            {"px": self.rng.choice((0, -TICK, terms.px + 1 if terms.px != MARKET_PX else 0))},
            {"qty": self.rng.choice((0, -1, 1_000_000, terms.qty + 1))},
            {"display": self.rng.choice((-2, terms.qty + 1))},
            {"min_qty": self.rng.choice((-1, terms.qty + 1, 1))},
            {"stop_px": self.rng.choice((0, -TICK, MIDDLE + 1))},
            {"peg": self.rng.choice(list(Peg))},
            {"peg_offset": self.rng.choice((1, 30, -30))},
            {"post_only": PostOnly.SLIDE},
            {"tif": self.rng.choice(list(Tif))},
            {"type": self.rng.choice(list(Type))},
        ]
        for mistake in self.rng.sample(mistakes, self.rng.choice((1, 1, 2))):
            terms = replace(terms, **mistake)
        return terms if terms.is_stop or terms.type == Type.PEGGED else replace(terms, peg=Peg.NONE)

    def bands(self, instrument: int) -> SetBands:
        if self.rng.random() < 0.3:
            return SetBands(0, 0, instrument)
        lower, middle, upper = self.rng.randint(1, 4), self.rng.randint(-2, 2), self.rng.randint(1, 4)
        ends = (MIDDLE + TICK * (middle - lower), MIDDLE + TICK * (middle + upper))
        return SetBands(ends[0] * self.scale, ends[1] * self.scale, instrument)

    def px(self) -> int:
        return MIDDLE * self.scale + self.tick * round(self.rng.gauss(0, 3))

    def offset(self) -> int:
        return self.scale * self.rng.choice((0, 0, TICK, -TICK, 2 * TICK, -2 * TICK, TICK // 2, -TICK // 2, 7))

    def side(self) -> Side:
        return self.rng.choice((Side.BUY, Side.SELL))

    def account(self) -> int:
        return self.rng.randint(1, 3)
