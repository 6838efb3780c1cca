"""Long random days, orderly and not: the native engine and its slow twin agree on every record of every decision."""

import random
from collections import Counter

import pytest
from tests.engine import desk as d
from tests.engine.random_limits import optional, random_limit, removed
from tests.execution.test_quoter_random import Venue

from openbell import events
from openbell.types import (
    NO_INSTRUMENT,
    NO_STRATEGY,
    ArmState,
    IntentKind,
    KillLevel,
    TradingState,
    Type,
)
from oracles.arming import NODE
from oracles.engine_sessions import SESSION_ENDED
from oracles.order_records import record

KINDS = [Type.BOOK_ADD] * 8 + [Type.BOOK_EXECUTE, Type.BOOK_CANCEL, Type.BOOK_MODIFY] * 3 + [
    Type.TRADE, Type.STATUS, Type.STATUS, Type.TRADE_BUST]  # fmt: skip

NAMES = ["S1"] * 40 + ["S2", ""]


class Day:
    """A desk, a venue that answers late, and a market; everything drawn from one seed."""

    def __init__(self, rng: random.Random, venues: int = 1) -> None:
        self.rng = rng
        self.desk = d.trading_desk() if venues == 1 else d.two_venue_desk()
        self.sessions = range(d.ORDERS, d.ORDERS + venues)
        self.venue = Venue(rng)
        self.next_order_id = 1_000
        self.shadows: list[tuple[object, int]] = []

    # ---- what strategies say

    def script(self) -> tuple[bytes, ...]:
        rng = self.rng
        if rng.random() < 0.3:
            return ()
        return tuple(self.says() for _ in range(rng.choice([1, 1, 2, 5])))

    def says(self) -> bytes:
        rng, strategy = self.rng, self.rng.choice([*[0, 1] * 6, 2, 3])
        instrument = rng.choice([*[0, 0, 1] * 6, 2, 9])
        draw = rng.random()
        if draw < 0.6:
            mid = 1_010_000 + 100 * rng.randint(-60, 60)
            px = [mid - rng.choice([*[100, 300] * 5, 0, 50]), mid + rng.choice([0, 100, 300])]
            qty = [rng.choice([*[0, 10, 10, 20] * 6, 1_001, -1]) for _ in range(2)]
            return d.quote(strategy, px[0], qty[0], px[1], qty[1], instrument)
        if draw < 0.72:
            terms = {"side": rng.choice([1, 2, 2, 0]), "px": rng.choice([1_000_000, 1_020_000, 1_500_000, 0])}
            terms |= {"qty": rng.choice([5, 10, 2_000, 0]), "tif": rng.choice([0, 3]), "tag": rng.randint(0, 3)}
            terms |= rng.choice([{}, {}, self.terms()])
            return d.intent(IntentKind.ORDER, strategy, instrument=instrument, **terms)
        known = [*self.desk.twin.oms.live, *(stop.id for stop in self.desk.twin.stops), 77]
        if draw < 0.8:
            return d.intent(IntentKind.CANCEL, strategy, cl_ord_id=rng.choice(known), instrument=NO_INSTRUMENT)
        if draw < 0.82:
            scope = {"instrument": rng.choice([NO_INSTRUMENT, instrument]), "side": rng.choice([0, 0, 1, 2])}
            return d.intent(IntentKind.CANCEL_ALL, strategy, **scope)
        if draw < 0.84:
            total = {"px": 1_000_000 + 100 * rng.randint(-20, 20), "qty": rng.choice([5, 12, 2_000])}
            return d.intent(
                IntentKind.REPLACE, strategy, cl_ord_id=rng.choice(known), instrument=NO_INSTRUMENT, **total
            )
        if draw < 0.9:
            return self.target(strategy, instrument)
        if draw < 0.905:
            return d.intent(IntentKind.PARENT, strategy, instrument=instrument, qty=5)
        strategy = min(strategy, 2)
        if draw < 0.94:
            return d.arm_timer(strategy, rng.randint(0, 3), self.desk.now + rng.randint(-5, 40) * 1_000)
        if draw < 0.997:
            part = {"strategy": strategy, "size": 16, "offset": rng.choice([0, 8]), "length": 8}
            return d.record("StrategyState", type=Type.STRATEGY_STATE, **part)
        return d.halt(strategy)

    def terms(self) -> dict[str, int]:
        """What else an order may say of itself, sound or not."""
        rng = self.rng
        near = 1_010_000 + 100 * rng.randint(-60, 60)
        stop = {"trigger": rng.choice([1, 1, 2, 2, 3]), "stop_px": rng.choice([near, near, 0]), "px": near}
        return rng.choice(
            [
                *[stop | {"trail": rng.choice([0, 0, 700, 3_000])}] * 4,
                stop | {"px": 0, "collar_bps": 40, "tif": 3},
                {"px": 0, "collar_bps": rng.choice([0, 30, 200]), "tif": rng.choice([0, 3, 4])},
                {"basket": rng.choice([1, 2])},
                {"basket": 1, "qty": rng.choice([5, 1_000])},
                {"flags": rng.choice([1, 2, 4]), "display_qty": rng.choice([0, 5, 50])},
                {"tif": rng.choice([1, 2, 6, 7]), "expires_ns": rng.choice([0, 10**12])},
            ]
        )

    def target(self, strategy: int, instrument: int) -> bytes:
        rng = self.rng
        wanted = {"qty": rng.choice([*[-30, 0, 20, 50] * 6, 1 << 45]), "display_qty": rng.choice([0, 0, 7, 10, -1])}
        px = rng.choice([0, 0, 0, 1_000_000, 1_020_000, -1])
        return d.intent(IntentKind.TARGET, strategy, instrument=instrument, px=px, tag=rng.randint(0, 1), **wanted)

    # ---- what the market does

    def market(self) -> bytes:
        rng, instrument = self.rng, self.rng.choice([0, 0, 0, 1, 1, 2, 9])
        kind = rng.choice(KINDS) if rng.random() < 0.995 else Type.BOOK_CLEAR
        if kind == Type.STATUS:
            usual = TradingState.TRADING
            state = rng.choice([*[usual] * 25, TradingState.HALTED, TradingState.QUOTE_ONLY, TradingState.CLOSED])
            return d.status(state, rng.choice([*[instrument] * 5, NO_INSTRUMENT]))
        known = [o for o in self.desk.twin.books.by_id.values() if o.instrument == instrument][-8:]
        is_wrong = rng.random() < 0.004
        if not known and not is_wrong:
            kind = Type.BOOK_ADD
        order = rng.choice(known) if known and not is_wrong else None
        fields = {
            "order_id": order.order_id if order else 5,
            "qty": min(rng.choice([1, 10, 100]), order.qty if order else 99),
        }
        flags = rng.choice([0, 1, 2, 4, 5])
        away = rng.randint(1, 120) if rng.random() < 0.98 else -rng.randint(0, 120)  # a few cross the market
        fields |= {"px": 1_010_000 + 100 * (-away if flags & 1 else away), "flags": flags, "ref": 0}
        self.next_order_id += 1
        if kind == Type.BOOK_ADD and not is_wrong:
            fields["order_id"] = self.next_order_id
        if kind == Type.BOOK_MODIFY:
            fields["ref"] = self.next_order_id
        return d.market(kind, instrument, **fields)

    # ---- what the venue says

    def hear(self) -> None:
        """What comes next by one of the sessions."""
        outbox, by, said = self.venue.outbox, self.session_of(self.venue.outbox[0]), []
        for _ in range(self.rng.randint(1, 3)):
            if outbox and self.session_of(outbox[0]) == by:
                said.append(outbox.pop(0))
        for r in said:
            r["liquidity"] = ord(self.rng.choice("ARX")) if r["type"] == Type.FILLED else 0
        self.desk.hear(*(d.record("Report", **r) for r in said), script=self.script(), by=by)

    def session_of(self, r: dict[str, int]) -> int:
        order = self.desk.twin.oms.find(r["cl_ord_id"])
        return order.session if order else d.ORDERS

    def noise(self) -> bytes:
        """A report that no venue should make."""
        rng = self.rng
        kinds = [Type.ACCEPTED, Type.REJECTED, Type.REPLACED, Type.CANCELED, Type.FILLED, Type.BUSTED, Type.CORRECTED]
        order = rng.choice([*self.desk.twin.oms.live, *self.desk.twin.oms.ended, 77])
        fields = {"version": rng.randint(0, 3), "last_px": 1_000_000, "last_qty": rng.choice([0, 1, 10])}
        return d.report(rng.choice(kinds), order, exec_id=rng.randint(0, 50), leaves_qty=10, **fields)

    # ---- what people and links do

    def control(self) -> bytes:
        rng = self.rng
        state = rng.choice([*[ArmState.FULL] * 6, ArmState.LIMITED, ArmState.REDUCE_ONLY, ArmState.CANCEL_ONLY])
        source, orders = rng.choice([d.FEED, d.FEED, d.FEED + 1]), rng.choice(self.sessions)
        strategy, instrument = rng.choice([(0, NO_INSTRUMENT), (1, NO_INSTRUMENT), (NO_STRATEGY, 0), (1, 1)])
        scope = {"strategy": strategy, "instrument": instrument}
        until = {"grant_until_ns": self.desk.now + rng.randint(-10, 60) * 1_000}
        draws = [
            (20, events.arm(state, after_kill=rng.random() < 0.7, settles=rng.random() < 0.3)),
            (16, events.arm(rng.choice([ArmState.FULL, state]), after_kill=rng.random() < 0.8, **scope)),
            (2, events.kill(rng.choice([KillLevel.SOFT, KillLevel.HARD]), **scope)),
            (3, events.arm(state, limited_percent=rng.randint(0, 101), **rng.choice([{}, scope]), **until)),
            (3, random_limit(rng)),
            (1, events.conversion(rng.choice(["USD", "EUR"]), rng.choice([10**8, 10**8, 110_000_000, 0]))),
            (2, events.kill(rng.choice([KillLevel.SOFT, KillLevel.HARD, KillLevel.NONE]))),
            (2, events.cancel_all()),
            (3, events.checkpoint()),
            (3, events.control(Type.GAP, source=source, values=(5, 9))),
            (1, events.control(Type.GAP, source=source, values=(5, 9), code=1)),
            (25, events.control(Type.RECOVERED, source=source)),
            (1, events.control(Type.GAP, source=orders, values=(5, 9))),
            (2, events.control(Type.CONNECTED, source=source, text=rng.choice("AAAB"))),
            (2, events.control(Type.DISCONNECTED, source=orders, code=rng.choice([0, 1, SESSION_ENDED]))),
            (2, events.control(Type.CONNECTED, source=orders, values=(rng.randint(0, 9),), text=rng.choice(NAMES))),
            (16, events.control(Type.RESOLVED, source=orders)),
            (2, events.control(rng.choice([Type.HEARTBEAT, Type.CLOCK_OFFSET]))),
            (3, events.control(Type.TRADING_DAY, values=(20_260_000 + rng.randint(1, 99),))),
            (3, events.conversion(rng.choice(["USD", "EUR"]), rng.choice([10**8, 10**8, 108_512_345, 3, 0]))),
            (3, self.fee_rate()),
            (3, self.adjustment()),
        ]
        return rng.choices([r for _, r in draws], [w for w, _ in draws])[0]

    def adjustment(self) -> bytes:
        rng = self.rng
        strategy, instrument = rng.choice([0, 0, 1, 1, 2, 3, NO_STRATEGY]), rng.choice([0, 0, 1, 1, 2, 3])
        qty = rng.choice([0, -10, 7, 25, -25, 2**44 + 1])
        px, cash = rng.choice([0, 1_000_000, 1_020_000, -1]), rng.choice([0, 0, 5_000, -70_000])
        return events.adjustment(strategy, instrument, qty=qty, px=px, cash=cash)

    def fee_rate(self) -> bytes:
        rng = self.rng
        rates = {"per_lot": rng.choice([0, 3_000, -2_001]), "per_value": rng.choice([0, 250, -77])}
        bounds = {"charge_min": rng.choice([0, 0, 500]), "charge_max": rng.choice([0, 0, 9_000])}
        split = rng.choice([0, 0, 1_010_000])
        return events.fee_rate(rng.choice(["", "A", "R", "AR"]), **rates, **bounds, value_below_px=split)

    def step(self) -> None:
        draw, desk, rng = self.rng.random(), self.desk, self.rng
        if desk.twin.arming.of(NODE).doubted and rng.random() < 0.8:
            desk.arm(after_kill=True, settles=rng.random() < 0.8)  # a person has looked
        if desk.twin.risk.limits.fault and rng.random() < 0.3:
            self.restart()
        if rng.random() < 0.01:  # the ordinary limits again
            desk.frame(*desk.presets, *(removed(key, kind) for key, kind in optional(desk)), source=d.OPERATOR)
        for strategy, instrument in d.SCOPES[1:]:
            if desk.engine.arming(strategy, instrument)[0] != ArmState.FULL and rng.random() < 0.15:
                desk.arm(after_kill=True, strategy=strategy, instrument=instrument)
        if desk.twin.broken and rng.random() < 0.5:
            broken = min(desk.twin.broken)
            desk.feed(record("Market", type=Type.BOOK_CLEAR, instrument=broken))
            desk.frame(events.control(Type.RECOVERED, source=desk.twin.feed_of[broken]))
        if desk.twin.due_timers() and desk.twin.due_timers()[0][0] <= desk.now:
            desk.fire(self.script())
        elif draw < 0.25:
            desk.feed(*(self.market() for _ in range(rng.choice([1, 1, 2, 4]))), script=self.script())
        elif draw < 0.5 and self.venue.outbox:
            self.hear()
        elif draw < 0.51:
            desk.hear(self.noise(), script=self.script(), by=rng.choice(self.sessions))
        elif draw < 0.75 and self.venue.inbox:
            self.venue.read_one()
        elif draw < 0.79 and self.venue.held:
            self.venue.fill(rng.choice(list(self.venue.held)))
        elif draw < 0.85:
            desk.frame(self.control(), source=d.OPERATOR, script=self.script())
        elif draw < 0.855:
            self.restart()
        elif self.venue.inbox:
            self.venue.read_one()
        self.carry_out()

    def restart(self) -> None:
        self.desk.sent = []  # the process died before it could say what it sent
        self.desk.start(self.script())
        for by in self.sessions:
            self.desk.resolve(self.script(), by)
        self.desk.arm(after_kill=self.rng.random() < 0.5)

    def carry_out(self) -> None:
        """Commands leave, or do not; what became of them is a frame, and may have consequences of its own."""
        while self.desk.sent:
            commands, reports = self.desk.sent, []
            for command in commands:
                left = self.rng.random() > 0.05
                if left:
                    self.venue.inbox.append(command)
                reports.append(d.outcome(Type.SENT if left else Type.NOT_SENT, command, 0 if left else 101))
            self.desk.frame(*reports, script=self.script())


def check_laws(decision_types: list[Type], desk: d.Desk) -> None:
    """What must hold whatever happened: law 2, and nothing leaves while the session is not resolved."""
    for i, kind in enumerate(decision_types):
        if kind in (Type.NEW_ORDER, Type.REPLACE_ORDER):
            assert decision_types[i - 1] == Type.APPROVED
            assert desk.twin.arming.of(NODE).killed <= KillLevel.SOFT
    for command in desk.sent:
        order = desk.twin.oms.find(command["cl_ord_id"])
        assert desk.engine.session(order.session)[1]


@pytest.mark.parametrize("run", range(10))
def test_random_days_are_decided_like_the_slow_twin(run: int, seed: int, monkeypatch: pytest.MonkeyPatch):
    rng = random.Random(f"{seed}-{run}")
    day = Day(rng, venues=1 + run % 2)
    seen: Counter[Type] = Counter()
    plain_frame = d.Desk.frame

    def watched(self: d.Desk, *records: bytes, **more: object) -> list[bytes]:
        decision = plain_frame(self, *records, **more)  # type: ignore[arg-type]
        check_laws(d.types_of(decision), self)
        seen.update(d.types_of(decision))
        return decision

    monkeypatch.setattr(d.Desk, "frame", watched)
    for _ in range(1200):
        day.step()

    assert any(day.desk.engine.totals(NO_STRATEGY).values())
    for number in range(d.INSTRUMENTS_MAX):
        for strategy in range(d.STRATEGIES_MAX):
            native, twin = day.desk.engine.position(strategy, number), day.desk.twin.oms.position(strategy, number)
            assert twin.items() <= native.items()
    assert min(seen[kind] for kind in (Type.REFUSED, Type.STOP_HELD, Type.STOP_ENDED, *d.COMMANDS)) >= 1


@pytest.mark.parametrize("run", range(4))
def test_a_restored_engine_goes_on_as_if_nothing_had_happened(run: int, seed: int):
    rng = random.Random(f"restore {seed}-{run}")
    day = Day(rng, venues=1 + run % 2)
    copies = []

    for number in range(500):
        day.step()
        if number % 50 == 0:
            copies.append((day.desk.restored(), len(day.desk.frames)))

    for copy, already in copies:
        for given in day.desk.frames[already:]:
            copy.decide(*given)
        assert copy.engine.rolling_hash == day.desk.engine.rolling_hash
        assert copy.engine.state_hash == day.desk.engine.state_hash
        assert copy.engine.save() == day.desk.engine.save()
        for row in (NO_STRATEGY, *range(d.STRATEGIES_MAX)):  # derived, so not in the state
            assert copy.engine.totals(row) == day.desk.engine.totals(row)
