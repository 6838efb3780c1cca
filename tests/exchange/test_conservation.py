"""Every share and every cent sums to zero, whatever is traded, charged, busted and corrected."""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from openbell._native import FeeRules, Ledger, Liquidity
from openbell.errors import InvariantError
from openbell.types import Side

ACCOUNTS, INSTRUMENTS = 4, 3
PAIRS = [("MAKER", "TAKER"), ("HIDDEN_MAKER", "TAKER"), ("MID_MAKER", "MID_TAKER"), ("OPENING",) * 2, ("CLOSING",) * 2]
GOOD, BUSTED, CORRECTED = 0, 1, 2
FEES = FeeRules(
    [
        (0, [-2_000, -1_000, -1_250, 3_000, 2_501, 1_500, 1_001, 500], [-333, 0, 0, 3_000, 3_000, 0, 0, 0]),
        (10_000, [-3_149, -1_051, 0, 2_949, 2_450, 0, -50, 0], [-500, 0, 0, 2_500, 2_501, 0, 0, 0]),
    ],
    value_below_px=10_000,
    charge_min=3,
    charge_max=50_000,
)


@dataclass
class Fill:
    account: int
    instrument: int
    side: Side
    px: int
    qty: int
    liquidity: Liquidity
    state: int = GOOD

    @property
    def fee(self) -> int:
        return FEES.fee(self.account % 2, self.liquidity, self.px, self.qty)


@dataclass
class Book:
    """What should stand in the ledger: every fill by its match number, added up anew each time."""

    trades: dict[int, list[Fill]] = field(default_factory=dict)

    def counting(self) -> list[Fill]:
        return [fill for trade in self.trades.values() for fill in trade if fill.state != BUSTED]

    def positions(self) -> Counter:
        held = Counter()
        for fill in self.counting():
            held[fill.account, fill.instrument] += fill.qty if fill.side == Side.BUY else -fill.qty
        return held

    def cash(self) -> Counter:
        held = Counter()
        for fill in self.counting():
            paid = fill.px * fill.qty if fill.side == Side.BUY else -fill.px * fill.qty
            held[fill.account, fill.instrument] -= paid + fill.fee
        return held

    def house(self) -> int:
        return sum(fill.fee for fill in self.counting())


def trade(rng: random.Random, book: Book, ledger: Ledger) -> None:
    number, instrument = 1 + 2 * len(book.trades), rng.randrange(INSTRUMENTS)
    px, qty = rng.choice((rng.randint(1, 9_999), 100 * rng.randint(100, 9_000))), rng.choice((1, 99, 100, 25_000))
    maker, taker = rng.choice(PAIRS)
    side = rng.choice((Side.BUY, Side.SELL))
    other = Side.SELL if side == Side.BUY else Side.BUY
    book.trades[number] = [
        Fill(rng.randrange(ACCOUNTS), instrument, side, px, qty, Liquidity[maker]),
        Fill(rng.randrange(ACCOUNTS), instrument, other, px, qty, Liquidity[taker]),
    ]
    for f in book.trades[number]:
        ledger.add_fill(f.account, f.instrument, f.side, number, f.px, f.qty, f.liquidity, f.fee)


def put_right(rng: random.Random, book: Book, ledger: Ledger) -> None:
    """Bust a trade that still counts, or correct its price or quantity."""
    number = rng.choice([n for n, fills in book.trades.items() if fills[0].state != BUSTED] or [0])
    if not number:
        return
    rows, fills = ledger.match(number), book.trades[number]
    is_bust, px, qty = rng.random() < 0.5, rng.randint(1, 200_000), rng.randint(1, fills[0].qty)
    for row, fill in zip(rows, fills, strict=True):
        if is_bust:
            fill.state = BUSTED
            ledger.bust(row)
        else:
            fill.px, fill.qty, fill.state = px, qty, CORRECTED
            ledger.correct(row, fill.px, fill.qty, fill.fee)


def new_ledger() -> Ledger:
    ledger = Ledger()
    for _ in range(ACCOUNTS):
        ledger.add_account()
    return ledger


@pytest.mark.parametrize("block", range(10))
def test_after_trades_fees_busts_and_corrections_everything_sums_to_zero(block, seed):
    rng = random.Random(f"{seed} {block}")
    book, ledger = Book(), new_ledger()
    for _ in range(300):
        if rng.random() < 0.75:
            trade(rng, book, ledger)
        else:
            put_right(rng, book, ledger)
        ledger.audit()

    keys = [(account, instrument) for account in range(ACCOUNTS) for instrument in range(INSTRUMENTS)]
    positions, cash = book.positions(), book.cash()
    assert {key: ledger.holding(*key) for key in keys} == {key: (positions[key], cash[key]) for key in keys}
    assert ledger.house_cash == book.house() == -sum(cash.values())
    for instrument in range(INSTRUMENTS):
        assert sum(ledger.holding(account, instrument)[0] for account in range(ACCOUNTS)) == 0


def test_every_fill_is_found_again_as_it_was_put_right(seed):
    rng = random.Random(seed)
    book, ledger = Book(), new_ledger()
    for _ in range(500):
        (trade if rng.random() < 0.7 else put_right)(rng, book, ledger)

    for account in range(ACCOUNTS):
        expected = [
            (number, f.instrument, f.side, f.px, f.qty, f.fee, f.state)
            for number, fills in book.trades.items() for f in fills if f.account == account
        ]  # fmt: skip
        assert ledger.fills(account) == expected
    assert [ledger.match(number) for number in (0, 2, 2 * len(book.trades) + 1)] == [[], [], []]


def test_trading_with_oneself_leaves_the_fees():
    book, ledger = Book(), new_ledger()
    book.trades[1] = [
        Fill(0, 0, Side.BUY, 100_000, 100, Liquidity.MAKER),
        Fill(0, 0, Side.SELL, 100_000, 100, Liquidity.TAKER),
    ]
    for f in book.trades[1]:
        ledger.add_fill(f.account, f.instrument, f.side, 1, f.px, f.qty, f.liquidity, f.fee)

    assert ledger.holding(0, 0) == (0, -1_000)
    assert ledger.house_cash == 1_000
    ledger.audit()


def test_the_audit_finds_half_a_trade():
    ledger = new_ledger()
    ledger.add_fill(0, 2, Side.BUY, 1, 100_000, 100, Liquidity.TAKER, 0)

    with pytest.raises(InvariantError, match="expected the positions in instrument 2 to sum to 0, found 100"):
        ledger.audit()


def test_the_audit_finds_a_cent():
    ledger = new_ledger()
    ledger.add_fill(0, 0, Side.BUY, 1, 100_000, 100, Liquidity.TAKER, 0)
    ledger.add_fill(1, 0, Side.SELL, 1, 100_001, 100, Liquidity.MAKER, 0)

    with pytest.raises(InvariantError, match="cash of all accounts and the house to sum to 0, found 100 x 1e-4"):
        ledger.audit()


def test_money_beyond_64_bits_is_an_error_and_not_a_number():
    ledger = new_ledger()

    with pytest.raises(InvariantError, match="price x quantity of every fill to fit 64 bits"):
        ledger.add_fill(0, 0, Side.BUY, 1, 2**62, 4, Liquidity.TAKER, 0)
    for number in (2, 3):
        ledger.add_fill(1, 0, Side.BUY, number, 2**62, 1, Liquidity.TAKER, 0)
    with pytest.raises(InvariantError, match="position and cash of every account to fit 64 bits"):
        ledger.add_fill(1, 0, Side.BUY, 4, 2**62, 1, Liquidity.TAKER, 0)
