"""A quoter, an OMS and a venue with delays, driven at random: same commands as the twin, and the promises hold."""

import random
from collections import Counter

import pytest

from openbell import _native
from openbell.types import Reason, Side, Type
from oracles import oms as oms_oracle
from oracles import quoter as oracle
from oracles.order_records import commands_of, orders_of, record

BUY, SELL = 1, 2
KEYS = [(0, 0), (0, 1), (1, 0)]
CAPACITY = (64, 2, 2, 256)


class Venue:
    """Holds orders in price-time silence: commands and reports travel in order, with a delay of the test's choosing."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.held: dict[int, dict[str, int]] = {}
        self.inbox: list[dict[str, int]] = []
        self.outbox: list[dict[str, int]] = []
        self.executions = 0

    def say(self, kind: Type, cl_ord_id: int, **fields: int) -> None:
        self.outbox.append({"type": kind, "cl_ord_id": cl_ord_id, **fields})

    def read_one(self) -> None:
        c = self.inbox.pop(0)
        order, i = self.held.get(c["cl_ord_id"]), c["cl_ord_id"]
        if c["type"] == Type.NEW_ORDER:
            if self.rng.random() < 0.05:
                self.say(Type.REJECTED, i, version=1)
                return
            self.held[i] = {n: c[n] for n in ("side", "px", "strategy", "instrument")} | {
                "leaves": c["qty"],
                "cum": 0,
                "v": 1,
            }
            self.say(Type.ACCEPTED, i, version=1, order_id=i & 0xFFFF, px=c["px"], leaves_qty=c["qty"])
        elif order is None:
            return  # silence: the report that ended it is on its way
        elif c["type"] == Type.CANCEL_ORDER:
            if c["version"] != order["v"]:
                return
            if self.rng.random() < 0.05:
                self.say(Type.CANCEL_REJECTED, i, version=order["v"])
                return
            self.end(i, Reason.USER_CANCEL)
        elif self.rng.random() < 0.07:
            self.say(Type.REJECTED, i, version=c["version"])
        elif c["qty"] <= order["cum"]:
            self.end(i, Reason.NONE)
        else:
            order.update(px=c["px"], leaves=c["qty"] - order["cum"], v=c["version"])
            self.say(Type.REPLACED, i, version=c["version"], px=c["px"], leaves_qty=order["leaves"])

    def end(self, i: int, reason: Reason) -> None:
        order = self.held.pop(i)
        self.say(Type.CANCELED, i, version=order["v"], last_qty=order["leaves"], reason=reason)

    def fill(self, i: int) -> None:
        order = self.held[i]
        qty = self.rng.choice([1, order["leaves"], (order["leaves"] + 1) // 2])
        self.executions += 1
        order["leaves"] -= qty
        order["cum"] += qty
        self.say(Type.FILLED, i, version=order["v"], last_px=order["px"], last_qty=qty, exec_id=self.executions)
        if order["leaves"] == 0:
            del self.held[i]

    def check_one_order_a_side(self) -> None:
        seen = [(o["strategy"], o["instrument"], o["side"]) for o in self.held.values()]
        assert len(seen) == len(set(seen))

    def check_own_orders_never_meet(self) -> None:
        for key in KEYS:
            mine = [o for o in self.held.values() if (o["strategy"], o["instrument"]) == key]
            bids = [o["px"] for o in mine if o["side"] == BUY]
            asks = [o["px"] for o in mine if o["side"] == SELL]
            assert not bids or not asks or max(bids) < min(asks)  # I10


class Desk:
    """Quoter and OMS, each twice, and the loop that the engine runs."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.venue = Venue(rng)
        self.oms, self.oms_twin = _native.Oms(*CAPACITY), oms_oracle.Oms(*CAPACITY)
        self.quoter, self.quoter_twin = _native.Quoter(2, 2), oracle.Quoter()
        self.oms.on_started(record("Started", type=Type.STARTED, node=1, epoch=1))
        self.refusing = 0.08
        self.sent: Counter[int] = Counter()

    def set_target(self, key: tuple[int, int], *quote: int) -> None:
        fields = dict(zip(("bid_px", "bid_qty", "ask_px", "ask_qty"), quote, strict=True))
        native = self.quoter.set_target(record("Intent", strategy=key[0], instrument=key[1], tag=9, **fields))
        assert native == self.quoter_twin.set_target(key, *quote)
        self.reconcile(key)

    def pull(self, strategy: int) -> None:
        self.quoter.pull(strategy)
        self.quoter_twin.pull(strategy)
        for key in KEYS:
            self.reconcile(key)

    def reconcile(self, key: tuple[int, int]) -> None:
        for _ in range(2):
            commands = commands_of(self.quoter.reconcile(*key, self.oms))
            names = ("type", "side", "cl_ord_id", "px", "qty", "version")
            twin = self.quoter_twin.reconcile(key, self.oms_twin)
            assert [tuple(c[n] for n in names) for c in commands] == twin
            refused = [self.carry_out(key, c) for c in commands]
            if not any(refused):
                return

    def carry_out(self, key: tuple[int, int], c: dict[str, int]) -> bool:
        """Send the command, or refuse it as risk would; True if refused."""
        side = Side(c["side"])
        assert (c["strategy"], c["instrument"], c["tag"]) == (*key, 9)
        if c["type"] != Type.CANCEL_ORDER and self.rng.random() < self.refusing:
            self.quoter.on_refused(*key, side)
            self.quoter_twin.on_refused(key, c["side"])
            return True
        if c["type"] == Type.NEW_ORDER:
            c["cl_ord_id"] = self.oms.reserve(key[0])
            self.quoter.on_order_opened(*key, side, c["cl_ord_id"])
            self.quoter_twin.on_opened(key, c["side"], c["cl_ord_id"])
        assert self.oms.on_command(record("Order", **c)) == self.oms_twin.on_command(c) == Reason.NONE
        sent = Type.NOT_SENT if self.refusing and self.rng.random() < 0.03 else Type.SENT
        if sent == Type.SENT:
            self.venue.inbox.append(c)
            self.sent[c["type"]] += 1
        self.hear(
            {"type": sent, "cl_ord_id": c["cl_ord_id"], "command": c["type"], "version": c["version"]}, quietly=True
        )
        return False

    def hear(self, r: dict[str, int], quietly: bool = False) -> None:
        data = record("Report", **r)
        full = {
            "exec_id": 0,
            "reason": 0,
            "px": 0,
            "leaves_qty": 0,
            "last_px": 0,
            "last_qty": 0,
            "command": 0,
            "order_id": 0,
        } | r
        kind, ended, _ = self.oms.on_report(data)
        assert (kind.name, ended) == self.oms_twin.on_report(full)
        order = self.oms_twin.find(r["cl_ord_id"])
        assert orders_of(self.oms.find(r["cl_ord_id"])) == [order.fields()]
        if ended and self.rng.random() < 0.7:  # otherwise reconcile finds out by itself
            self.quoter.on_order_closed(self.oms.find(r["cl_ord_id"]))
            self.quoter_twin.on_closed(order)
        if not quietly:
            self.reconcile((order.strategy, order.instrument))

    def step(self) -> None:
        draw, venue = self.rng.random(), self.venue
        if draw < 0.3:
            mid = self.rng.randint(98, 103)
            size = [self.rng.choice([0, 10, 10, 20]) for _ in range(2)]
            self.set_target(
                self.rng.choice(KEYS),
                mid - self.rng.choice([1, 1, 2, 0]),
                size[0],
                mid + self.rng.choice([1, 0]),
                size[1],
            )
        elif draw < 0.33:
            self.pull(self.rng.randint(0, 1))
        elif draw < 0.34:
            self.quoter.forget_refusals()
            self.quoter_twin.forget_refusals()
        elif draw < 0.6 and venue.inbox:
            venue.read_one()
        elif draw < 0.66 and venue.held:
            venue.fill(self.rng.choice(list(venue.held)))
        elif draw < 0.67 and venue.held:
            venue.end(self.rng.choice(list(venue.held)), Reason.SESSION_CANCEL)
        elif venue.outbox:
            self.hear(venue.outbox.pop(0))

    def settle(self) -> None:
        self.venue.rng = random.Random(0)
        self.venue.rng.random = lambda: 1.0  # type: ignore[method-assign]  # a venue that refuses nothing
        self.refusing = 0.0
        while self.venue.inbox or self.venue.outbox:
            while self.venue.inbox:
                self.venue.read_one()
            while self.venue.outbox:
                self.hear(self.venue.outbox.pop(0))


@pytest.mark.parametrize("run", range(10))
def test_random_quoting_keeps_its_promises(run: int, seed: int):
    rng = random.Random(f"{seed}-{run}")
    desk = Desk(rng)

    for _ in range(2500):
        desk.step()
        desk.venue.check_one_order_a_side()
        desk.venue.check_own_orders_never_meet()

    assert min(desk.sent[kind] for kind in (Type.NEW_ORDER, Type.REPLACE_ORDER, Type.CANCEL_ORDER)) > 20
    saved = desk.quoter.save()
    desk.quoter = _native.Quoter(2, 2)
    desk.quoter.load(saved)
    assert desk.quoter.save() == saved
    desk.settle()
    for key in KEYS:
        desk.set_target(key, 100, 30, 105, 40)
        desk.settle()
    rests = sorted((o["strategy"], o["instrument"], o["side"], o["px"], o["leaves"]) for o in desk.venue.held.values())
    assert rests == sorted((*key, *half) for key in KEYS for half in [(BUY, 100, 30), (SELL, 105, 40)])
