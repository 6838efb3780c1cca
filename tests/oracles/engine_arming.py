"""The oracle engine's arming: what people, breakers and contradictions do to quotes and open orders."""

from typing import Any

from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, KillLevel, Reason
from oracles import oms
from oracles.arming import GRANT_MAX_NS, NODE, Scope

AFTER_KILL, SETTLES = 1, 2
BREAKER_TIMER = 1 << 63
BUY = 1
Key = tuple[int, int]
Fields = dict[str, Any]


class EngineArming:
    """Its state is `EngineInputs`'."""

    def _on_arm(self, r: Fields, _: bytes) -> None:
        scope, facts = (r["strategy"], r["instrument"]), None
        if not self.arming.knows(scope):
            return None
        facts, state = self.arming.of(scope), ArmState(r["code"]) if r["code"] <= ArmState.FULL else ArmState.OFF
        if 0 < r["values"][2] <= 100:
            self.arming.limited_percent = r["values"][2]
        self.quoter.forget_refusals()
        if until := r["values"][3]:
            return self._grant(scope, state, min(until, self.now + GRANT_MAX_NS))
        facts.armed, facts.granted = state, None
        self.timers.pop(grant_timer(scope), None)
        if r["flags"] & AFTER_KILL:
            facts.killed, facts.doubted = KillLevel.NONE, False
            failed = {s for s in self.halted - self.stopped if scope == NODE or s == scope[0]}
            self.stopped |= failed & self.flattening
            self.halted -= failed - self.flattening
            if scope[1] == NO_INSTRUMENT:
                self.risk.flow.release(scope[0])
            if scope == NODE:
                self._release_sessions(settles=bool(r["flags"] & SETTLES))
        if scope == NODE and state >= ArmState.REDUCE_ONLY:
            self.draining = False
        return self._pull_lowered(scope)

    def _grant(self, scope: Scope, state: ArmState, until: int) -> None:
        key = grant_timer(scope)
        if until <= self.now:
            return
        self.timers.pop(key, None)
        if len(self.timers) < self.timers_max:
            self.timers[key] = until
            self.arming.of(scope).granted = state

    def _pull_lowered(self, scope: Scope) -> None:
        self.sweep_due = True
        for key in self.quoter.active():
            if covers(scope, key) and self.arming.state(*key) < ArmState.REDUCE_ONLY:
                self.quoter.pull(*key)
                self._mark(key)

    def _on_kill(self, r: Fields, _: bytes) -> None:
        scope = (r["strategy"], r["instrument"])
        scope = scope if self.arming.knows(scope) else NODE
        level = KillLevel(min(r["code"], KillLevel.CORD))
        self.arming.of(scope).killed = max(self.arming.of(scope).killed, level)
        self.sweep_due = True
        self.quoter.forget_refusals()
        if level >= KillLevel.HARD:
            named = [None if whom in (NO_STRATEGY, NO_INSTRUMENT) else whom for whom in scope]
            self._end_work(Reason.KILLED, *named)

    def _distrust(self, scope: Scope = NODE) -> None:
        if scope == NODE:
            return self._doubt_session(0)
        self.arming.of(scope).doubted = True
        self.arming.of(scope).granted = None
        return self._pull_lowered(scope)

    def _on_timer(self, r: Fields, raw: bytes) -> None:
        if r["strategy"] == NO_STRATEGY and r["timer_id"] == BREAKER_TIMER:
            self.breakers.is_due = True
            return
        self.timers.pop((r["strategy"], r["timer_id"]), None)
        if r["strategy"] != NO_STRATEGY:
            self.happened.timers.append(raw)
            return
        scope = (r["timer_id"] >> 32, r["timer_id"] & 0xFFFFFFFF)
        if self.arming.knows(scope):
            self.arming.of(scope).granted = None
            self._pull_lowered(scope)

    def _may_grow(self, order: oms.Order) -> bool:
        return self.arming.state(order.strategy, order.instrument) >= ArmState.LIMITED

    def _must_cancel(self, order: oms.Order) -> bool:
        if order.cancel_wanted or self.draining or order.strategy in self.risk.flow.latched:
            return True
        key = (order.strategy, order.instrument)
        closes = order.strategy in self.flattening and self.quoter.order_of(key, order.side) == order.cl_ord_id
        if order.strategy in self.halted and not closes:
            return True
        if self.arming.killed(order.strategy, order.instrument) >= KillLevel.HARD:
            return True
        if self._may_grow(order):
            return False
        owners = [order.strategy] + [None] * self.arming.account_is_lowered(order.instrument)
        return any(self._grows(order, self.oms.exposure(owner, order.instrument)) for owner in owners)

    @staticmethod
    def _grows(order: oms.Order, exposure: tuple[int, int, int, int]) -> bool:
        position, open_buy, open_sell, _ = exposure
        return (position + open_buy if order.side == BUY else open_sell - position) > 0


def covers(scope: Scope, key: Key) -> bool:
    """Whether a scope speaks of that strategy in that instrument."""
    return scope[0] in (NO_STRATEGY, key[0]) and scope[1] in (NO_INSTRUMENT, key[1])


def grant_timer(scope: Scope) -> tuple[int, int]:
    """The timer that ends a grant."""
    return NO_STRATEGY, scope[0] << 32 | scope[1]
