"""Random orders under random limits of every kind and scope, several strategies at once: decided like the slow twin."""

import random
from collections import Counter

from tests.engine import desk as d
from tests.engine.random_limits import optional, random_limit, removed

from openbell import events
from openbell.types import ArmState, IntentKind, LimitScope, Reason, TradingState, Type

BUY, SELL = 1, 2
RUNS, STEPS = 10, 1_000
OF_RISK = {
    Reason.NOT_ARMED, Reason.REDUCE_ONLY, Reason.NOT_PERMITTED, Reason.NO_INSTRUMENT, Reason.NO_LIMITS,
    Reason.NOT_TRADING, Reason.NO_REFERENCE, Reason.BOOK_STALE, Reason.PRICE_NOT_POSITIVE, Reason.PRICE_TICK,
    Reason.QTY_NOT_POSITIVE, Reason.ORDER_QTY, Reason.LIMITED_SIZE, Reason.NO_CONVERSION, Reason.ORDER_NOTIONAL,
    Reason.PRICE_COLLAR, Reason.PRICE_DRIFT, Reason.SELF_CROSS, Reason.DUPLICATE_ORDER, Reason.ORDER_RATE,
    Reason.MESSAGE_RATE, Reason.REPEATS, Reason.ORDERS_PER_TRADE, Reason.POSITION, Reason.OPEN_ORDERS,
}  # fmt: skip


class Traders:
    """Strategies that trade two instruments at a venue which answers at once."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.desk = rng, d.trading_desk()
        self.refused: Counter[Reason] = Counter()
        self.scopes: set[int] = set()
        self.exec_id = self.order_id = 100
        self.mid = [1_010_000, 1_010_000]

    def step(self) -> None:
        rng, desk = self.rng, self.desk
        draw = rng.random()
        if desk.twin.risk.limits.fault and rng.random() < 0.3:
            self.restart()
        elif draw < 0.18:
            desk.frame(random_limit(rng), source=d.OPERATOR)
        elif draw < 0.24:
            desk.frame(*desk.presets, *(removed(*one) for one in optional(desk)), source=d.OPERATOR)
        elif draw < 0.28:
            states = [*[ArmState.FULL] * 12, ArmState.LIMITED, ArmState.REDUCE_ONLY, ArmState.SHADOW]
            desk.arm(rng.choice(states), after_kill=rng.random() < 0.4)
        elif draw < 0.285:
            self.restart()
        elif draw < 0.29:
            desk.frame(events.control(Type.TRADING_DAY, values=(rng.randint(1, 2),)))
        elif draw < 0.30:
            self.status(rng.randint(0, 1), TradingState.HALTED)
        elif draw < 0.31:
            desk.frame(events.conversion("USD", rng.choice([10**8, 10**8, 99_123_457, 0])), source=d.OPERATOR)
        elif draw < 0.45:
            self.move_market(rng.randint(0, 1))
        elif draw < 0.65 and desk.twin.oms.live:
            self.settle(rng.choice(list(desk.twin.oms.live.values())))
        else:
            self.ask(*(self.wish() for _ in range(rng.choice([1, 1, 2]))))

    def restart(self) -> None:
        self.desk.start()
        self.desk.connect()
        self.desk.resolve()
        self.desk.arm()

    def status(self, instrument: int, state: TradingState) -> None:
        self.desk.feed(d.status(state, instrument))
        if state != TradingState.TRADING and self.rng.random() < 0.9:
            self.desk.feed(d.status(TradingState.TRADING, instrument))

    def wish(self) -> bytes:
        rng, instrument = self.rng, self.rng.choice([*[0] * 12, *[1] * 6, 2, 9])
        side = rng.choice([BUY, SELL])
        away = rng.choice([20, 20, 20, 21, 22, 30, 60, 1_200]) * rng.choice([*[1] * 9, -1])
        px = self.mid[instrument % 2] // 100 * 100 + 100 * (-away if side == BUY else away)
        px = rng.choice([px] * 30 + [0, 1_010_050])
        qty = rng.choice([1, 5, 10, 10, 10, 60, 150, 400, 1_200, 0])
        fields = {"instrument": instrument, "side": side, "px": px, "qty": qty}
        return d.intent(IntentKind.ORDER, rng.choice([0, 0, 1, 2]), **fields)

    def ask(self, *wishes: bytes) -> None:
        self.order_id += 1
        px = self.mid[0] // 100 * 100 - 100_000
        source = self.rng.choice([d.FEED, d.FEED, d.FEED + 1])  # another feed leaves this one as old as it is
        decision = self.desk.frame(d.add(self.order_id, px, 1, buy=True), source=source, script=wishes)
        for r in map(d.read, (raw for raw in decision if raw[0] == Type.REFUSED)):
            self.refused[Reason(r["reason"])] += 1
            self.scopes.add(r["scope"])
        for approved in (d.read(raw) for raw in decision if raw[0] == Type.APPROVED):
            assert approved["limits_version"] == self.desk.engine.limits_version
        sent = self.desk.sent
        if sent:
            self.desk.outcomes()
            reports = [
                d.report(Type.ACCEPTED, c["cl_ord_id"], version=1, px=c["px"], leaves_qty=c["qty"]) for c in sent
            ]
            self.desk.hear(*reports)

    def settle(self, order) -> None:
        """An execution of a part, of all, or a cancel."""
        self.exec_id += 1
        what = {"version": 1, "last_px": order.px, "exec_id": self.exec_id}
        draw = self.rng.random()
        if draw < 0.7:
            qty = self.rng.choice([order.leaves, max(1, order.leaves // 2)])
            self.desk.hear(d.report(Type.FILLED, order.cl_ord_id, last_qty=qty, **what))
        else:
            self.desk.hear(d.report(Type.CANCELED, order.cl_ord_id, version=1, last_qty=order.leaves))

    def move_market(self, instrument: int) -> None:
        """Another touch, now and then with a side empty."""
        rng, books = self.rng, self.desk.twin.books
        self.mid[instrument] += rng.choice([-20_000, -300, 0, 0, 0, 300, 20_000])
        self.mid[instrument] = max(600_000, self.mid[instrument])
        old = [o for o in books.by_id.values() if o.instrument == instrument]
        gone = [d.market(Type.BOOK_CANCEL, instrument, order_id=o.order_id, flags=2) for o in old]
        new = []
        for side in (BUY, SELL):
            self.order_id += 1
            px = self.mid[instrument] // 100 * 100 + (-200 if side == BUY else 200)
            if rng.random() < 0.7:
                new.append(d.add(self.order_id, px, 100, buy=side == BUY, instrument=instrument))
        if gone or new:
            self.desk.feed(*gone, *new)
        if rng.random() < 0.2:
            self.desk.now += rng.choice([30_000, 250_000])


def test_random_orders_under_random_limits_are_judged_like_the_slow_twin(seed: int):
    refused: Counter[Reason] = Counter()
    scopes: set[int] = set()
    for run in range(RUNS):
        traders = Traders(random.Random(f"risk {seed}-{run}"))
        for _ in range(STEPS):
            traders.step()
            if traders.desk.seq % 97 == 0:
                traders.desk.restored()
        refused += traders.refused
        scopes |= traders.scopes

    assert len(OF_RISK & refused.keys()) >= 20, refused
    assert scopes >= {int(scope) for scope in LimitScope}
