"""Decides what becomes of a request: who asks, may they, does it need a second person, and what the node is then told.

Stopping is done first and explained afterwards. Everything else is: known person, allowed act, sound request, second
person where one is not enough. Every request, the refused ones too, becomes an Operator record of the journal.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from openbell import events
from openbell._native import OperatorVerb
from openbell.journal.assets import is_called
from openbell.ops.control import requests as asked
from openbell.ops.control.adjusting import Adjusting, adjusting
from openbell.ops.control.limits import LimitsChange
from openbell.ops.control.names import find_instrument, some, unknown
from openbell.ops.control.permissions import TWO_PEOPLE, Act, Role, ScopeKind, may, who_may
from openbell.ops.control.proposals import Person, Proposal, Proposals, RefusedError, Seen
from openbell.ops.control.replacing import Replacement, Replacing
from openbell.ops.control.tuning import Tuning
from openbell.ops.control.world import Armed, Target, World
from openbell.types import NO_STRATEGY, ArmState, KillLevel

REFUSED, DONE, PROPOSED = 0, 1, 2
"""Outcomes in Operator records; what was refused names no act, but says why."""
NO_ACT = 0
MINUTE_NS = 60 * 10**9
Answer = dict[str, Any]


@dataclass(frozen=True)
class Operator:
    """A person of the node's file."""

    person: Person
    roles: frozenset[Role]


class Limits(Protocol):
    """What the desk asks of the limits: the set in force, and what a file would change."""

    def show(self) -> list[str]: ...
    def compare(self, text: str) -> LimitsChange: ...


@dataclass
class ControlDesk:
    """One node's desk. `identities`: people that a loosening needs; `owners`: of strategies, "" = anybody's."""

    world: World
    operators: dict[int, Operator]
    identities: int = 2
    owners: dict[str, str] = field(default_factory=dict)
    limits: Limits | None = None
    tuning: Tuning | None = None
    replacing: Replacing | None = None
    clips: dict[str, int] = field(default_factory=dict)  # most lots of one order that flattens a strategy
    new_id: Callable[[], str] = lambda: f"p-{secrets.token_hex(4)}"
    proposals: Proposals = field(default_factory=Proposals)
    _stops: int = 0  # kills of one strategy or instrument that came by here
    _adjusted: int = 0  # positions that were moved by hand

    def answer(self, line: bytes, uid: int, now_ns: int, pid: int = 0) -> Answer:
        """What becomes of `line`, asked by process `pid` of `uid` at `now_ns` of a clock that nobody sets."""
        try:
            who = self.operators.get(uid)
            if who is None:
                raise RefusedError(
                    f"expected a person of [[operators]], found uid {uid}; nobody else may ask anything: add a table "
                    "for them and restart the node"
                )
            request = asked.read_request(line)
            return {"ok": True, **self._carry_out(request, who, now_ns, pid)}
        except RefusedError as error:
            self._record(uid, NO_ACT, REFUSED, Target(), str(error))
            return {"ok": False, "error": str(error)}

    def _carry_out(self, request: asked.Request, who: Operator, now_ns: int, pid: int) -> Answer:
        match request:
            case asked.Kill():
                return self._kill(request, who)
            case asked.Arm():
                return self._arm(request, who, now_ns)
            case asked.Limits():
                return self._limits(request, who, now_ns)
            case asked.Signal():
                return self._signal(request, who, pid)
            case asked.Params():
                return self._params(request, who)
            case asked.Strategy():
                return (
                    self._replace(request, who, now_ns) if request.act == "replace" else self._lifecycle(request, who)
                )
            case asked.Adjust():
                return self._adjust(request, who, now_ns)
            case asked.Position():
                return self._position(request, who)
            case asked.Approve():
                return self._approve(request, who, now_ns)
            case asked.Deny():
                return self._deny(request, who, now_ns)
            case asked.ProposalsOpen():
                self._expect(Act.LOOK, Target(), who)
                return {"proposals": [p.shown(now_ns) for p in self.proposals.open(now_ns)]}
            case asked.Waiting():
                self._expect(Act.LOOK, Target(), who)
                return {"waiting": self.world.waiting()}
            case _:  # asked.Status
                self._expect(Act.LOOK, Target(), who)
                return self._status(now_ns)

    # ---- stopping

    def _kill(self, request: asked.Kill, who: Operator) -> Answer:
        (target, *others), level = self._targets(request), KillLevel[request.level.upper()]
        self._expect(Act.STOP, target, who)
        uid = who.person.uid
        if request.all:
            self.world.set_kill(level, uid)
        else:
            self._stops += 1
            for one in (target, *others):
                ticket = self.world.ask_scoped()
                if not self.world.push(events.kill(level, request.why, uid=uid, ticket=ticket, **one.ids)):
                    raise RefusedError(
                        f"kill of {one.name}: the gate is closed to every new order, but the trading thread takes no "
                        "commands, so nothing is cancelled; kill the node: openbell kill --all"
                    )
        self._record(uid, Act.STOP, DONE, target, f"kill {request.level} {target.name}: {request.why}")
        return {"killed": target.name, "level": request.level}

    # ---- arming

    def _arm(self, request: asked.Arm, who: Operator, now_ns: int) -> Answer:
        target, state = self._target(request), ArmState[request.state.upper()]
        before = self.world.armed(target)
        act = _act_of(request, state, before)
        self._expect(act, target, who)
        if before.is_held and act == Act.RAISE:
            raise RefusedError(f"{target.name} is {before.held}: expected a release; add --release, and say why")
        if not before.is_held and act == Act.RELEASE:
            raise RefusedError(f"{target.name}: expected a kill, a doubt or a halted strategy to release, found none")
        if act == Act.BREAK_GLASS and before.killed != KillLevel.NONE:
            raise RefusedError(f"{target.name} is {before.held}: break-glass does not pass a kill; release it instead")
        if act in TWO_PEOPLE and not request.why:
            raise RefusedError(f"arm {target.name}: expected why, found nothing; the other person has to judge it")
        in_doubt = self._in_doubt(request, act, target)
        running = self._acknowledged(request, act, target)
        says = [f"{target.name}: {before.state.name} -> {state.name}"]
        says += [f"acknowledges that {running} runs"] if running else []
        says += [f"releases: {before.held}"] if act == Act.RELEASE else []
        says += [f"never reached the venue: {some(in_doubt)}"] if in_doubt else []
        says += [f"for {request.minutes} minutes, then as before"] if act == Act.BREAK_GLASS else []
        return self._do_or_propose(act, target, tuple(says), request.why, request, who, now_ns)

    def _in_doubt(self, request: asked.Arm, act: Act, target: Target) -> list[str]:
        """What a release of the node says never reached the venue; until then, and while books differ, none is made."""
        if act != Act.RELEASE or _kind(target) != ScopeKind.NODE:
            return []
        if breaks := self.world.open_breaks():
            raise RefusedError(
                f"{target.name}: expected books that agree with the venue's, found {some(breaks)}; openbell breaks "
                "shows them; if it cannot wait: --minutes 5 instead of --release"
            )
        in_doubt = self.world.in_doubt()
        if in_doubt and not request.settle:
            raise RefusedError(
                f"{target.name}: expected no order in doubt, found {some(in_doubt)}; the venue's reports settle them, "
                "or ask it: if it has none of them, add --settle"
            )
        return in_doubt

    def _acknowledged(self, request: asked.Arm, act: Act, target: Target) -> str:
        """What the person says runs, where core, strategies, limits or configuration are not those of the last run."""
        running = self.world.unacknowledged() if _kind(target) == ScopeKind.NODE else ""
        if running and act in (Act.RELEASE, Act.BREAK_GLASS) and request.acknowledge != running:
            raise RefusedError(
                f"{target.name}: expected --acknowledge {running}, because what runs is not what ran before, found "
                f"{request.acknowledge or 'nothing'}; the node has printed at its start what differs"
            )
        return running if act == Act.RELEASE else ""

    def _limits(self, request: asked.Limits, who: Operator, now_ns: int) -> Answer:
        if self.limits is None:
            raise RefusedError("limits: the node has not begun its first epoch; ask again when it runs")
        if not request.file:
            self._expect(Act.LOOK, Target(), who)
            return {"limits": self.limits.show()}
        change = self.limits.compare(request.file)
        act = Act.LOOSEN if change.is_loosening else Act.TIGHTEN
        self._expect(act, Target(), who)
        if not change.says:
            return {"done": "the file says what is in force already; nothing was done"}
        if act == Act.LOOSEN and not request.why:
            raise RefusedError("limits: expected why, found nothing; the other person has to judge it")
        return self._do_or_propose(act, Target(), change.says, request.why, change, who, now_ns)

    # ---- running strategies

    def _signal(self, request: asked.Signal, who: Operator, pid: int) -> Answer:
        """No Operator record: the signal's own says who sent it, and there may be many."""
        tuning = self._tuning()
        record = tuning.signal(request.name, request.value, request.instrument, who.person.uid, pid)
        strategy = tuning.signals[request.name].strategy
        self._expect(Act.SIGNAL, self._strategy(strategy) if strategy else Target(), who)
        if not self.world.push(record):
            raise RefusedError(
                f"signal {request.name}: the trading thread takes no more (its ring is full); it is lost"
            )
        return {"sent": request.name, "value": request.value}

    def _params(self, request: asked.Params, who: Operator) -> Answer:
        tuning = self._tuning()
        if not request.values:
            self._expect(Act.LOOK, Target(), who)
            return {"params": tuning.shown(request.strategy)}
        target = self._strategy(request.strategy)
        self._expect(Act.TUNE, target, who)
        records, says = tuning.change(request.strategy, request.values)
        for record in records:
            if not self.world.push(record):
                raise RefusedError(
                    f"params: the trading thread takes no commands (its ring is full); {says[0]} is lost"
                )
        text = "; ".join(says)
        self._record(who.person.uid, Act.TUNE, DONE, target, f"{text}: {request.why}" if request.why else text)
        return {"done": text}

    def _lifecycle(self, request: asked.Strategy, who: Operator) -> Answer:
        """One person stops and flattens; who starts may raise, and what failed or was killed is released first."""
        target, before = self._strategy(request.strategy), self.world.armed(self._strategy(request.strategy))
        self._expect(Act.RAISE if request.act == "start" else Act.STOP, target, who)
        if request.act == "start" and before.is_held:
            raise RefusedError(
                f"{target.name} is {before.held}: expected a release, found none; look why, then: "
                f'openbell arm NODE full --strategy {request.strategy} --release --why "..."'
            )
        verb = OperatorVerb[f"STRATEGY_{request.act.upper()}"]
        by = events.By(who.person.uid, why=request.why)
        clip = self.clips.get(request.strategy, 0) if request.act == "flatten" else 0
        if not self.world.push(events.lifecycle(verb, target.strategy, by=by, qty_max=clip)):
            raise RefusedError(
                f"{request.act} {target.name}: the trading thread takes no commands (its ring is full); is it stuck? "
                "openbell status shows it, openbell kill stops it"
            )
        return {"done": f"{request.act} {target.name}"}

    def _replace(self, request: asked.Strategy, who: Operator, now_ns: int) -> Answer:
        """As a start with another strategy would need it; what is new is looked at before anything is stopped."""
        target = self._strategy(request.strategy)
        self._expect(Act.REPLACE, target, who)
        if self.replacing is None:
            raise RefusedError("this node calls no strategies; it only records")
        if not request.why:
            raise RefusedError(f"replace {target.name}: expected why, found nothing; the other person has to judge it")
        change = self.replacing.look(request.strategy, request.file, request.class_name)
        if change is None:
            return {"looking": request.strategy}
        return self._do_or_propose(Act.REPLACE, target, change.says, request.why, change, who, now_ns)

    def _adjust(self, request: asked.Adjust, who: Operator, now_ns: int) -> Answer:
        target = self._strategy(request.strategy)
        self._expect(Act.ADJUST, target, who)
        change = adjusting(request, target, self.world)
        return self._do_or_propose(Act.ADJUST, target, change.says, request.why, change, who, now_ns)

    def _position(self, request: asked.Position, who: Operator) -> Answer:
        target = self._strategy(request.strategy)
        self._expect(Act.LOOK, target, who)
        held = self.world.position(target.strategy, find_instrument(self.world, request.symbol))
        return {"position": held, "compared_ns": self.world.compared_ns(), "breaks": self.world.open_breaks()}

    def _tuning(self) -> Tuning:
        if self.tuning is None:
            raise RefusedError("this node takes neither signals nor parameters; it only records")
        return self.tuning

    def _strategy(self, name: str) -> Target:
        number = self.world.strategies.get(name)
        if number is None:
            raise unknown("strategy", name, self.world.strategies)
        return Target(strategy=number, name=f"strategy {name}")

    # ---- two people

    def _do_or_propose(
        self, act: Act, target: Target, says: tuple[str, ...], why: str, change: Any, who: Operator, now_ns: int
    ) -> Answer:
        seen = Seen(self.world.kill_generation(), self._stops, self.world.in_doubt(), self._adjusted)
        proposal = Proposal(
            self.new_id(), act, _kind(target), target.name, who.person, says, why, now_ns, (target, change, seen)
        )
        if act not in TWO_PEOPLE or self.identities == 1:
            return self._do(proposal, None)
        self.proposals.add(proposal, now_ns)
        self._record(who.person.uid, act, PROPOSED, target, f"{proposal.id} {says[0]}: {why}")
        answer: Answer = {"proposal": proposal.shown(now_ns)}
        approvers = [o.person.name for o in self._approvers(proposal, who.person)]
        answer["next"] = (
            f"within 10 minutes {' or '.join(approvers)}: openbell approve {proposal.id}"
            if approvers
            else "nobody else has role risk: add a second person to [[operators]] and restart the node"
        )
        return answer

    def _approvers(self, proposal: Proposal, proposer: Person) -> Iterable[Operator]:
        able = (o for o in self.operators.values() if may(Act.APPROVE, proposal.scope, o.roles))
        return [operator for operator in able if operator.person.uid != proposer.uid]

    def _approve(self, request: asked.Approve, who: Operator, now_ns: int) -> Answer:
        proposed = self.proposals.look(request.proposal, now_ns)
        target, change, seen = proposed.change
        self._expect(Act.APPROVE, target, who)
        if isinstance(change, asked.Arm):
            in_doubt = self._in_doubt(change, proposed.act, target)
            if unseen := [order for order in in_doubt if order not in seen.in_doubt]:
                raise RefusedError(
                    f"proposal {proposed.id}: expected only orders in doubt that it names, found {some(unseen)}; ask "
                    "the venue for these too, and propose again"
                )
        proposal = self.proposals.approve(request.proposal, who.person, now_ns)
        if proposal.act not in (Act.LOOSEN, Act.ADJUST) and seen[:2] != (self.world.kill_generation(), self._stops):
            raise RefusedError(
                f"proposal {proposal.id}: expected no kill since it was made, found one; look why, and propose again"
            )
        return self._do(proposal, who.person)

    def _deny(self, request: asked.Deny, who: Operator, now_ns: int) -> Answer:
        target, _, _ = self.proposals.look(request.proposal, now_ns).change
        self._expect(Act.DENY, target, who)
        proposal = self.proposals.deny(request.proposal, who.person, now_ns)
        self._record(who.person.uid, Act.DENY, DONE, target, f"deny {proposal.id}: {request.why}")
        return {"denied": proposal.id}

    def _do(self, proposal: Proposal, approver: Person | None) -> Answer:
        target, change, seen = proposal.change
        by = events.By(proposal.proposer.uid, approver.uid if approver else -1, proposal.why)
        if isinstance(change, LimitsChange | Replacement) and not change.is_current():
            raise RefusedError(
                f"proposal {proposal.id}: expected what is in force to be what it was compared with, found that "
                "changed since; compare again"
            )
        if isinstance(change, Adjusting) and change.match and seen.adjusted != self._adjusted:
            raise RefusedError(
                f"proposal {proposal.id}: expected no position to be moved by hand since it was made, found one moved; "
                "see what openbell breaks says now, and propose again"
            )
        if isinstance(change, LimitsChange):
            change.keep()
        more = {"adjusted": change.names} if isinstance(change, Adjusting) else {}
        for record in self._records(change, target, by, seen.kills):
            if not self.world.push(record):
                raise RefusedError(
                    f"{proposal.says[0]}: the trading thread takes no commands (its ring is full); is it stuck? "
                    "openbell status shows it, openbell kill stops it"
                )
        self._adjusted += isinstance(change, Adjusting)
        alarms = change.taken() if isinstance(change, LimitsChange) else ()
        uid = approver.uid if approver else by.uid
        for text in (f"{proposal.says[0]}: {by.why}", *alarms):
            self._record(uid, Act.APPROVE if approver else proposal.act, DONE, target, text)
        return {"done": "; ".join((*proposal.says, *alarms)), **more}

    def _records(
        self, change: asked.Arm | LimitsChange | Replacement | Adjusting, target: Target, by: events.By, generation: int
    ) -> tuple[bytes, ...]:
        if isinstance(change, LimitsChange):
            return change.records
        if isinstance(change, Replacement | Adjusting):
            return change.records(by)
        until = self.world.engine_now_ns() + change.minutes * MINUTE_NS if change.minutes else 0
        meant = (events.acknowledged(by, change.acknowledge),) if change.acknowledge and change.release else ()
        return (
            *meant,
            events.arm(
                ArmState[change.state.upper()],
                after_kill=change.release,
                settles=change.settle,
                by=by,
                grant_until_ns=until,
                kill_generation=generation,
                **target.ids,
            ),
        )

    # ---- looking

    def _status(self, now_ns: int) -> Answer:
        named = {"node": Target()} | {f"strategy {n}": Target(i, name=n) for n, i in self.world.strategies.items()}
        named |= {f"instrument {s}": Target(instrument=i, name=s) for s, i in self.world.instruments().items()}
        return {
            "scopes": {name: self.world.armed(target).as_dict() for name, target in named.items()},
            "identities": self.identities,
            "proposals": [p.shown(now_ns) for p in self.proposals.open(now_ns)],
        }

    def _target(self, request: asked.Kill | asked.Arm) -> Target:
        if request.strategy:
            return self._strategy(request.strategy)
        if request.instrument:
            number = find_instrument(self.world, request.instrument)
            return Target(instrument=number, name=f"instrument {request.instrument}")
        return Target()

    def _targets(self, request: asked.Kill) -> list[Target]:
        """An instrument named by its symbol alone is that of every venue: to stop one too many is no harm."""
        if not request.instrument:
            return [self._target(request)]
        name, known = request.instrument, self.world.instruments()
        numbers = [number for called, number in known.items() if is_called(called, name)]
        return [Target(instrument=n, name=f"instrument {name}") for n in numbers] or [self._target(request)]

    def _expect(self, act: Act, target: Target, who: Operator) -> None:
        kind = _kind(target)
        if not may(act, kind, who.roles):
            roles = ", ".join(sorted(role.value for role in who.roles))
            raise RefusedError(
                f"{act.name.lower()} {target.name}: expected role {who_may(act, kind)}, found {who.person.name} with "
                f"{roles}; ask somebody who has it"
            )
        owner = self.owners.get(target.name.removeprefix("strategy "), "") if kind == ScopeKind.STRATEGY else ""
        is_owners = act in (Act.RAISE, Act.TUNE, Act.REPLACE, Act.ADJUST)
        if is_owners and owner and Role.RISK not in who.roles and owner != who.person.name:
            raise RefusedError(
                f"{act.name.lower()} {target.name}: expected its owner {owner} or role risk, found {who.person.name}; "
                f"ask {owner}"
            )

    def _record(self, uid: int, act: int, outcome: int, target: Target, text: str) -> None:
        """Best effort: what the ring cannot take was refused for that very reason, or is a kill that is in the cell."""
        by = events.By(uid, why=text)
        self.world.push(events.asked(by, act, outcome, **target.ids))


def _act_of(request: asked.Arm, state: ArmState, before: Armed) -> Act:
    if request.minutes:
        return Act.BREAK_GLASS
    if request.release:
        return Act.RELEASE
    return Act.RAISE if state > before.state else Act.LOWER


def _kind(target: Target) -> ScopeKind:
    if target.strategy != NO_STRATEGY:
        return ScopeKind.STRATEGY
    return ScopeKind.NODE if target == Target() else ScopeKind.INSTRUMENT
