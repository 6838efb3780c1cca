"""Profit and loss by strategy and instrument, from the blotter: what was realized, what is open, what it cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from openbell.journal.assets import Asset, names_of
from openbell.posttrade.blotter import Blotter
from openbell.posttrade.ledger import fee_money, money_of
from openbell.posttrade.lots import AverageCost, FifoLots, Profit, played, unrealized

Method = Literal["fifo", "average"]
METHODS: Mapping[Method, Callable[[], Profit]] = {"fifo": FifoLots, "average": AverageCost}
Touch = tuple[int, int, int, int]
"""Bid price and quantity, ask price and quantity; a quantity of 0 is an empty side."""


class ProfitRow(NamedTuple):
    """One strategy in one instrument. Money in 10^-18 of `currency`; `unrealized` None: there is nothing to mark at."""

    strategy: int
    symbol: str
    """As people call the instrument: `OBEL@home` where OBEL alone does not tell."""
    asset: str
    """The symbol alone: instruments of several venues are one asset."""
    currency: str
    trades: int
    bought: int
    sold: int
    position: int
    realized: int
    unrealized: int | None
    fees: int
    value: int | None = None
    """Of the position at what closing it would fetch."""

    @property
    def total(self) -> int | None:
        """After fees."""
        return None if self.unrealized is None else self.realized + self.unrealized - self.fees


def closing_px(position: int, touch: Touch) -> int | None:
    """What closing would fetch: a long position at the bid, a short one at the ask; None where nobody stands there."""
    bid_px, bid_qty, ask_px, ask_qty = touch
    if position > 0:
        return bid_px if bid_qty else None
    return (ask_px if ask_qty else None) if position < 0 else 0


def profit_rows(
    blotter: Blotter, touch_of: Callable[[int], Touch], method: Method = "fifo", feeds: Sequence[str] = ()
) -> list[ProfitRow]:
    """One row for each strategy and instrument that traded, in order; `feeds` are the names of the node's."""
    names = names_of(blotter.assets, feeds)
    pairs = sorted({(trade.strategy, trade.instrument) for trade in blotter.trades.values()})
    return [_row(blotter, strategy, number, names[number], touch_of(number), method) for strategy, number in pairs]


def _row(blotter: Blotter, strategy: int, number: int, name: str, touch: Touch, method: Method) -> ProfitRow:
    asset: Asset = blotter.assets[number]
    trades = [trade for trade in blotter.of(number, strategy) if not trade.is_busted]
    profit = played(METHODS[method](), trades)
    mark = closing_px(profit.position, touch)

    def money(amount: int) -> int:
        return money_of(amount * asset.multiplier, asset.decimals)

    return ProfitRow(
        strategy=strategy,
        symbol=name,
        asset=asset.symbol,
        currency=asset.currency,
        trades=len(trades),
        bought=sum(t.qty for t in trades if t.signed_qty > 0),
        sold=sum(t.qty for t in trades if t.signed_qty < 0),
        position=profit.position,
        realized=money(profit.realized),
        unrealized=None if mark is None else money(unrealized(profit, mark)),
        fees=sum(fee_money(t) for t in trades),
        value=None if mark is None else money(profit.position * mark),
    )
