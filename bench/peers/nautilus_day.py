"""One side of bench/peer_nautilus.py, in the peer's own environment: `run` on standard input is one backtest.

After shared bench/peers/bt_nautilus.py: risk engine and logging bypassed, no analysis, all in the peer's favour.
Records of one frame are one OrderBookDeltas, so that both sides have as many callbacks.
"""

import gc
import json
import sys
import time

import nautilus_trader
import numpy as np
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import OrderBookDelta, OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    TimeInForce,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, TraderId, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

EVERY = 100
ADD, REDUCE, EXECUTE, TRADE = range(4)
LAST = 128
XNAS = Venue("XNAS")
AMZN = InstrumentId(Symbol("AMZN"), XNAS)
PX = Price(1, 0).raw // 10_000
QTY = Quantity(1, 0).raw
INSTRUMENT = Equity(AMZN, Symbol("AMZN"), USD, 4, Price.from_str("0.0001"), Quantity.from_int(1), 0, 0)


def data_of(path):
    """Deltas (several of one frame in one object) and the trades that executions are."""
    out, deltas, frame = [], [], None
    for i, (ts, kind, is_buy, px, qty, order_id, left, seq) in enumerate(np.load(path).tolist()):
        if seq != frame:
            close_frame(out, deltas)
            deltas, frame = [], seq
        if kind in (EXECUTE, TRADE):
            aggressor = AggressorSide.SELLER if is_buy else AggressorSide.BUYER
            out.append(TradeTick.from_raw(AMZN, px * PX, 4, qty * QTY, 0, aggressor, TradeId(str(i)), ts, ts))
        if kind != TRADE:
            side = OrderSide.BUY if is_buy else OrderSide.SELL
            action = BookAction.ADD if kind == ADD else BookAction.DELETE if left == 0 else BookAction.UPDATE
            size = qty if kind == ADD else left
            deltas.append(
                OrderBookDelta.from_raw(AMZN, action, side, px * PX, 4, size * QTY, 0, order_id, LAST, i, ts, ts)
            )
    close_frame(out, deltas)
    return out


def close_frame(out, deltas):
    if len(deltas) == 1:
        out.append(deltas[0])
    elif deltas:
        out.append(OrderBookDeltas(AMZN, deltas))


class PerEventConfig(StrategyConfig, frozen=True):
    """No parameters."""


class PerEvent(Strategy):
    """Reads the touch on every event; every hundredth joins both touches with one share."""

    def on_start(self):
        self.books = self.trades = self.fills = 0
        self.live = []
        self.book = None
        self.one = Quantity.from_int(1)
        self.subscribe_order_book_deltas(AMZN, book_type=BookType.L3_MBO)
        self.subscribe_trade_ticks(AMZN)

    def on_order_book_deltas(self, deltas):
        self.books += 1
        book = self.book
        if book is None:
            book = self.book = self.cache.order_book(AMZN)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if self.books % EVERY == 0 and bid is not None and ask is not None:
            for order in self.live:
                if order.is_open:
                    self.cancel_order(order)
            limit = self.order_factory.limit
            self.live = [
                limit(AMZN, OrderSide.BUY, self.one, bid, TimeInForce.GTC, post_only=True),
                limit(AMZN, OrderSide.SELL, self.one, ask, TimeInForce.GTC, post_only=True),
            ]
            for order in self.live:
                self.submit_order(order)

    def on_trade_tick(self, tick):
        self.trades += 1

    def on_order_filled(self, event):
        self.fills += 1


def run(data):
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("BT-001"),
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(bypass=True),
            run_analysis=False,
        )
    )
    money = [Money(1_000_000_000, USD)]
    engine.add_venue(XNAS, OmsType.NETTING, AccountType.MARGIN, money, book_type=BookType.L3_MBO, trade_execution=True)
    engine.add_instrument(INSTRUMENT)
    strategy = PerEvent(PerEventConfig())
    engine.add_strategy(strategy)
    engine.add_data(data, validate=False, sort=False)
    gc.collect()
    began = time.perf_counter()
    engine.run()
    seconds = time.perf_counter() - began
    book = strategy.book
    touch = [
        part for level in (book.bids()[0], book.asks()[0]) for part in (level.price.raw // PX, round(level.size()))
    ]
    orders = len(engine.cache.orders())
    engine.dispose()
    callbacks = strategy.books + strategy.trades
    return {"seconds": seconds, "callbacks": callbacks, "orders": orders, "fills": strategy.fills, "touch": touch}


def main():
    data = data_of(sys.argv[1])
    print(json.dumps({"version": nautilus_trader.__version__}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run(data)), flush=True)


main()
