"""A strategy hears what was refused, with the reason and its own mark, at either speed; a replay tells it again."""

import struct

import pytest

from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.journal import open_journal
from openbell.node.record import read_record
from openbell.node.verify import replay
from openbell.types import Reason, Type
from tapes import write_tape

ASKS = """
from openbell import Strategy
from openbell.types import Reason, Side, Tif, Type

class Asks(Strategy):
    asked: int = 0
    own_id: int = 0
    denied: int = 0
    of_basket: int = 0
    tag: int = 0
    reason: int = 0
    is_own: bool = False
    tag_open: int = 0
    tag_accepted: int = 0

    def on_book(self, ctx, book):
        for order in ctx.orders():
            self.tag_open = order.tag
        if not book.bid_px or not book.ask_px or self.asked == 3:
            return
        self.asked += 1
        if self.asked == 1:
            self.own_id = ctx.order(book.instrument, Side.BUY, book.bid_px, 1_000_000, tag=77)
        if self.asked == 2:
            ctx.basket_open()
            ctx.order(book.instrument, Side.BUY, book.bid_px, 10)
            ctx.order(book.instrument, Side.BUY, book.bid_px, 1_000_000)
            ctx.basket_close()
        if self.asked == 3:
            ctx.order(book.instrument, Side.BUY, book.bid_px - 10 * book.tick, 10, tag=78)

    def on_order(self, ctx, report):
        if report.type == Type.ACCEPTED:
            self.tag_accepted = report.tag
        if report.type != Type.DENIED:
            return
        self.denied += 1
        if report.reason == Reason.BASKET_REFUSED:
            self.of_basket += 1
        if report.tag:
            self.tag = report.tag
            self.reason = int(report.reason)
            self.is_own = report.cl_ord_id == self.own_id
"""


@pytest.mark.parametrize("speed", ["interpreted", "compiled"])
def test_what_was_refused_is_told_with_reason_id_and_mark(tmp_path, speed):
    file = tmp_path / "asks.py"
    file.write_text(ASKS)
    tape, out = write_tape(tmp_path / "tape"), tmp_path / "out"
    run_backtest(BacktestSettings(tape=tape, strategy_file=file, out=out, speed=speed))

    state = bytearray()
    denied = 0
    for frame in open_journal(out):
        for i in range(len(frame.raw)):
            if frame.raw[i][0] == Type.DENIED:
                assert not frame.is_decision
                denied += 1
            if frame.raw[i][0] == Type.STRATEGY_STATE:
                part = frame.record(i)
                at, length = int(part["offset"]), int(part["length"])
                state[at : at + length] = bytes(part["bytes"])[:length]
    words = struct.unpack_from("<10q", state)
    _, asked, own_id, told, of_basket, tag, reason, is_own, tag_open, tag_accepted = words
    assert (asked, told, of_basket, denied) == (3, 3, 1, 3)
    assert (tag, reason, is_own) == (77, int(Reason.ORDER_QTY), 1)
    assert own_id and (tag_open, tag_accepted) == (78, 78)
    again = {"interpreted": "compiled", "compiled": "interpreted"}[speed]
    assert replay(out, read_record(out), run_strategies=True, speed=again).is_identical
