"""The accounts, slow and obvious: everything is counted anew from all trades, charges, orders and marks there are.

Fractions until the last step; of each (row, instrument) every figure becomes money once, rounded against us.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from oracles import money
from oracles.fees import half_away

if TYPE_CHECKING:
    from oracles.oms import Oms, Order

PX_MAX = 2**48
WHOLE_BPS = 10_000
Fields = dict[str, int]


@dataclass
class Mark:
    """What was last known of both sides, and whether it is known now."""

    bid: int = 0
    ask: int = 0
    has_bid: bool = False
    has_ask: bool = False


@dataclass
class Terms:
    """A fee: rates in 1e-6, amounts in 1e-4 of the currency."""

    per_lot: int = 0
    per_value: int = 0
    value_below_px: int = 0
    charge_min: int = 0
    charge_max: int = 0

    def fee(self, worth: Fraction | None, px: int, qty: int) -> int:
        """Of one fill; `worth` is price unit x quantity unit in 1e-4 of the currency."""
        by_lot = not self.value_below_px or px >= self.value_below_px
        by_value = not self.value_below_px or px < self.value_below_px
        exact = Fraction(qty * self.per_lot, 100) if by_lot else Fraction(0)
        if by_value and self.per_value:
            assert worth is not None, "the tests charge by value where there is one"
            exact += px * qty * worth * Fraction(self.per_value, 10**6)
        amount = half_away(exact)
        if exact > 0:
            amount = max(amount, self.charge_min)
        return max(-self.charge_max, min(self.charge_max, amount)) if self.charge_max else amount


@dataclass
class Day:
    """One row's day: what the result was when it began, and the best since."""

    base: int = 0
    peak: int = 0


@dataclass
class Accounts:
    """`oms` is the twin of the OMS; instruments are told as dictionaries, currencies as text."""

    oms: Oms
    instruments: dict[int, Fields] = field(default_factory=dict)
    currencies: dict[int, str] = field(default_factory=dict)
    rates: dict[str, int] = field(default_factory=dict)
    terms: dict[int, Terms] = field(default_factory=dict)
    other_terms: Terms = field(default_factory=Terms)
    marks: dict[int, Mark] = field(default_factory=dict)
    margin_bps: dict[int, int] = field(default_factory=dict)
    date: int = 0
    days: dict[int | None, Day] = field(default_factory=dict)

    def fee(self, instrument: int, flag: int, px: int, qty: int) -> int:
        """What a fill costs, for the OMS."""
        return self.terms.get(flag, self.other_terms).fee(self.scale(instrument, 10**8), px, qty)

    def scale(self, instrument: int, rate: int) -> Fraction | None:
        """Worth of price unit x quantity unit in an instrument."""
        r = self.instruments[instrument]
        return money.scale(r["px_decimals"], r["qty_decimals"], r["multiplier"], rate)

    def set_fee_rate(self, text: str, terms: Terms) -> None:
        """Terms of the flags in `text`; of all others without one."""
        if not text:
            self.other_terms = terms
        self.terms |= {ord(flag): terms for flag in text}

    def mark(self, instrument: int, bid: int, ask: int) -> None:
        """A side that is 0 says nothing now."""
        m = self.marks.setdefault(instrument, Mark())
        m.has_bid, m.has_ask = 0 < bid <= PX_MAX, 0 < ask <= PX_MAX
        m.bid, m.ask = bid if m.has_bid else m.bid, ask if m.has_ask else m.ask

    def start_day(self, yyyymmdd: int) -> None:
        """Results count from here."""
        if yyyymmdd > self.date:
            self.date = yyyymmdd
            for row in (None, *range(self.oms.strategies_max)):
                self.days[row] = Day(self.result(row))

    def settle(self) -> None:
        """At the end of a frame."""
        for row in (None, *range(self.oms.strategies_max)):
            day = self.days.setdefault(row, Day())
            day.peak = max(day.peak, self.result(row) - day.base)

    # ---- answers

    def totals(self, row: int | None) -> dict[str, int]:
        """Every figure of a strategy, or of the account (None)."""
        found = self.with_more(row)
        return {k: v for k, v in found.items() if k not in ("if_bought", "if_sold")}

    def with_more(self, row: int | None, more: tuple[int, int, int] = (-1, 0, 0)) -> dict[str, int]:
        """The same, and net by side, with more (price x quantity) open in (instrument, side)."""
        shares = [self.share(row, i, more[1:] if i == more[0] else (0, 0)) for i in self.instruments]
        out = {k: sum(s[k] for s in shares) for k in ("realized", "unrealized", "fees", "gross", "margin", "doubtful",
                                                      "unpriced")}  # fmt: skip
        day = self.days.get(row, Day())
        out["day"] = out["realized"] + out["unrealized"] - out["fees"] - day.base
        out |= {"peak": day.peak, "drawdown": max(0, day.peak - out["day"])}
        out |= {k: sum(s[k] for s in shares) for k in ("if_bought", "if_sold")}
        return out | {"net": max(out["if_bought"], out["if_sold"])}

    def result(self, row: int | None) -> int:
        """Since ever."""
        shares = [self.share(row, i) for i in self.instruments]
        return sum(s["realized"] + s["unrealized"] - s["fees"] for s in shares)

    def share(self, row: int | None, instrument: int, more: tuple[int, int] = (0, 0)) -> dict[str, int]:
        """What one instrument adds to a row."""
        rate = self.rates.get(self.currencies[instrument], 0)
        worth, mark = self.scale(instrument, rate), self.marks.get(instrument, Mark())
        p = self.oms.position(row, instrument)
        charged = sum(fee for s, i, fee in self.oms.charges if i == instrument and row in (None, s))
        buys, sells = self.open_value(row, instrument)
        side, value = more
        buys, sells = buys + value * (side == 1), sells + value * (side == 2)
        px, has_px = (mark.bid, mark.has_bid) if p["qty"] > 0 else (mark.ask, mark.has_ask)
        out = dict.fromkeys(("realized", "unrealized", "fees", "gross", "margin", "if_bought", "if_sold"), 0)
        out["doubtful"] = int(p["qty"] != 0 and not has_px)
        out["unpriced"] = int(worth is None and any((p["qty"], p["realized"], charged, buys, sells)))
        if worth is None:
            return out
        held = p["qty"] * px if px else p["cost"]
        out["realized"] = money.down(worth, p["realized"])
        out["unrealized"] = money.down(worth, held - p["cost"])
        out["fees"] = money.up(Fraction(rate, 10**8), charged)
        out["if_bought"], out["if_sold"] = money.up(worth, held + buys), money.up(worth, sells - held)
        out["gross"] = max(0, out["if_bought"], out["if_sold"])
        bps = self.margin_bps.get(instrument, WHOLE_BPS)
        out["margin"] = ceil(Fraction(out["gross"] * bps, WHOLE_BPS))
        return out

    def open_value(self, row: int | None, instrument: int) -> tuple[int, int]:
        """Price x quantity of the open orders, each at its worst."""
        mine = [o for o in self.oms.live.values() if o.instrument == instrument and row in (None, o.strategy)]
        buys, sells = (sum(value_worst(o) for o in mine if o.side == side) for side in (1, 2))
        return buys, sells


def value_worst(order: Order) -> int:
    """A pending replace counts at whichever version is worth more."""
    replace = order.flights.get("replace")
    pending = replace.px * (replace.qty - order.cum) if replace else 0
    return max(order.px * order.leaves, pending)
