"""Executions as people have put them right: what an adjustment says of a match number is added to that execution.

    told                booked, naming the match           stands as
    nothing             +100 at 10.01                      bought 100 at 10.01
    bought 100 at 10.01 -100 at 10.01                      taken back, as if busted
    bought 100 at 10.00 -100 at 10.00, +100 at 10.01       bought 100 at 10.01
    bought 100 at 10.01 cash -0.30                         the same, its fee .30 more

So every break of an execution can be closed, and a booking that was wrong by another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openbell.journal.assets import Asset
from openbell.posttrade.blotter import Trade
from openbell.posttrade.books import Fill, FillKey
from openbell.posttrade.fees import FEE_DECIMALS
from openbell.posttrade.ledger import money_of
from openbell.types import Side, strategy_of


def with_adjustments(
    fills: Mapping[FillKey, Fill], adjustments: Iterable[Trade], assets: Mapping[int, Asset], *, has_fees: bool
) -> dict[FillKey, Fill]:
    """`fills` with all adjustments that name a match; one that we have not heard of is under order 0."""
    found = dict(fills)
    for key, booked in _by_execution(fills, adjustments, assets).items():
        first = booked[0]
        nothing = Fill(assets[first.instrument].symbol, first.side, first.px, 0, 0 if has_fees else None)
        found[key] = _put_right(fills.get(key, nothing), booked)
    return {key: fill for key, fill in found.items() if key in fills or not fill.is_busted}


def moved(adjustments: Iterable[Trade], assets: Mapping[int, Asset]) -> dict[str, int]:
    """By symbol, what those moved that name no match."""
    sums: dict[str, int] = {}
    for one in adjustments:
        if not one.match:
            symbol = assets[one.instrument].symbol
            sums[symbol] = sums.get(symbol, 0) + one.signed_qty
    return sums


def _by_execution(
    fills: Mapping[FillKey, Fill], adjustments: Iterable[Trade], assets: Mapping[int, Asset]
) -> dict[FillKey, list[Trade]]:
    """Those that name a match, under the execution of that strategy, or under one that was never told."""
    named = [one for one in adjustments if one.match]
    matches = {one.match for one in named}
    told = [key for key in fills if key[1] in matches]
    found: dict[FillKey, list[Trade]] = {}
    for one in named:
        about = one.match or 0, assets[one.instrument].symbol, one.strategy
        key = next((k for k in told if (k[1], fills[k].symbol, strategy_of(k[0])) == about), (0, about[0]))
        found.setdefault(key, []).append(one)
    return found


def _put_right(told: Fill, booked: list[Trade]) -> Fill:
    before = 0 if told.is_busted else told.qty if told.side == Side.BUY else -told.qty
    after = before + sum(one.signed_qty for one in booked)
    if after == 0:
        return told._replace(is_busted=True)
    side = Side.BUY if after > 0 else Side.SELL
    px = next((one.px for one in reversed(booked) if one.qty and one.side == side), told.px)
    fee = None if told.fee is None else told.fee + sum(money_of(one.fee, FEE_DECIMALS) for one in booked)
    return told._replace(side=side, px=px, qty=abs(after), fee=fee, is_busted=False)
