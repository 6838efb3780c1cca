"""The auction's price by trying every tick: the rules 1 to 4 of docs/rulebook.md, word by word."""

from collections.abc import Sequence
from dataclasses import dataclass

Levels = Sequence[tuple[int, int]]
NO_HIGHEST = 2**63 - 1


@dataclass(frozen=True)
class Tried:
    """What would happen at one price."""

    px: int
    buys: int
    sells: int

    @property
    def volume(self) -> int:
        return min(self.buys, self.sells)

    @property
    def surplus(self) -> int:
        return self.buys - self.sells


@dataclass(frozen=True)
class OracleAuction:
    """Levels are (px, qty) in any order; ticks are (from_px, tick)."""

    buys: Levels
    sells: Levels
    market_buys: int
    market_sells: int
    ticks: Levels
    reference: int

    def limits(self) -> list[int]:
        return [px for px, _ in (*self.buys, *self.sells)]

    def at(self, px: int) -> Tried:
        buys = self.market_buys + sum(qty for limit, qty in self.buys if limit >= px)
        sells = self.market_sells + sum(qty for limit, qty in self.sells if limit <= px)
        return Tried(px, buys, sells)

    def uncross(self, lo: int = 1, hi: int = NO_HIGHEST) -> tuple[int, int, int]:
        """(px, volume, surplus), (0, 0, 0) where there is no price."""
        limits = self.limits()
        if not limits and not self.reference:
            return (0, 0, 0)
        top = max([*limits, self.reference, lo])
        grid = self.grid(top + 4 * self.tick(top))
        left = [self.at(px) for px in grid if lo <= px <= hi]
        if not left:
            return (0, 0, 0)
        volume = max(t.volume for t in left)
        left = [t for t in left if t.volume == volume]
        surplus = min(abs(t.surplus) for t in left)
        left = [t for t in left if abs(t.surplus) == surplus]
        chosen = self.nearest(self.pressed(left, grid))
        return (chosen.px, chosen.volume, chosen.surplus)

    def pressed(self, left: list[Tried], grid: list[int]) -> list[Tried]:
        """Rule 3: of those with buy surplus the highest stays, of those with sell surplus the lowest."""
        limits = self.limits()
        above = [self.at(px) for px in [px for px in grid if px > max(limits, default=0)][:1]]
        below = [self.at(px) for px in [px for px in grid if px < min(limits, default=NO_HIGHEST)][-1:]]
        ups = [t for t in left if t.surplus > 0]
        downs = [t for t in left if t.surplus < 0]
        even = [t for t in left if t.surplus == 0]
        return [*(ups if goes_on(ups, above) else ups[-1:]), *even, *(downs if goes_on(downs, below) else downs[:1])]

    def nearest(self, left: list[Tried]) -> Tried:
        """Rule 4; without a reference the lowest, and where there is no lowest the highest."""
        if self.reference:
            return min(left, key=lambda t: (abs(t.px - self.reference), -t.px))
        has_lowest = left[0].px >= min(self.limits()) or not same(self.at(left[0].px), self.at(1))
        return left[0] if has_lowest else left[-1]

    def grid(self, last: int) -> list[int]:
        """Every positive price on the tick up to `last`."""
        ends = [*(from_px for from_px, _ in self.ticks[1:]), last + 1]
        steps = zip(self.ticks, ends, strict=True)
        return [
            px for (at, tick), end in steps for px in range(max(-(-at // tick), 1) * tick, min(end, last + 1), tick)
        ]

    def tick(self, px: int) -> int:
        return [tick for from_px, tick in self.ticks if px >= from_px][-1]


def same(one: Tried, other: Tried) -> bool:
    return (one.volume, one.surplus) == (other.volume, other.surplus)


def goes_on(left: list[Tried], beyond: list[Tried]) -> bool:
    """Whether a tick beyond every limit order is as good as those left: then they have no end on that side."""
    return any(same(left[0], t) for t in beyond) if left else False
