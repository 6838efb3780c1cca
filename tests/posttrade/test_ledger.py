"""Double entry: every entry sums to zero, rounding has a name, busts and corrections leave what should be left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.posttrade.trades import AAPL, COIN, SONY, STRATEGY, trade

from openbell.errors import InvariantError
from openbell.posttrade.ledger import (
    Account,
    Bookkeeper,
    Entry,
    Ledger,
    Posting,
    book_trade,
    half_away,
    money_of,
    smallest_unit,
)

USD = 10**18
CENT = 10**16


def kept(*trades, assets=(AAPL,)):
    keeper = Bookkeeper()
    keeper.keep(trades, dict(enumerate(assets)), seq=99)
    keeper.ledger.check()
    return keeper.ledger


def test_a_purchase_moves_cash_and_holdings():
    ledger = kept(trade(100, 1_500_100))

    assert ledger.balance(Account.CASH, "USD") == -15_001 * USD
    assert ledger.balance(Account.HOLDINGS, "AAPL") == 100
    assert ledger.balance(Account.TRADING, "USD") == 15_001 * USD
    assert ledger.balance(Account.TRADING, "AAPL") == -100


def test_what_rounding_leaves_over_stands_on_its_own_account():
    ledger = kept(trade(-1, 1_500_149))

    assert ledger.balance(Account.CASH, "USD") == 15_001 * CENT
    assert ledger.balance(Account.ROUNDING, "USD") == 49 * 10**14


def test_a_fee_is_paid_in_whole_cents_too():
    ledger = kept(trade(100, 1_500_100, fee=330))

    assert ledger.balance(Account.FEES, "USD") == 33 * 10**15
    assert ledger.balance(Account.CASH, "USD") == -15_001 * USD - 3 * CENT
    assert ledger.balance(Account.ROUNDING, "USD") == -3 * 10**15


def test_a_currency_without_cents_has_none():
    assert smallest_unit("JPY") == 10**18
    assert kept(trade(3, 150_050), assets=(SONY,)).balance(Account.CASH, "JPY") == -4502 * 10**18


def test_a_bust_takes_back_exactly_what_was_booked():
    keeper = Bookkeeper()
    keeper.keep([trade(100, 1_500_100, fee=100)], {0: AAPL}, seq=1)
    keeper.keep([trade(100, 1_500_100, fee=100, is_busted=True)], {0: AAPL}, seq=2)

    assert keeper.ledger.balances() == {}
    assert [entry.what for entry in keeper.ledger.entries] == [
        "bought 100 AAPL at 1500100",
        "busted: bought 100 AAPL at 1500100",
    ]


def test_a_correction_leaves_what_the_corrected_trade_would_have():
    keeper = Bookkeeper()
    keeper.keep([trade(100, 1_500_100)], {0: AAPL}, seq=1)
    keeper.keep([trade(60, 1_400_000, is_corrected=True)], {0: AAPL}, seq=2)

    assert keeper.ledger.balances() == kept(trade(60, 1_400_000)).balances()


def test_a_trade_heard_of_and_busted_at_once_is_never_booked():
    assert kept(trade(100, 1_500_100, is_busted=True)).entries == []


def test_keeping_again_changes_nothing():
    keeper = Bookkeeper()
    for seq in (1, 2):
        keeper.keep([trade(100, 1_500_100)], {0: AAPL}, seq)

    assert len(keeper.ledger.entries) == 1


def test_an_entry_that_does_not_sum_to_zero_is_refused_whole():
    ledger = Ledger()
    lopsided = (Posting(Account.CASH, 1, "USD", 5), Posting(Account.TRADING, 1, "USD", -4))

    with pytest.raises(InvariantError, match=r"to sum to zero, found \{'USD': 1\}"):
        ledger.post(Entry(1, 0, "by hand", lopsided))

    assert (ledger.entries, ledger.balances()) == ([], {})


def test_balances_that_were_tampered_with_are_found():
    ledger = kept(trade(100, 1_500_100))
    ledger._balances[Account.CASH, STRATEGY, "USD"] += 1

    with pytest.raises(InvariantError, match="keep the journal"):
        ledger.check()


def test_more_decimals_than_the_ledger_holds_are_refused():
    with pytest.raises(InvariantError, match="at most 18 decimals"):
        money_of(1, 19)


def test_a_balance_is_of_one_strategy_or_of_all():
    keeper = Bookkeeper()
    for strategy in (1, 2):
        paid = strategy * 100 * USD
        sold = (Posting(Account.CASH, strategy, "USD", paid), Posting(Account.TRADING, strategy, "USD", -paid))
        keeper.ledger.post(Entry(0, 0, "a sale", sold))

    assert [keeper.ledger.balance(Account.CASH, "USD", one) for one in (1, 2, None)] == [
        100 * USD, 200 * USD, 300 * USD,
    ]  # fmt: skip


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**6))
def test_rounding_is_half_away_from_zero(amount, unit):
    rounded = half_away(amount, unit)

    assert rounded % unit == 0
    assert abs(rounded - amount) * 2 <= unit
    if abs(rounded - amount) * 2 == unit:
        assert abs(rounded) > abs(amount)


SIGNED = st.integers(-1000, 1000).filter(bool)


@given(st.lists(st.tuples(SIGNED, st.integers(1, 10**7), st.integers(-1_000, 1_000)), max_size=30))
def test_profit_is_exact_whatever_was_rounded(rows):
    trades = [trade(qty, px, match, instrument=1, fee=fee) for match, (qty, px, fee) in enumerate(rows)]
    keeper = Bookkeeper()
    keeper.keep(trades, {1: COIN}, seq=1)
    mark = money_of(5_000_000, COIN.decimals)

    exact = sum(money_of(-t.signed_qty * t.px, COIN.decimals) + mark * t.signed_qty for t in trades)

    keeper.ledger.check()
    assert keeper.ledger.profit(STRATEGY, {"BTCUSDT": mark}, "USDT") == exact - sum(t.fee * 10**14 for t in trades)
    assert all(not any(sums_of(entry)) for entry in keeper.ledger.entries)


def sums_of(entry):
    commodities = {p.commodity for p in entry.postings}
    return [sum(p.amount for p in entry.postings if p.commodity == c) for c in commodities]


def test_an_entry_names_only_what_moves():
    assert {p.account for p in book_trade(trade(1, 10_000), AAPL).postings} == {
        Account.CASH,
        Account.TRADING,
        Account.HOLDINGS,
    }
