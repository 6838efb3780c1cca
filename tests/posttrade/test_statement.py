"""Clearing statements: read whole, or refused with the line."""

import datetime

import pytest
from tests.posttrade.trades import AAPL, COIN

from openbell.posttrade.books import Fill
from openbell.posttrade.statement import COLUMNS, StatementError, read_statement
from openbell.types import Side

ASSETS = {"AAPL": AAPL, "BTCUSDT": COIN}
HEADER = ",".join(COLUMNS)
TRADE = "2026-11-20,NODE1,trade,AAPL,USD,7,BUY,100,150.01,0.30,"
POSITION = "2026-11-20,NODE1,position,AAPL,USD,,,-300,,,"
CASH = "2026-11-20,NODE1,cash,,USD,,,,,,-15001.30"


def read(tmp_path, *rows, header=HEADER):
    path = tmp_path / "statement.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return read_statement(path, ASSETS)


def test_a_statement_is_books(tmp_path):
    coin = "2026-11-20,NODE1,trade,BTCUSDT,USDT,8,SELL,0.00012,97000.5,,"
    said = read(tmp_path, TRADE, coin, POSITION, CASH)

    assert (said.date, said.account) == (datetime.date(2026, 11, 20), "NODE1")
    assert said.books.fills == {
        (0, 7): Fill("AAPL", Side.BUY, 1_500_100, 100, fee=3 * 10**17),
        (0, 8): Fill("BTCUSDT", Side.SELL, 9_700_050, 12),
    }
    assert said.books.positions == {"AAPL": -300}
    assert said.books.cash == {"USD": -150_013 * 10**17}
    assert said.books.orders is None


def test_a_symbol_we_never_heard_of_is_told_not_refused(tmp_path):
    said = read(tmp_path, TRADE, POSITION.replace("AAPL", "MSFT"))

    assert said.books.unknown_symbols == {"MSFT"}


def test_a_trade_that_stands_twice_stays_so(tmp_path):
    assert read(tmp_path, TRADE, TRADE).books.fills[0, 7].copies == 2


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (TRADE.replace("100,", "1e2,"), "2: qty: expected a decimal such as 150.01, found '1e2'"),
        (TRADE.replace("100,", "1 000,"), "2: qty: expected a decimal"),
        (TRADE.replace("150.01", "nan"), "2: px: expected a decimal"),
        (TRADE.replace("150.01", "150.00001"), "2: px: expected at most 4 decimals"),
        (TRADE.replace("100,", "-100,"), "2: qty: expected more than 0"),
        (TRADE.replace("150.01", "0"), "2: px: expected more than 0"),
        (TRADE.replace(",7,", ",0,"), "2: match_id: expected more than 0"),
        (TRADE.replace("BUY", "B"), "2: side: expected BUY or SELL, found 'B'"),
        (TRADE.replace("USD", "EUR"), "2: currency: expected USD, the currency of AAPL, found 'EUR'"),
        (TRADE.replace("trade", "trades"), "2: section: expected trade or position or cash"),
        (TRADE.replace("2026-11-20", "20.11.2026"), "2: date: expected a date such as 2026-11-20"),
        (TRADE + "5", "2: amount: expected nothing in a row of section 'trade'"),
        (TRADE + ",5", "2: expected 11 cells, found 12; was it cut?"),
        (TRADE[:30], "expected 11 cells, found 5; was it cut?"),
        (POSITION + "5", "2: amount: expected nothing in a row of section 'position'"),
        (CASH.replace(",,USD", ",AAPL,USD"), "2: symbol: expected nothing in a row of section 'cash'"),
        (TRADE.replace("NODE1", ""), "2: account: expected one account in the whole file"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_line(tmp_path, row, expected):
    with pytest.raises(StatementError) as refused:
        read(tmp_path, row)

    assert expected in str(refused.value)


@pytest.mark.parametrize("row", [POSITION, CASH])
def test_a_sum_that_stands_twice_is_refused(tmp_path, row):
    with pytest.raises(StatementError, match=r"statement.csv:3: .* each position and each currency once"):
        read(tmp_path, row, row)


def test_two_accounts_in_one_file_are_refused(tmp_path):
    with pytest.raises(StatementError, match=r"3: account: expected one account in the whole file, 'NODE1'"):
        read(tmp_path, TRADE, POSITION.replace("NODE1", "NODE2"))


def test_files_that_are_none(tmp_path):
    with pytest.raises(StatementError, match="expected a clearing statement, found no file"):
        read_statement(tmp_path / "none.csv", ASSETS)
    with pytest.raises(StatementError, match="1: expected the columns"):
        read(tmp_path, TRADE, header="date,account")
    with pytest.raises(StatementError, match="expected at least one row below the header, found none"):
        read(tmp_path)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StatementError, match="expected a readable CSV file in UTF-8"):
        read_statement(tmp_path / "bytes.csv", ASSETS)
