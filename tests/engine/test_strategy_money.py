"""A strategy sees its own result, in money, as the frame left it."""

from tests.engine import desk as d
from tests.engine.test_breakers import traded

from openbell import _native as native
from openbell import events
from openbell.strategy import Strategy
from openbell.types import Side

SEEN: list[tuple[int, ...]] = []


class Counts(Strategy):
    def on_book(self, ctx: native.Context, _: native.BookView) -> None:
        SEEN.append((ctx.realized, ctx.unrealized, ctx.fees, ctx.day_result, ctx.drawdown))


def seen_by(desk: d.Desk, strategy: int) -> tuple[int, ...]:
    host = native.StrategyHost()
    host.add(strategy, "counts", Counts(), ["SYM0"])
    far = d.add(20_000 + strategy, 1, 1, buy=True)
    SEEN.clear()
    desk.seq += 1
    desk.probe.decide(far, desk.seq, desk.now, d.FEED, strategies=host)
    return SEEN[-1]


def test_a_strategy_sees_its_own_money_and_no_other():
    desk = d.trading_desk()
    desk.frame(events.fee_rate("", per_lot=10_000))  # 0.01 a lot
    traded(desk, Side.BUY, d.ASK, 10, strategy=0)
    traded(desk, Side.SELL, d.BID, 4, strategy=0)

    # 4 closed 2.00 below, 6 worth 2.00 less than they cost; 14 lots paid for
    assert seen_by(desk, 0) == (-80_000, -120_000, 1_400, -201_400, 201_400)
    assert seen_by(desk, 1) == (0, 0, 0, 0, 0)
    assert desk.engine.earned(0, 0) == (-80_000, -120_000, 1_400)
    assert desk.engine.earned(0, 1) == (0, 0, 0)
