"""One simulated day: the node, its market, the network between them, and what time does to all of it."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

from tests.simulation import market as m
from tests.simulation.data_tap import FEED_SOURCE, DataTap
from tests.simulation.discipline import seed_all
from tests.simulation.plan import Event, Plan
from tests.simulation.process import Node
from tests.simulation.states import states_of
from tests.simulation.strategies import MISCHIEF
from tests.simulation.tap import WireTap

from openbell import _native as native
from openbell import events
from openbell.errors import JournalError
from openbell.types import ArmState, KillLevel, OrderState

MIDNIGHT_NS = 1_750_000_000_000_000_000 // 86_400_000_000_000 * 86_400_000_000_000
OPEN_NS = MIDNIGHT_NS + 10 * 3_600_000_000_000
STEP_NS = (20_000, 50_000, 200_000, 1_000_000)
CALM_STEP_NS = 20_000_000
CALM_STEPS_MAX = 6_000
"""Steps in which a node must have converged after the last fault: two minutes."""
CALM_STEPS_LEAST = 100
FAR_PATIENCE_STEPS = 1_000
RESTART_STEPS = (1, 30)
STOP_NS = 5_000_000_000


class Violation(AssertionError):
    """The node broke a promise; the message says which."""


class Day:
    """`run` meets the plan's faults, `heal` must converge, `close` ends the day. Everything follows from the plan."""

    def __init__(self, plan: Plan, faults: dict[str, Callable[[Day, random.Random], None]], directory: Path) -> None:
        self.plan, self.faults = plan, faults
        self.rng = random.Random(f"day {plan.seed}")
        self.clock = native.SimClock(OPEN_NS)
        self.nets = {name: native.SimNet(self.clock, self.rng.getrandbits(63)) for name in m.NETS}
        self.market = m.Market(self.clock, self.nets, random.Random(f"market {plan.seed}"), MIDNIGHT_NS)
        self.far = self._far_market(1) if plan.has_far else None
        self.far_begins_at = 0
        """The step in which the far venue's next session begins."""
        self.node = Node(plan, self.clock, self.nets, directory)
        self.node.day_ns = MIDNIGHT_NS
        self.taps, self.data = [WireTap(plan, number) for number in range(1 + plan.trades_far)], DataTap()
        self.cells: Counter[tuple[str, str]] = Counter()
        """How often each fault met the node in each state."""
        self.counts: Counter[str] = Counter()
        self.paused_until_ns = 0
        self.is_calm = False
        self.stop_by_ns = 0
        """When a node that is to stop ends, whatever is open; 0: none is."""
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._ticket = count()
        self.at = 0
        self.clock.set_on_relax(self._let_disk_work)
        seed_all(f"global {plan.seed}")
        MISCHIEF.clock, MISCHIEF.strays = self.clock, 0
        MISCHIEF.behave()
        self.start()

    def _far_market(self, number: int) -> m.Market:
        at = replace(m.FAR, session=f"FAR{number:07}")
        return m.Market(self.clock, self.nets, random.Random(f"far {self.plan.seed} {number}"), MIDNIGHT_NS, at)

    @property
    def traded(self) -> list[m.Market]:
        """Where the node has an order session, in the order of their numbers."""
        return [self.market, self.far] if self.far is not None and self.plan.trades_far else [self.market]

    def collect(self) -> None:
        """What left by every session."""
        for tap in self.taps:
            tap.collect(self)

    def venue(self, rng: random.Random) -> tuple[m.Market, native.SimStream]:
        """One of them, and the node's end of its order session."""
        number = rng.randrange(len(self.traded)) if len(self.traded) > 1 else 0
        return self.traded[number], self.node.streams[number]

    def _step_far(self) -> None:
        if self.far is None:
            return
        self.far.step()
        if self.far.is_over and self.at >= self.far_begins_at:
            number = int(self.far.at.session[3:]) + 1
            self.far = None  # its addresses are free
            self.far = self._far_market(number)
            self.far.is_flowing = not self.is_calm

    def _let_disk_work(self) -> None:
        self.node.archive()

    # ---- processes

    def start(self) -> None:
        """The supervisor starts the trading process, and an operator arms it, now or a little later."""
        if self.node.native is not None:
            return
        self.node.is_settled = False
        try:
            self.node.start()
        except native.SimulatedDeath:
            self._after_death()
            return
        except JournalError as error:
            if "hot segments" not in str(error):
                raise
            self.node.die()
            self.later(self.rng.randint(*RESTART_STEPS), self.start)
            return
        self.stop_by_ns = 0
        self.later(self.rng.choice([0, 0, 5, 25]), lambda: self.arm(ArmState.FULL))

    def die(self) -> None:
        """The trading process is gone; its supervisor starts another one."""
        self.collect()
        self.node.die()
        self.later(self.rng.randint(*RESTART_STEPS), self.start)

    def lose_power(self, seed: int) -> None:
        """The host is gone; it boots again."""
        self.collect()
        self.node.lose_power(seed)
        self.later(self.rng.randint(*RESTART_STEPS), self.start)

    # ---- people

    def arm(self, state: ArmState, *, after_kill: bool = False, settles: bool = False) -> None:
        """An operator arms the node."""
        cell = self.node.kill_cell()
        generation = cell.generation if cell is not None else 0
        self.node.submit(events.arm(state, after_kill=after_kill, kill_generation=generation, settles=settles))

    # ---- time

    def later(self, steps: int, act: Callable[[], None]) -> None:
        """Do `act` in so many steps."""
        heapq.heappush(self._later, (self.at + steps, next(self._ticket), act))

    def step(self) -> None:
        """A moment passes."""
        self.at += 1
        self.clock.advance(self.rng.choice(STEP_NS) if not self.is_calm else CALM_STEP_NS)
        while self._later and self._later[0][0] <= self.at:
            heapq.heappop(self._later)[2]()
        self.market.step()
        self._step_far()
        for tap in self.taps:
            tap.before(self)
        if self.clock.now_ns() >= self.paused_until_ns:
            self._step_node()
        if wrong := self.data.collect(self.node):
            raise Violation(wrong)
        self._archive()
        self.collect()
        if not self.node.is_settled and self.node.native is not None:
            self.node.is_settled = self._is_healthy()
        if self.stop_by_ns:
            self._stop()

    dies_at_look = 0
    """Set while a death of the process at so many looks at the clock is to come."""

    def begin_stop(self) -> None:
        """Ctrl-C: cancel all, and end when the venue has confirmed it, or did not for long."""
        if self.node.native is not None and not self.stop_by_ns:
            self.stop_by_ns = self.clock.now_ns() + STOP_NS
            try:
                self.node.begin_stop()
            except native.SimulatedDeath:
                self._after_death()

    def _stop(self) -> None:
        if self.node.native is None:
            self.stop_by_ns = 0
        elif not self.node.engine.is_draining:
            raise Violation("a node on its way out trades again")
        elif not self.node.engine.live_orders() or self.clock.now_ns() >= self.stop_by_ns:
            self.counts["left orders open"] += bool(self.node.engine.live_orders())
            self.stop_by_ns = 0
            try:
                self.node.close()
                self.later(self.rng.randint(*RESTART_STEPS), self.start)
            except native.SimulatedDeath:
                self._after_death()

    def _step_node(self) -> None:
        try:
            self.node.step(self.dies_at_look)
        except native.SimulatedDeath:
            self._after_death()
        except JournalError as error:
            if "hot segments" not in str(error):
                raise
            self.counts["ended for want of space"] += 1
            self.die()

    def _archive(self) -> None:
        if self.plan.is_durable or self.at % 8 == 0:
            try:
                self.node.archive()
            except native.SimulatedDeath:
                self._after_death()

    power_seed: int | None = None
    """Set while a death is to take the whole host with it."""

    def _after_death(self) -> None:
        self.dies_at_look = 0
        if self.power_seed is not None:
            self.lose_power(self.power_seed)
            self.power_seed = None
        else:
            self.die()

    has_lost_tail = False
    """The host lost what was not on the disk yet, as `memory` says it may: nobody trades any more on this day."""

    def run(self) -> None:
        """Trade under the plan's faults."""
        due = list(reversed(self.plan.events))
        while self.at < self.plan.steps and not self.has_lost_tail:
            while due and due[-1].step <= self.at and not self.has_lost_tail:
                self._meet(due.pop())
            self.step()

    def _meet(self, event: Event) -> None:
        for state in states_of(self.node):
            self.cells[event.fault, state] += 1
        self.counts[event.fault] += 1
        self.faults[event.fault](self, random.Random(event.seed))

    # ---- after the faults

    def heal(self) -> None:
        """No fault any more, and an operator who clears what needs one; the node must know what the venue knows.

        Raises:
            Violation: it does not, after two minutes.
        """
        self.is_calm = True
        self._later = [entry for entry in self._later if entry[2] == self.start]
        heapq.heapify(self._later)
        self.paused_until_ns = self.node.disk_waits_until_ns = 0
        self.power_seed = None
        for net in self.nets.values():
            for name in ("loss_ppm", "duplicate_ppm", "jitter_ns", "delay_ns", "stamp_ns"):
                setattr(net.faults, name, 0)
        self.dies_at_look = 0
        self.node.disk.fail_sync(0)
        self.node.disk.fail_call(0)
        self.node.disk.die_at_call(0)
        self.node.archiver_aborts = False
        self.node.disk.set_room(1 << 60)
        for stream in self.node.streams:
            stream.die_at_send(0)
            stream.hold_in_until_ns = stream.hold_out_until_ns = 0
            stream.send_max = 1 << 18
        for market in filter(None, (self.market, self.far)):
            market.calm_down()
            market.is_flowing = False
        MISCHIEF.behave()
        began = self.at
        while not (self.at >= began + CALM_STEPS_LEAST and self.is_converged()):
            if self.at >= began + CALM_STEPS_MAX:
                raise Violation(f"does not converge: {self.why_not()}")
            if (self.at - began) % 50 == 20:
                self._look_after_it(began)
            self.step()

    def _look_after_it(self, began: int) -> None:
        """What a person does who sees the node stand still."""
        if self.node.native is None and not self._later:
            self.start()
        if not self.node.is_rebooting:
            self.node.start_archiver()
        if self.at - began >= FAR_PATIENCE_STEPS and self.far is not None and not self._has_books(1, self.far):
            self._name_far_session(self.far.at.session)
        if not self.has_lost_tail and (self.node.engine.kill_level != KillLevel.NONE or not self._is_armed()):
            self.arm(ArmState.FULL, after_kill=True)
        elif not self.has_lost_tail and self._is_healthy() and self._unsettled():
            self.arm(ArmState.FULL, after_kill=True, settles=True)

    def _unsettled(self) -> bool:
        """Orders are in doubt, and the venue, asked, has none of them but in a version that the node knows of."""
        theirs = dict(native.ouch_token_decode(row[0]) for one in self.traded for row in one.open_orders())
        doubted = [o for o in self.node.engine.live_orders() if o.state == OrderState.IN_DOUBT]
        return bool(doubted) and all(theirs.get(o.cl_ord_id, 0) <= o.version for o in doubted)

    def _name_far_session(self, session: str) -> None:
        """Nobody was there when it ended: a person puts the name of the next one into the configuration."""
        if self.node.native is not None and self.node.far_session != session:
            self.node.far_session = session
            self.counts["far session named"] += 1
            self.die()

    def _is_armed(self) -> bool:
        engine = self.node.engine
        return bool(engine.arm_state == ArmState.FULL and engine.is_reconciled)

    def _is_healthy(self) -> bool:
        node = self.node
        return bool(
            node.native is not None
            and node.engine.is_session_up
            and self._has_books(0, self.market)
            and (self.far is None or (not self.far.is_over and self._has_books(1, self.far)))
            and not node.native.is_feed_recovering()
        )

    def _has_books(self, venue: int, market: m.Market) -> bool:
        """All that this session of the feed has said, and books that are believed."""
        engine, numbers = self.node.engine, self.node.books(venue, market.at.symbols)
        has_heard_all = engine.source_seq(FEED_SOURCE + venue) == market.core.itch_next - 1
        return has_heard_all and len(numbers) == len(market.at.symbols) and all(map(engine.is_book_valid, numbers))

    def is_converged(self) -> bool:
        """Session up, books valid, nothing under way, armed, all on disk."""
        if self.has_lost_tail:
            return self._is_healthy() and all(one.is_all_told() for one in self.traded)
        settled = (OrderState.NEW, OrderState.PARTIALLY_FILLED)
        untold = self.market_untold()
        node = self.node
        return bool(
            self._is_healthy()
            and not self.stop_by_ns
            and self._is_armed()
            and all(one.is_all_told() for one in self.traded)
            and all(o.state in settled or o.cl_ord_id in untold for o in node.engine.live_orders())
            and node.native is not None
            and node.native.durable_seq == node.native.last_seq
        )

    def why_not(self) -> str:
        """For people: what is missing."""
        engine = self.node.engine
        orders = [(o.cl_ord_id, o.state.name) for o in engine.live_orders()]
        return (
            f"process {'down' if self.node.native is None else 'up'}, states {states_of(self.node)}, orders {orders}, "
            f"session {engine.is_session_up}, armed {engine.arm_state.name}, kill {engine.kill_level.name}, "
            f"reconciled {engine.is_reconciled}, archiver {'failed' if self.node.archiver is None else 'up'}, "
            f"seq {self.node.native.last_seq if self.node.native else 0}, durable {self.node.durable_seq()}"
        )

    def market_untold(self) -> set[int]:
        """What became of them only the venue can say: a report was lost for good, or it holds more of an order than was
        asked for, and the order ended here by a fill that came before it said so."""
        tokens = [getattr(one, "token", "") for one in self.market.wrong.filters]
        live = {o.cl_ord_id for o in self.node.engine.live_orders()} if self.market.beyond else set()
        return {native.ouch_token_decode(token)[0] for token in tokens if token} | (self.market.beyond - live)

    def wind_down(self) -> None:
        """Ctrl-C, and every cancel confirmed that the venue will ever confirm.

        Raises:
            Violation: an order stays open.
        """
        self.node.begin_stop()
        began = self.at
        while not {o.cl_ord_id for o in self.node.engine.live_orders()} <= self.market_untold():
            if self.at >= began + CALM_STEPS_MAX:
                raise Violation(f"orders stay open: {self.why_not()}")
            self.step()
        self.close()

    def close(self) -> None:
        """The orderly end of the process, and all of its journal on the disk."""
        self.node.close()
        while self.node.archiver is not None and not self.node.archiver.is_done:
            self.node.archiver.run_once()
