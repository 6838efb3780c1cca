"""Features of books and trades on a tape: imbalance, microprice, order flow, volatility, the sign of trades."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from openbell import _native as native
from openbell.research.tape_pass import BOOK_ORDERS_MAX, Clock, Signs, tape_pass
from openbell.research.tape_query import Duration, Prices, Time, duration_ns, show_prices


def features(
    tape: Path | str,
    instruments: Sequence[str | int] | None = None,
    start: Time | None = None,
    end: Time | None = None,
    *,
    every: Duration = 0,
    levels: int = 1,
    prices: Prices = "int",
    signs: Signs = "auto",
    clock: Clock = "event",
    book_orders_max: int = BOOK_ORDERS_MAX,
) -> pl.DataFrame:
    """One row after every frame that changed an instrument's touch or traded, in one native pass over the tape.

    With `every` ("1s", ns or a timedelta) one row for each interval in which that happened: `ts` is its end, not part
    of it, a multiple of `every` since the epoch; the book is as it then stood. Sums are over the row: since the
    instrument's row before. Columns:

    - ts: ns of the record, or of the frame's receipt with `clock` "receipt".
    - instrument, symbol
    - bid_px, bid_qty, ask_px, ask_qty: the touch; quantity 0 says that a side is empty. `prices` as in `load`.
    - mid, microprice: mean of the best prices, and the mean weighted by the opposite quantity,
      (bid_px ask_qty + ask_px bid_qty) / (bid_qty + ask_qty): the first approximation of Stoikov, The micro-price
      (Quantitative Finance, 2018). NaN without both sides.
    - imbalance: (bids - asks) / (bids + asks) of the quantities of the best `levels` (1 to 64), from -1 to 1.
    - order_flow_imbalance: the sum of e_n of Cont, Kukanov and Stoikov, The price impact of order book events (Journal
      of Financial Econometrics, 2014), equation 4, over every change of the touch, in lots. An empty side is worse
      than any price.
    - realised_volatility: square root of the sum of squared changes of log mid, over every change of the touch
      (Andersen, Bollerslev, Diebold and Labys, Econometrica, 2003). It is of this row alone and not annualised; the
      squares of rows add up. So close to the ticks it holds the noise of the bid-ask bounce.
    - trades, volume, signed_volume: prints, lots, and lots times the sign of their aggressor.
    - trade_sign: of the row's last trade: 1 a buyer took it, -1 a seller, 0 nobody (a cross), not known, or no trade.
      Where the feed tells the resting side it is the opposite. Else, or with `signs` "lee-ready" for all: above the
      mid before it 1, below -1, at the mid as the last change of the trade price (Lee and Ready, Inferring trade
      direction from intraday data, Journal of Finance, 1991; without their delay of 5 s, since both are of one feed).

    A book is by order, or by price where the venue tells levels or quotes; with both, levels count and quotes are left
    alone. While a book is not valid (a gap, a loss, a record that contradicts it) there are no rows of it; a
    contradiction is told by a warning.

    Raises:
        ConfigError: an instrument, time or option that is not acceptable.
        CapacityError: more orders rest at once than `book_orders_max`.
        JournalError, JournalDamagedError: there is no tape, or it is damaged.
    """
    one_pass = tape_pass(tape, instruments, start, end, clock=clock, signs=signs, book_orders_max=book_orders_max)
    frame = one_pass.read(
        *native.features(one_pass.config, duration_ns(every), levels, one_pass.start_ns, one_pass.end_ns)
    )
    return show_prices(frame, ("bid_px", "ask_px"), ("mid", "microprice"), one_pass.wanted, prices)
