"""The oracle engine's view of strategies that are not simply called: in processes of their own, stopped, flattened."""

from typing import Any

from openbell._native import OperatorVerb
from openbell.types import RECORDS, IntentKind, Reason, Type
from oracles.order_records import fields_of

STRATEGIES = 3
"""Source of the frames that say what a strategy in a process of its own said."""
Fields = dict[str, int]
OUTPUT = (Type.INTENT, Type.TIMER_ARMED, Type.STRATEGY_STATE, Type.STRATEGY_HALTED)


class EngineLifecycle:
    """Its state is `EngineInputs`'; here `flattening` beside `halted`, the strategies that are not called."""

    def _said(self: Any, records: bytes) -> list[bytes]:
        """What a process said and is taken; what is late is refused."""
        said = [records[at : at + 128] for at in range(0, len(records), 128)]
        head = values_of(said.pop(0)) if said[0][0] == Type.SAID else None
        taken = []
        for raw in said:
            if raw[0] not in OUTPUT:
                continue
            if raw[0] == Type.INTENT and head is not None and not self._is_taken(intent_of(raw), head):
                continue
            self.out.append(raw)
            taken.append(raw)
        return taken

    def _is_taken(self: Any, i: Fields, head: tuple[int, ...]) -> bool:
        seen_seq, seen_ns, age_max_ns, age_max_frames = head
        if i["kind"] in (IntentKind.CANCEL, IntentKind.CANCEL_ALL) or i["strategy"] in self.halted:
            return True
        is_known = True
        if i["kind"] in (IntentKind.ORDER, IntentKind.PARENT):
            counter = i["cl_ord_id"] & (1 << 30) - 1
            is_known = counter > self.counters.get(i["strategy"], 0)
            if is_known:
                self.counters[i["strategy"]] = counter
        age_ns, age_frames = self.now - seen_ns, self.seq - seen_seq
        if is_known and age_ns <= age_max_ns and age_frames <= age_max_frames:
            return True
        key = (i["strategy"], i["instrument"])
        if i["kind"] in (IntentKind.QUOTE, IntentKind.TARGET):
            self.targets.pop(key, None)
            if key in self.quoter.active():
                self.quoter.pull(*key)
                self._mark(key)
        limit, observed = age_max_frames, age_frames
        if age_ns > age_max_ns:
            limit, observed = age_max_ns, age_ns
        elif not is_known:
            limit, observed = self._next_id(i["strategy"]), i["cl_ord_id"]
        self._refuse(i | {"bid_px": limit, "ask_px": observed}, Reason.LATE)
        return False

    def _operator(self: Any, r: Fields, raw: bytes) -> None:
        strategy, verb, values = r["strategy"], r["code"], values_of(raw)
        if strategy >= self.strategies_max:
            return
        stops = verb in (OperatorVerb.STRATEGY_STOP, OperatorVerb.STRATEGY_FLATTEN)
        self.happened.stopped |= stops and strategy not in self.halted
        if verb == OperatorVerb.STRATEGY_STOP:
            self._stop_strategy(strategy)
        elif verb == OperatorVerb.STRATEGY_FLATTEN:
            self._stop_strategy(strategy)
            self.flattening.add(strategy)
            for number in range(len(self.instruments)):
                self._set_target(
                    (strategy, number), {"qty": 0, "px": 0, "display_qty": max(values[0], 0), "tag": 0}, None
                )
                self._mark((strategy, number))
        elif verb == OperatorVerb.STRATEGY_START and strategy in self.stopped:
            self._stop_strategy(strategy)
            self.halted.discard(strategy)
            self.stopped.discard(strategy)
            self.happened.restarted = True

    def _stop_strategy(self: Any, strategy: int) -> None:
        """What had failed stays so: only a release lets it go on."""
        if strategy not in self.halted:
            self.stopped.add(strategy)
        self.halted.add(strategy)
        self.flattening.discard(strategy)
        self._end_work(Reason.STRATEGY_IS_HALTED, strategy)
        for number in range(len(self.instruments)):
            self._mark((strategy, number))
        self.sweep_due = True

    def _end_flattening(self: Any) -> None:
        for strategy in sorted(self.flattening):
            is_open = any(self.oms.position(strategy, n)["qty"] for n in range(len(self.instruments)))
            if not is_open and not any(o.strategy == strategy for o in self.oms.live.values()):
                self._stop_strategy(strategy)


def values_of(raw: bytes) -> tuple[int, ...]:
    """The values of a control record."""
    at = RECORDS["Control"].fields["values"][1]
    return tuple(int.from_bytes(raw[at + 8 * i : at + 8 * i + 8], "little", signed=True) for i in range(4))


def intent_of(raw: bytes) -> Fields:
    """The fields of an intent."""
    return fields_of(raw, RECORDS["Intent"])[0]
