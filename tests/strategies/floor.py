"""A trading floor for one reference: books are set, orders answered, time passes, and what it asks for is seen.

The strategy runs in the real host on the real engine; the test is the market and the venue. Prices in cents here and in
1e-4 inside, unless an instrument says otherwise.
"""

from pathlib import Path
from typing import Any, NamedTuple

from tests.engine import desk as d

from openbell import _native as native
from openbell import events
from openbell.strategy import Strategy
from openbell.strategy.loader import load_strategy
from openbell.types import NO_INSTRUMENT, IntentKind, Reason, Side, Tif, TradingState, Type
from oracles.order_records import record

REFERENCES = Path(__file__).resolve().parents[2] / "strategies"
ID = 1
CENT = 100
SECOND = 1_000_000_000
NEW, REPLACE, CANCEL, REFUSED = Type.NEW_ORDER, Type.REPLACE_ORDER, Type.CANCEL_ORDER, Type.REFUSED


class Quote(NamedTuple):
    """What a strategy asks to show; quantity 0: nothing."""

    bid: float
    bid_qty: int
    ask: float
    ask_qty: int


class Asked(NamedTuple):
    """A single order that a strategy asks for."""

    instrument: int
    side: Side
    px: float
    qty: int


def reference(name: str, **params: Any) -> Strategy:
    """An instance of `strategies/name.py`."""
    return load_strategy(REFERENCES / f"{name}.py")(**params)


class Floor:
    """One strategy, its instruments, and a venue that answers when it is told to."""

    def __init__(self, strategy: Strategy, ticks: tuple[int, ...] = (CENT,), lot: int = 1) -> None:
        capacity = native.EngineCapacity()
        capacity.instruments_max, capacity.strategies_max = len(ticks), ID + 1
        capacity.orders_max, capacity.book_orders_max = 256, 1 << 12
        self.strategy, self.ticks = strategy, ticks
        self.probe = native.EngineProbe(capacity)
        self.host = native.StrategyHost()
        self.host.add(ID, "tested", strategy, [f"SYM{n}" for n in range(len(ticks))])
        self.seq, self.now, self.order_ids, self.message, self.executions = 0, SECOND, 0, 0, 0
        self.timers: dict[int, int] = {}  # id -> deadline
        self.resting: dict[tuple[int, bool], tuple[int, float, int]] = {}
        self.said: list[bytes] = []
        self.refused: list[Reason] = []
        self.sent: list[d.Fields] = []
        self.start(epoch=1)
        for number, tick in enumerate(self.ticks):
            self.feed(d.instrument(number, tick=tick, lot=lot))
        for number in range(len(self.ticks)):
            self.feed(d.status(TradingState.TRADING, number))
        self.connect()

    def start(self, epoch: int) -> None:
        """A new epoch, with limits that nobody reaches."""
        self.frame(events.started(node=1, epoch=epoch, now_ns=self.now, seed=9))
        limits = [one for n in range(len(self.ticks)) for one in d.limits(n, position_long=10**6, position_short=10**6)]
        self.frame(b"".join((*d.account_limits(), *limits)), source=d.OPERATOR)

    def connect(self) -> None:
        """The session is up and the node armed."""
        self.frame(events.control(Type.CONNECTED, source=d.ORDERS, values=(1,), text="S1"))
        self.frame(events.control(Type.RESOLVED, source=d.ORDERS))
        self.frame(events.arm(d.ArmState.FULL), source=d.OPERATOR)

    def frame(self, records: bytes, source: int = d.NODE, source_seq: int = 0) -> None:
        """One frame; the commands of its decision are sent."""
        self.seq += 1
        decision, _ = self.probe.decide(records, self.seq, self.now, source, source_seq, strategies=self.host)
        self.seq += bool(decision)
        self.said = [decision[at : at + 128] for at in range(0, len(decision), 128)]
        for raw in self.said:
            if raw[0] == Type.TIMER_ARMED and (armed := d.read(raw))["strategy"] == ID:
                self.timers[armed["timer_id"]] = armed["deadline"]
            if raw[0] == REFUSED:
                self.refused.append(Reason(d.read(raw)["reason"]))
            assert raw[0] != Type.STRATEGY_HALTED, raw
        commands = [d.read(raw) for raw in self.said if raw[0] in (NEW, REPLACE, CANCEL)]
        self.sent += commands
        if commands:
            self.now += 1
            self.seq += 1
            outcomes = b"".join(d.outcome(Type.SENT, command) for command in commands)
            self.probe.decide(outcomes, self.seq, self.now, d.NODE, 0, strategies=self.host)

    def feed(self, *records: bytes) -> None:
        self.now += 1_000
        self.message += len(records)
        self.frame(b"".join(records), d.FEED, self.message)

    # ---- the market

    def book(self, bid: float, ask: float, *, bid_qty: int = 500, ask_qty: int = 500, instrument: int = 0) -> None:
        """The touch of an instrument, in cents; as little as possible is said."""
        news = []
        for is_buy, px, qty in ((True, bid, bid_qty), (False, ask, ask_qty)):
            known = self.resting.get((instrument, is_buy))
            if known and known[1:] != (px, qty):
                news.append(d.market(Type.BOOK_CANCEL, instrument, order_id=known[0], flags=2 | is_buy))
                del self.resting[instrument, is_buy]
        for is_buy, px, qty in ((True, bid, bid_qty), (False, ask, ask_qty)):
            if (instrument, is_buy) not in self.resting:
                self.order_ids += 1
                self.resting[instrument, is_buy] = (self.order_ids, px, qty)
                news.append(d.add(self.order_ids, round(px * CENT), qty, buy=is_buy, instrument=instrument))
        self.feed(*(news or [self.far(instrument)]))

    def far(self, instrument: int) -> bytes:
        """An order that nobody looks at: a frame that changes nothing."""
        self.order_ids += 1
        return d.add(self.order_ids, 100, 1, buy=True, instrument=instrument)

    def close_book(self, instrument: int = 0) -> None:
        """The market is halted."""
        self.feed(d.status(TradingState.HALTED, instrument))

    def pass_ns(self, ns: int) -> None:
        """Time passes, and with it what timers were set for."""
        until = self.now + ns
        while due := sorted((deadline, number) for number, deadline in self.timers.items() if deadline <= until):
            deadline, number = due[0]
            del self.timers[number]
            self.now = max(self.now, deadline)
            fields = {"strategy": ID, "instrument": NO_INSTRUMENT, "ts_event": deadline, "timer_id": number}
            self.frame(record("Timer", type=Type.TIMER, **fields))
        self.now = until

    def stop(self) -> None:
        """An operator stops the node."""
        code = int(native.OperatorVerb.CANCEL_ALL)
        self.frame(events.control(Type.OPERATOR, code=code), source=d.OPERATOR)

    def restart(self) -> None:
        """The node comes back, with what is journalled of the strategy."""
        self.start(epoch=2)
        self.connect()
        self.sent.clear()

    # ---- the venue

    def answer(self, kind: Type, order: d.Fields, **fields: int) -> None:
        self.now += 1_000
        names = ("cl_ord_id", "version", "side", "instrument")
        report = d.report(kind, **{n: order[n] for n in names}, **fields)
        self.frame(report, d.ORDERS)

    def take_sent(self) -> list[d.Fields]:
        """The commands since the last look."""
        sent, self.sent = self.sent, []
        return sent

    def accept_all(self) -> None:
        """The venue confirms whatever was sent, until nothing more is: orders rest, cancels are done."""
        for _ in range(20):
            commands = self.take_sent()
            if not commands:
                return
            for c in commands:
                self.confirm(c)
        raise AssertionError("the strategy never comes to rest")

    def confirm(self, command: d.Fields) -> None:
        """One command is done as asked."""
        if command["type"] == CANCEL:
            self.cancel(command, Reason.USER_CANCEL)
            return
        kind = Type.ACCEPTED if command["type"] == NEW else Type.REPLACED
        self.answer(kind, command, px=command["px"], leaves_qty=command["leaves_qty"])

    def cancel(self, order: d.Fields, reason: Reason) -> None:
        """What is open of an order is gone."""
        live = {o.cl_ord_id: o.leaves_qty for o in self.probe.engine.live_orders()}
        if order["cl_ord_id"] in live:
            self.answer(Type.CANCELED, order, reason=int(reason), last_qty=live[order["cl_ord_id"]])

    def fill(self, order: d.Fields, qty: int = 0, px: float = 0.0) -> None:
        """An order trades: all of it, or `qty`; an IOC that is left with something is cancelled."""
        qty = qty or order["qty"]
        self.executions += 1
        last = {"last_px": round(px * CENT) or order["px"], "last_qty": qty, "exec_id": self.executions}
        self.answer(Type.FILLED, order, leaves_qty=order["qty"] - qty, **last)
        if order["tif"] == Tif.IOC and qty < order["qty"]:
            self.cancel(order, Reason.IOC_REMAINDER)

    def miss(self, order: d.Fields) -> None:
        """An IOC order finds nobody."""
        self.confirm(order)
        self.cancel(order, Reason.IOC_REMAINDER)

    def fill_all(self) -> None:
        """The venue accepts and executes whatever IOC is sent, until nothing more is."""
        for _ in range(50):
            commands = self.take_sent()
            if not commands:
                return
            for c in commands:
                if c["type"] == NEW and c["tif"] == Tif.IOC:
                    self.fill(c)
                else:
                    self.confirm(c)
        raise AssertionError("the strategy never comes to rest")

    # ---- what was seen

    def quote(self) -> Quote:
        """The quote asked for in the last frame."""
        intents = [d.fields_of(raw, d.RECORDS["Intent"])[0] for raw in self.said if raw[0] == Type.INTENT]
        quotes = [one for one in intents if one["kind"] == IntentKind.QUOTE]
        assert len(quotes) == 1, intents
        q = quotes[0]
        return Quote(q["bid_px"] / CENT, q["bid_qty"], q["ask_px"] / CENT, q["ask_qty"])

    def asked(self) -> list[Asked]:
        """The new orders since the last look; they stay with the venue."""
        return [asked_of(c) for c in self.sent if c["type"] == NEW]

    def new_orders(self) -> list[d.Fields]:
        """The same as the venue has them, taken."""
        return [c for c in self.take_sent() if c["type"] == NEW]

    def position(self, instrument: int = 0) -> int:
        return int(self.probe.engine.position(ID, instrument)["qty"])

    def open_orders(self) -> list[Asked]:
        """What may still trade, best price first."""
        live = [
            Asked(o.instrument, Side(o.side), o.px / CENT, o.leaves_qty)
            for o in self.probe.engine.live_orders()
            if o.leaves_qty
        ]
        return sorted(live, key=lambda o: (o.side, -o.px if o.side == Side.BUY else o.px))


def asked_of(order: d.Fields) -> Asked:
    return Asked(order["instrument"], Side(order["side"]), order["px"] / CENT, order["qty"])
