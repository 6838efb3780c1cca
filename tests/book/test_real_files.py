"""Real order flow: the books against checkpoints made by another builder, and against the oracle."""

import csv

from openbell.book import Books
from oracles import book as oracle
from oracles import itch_market

AAPL = 13  # stock locate


def test_a_real_morning_of_aapl_agrees_with_every_checkpoint(shared_data):
    folder = shared_data / "itch50"
    records, counts = itch_market.records(folder / "nasdaq_20200130_AAPL_first4000.itch")
    books = Books(instruments_max=AAPL + 1, orders_max=4096)
    books.add_instrument(AAPL)

    done = 0
    for row in csv.DictReader((folder / "nasdaq_20200130_AAPL_first4000.bbo.csv").read_text().splitlines()):
        until = counts[int(row["messages"]) - 1]
        assert books.apply(records[done:until]) == 0
        done = until
        expected = tuple(int(row[name] or 0) for name in ("bid_e4", "bid_shares", "ask_e4", "ask_shares"))
        assert books.touch(AAPL) == expected, row
        assert books.orders(AAPL) == int(row["live_orders"])
    assert books.is_valid(AAPL)


def test_three_synthetic_stocks_agree_with_the_oracle(shared_data):
    records, _ = itch_market.records(shared_data / "itch50" / "synthetic_3stocks_12012msgs.itch")
    stocks = sorted({int(i) for i in records["instrument"]})
    books = Books(max(stocks) + 1, 8192)
    slow = oracle.Books(stocks, 8192, 8192)
    for stock in stocks:
        books.add_instrument(stock)

    faults = books.apply(records)

    assert faults == sum(slow.apply(r)[0] != oracle.OK for r in records)
    for stock in stocks:
        book = slow.books[stock]
        assert books.touch(stock) == book.touch()
        for side, levels in book.levels.items():
            for px in levels:
                assert books.queue(stock, side, px) == book.queue(side, px)
