"""Arming and kill, slow and obvious: every scope by its own few facts, asked anew each time."""

from dataclasses import dataclass, field

from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, KillLevel

Scope = tuple[int, int]  # strategy, instrument; NO_STRATEGY, NO_INSTRUMENT: the node
NODE = (NO_STRATEGY, NO_INSTRUMENT)
GRANT_MAX_NS = 15 * 60 * 10**9


@dataclass
class Facts:
    """What was said of one scope."""

    armed: ArmState = ArmState.FULL
    killed: KillLevel = KillLevel.NONE
    doubted: bool = False
    granted: ArmState | None = None

    def unkilled(self) -> ArmState:
        state = min(self.armed, ArmState.CANCEL_ONLY) if self.doubted else self.armed
        return state if self.granted is None else max(state, self.granted)

    def state(self) -> ArmState:
        most = {KillLevel.NONE: ArmState.FULL, KillLevel.SOFT: ArmState.REDUCE_ONLY}
        return min(self.unkilled(), most.get(self.killed, ArmState.CANCEL_ONLY))


@dataclass
class Arming:
    """The same answers as the native Arming."""

    strategies_max: int
    instruments_max: int
    scopes: dict[Scope, Facts] = field(default_factory=lambda: {NODE: Facts(ArmState.OFF)})
    limited_percent: int = 10

    def knows(self, scope: Scope) -> bool:
        strategy, instrument = scope
        if strategy != NO_STRATEGY and instrument != NO_INSTRUMENT:
            return False
        return strategy in (NO_STRATEGY, *range(self.strategies_max)) and instrument in (
            NO_INSTRUMENT,
            *range(self.instruments_max),
        )

    def of(self, scope: Scope) -> Facts:
        return self.scopes.setdefault(scope, Facts())

    def state(self, strategy: int, instrument: int) -> ArmState:
        return min(facts.state() for facts in self._around(strategy, instrument))

    def killed(self, strategy: int, instrument: int) -> KillLevel:
        return max(facts.killed for facts in self._around(strategy, instrument))

    def account_is_lowered(self, instrument: int) -> bool:
        return self.state(NO_STRATEGY, instrument) < ArmState.LIMITED

    def _around(self, strategy: int, instrument: int) -> list[Facts]:
        return [self.of(NODE), self.of((strategy, NO_INSTRUMENT)), self.of((NO_STRATEGY, instrument))]
