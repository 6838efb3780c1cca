"""One engine, twice: the native one and its slow twin decide every frame alike, records, hashes and what was told."""

from typing import Any

from openbell import _native as native
from openbell import events
from openbell.types import (
    NO_INSTRUMENT,
    NO_STRATEGY,
    RECORDS,
    ArmState,
    IntentKind,
    KillLevel,
    LimitKind,
    LimitScope,
    TradingState,
    Type,
)
from oracles import engine as oracle
from oracles.order_records import fields_of, record

FEED, ORDERS, NODE, OPERATOR = 16, 64, 0, 1
INSTRUMENTS_MAX, STRATEGIES_MAX, ORDERS_MAX, TIMERS_MAX = 3, 3, 64, 6
COMMANDS = (Type.NEW_ORDER, Type.REPLACE_ORDER, Type.CANCEL_ORDER)
KIND_OF = {Type.INTENT: "Intent", Type.TIMER_ARMED: "TimerArmed", Type.STRATEGY_STATE: "StrategyState",
           Type.STRATEGY_HALTED: "Control", Type.TRIPPED: "Control", Type.HASH: "Hash"}  # fmt: skip
SCOPES = [(NO_STRATEGY, NO_INSTRUMENT)]
SCOPES += [(s, NO_INSTRUMENT) for s in range(STRATEGIES_MAX)] + [(NO_STRATEGY, i) for i in range(INSTRUMENTS_MAX)]
HASH_STATE = RECORDS["Hash"].fields["state"][1]
Fields = dict[str, int]


def capacity(limits_max: int = 1_024) -> native.EngineCapacity:
    out = native.EngineCapacity()
    out.limits_max = limits_max
    out.instruments_max, out.strategies_max = INSTRUMENTS_MAX, STRATEGIES_MAX
    out.orders_max, out.timers_max, out.book_orders_max = ORDERS_MAX, TIMERS_MAX, 1 << 16
    return out


def read(raw: bytes) -> Fields:
    """The integer fields of one record of a decision."""
    return fields_of(raw, RECORDS[KIND_OF.get(Type(raw[0]), "Order")])[0]


def market(kind: Type, instrument: int = 0, **fields: int) -> bytes:
    return record("Market", type=kind, instrument=instrument, **fields)


def add(order_id: int, px: int, qty: int, *, buy: bool, instrument: int = 0) -> bytes:
    return market(Type.BOOK_ADD, instrument, order_id=order_id, px=px, qty=qty, flags=int(buy))


def status(state: TradingState, instrument: int = 0) -> bytes:
    return market(Type.STATUS, instrument, ref=state)


def instrument(number: int, tick: int = 100, lot: int = 1, currency: bytes = b"USD") -> bytes:
    name = f"SYM{number}".encode()
    worth = {"px_decimals": 4, "multiplier": 1, "currency": currency}
    return record("Instrument", type=Type.INSTRUMENT, instrument=number, tick=tick, lot=lot, symbol=name, **worth)


WIDE = {
    LimitKind.ORDER_QTY: 1_000,
    LimitKind.ORDER_NOTIONAL: 10**12,
    LimitKind.COLLAR_BPS: 1_000,
    LimitKind.POSITION_LONG: 2_000,
    LimitKind.POSITION_SHORT: 2_000,
    LimitKind.OPEN_ORDERS: 50,
}


def limits(instrument: int, strategy: int = NO_STRATEGY, **changed: int) -> tuple[bytes, ...]:
    """What an instrument must have, or a strategy in it; `changed` by the name of the kind."""
    values = WIDE | {LimitKind[name.upper()]: value for name, value in changed.items()}
    scope = LimitScope.INSTRUMENT if strategy == NO_STRATEGY else LimitScope.STRATEGY_INSTRUMENT
    where = {"scope": scope, "instrument": instrument, "strategy": strategy, "owner": "desk"}
    return tuple(events.limit(kind, value, **where) for kind, value in values.items())


def account_limits(order_rate: int = 10_000) -> tuple[bytes, ...]:
    """What the account must have, and the worth of currencies."""
    rate = events.limit(LimitKind.ORDER_RATE, order_rate, scope=LimitScope.ACCOUNT, window_ns=10**9, owner="desk")
    sums = (LimitKind.GROSS_NOTIONAL, LimitKind.DAILY_LOSS)
    wide = (events.limit(kind, 10**15, scope=LimitScope.ACCOUNT, owner="desk") for kind in sums)
    return (events.conversion("USD", 10**8), events.conversion("EUR", 108_512_345), rate, *wide)


def quote(strategy: int, bid_px: int, bid_qty: int, ask_px: int, ask_qty: int, instrument: int = 0) -> bytes:
    prices = {"bid_px": bid_px, "bid_qty": bid_qty, "ask_px": ask_px, "ask_qty": ask_qty}
    return intent(IntentKind.QUOTE, strategy, instrument=instrument, tag=strategy + 7, **prices)


def intent(kind: IntentKind, strategy: int, **fields: int) -> bytes:
    return record("Intent", type=Type.INTENT, kind=kind, strategy=strategy, **fields)


BID, ASK = 1_000_000, 1_020_000
QUOTE = quote(0, BID, 10, ASK, 10)


def halt(strategy: int) -> bytes:
    return record("Control", type=Type.STRATEGY_HALTED, strategy=strategy, instrument=NO_INSTRUMENT)


def arm_timer(strategy: int, timer_id: int, deadline: int) -> bytes:
    return record("TimerArmed", type=Type.TIMER_ARMED, strategy=strategy, timer_id=timer_id, deadline=deadline)


def report(kind: Type, cl_ord_id: int, **fields: int) -> bytes:
    return record("Report", type=kind, cl_ord_id=cl_ord_id, **fields)


class Desk:
    """Frames in, decisions out; every verb submits one frame and returns the decision's records."""

    def __init__(self, limits_max: int = 1_024) -> None:
        self.capacity = capacity(limits_max)
        self.probe = native.EngineProbe(self.capacity)
        self.twin = oracle.Engine(INSTRUMENTS_MAX, STRATEGIES_MAX, ORDERS_MAX, TIMERS_MAX)
        self.twin.risk.limits.pairs_max = limits_max
        self.seq, self.now, self.epoch = 0, 1_000, 0
        self.message = 0  # of the feed
        self.sent: list[Fields] = []  # commands of the last decision
        self.told: dict[str, Any] | None = None
        self.presets: tuple[bytes, ...] = ()  # limits that every epoch begins with
        self.frames: list[tuple[Any, ...]] = []  # everything given to `decide`, to play again

    @property
    def engine(self) -> native.Engine:
        return self.probe.engine

    def frame(
        self, *records: bytes, source: int = NODE, source_seq: int = 0, script: tuple[bytes, ...] = ()
    ) -> list[bytes]:
        self.seq += 1
        self.now += 1_000
        given = (b"".join(records), self.seq, self.now, source, source_seq, b"".join(script))
        self.frames.append(given)
        out, self.told = self.probe.decide(*given)
        decision = [out[i : i + 128] for i in range(0, len(out), 128)]
        expected = self.twin.on_event(*given[:5], list(script))
        self._compare(decision, expected)
        self.sent = [read(r) for r in decision if Type(r[0]) in COMMANDS]
        self.seq += bool(decision)  # the OUT frame has a number too
        return decision

    def _compare(self, decision: list[bytes], expected: list[bytes]) -> None:
        assert self.told == self.twin.happened.told()
        shown = [without_state(r) for r in decision]
        assert [Type(r[0]).name for r in shown] == [Type(r[0]).name for r in expected]
        assert shown == expected, [(read(a), read(b)) for a, b in zip(shown, expected, strict=True) if a != b]
        for raw in decision:
            if raw[0] == Type.HASH and read(raw)["flags"]:
                assert read(raw)["state"] == self.engine.state_hash
        engine, twin = self.engine, self.twin
        assert (engine.refusals, engine.book_faults) == (twin.refusals, twin.book_faults)
        assert (engine.is_session_up, engine.is_draining) == (twin.session_up, twin.draining)
        assert [(o.cl_ord_id, o.state) for o in engine.live_orders()] == twin.live_orders()
        for session in (ORDERS, ORDERS + 1):
            name, is_up, is_doubted = engine.session(session)
            assert name.encode() == twin.names.get(session, b""), session
            assert (is_up, is_doubted) == (session in twin.up, session in twin.doubted), session
        for strategy, instrument in SCOPES:
            facts = twin.arming.of((strategy, instrument))
            found = engine.arming(strategy, instrument)
            assert found[:4] == (facts.state(), facts.unkilled(), facts.killed, facts.doubted), (strategy, instrument)
            assert bool(found[4]) == (facts.granted is not None)
        for row in (NO_STRATEGY, *range(STRATEGIES_MAX)):
            assert engine.totals(row) == twin.accounts.totals(None if row == NO_STRATEGY else row), row
        watched = [(b["kind"], b["observed"], b["is_tripped"]) for b in engine.breakers()]
        given = [b for b in twin.breakers.breakers if b.is_given]
        assert watched == [(b.kind, twin.breakers.measure(b, twin.now), b.is_tripped) for b in given]
        due = twin.due_timers()
        assert engine.next_deadline == (due[0][0] if due else 2**63 - 1)

    # ---- frames that read as trading

    def feed(self, *records: bytes, script: tuple[bytes, ...] = ()) -> list[bytes]:
        self.message += len(records)
        return self.frame(*records, source=FEED, source_seq=self.message, script=script)

    def start(self, script: tuple[bytes, ...] = ()) -> list[bytes]:
        self.epoch += 1
        decision = self.frame(events.started(node=5, epoch=self.epoch, now_ns=self.now, seed=9), script=script)
        if self.presets:
            self.frame(*self.presets, source=OPERATOR)
        return decision

    def arm(self, state: ArmState = ArmState.FULL, *, after_kill: bool = False, **more: Any) -> list[bytes]:
        return self.frame(events.arm(state, after_kill=after_kill, **more), source=OPERATOR)

    def kill(self, level: KillLevel = KillLevel.HARD, **scope: int) -> list[bytes]:
        return self.frame(events.kill(level, **scope), source=OPERATOR)

    def connect(self, session: str = "S1", by: int = ORDERS) -> list[bytes]:
        return self.frame(events.control(Type.CONNECTED, source=by, values=(1,), text=session))

    def disconnect(self, by: int = ORDERS) -> list[bytes]:
        return self.frame(events.control(Type.DISCONNECTED, source=by))

    def resolve(self, script: tuple[bytes, ...] = (), by: int = ORDERS) -> list[bytes]:
        return self.frame(events.control(Type.RESOLVED, source=by), script=script)

    def hear(self, *reports: bytes, script: tuple[bytes, ...] = (), by: int = ORDERS) -> list[bytes]:
        return self.frame(*reports, source=by, script=script)

    def outcomes(self, kind: Type = Type.SENT) -> list[bytes]:
        """What became of the commands of the last decision, as the driver says it: all of one kind."""
        return self.frame(*(outcome(kind, c) for c in self.sent))

    def fire(self, script: tuple[bytes, ...] = ()) -> list[bytes]:
        """The first timer that is due."""
        deadline, strategy, timer_id = self.twin.due_timers()[0]
        fields = {"strategy": strategy, "instrument": NO_INSTRUMENT, "ts_event": deadline, "timer_id": timer_id}
        return self.frame(record("Timer", type=Type.TIMER, **fields), script=script)

    def restored(self) -> native.EngineProbe:
        """A fresh engine with the state of this one, equal byte for byte."""
        fresh = native.EngineProbe(self.capacity)
        saved = self.engine.save()
        fresh.engine.load(saved)
        assert fresh.engine.save() == saved
        assert fresh.engine.state_hash == self.engine.state_hash
        return fresh


def outcome(kind: Type, command: Fields, reason: int = 0) -> bytes:
    names = ("side", "instrument", "cl_ord_id", "version")
    return record("Report", type=kind, command=command["type"], reason=reason, **{n: command[n] for n in names})


def without_state(raw: bytes) -> bytes:
    """A Hash record without its full state hash, which the twin cannot know."""
    return raw[:HASH_STATE] + bytes(8) + raw[HASH_STATE + 8 :] if raw[0] == Type.HASH else raw


def types_of(decision: list[bytes]) -> list[Type]:
    return [Type(r[0]) for r in decision]


def trading_desk() -> Desk:
    """Three instruments, the first two with limits and a market of 100 at 100.00 x 102.00, armed and connected."""
    return open_desk(Desk())


def open_desk(desk: Desk) -> Desk:
    """The same of a desk that has not started."""
    desk.presets = (*account_limits(), *limits(0), *limits(1))
    desk.start()
    for number in range(INSTRUMENTS_MAX):
        desk.feed(instrument(number, currency=b"EUR" if number == 1 else b"USD"))
    desk.feed(*(status(TradingState.TRADING, n) for n in range(INSTRUMENTS_MAX)))
    desk.feed(*(add(2 * n + 1, 1_000_000, 100, buy=True, instrument=n) for n in range(INSTRUMENTS_MAX)))
    desk.feed(*(add(2 * n + 2, 1_020_000, 100, buy=False, instrument=n) for n in range(INSTRUMENTS_MAX)))
    desk.connect()
    desk.resolve()
    desk.arm()
    return desk


def two_venue_desk() -> Desk:
    """The same, with instrument 1 at a venue of its own: another feed, and the second order session."""
    desk = trading_desk()
    desk.presets = (*desk.presets, events.route(FEED, ORDERS), events.route(FEED + 1, ORDERS + 1))
    desk.frame(*desk.presets, source=OPERATOR)
    desk.frame(instrument(1, currency=b"EUR"), source=FEED + 1)
    desk.connect("S1", ORDERS + 1)
    desk.resolve(by=ORDERS + 1)
    return desk


def quoting_desk() -> Desk:
    """Strategy 0 rests 10 at the bid and 10 at the ask."""
    desk = trading_desk()
    desk.feed(add(50, 999_900, 1, buy=True), script=(QUOTE,))
    placed = desk.sent
    desk.outcomes()
    for c in placed:
        desk.hear(report(Type.ACCEPTED, c["cl_ord_id"], version=1, px=c["px"], leaves_qty=c["qty"]))
    return desk
