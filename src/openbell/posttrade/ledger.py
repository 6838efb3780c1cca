"""A ledger of double entry in exact integers: every entry sums to zero in every commodity, and so does the whole.

A commodity is a currency or an instrument's symbol. Money is kept in 10^-18 of the currency, quantities in the
instrument's units. What reaches `cash` is rounded to the currency's smallest unit, half away from zero; what rounding
leaves over stands on the account `rounding`, so nothing is lost and nothing is hidden.

    bought 100 AAPL at 150.01, fee .30        USD                  AAPL
      cash                                -15 001.00
      trading                             +15 001.00               -100
      holdings                                                     +100
      cash                                      -.30
      fees                                      +.30

What a person has booked, an adjustment, stands against `adjustments` in place of `trading` and `fees`.

The profit of a strategy at a mark is what its cash and holdings are worth: see `profit`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from openbell.errors import InvariantError
from openbell.journal.assets import Asset
from openbell.posttrade.blotter import Trade, TradeKey
from openbell.posttrade.fees import FEE_DECIMALS
from openbell.types import Side

MONEY_DECIMALS = 18
"""Of every amount of money in the ledger."""
SMALLEST_UNIT_DECIMALS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "KWD": 3, "TND": 3}
"""ISO 4217 where it is not 2."""
DIGITAL = frozenset({"BTC", "ETH", "SOL", "XRP", "BNB", "USDT", "USDC", "FDUSD"})
"""Currencies that their venues keep in 10^-8."""


def money_text(amount: int | None) -> str:
    """10^-18 units as a decimal, without the zeros that say nothing: `-15001.00`; `?` where it is not known."""
    if amount is None:
        return "?"
    whole, rest = divmod(abs(amount), 10**MONEY_DECIMALS)
    digits = f"{rest:0{MONEY_DECIMALS}}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{whole}.{digits}"


class Account(StrEnum):
    """The accounts, each kept by strategy."""

    CASH = "cash"
    HOLDINGS = "holdings"
    TRADING = "trading"
    FEES = "fees"
    ADJUSTMENTS = "adjustments"
    ROUNDING = "rounding"


class Posting(NamedTuple):
    """One line of an entry."""

    account: Account
    strategy: int
    commodity: str
    amount: int


class Entry(NamedTuple):
    """Postings that belong together; `seq` is the journal's frame that caused them."""

    seq: int
    ts_event: int
    what: str
    postings: tuple[Posting, ...]


def smallest_unit(currency: str) -> int:
    """The smallest unit that cash of this currency comes in, in 10^-18."""
    decimals: int = 8 if currency in DIGITAL else SMALLEST_UNIT_DECIMALS.get(currency, 2)
    return int(10 ** (MONEY_DECIMALS - decimals))


def money_of(amount: int, decimals: int) -> int:
    """`amount` x 10^-decimals in the ledger's 10^-18.

    Raises:
        InvariantError: it has more decimals than the ledger holds.
    """
    if decimals > MONEY_DECIMALS:
        raise InvariantError(
            f"ledger: expected at most {MONEY_DECIMALS} decimals of price x quantity, found {decimals}"
        )
    return int(amount * 10 ** (MONEY_DECIMALS - decimals))


def notional(trade: Trade, asset: Asset) -> int:
    """What a trade was worth, in 10^-18 of its currency; positive."""
    return money_of(trade.px * trade.qty * asset.multiplier, asset.decimals)


def half_away(amount: int, unit: int) -> int:
    """`amount` as a multiple of `unit`, half away from zero."""
    rounded = (abs(amount) * 2 + unit) // (2 * unit) * unit
    return rounded if amount >= 0 else -rounded


class Ledger:
    """Entries in order, and the balance of every account by strategy and commodity."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._balances: dict[tuple[Account, int, str], int] = defaultdict(int)

    def post(self, entry: Entry) -> None:
        """Take an entry.

        Raises:
            InvariantError: it does not sum to zero in every commodity; nothing was taken.
        """
        if lopsided := {c: s for c, s in _sums(entry.postings).items() if s}:
            raise InvariantError(
                f"ledger: expected entry {entry.what!r} of seq {entry.seq} to sum to zero, found {lopsided}"
            )
        self.entries.append(entry)
        for posting in entry.postings:
            self._balances[posting.account, posting.strategy, posting.commodity] += posting.amount

    def balance(self, account: Account, commodity: str, strategy: int | None = None) -> int:
        """Of one strategy, or of all."""
        if strategy is not None:
            return self._balances.get((account, strategy, commodity), 0)
        return sum(v for (a, _, c), v in self._balances.items() if (a, c) == (account, commodity))

    def balances(self) -> dict[tuple[Account, int, str], int]:
        """Every balance that is not zero, ordered."""
        return {key: self._balances[key] for key in sorted(self._balances) if self._balances[key]}

    def check(self) -> None:
        """Look whether the whole still sums to zero.

        Raises:
            InvariantError: it does not.
        """
        totals: dict[str, int] = defaultdict(int)
        for (_, _, commodity), amount in self._balances.items():
            totals[commodity] += amount
        if lopsided := {c: s for c, s in totals.items() if s}:
            raise InvariantError(f"ledger: expected balances that sum to zero, found {lopsided}; keep the journal")

    def profit(self, strategy: int | None, marks: Mapping[str, int], currency: str) -> int:
        """Cash, what rounding left over, and holdings at `marks` (10^-18 of `currency` for one unit): fees are off."""
        money = self.balance(Account.CASH, currency, strategy) + self.balance(Account.ROUNDING, currency, strategy)
        return money + sum(
            mark * self.balance(Account.HOLDINGS, symbol, strategy) for symbol, mark in marks.items()
        )  # fmt: skip


def fee_money(trade: Trade) -> int:
    """The fee of a trade that stands, in the ledger's 10^-18; negative is a rebate."""
    return 0 if trade.is_busted else money_of(trade.fee, FEE_DECIMALS)


def book_trade(trade: Trade, asset: Asset) -> Entry:
    """The entry of a trade that stands."""
    sign = 1 if trade.side == Side.BUY else -1
    exact = -sign * notional(trade, asset)
    cash = half_away(exact, smallest_unit(asset.currency))
    s, currency = trade.strategy, asset.currency
    by_hand = trade.match is not None
    counter, of_fees = (Account.ADJUSTMENTS,) * 2 if by_hand else (Account.TRADING, Account.FEES)
    postings = [
        Posting(Account.CASH, s, currency, cash),
        Posting(Account.ROUNDING, s, currency, exact - cash),
        Posting(counter, s, currency, -exact),
        Posting(Account.HOLDINGS, s, asset.symbol, sign * trade.qty),
        Posting(counter, s, asset.symbol, -sign * trade.qty),
    ]
    if fee := fee_money(trade):
        paid = half_away(-fee, smallest_unit(currency))
        postings += [
            Posting(Account.CASH, s, currency, paid),
            Posting(Account.ROUNDING, s, currency, -fee - paid),
            Posting(of_fees, s, currency, fee),
        ]
    return Entry(trade.seq, trade.ts_event, _what(trade, asset.symbol), tuple(p for p in postings if p.amount))


def _what(trade: Trade, symbol: str) -> str:
    verb = "bought" if trade.side == Side.BUY else "sold"
    traded = f"{verb} {trade.qty} {symbol} at {trade.px}" if trade.qty else f"cash of {symbol}"
    return traded if trade.match is None else f"by hand: {traded}"


def reversed_entry(entry: Entry, seq: int, why: str) -> Entry:
    """The entry that takes another back: a bust, or the first half of a correction."""
    back = tuple(p._replace(amount=-p.amount) for p in entry.postings)
    return Entry(seq, entry.ts_event, f"{why}: {entry.what}", back)


class Bookkeeper:
    """Keeps a ledger in step with a blotter: `keep` posts what has happened since it was last called."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._booked: dict[TradeKey, tuple[Trade, Entry]] = {}

    def keep(self, trades: Iterable[Trade], assets: Mapping[int, Asset], seq: int) -> None:
        """Book new trades; take back what was busted, and replace what was corrected. `seq` is the blotter's."""
        for trade in trades:
            booked = self._booked.get(trade.key)
            if booked is not None and booked[0] == trade:
                continue
            if booked is not None and not booked[0].is_busted:
                self.ledger.post(reversed_entry(booked[1], seq, "busted" if trade.is_busted else "corrected"))
            entry = book_trade(trade, assets[trade.instrument])
            if not trade.is_busted:
                self.ledger.post(entry)
            self._booked[trade.key] = trade, entry


def _sums(postings: Iterable[Posting]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for posting in postings:
        sums[posting.commodity] += posting.amount
    return sums
