"""The node as processes come and go: trading process, archiver, snapshots; memory, shared memory and disk."""

from __future__ import annotations

import random
import shutil
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

from tests.simulation import market as m
from tests.simulation.discipline import disciplined
from tests.simulation.plan import Plan
from tests.simulation.strategies import Restless, Rogue

from openbell import _native as native
from openbell import events
from openbell.errors import JournalError
from openbell.journal import Source
from openbell.node.record import machine_code
from openbell.node.recovery import Recovered, recover_engine
from openbell.node.snapshots import read_snapshot, write_snapshot
from openbell.types import ArmState, BreakerKind, LimitKind, LimitScope

NODE = 3
RESTLESS, ROGUE = 1, 2
QTY_MAX, POSITION_MAX, OPEN_MAX = 100, 300, 20
OPERATOR = 1
NO_STRATEGY, NO_INSTRUMENT = 0xFFFF, 0xFFFFFFFF
SESSIONS = (Source.ORDER_ENTRY, Source.ORDER_ENTRY + 1)
ORDER_FIELDS = ("cl_ord_id", "version", "state", "strategy", "instrument", "side", "px", "qty", "leaves_qty", "cum_qty")
# fmt: off
ENGINE_FIELDS = (
    "seq", "now_ns", "epoch", "started", "arm_state", "kill_level",
    "is_draining", "is_reconciled", "is_session_up", "next_deadline", "limits_version",
    "limited_percent", "parameters", "day", "refusals", "book_faults", "state_hash",
)
# fmt: on
LOOKS_MAX = 200
"""A node polls until nothing happens; here, a bounded number of times."""


def capacity() -> native.EngineCapacity:
    """Small tables: a full one is met now and then."""
    out = native.EngineCapacity()
    out.instruments_max, out.strategies_max, out.book_orders_max, out.orders_max = 4, 3, 1 << 10, 128
    out.timers_max = 64
    return out


def presets(places: list[m.Place]) -> native.Presets:
    """Limits so narrow that some orders meet them, and breakers that trip now and then."""
    values = {
        LimitKind.ORDER_QTY: QTY_MAX,
        LimitKind.ORDER_NOTIONAL: 10**12,
        LimitKind.COLLAR_BPS: 500,
        LimitKind.POSITION_LONG: POSITION_MAX,
        LimitKind.POSITION_SHORT: POSITION_MAX,
        LimitKind.OPEN_ORDERS: OPEN_MAX,
    }
    out = native.Presets()
    out.add_conversion(events.conversion("USD", 10**8))
    out.add_limit(events.limit(LimitKind.ORDER_RATE, 100_000, scope=LimitScope.ACCOUNT, window_ns=10**9))
    for kind in (LimitKind.GROSS_NOTIONAL, LimitKind.DAILY_LOSS):
        out.add_limit(events.limit(kind, 10**15, scope=LimitScope.ACCOUNT, owner="sim"))
    for symbol in (symbol for at in places for symbol in at.symbols):
        for kind, value in values.items():
            out.add_limit(events.limit(kind, value, scope=LimitScope.INSTRUMENT, owner="sim"), symbol)
    out.add_control(
        events.breaker(
            BreakerKind.REJECT_RATE, to=ArmState.REDUCE_ONLY, threshold=8, again_below=1, window_ns=10**8, owner="sim"
        )
    )
    for number in range(len(places)) if len(places) > 1 else []:
        out.add_control(events.route(Source.FEED + number, Source.ORDER_ENTRY + number))
    return out


@cache
def compiled() -> Any:
    """The machine code of `Restless`, made once a process."""
    return machine_code(Restless)


def same_core(how: Recovered) -> None:
    """A snapshot may be damaged or of a lost future; that the same core goes on otherwise from one is a defect."""
    assert not [one for one in how.passed_over if "decides" in one], f"a snapshot is not the state it is of: {how}"


def shown(engine: native.Engine) -> tuple[Any, ...]:
    """All that an engine tells whoever asks, beside the hash of its state: what it saves has to hold all of it."""
    instruments, strategies = range(engine.instruments), range(capacity().strategies_max)
    scopes = [(), *((s, NO_INSTRUMENT) for s in strategies), *((NO_STRATEGY, i) for i in instruments)]
    rows = [[getattr(o, name) for name in ORDER_FIELDS] for o in engine.live_orders()]
    plain = [getattr(engine, name) for name in ENGINE_FIELDS] + [engine.session(s) for s in SESSIONS]
    of_scopes = [engine.arming(*scope) for scope in scopes]
    of_strategies = [(engine.strategy_state(s), engine.life_of(s), engine.is_latched(s)) for s in strategies]
    of_books = [(engine.touch(i), engine.is_book_valid(i), engine.trading(i)) for i in instruments]
    held = [(engine.position(s, i), engine.earned(s, i)) for s in strategies for i in instruments]
    return plain, of_scopes, of_strategies, of_books, held, rows, repr(engine.breakers())


def _ports(nets: dict[str, native.SimNet], at: m.Place) -> dict[str, native.SimDatagrams]:
    """What a feed is heard through; they stay while processes come and go."""
    places = {"A": at.line_a, "B": at.line_b, "requests": at.requests}
    return {net: native.SimDatagrams(nets[net], place) for net, place in places.items()}


class Node:
    """One node on its host. `native` is None while its process is down."""

    def __init__(self, plan: Plan, clock: native.SimClock, nets: dict[str, native.SimNet], directory: Path) -> None:
        self.plan, self.clock, self.nets = plan, clock, nets
        self.rng, self._chance = random.Random(f"node {plan.seed}"), random.Random(f"chance {plan.seed}")
        self.journal_dir, self.hot_dir = directory / "journal", directory / "hot"
        self.journal_dir.mkdir(parents=True)
        self.ports = _ports(nets, m.HOME)
        self.far_ports = _ports(nets, m.FAR) if plan.has_far else {}
        self.far_session = ""
        """The one that the configuration names; empty: the one that is heard."""
        for port in self.ports.values():
            port.tap()
        self.disk = native.SimDisk(str(self.journal_dir))
        self.archiver: native.Archiver | None = None
        self.is_rebooting = False
        self.disk_waits_until_ns = 0
        self.strategy_seed = self.rng.getrandbits(63)
        self.native: native.LiveNode | None = None
        self.engine: native.Engine
        self.traded = [m.HOME, m.FAR] if plan.trades_far else [m.HOME]
        self.streams: list[native.SimStream]
        self.epochs = 0
        self.archiver_failures = 0
        self.archiver_aborts = False
        """The death at a call to the disk is that of the archiver alone."""
        self.last_recovery = ""

    # ---- the trading process

    def start(self) -> None:
        """A process begins: recovery, a new epoch. It is not armed.

        Raises:
            JournalError: there is no room for its journal; a supervisor tries again later.
        """
        plan, nets = self.plan, self.nets
        self.streams = [native.SimStream(nets["orders"], at.door) for at in self.traded]
        for stream in self.streams:
            stream.tap()
            stream.send_max = self.rng.choice([11, 4096, 1 << 18])
        if not self.is_rebooting:
            self.start_archiver()
        self.engine, how = recover_engine(capacity(), self.journal_dir, self.hot_dir)
        same_core(how)
        self.last_recovery = str(how)
        feeds = [self._feed_ports(self.ports, m.HOME)]
        if plan.has_far:
            feeds.append(self._feed_ports(self.far_ports, m.FAR))
        config, host, now = self._config(), self._host(), self.clock.now_ns()
        with self._disciplined():  # a frame without its decision is decided now, by the strategies that live now
            node = native.LiveNode(config, self.engine, host, self.clock, feeds, self.streams)
            node.submit(events.started(node=NODE, epoch=node.epoch, now_ns=now, seed=self.strategy_seed))
        self.native = node
        self.epochs += 1
        self._look_at_disk()

    def _feed_ports(self, ports: dict[str, native.SimDatagrams], at: m.Place) -> native.FeedPorts:
        lines = [ports["A"], ports["B"]][: self.plan.has_lines]
        snapshots = native.SimStream(self.nets["requests"], at.glimpse)
        return native.FeedPorts(lines, ports["requests"] if self.plan.has_requests else None, snapshots)

    def _host(self) -> native.StrategyHost:
        host, symbols = native.StrategyHost(), [symbol for at in self.traded for symbol in at.symbols]
        if self.plan.speed == "compiled":
            host.add_compiled(RESTLESS, "restless", Restless(), symbols, compiled())
        else:
            host.add(RESTLESS, "restless", Restless(), symbols)
        if self.plan.has_rogue:
            host.add(ROGUE, "rogue", Rogue(), list(m.SYMBOLS))
        return host

    def _config(self) -> native.LiveConfig:
        plan = self.plan
        config, gate = native.LiveConfig(), native.GateLimits()
        config.journal_dir, config.hot_dir = str(self.journal_dir), str(self.hot_dir)
        config.segment_bytes, config.node, config.capacity = plan.segment_bytes, NODE, capacity()
        config.durability = native.Durability.LOCAL if plan.is_durable else native.Durability.MEMORY
        config.feeds = [self._feed_config("sim", m.HOME, m.SESSION)]
        if plan.has_far:
            config.feeds = [*config.feeds, self._feed_config("far", m.FAR, self.far_session)]
        for number, at in enumerate(self.traded):
            config.add_session(*at.door, "SIM", "secret", "FIRM", self.day_ns, 1_000_000, 100_000_000)
            gate.set_messages(plan.messages_max, plan.messages_max // 5, number)
        gate.order_qty_max, gate.order_notional_max, gate.orders_per_second_max = QTY_MAX, 10**12, plan.rate_max
        config.gate, config.presets = gate, presets(self.traded)
        return config

    def _feed_config(self, name: str, at: m.Place, session: str) -> native.LiveFeedConfig:
        feed = native.LiveFeedConfig()
        feed.name, feed.session, feed.symbols = name, session, list(at.symbols)
        feed.midnight_ns, feed.stale_ns = self.day_ns, 500_000_000
        feed.mold.retry_ns, feed.mold.tries_max = 5_000_000, 3
        if self.plan.has_requests:
            feed.set_retransmit(*at.feed_out)
        feed.set_snapshots(*at.glimpse, "SNAP", "secret")
        feed.snapshot_tries_max, feed.snapshot_retry_ns, feed.buffer_bytes = 1_000, 1_000_000, 1 << 18
        return feed

    is_idle = False
    """Whether its last turn ended because nothing happened any more."""

    is_settled = False
    """Whether this process has reached the market since it started."""

    day_ns = 0
    """Midnight of the simulated day; set by the world."""

    def _disciplined(self) -> AbstractContextManager[None]:
        """Around whatever the trading process does, for it may ask its strategies."""
        return disciplined(self.clock.now_ns(), self._chance)

    def step(self, dies_at_look: int = 0) -> None:
        """One turn of the loop, until nothing happens, or it dies where it looks at the clock for that time.

        Raises:
            SimulatedDeath: the process died; call `die`.
            JournalError: it ended itself for want of space; the same.
        """
        if self.native is None:
            return
        with self._disciplined():
            self.clock.die_at_look(dies_at_look)
            for _ in range(LOOKS_MAX):
                self.is_idle = not self.native.step(self.clock.now_ns())
                if self.is_idle:
                    break
        self.clock.die_at_look(0)

    def begin_stop(self) -> None:
        """Ctrl-C: it cancels all.

        Raises:
            SimulatedDeath: it died of that.
        """
        assert self.native is not None
        with self._disciplined():
            self.native.begin_stop()

    def die(self) -> None:
        """The process is gone between two instructions; nothing is said to anyone."""
        self.clock.die_at_look(0)
        if self.native is not None:
            self.native.abandon()
            self.native = None
        for stream in self.streams:
            stream.die_at_send(0)
            stream.cut()

    def close(self) -> None:
        """The orderly end of the process."""
        assert self.native is not None
        with self._disciplined():
            self.native.close()
        self.native = None
        for stream in self.streams:
            stream.shutdown()

    # ---- its helpers

    def archive(self) -> None:
        """A pass of the archiver, unless the disk lets it wait.

        Raises:
            SimulatedDeath: the host lost power in the middle of it.
        """
        if self.archiver is None or self.clock.now_ns() < self.disk_waits_until_ns:
            return
        archiver = self.archiver
        try:
            archiver.run_once()
        except JournalError:
            self.archiver, self.archiver_failures = None, self.archiver_failures + 1
        except native.SimulatedDeath:
            if not self.archiver_aborts:
                raise
            self.disk.die_at_call(0)
            self.archiver, self.archiver_aborts = None, False
            self.start_archiver()
        self.nets["orders"].mark = archiver.durable_seq  # it may have promised before it failed

    def durable_seq(self) -> int:
        """As the trading process sees it."""
        return self.native.durable_seq if self.native is not None else 0

    def lose_power(self, seed: int) -> None:
        """The host: memory and shared memory are gone, the disk keeps what the seed says of the unsynced."""
        if self.native is not None:
            self.die()
        self.archiver = None
        self.archiver_aborts = False
        self.disk.die_at_call(0)
        self.disk.fail_sync(0)
        self.disk.fail_call(0)
        self.disk.crash(seed)
        shutil.rmtree(self.hot_dir, ignore_errors=True)
        self.is_rebooting = True
        self.disk_waits_until_ns = 0

    def _look_at_disk(self) -> None:
        """After a boot the disk is what the recovery has left of it."""
        if self.is_rebooting:
            self.is_rebooting = False
            self.disk = native.SimDisk(str(self.journal_dir))
            self.start_archiver()

    def start_archiver(self) -> None:
        """A new process, where the last one has failed or died."""
        if self.archiver is None:
            self.archiver = native.Archiver(str(self.hot_dir), self.disk)

    def take_snapshot(self) -> Path | None:
        """What the process that makes snapshots does; None where it has nothing new."""
        if self.native is None:
            return None
        follower = native.Follower(capacity(), str(self.journal_dir), str(self.hot_dir))
        while follower.poll():
            pass
        assert not follower.report.core_differs_at, f"a follower decides otherwise: {follower.report.what}"
        follower.engine.audit()
        if not follower.engine.seq:
            return None
        path = write_snapshot(self.journal_dir / "snapshots", follower.engine)
        read_back = native.Engine(capacity())
        read_back.load(read_snapshot(path).state)
        assert shown(read_back) == shown(follower.engine), "a snapshot says something else than the engine it is of"
        return path

    # ---- what it knows

    def books(self, venue: int, symbols: tuple[str, ...]) -> list[int]:
        """The engine's numbers of those that it has seen, in the venue's order."""
        numbers = [self.engine.find_instrument(venue, symbol) for symbol in symbols]
        return [number for number in numbers if number != NO_INSTRUMENT]

    # ---- people

    def submit(self, record: bytes) -> None:
        """By the operator's ring, as the control desk does."""
        if self.hot_dir.is_dir() and (self.hot_dir / "operator.ring").exists():
            import numpy as np

            native.Ring.attach(str(self.hot_dir / "operator.ring")).push(np.frombuffer(record, np.uint8))

    def kill_cell(self) -> native.KillCell | None:
        """The switch in shared memory, where there is a hot directory."""
        path = self.hot_dir / "kill"
        return native.KillCell.open(str(path)) if path.exists() else None
