"""A whole node behind two bad lines: order flow -> matching -> ITCH -> loss -> arbitration, retransmission, snapshots.

Everything follows from the seed. A witness in the place of the strategies compares every valid book that it is shown
with the exchange's own book at that message.
"""

import random
from pathlib import Path

from tests.feed import lossy_venue as v

from openbell import _native as native
from openbell import events
from openbell.node.recovery import recover_engine

START_NS = 10 * 3_600_000_000_000
STEP_NS = (10_000, 50_000, 200_000, 1_000_000)
STEPS = 220
QUIET_STEPS_MAX = 6_000
CERTAIN = 1_000_000
POLLS_MAX = 8


def capacity() -> native.EngineCapacity:
    out = native.EngineCapacity()
    out.instruments_max, out.strategies_max, out.book_orders_max, out.orders_max = 2, 1, 1 << 10, 16
    out.timers_max = 16
    return out


class LossyWorld:
    """The node, the exchange, and a network for each line."""

    def __init__(self, seed: str, directory: Path) -> None:
        self.rng = rng = random.Random(seed)
        self.clock = native.SimClock(START_NS)
        self.nets = {line: native.SimNet(self.clock, rng.getrandbits(63)) for line in ("A", "B", "requests")}
        self.venue = v.LossyVenue(self.clock, self.nets, rng, START_NS)
        self.witness = native.BookWitness(self.venue.core)
        self.has_requests, self.has_snapshots = rng.choice([(True, True)] * 4 + [(False, True), (True, False)])
        if not self.has_snapshots:
            self.tries_max = 1_000  # then every message must come by retransmission
        else:
            self.tries_max = rng.choice([1, 2, 5])
            self.venue.keeps = rng.choice([1 << 30, 200, 20])
            self.venue.cuts, self.venue.refuses = rng.choice([0.0, 0.0, 0.05]), rng.choice([0, 0, 1, 2])
        self.server_keeps = self.venue.keeps if rng.random() < 0.5 and self.venue.keeps < 1 << 30 else 0
        self.buffer_bytes = rng.choice([1 << 17, 1 << 20])
        self.crashes = rng.choice([0.0, 0.0, 0.01])
        self.journal_dir, self.hot_dir = directory / "journal", directory / "hot"
        self.lines = {"A": v.LINE_A, "B": v.LINE_B}
        self.ports = {line: native.SimDatagrams(self.nets[line], at) for line, at in self.lines.items()}
        self.ports["requests"] = native.SimDatagrams(self.nets["requests"], v.REQUESTS)
        self.epochs = 0
        self.start()

    # ---- the node

    def start(self) -> None:
        """A process begins, with what its journal says."""
        self.stream = native.SimStream(self.nets["requests"], v.GLIMPSE)
        self.engine, _ = recover_engine(capacity(), self.journal_dir, self.hot_dir)
        ports = native.FeedPorts(
            [self.ports["A"], self.ports["B"]],
            self.ports["requests"] if self.has_requests else None,
            self.stream if self.has_snapshots else None,
        )
        self.node = native.LiveNode(self._config(), self.engine, self.witness, self.clock, [ports], [])
        now = self.clock.now_ns()
        self.node.submit(events.started(node=1, epoch=self.node.epoch, now_ns=now, seed=1))
        self.epochs += 1

    def _config(self) -> native.LiveConfig:
        config, feed = native.LiveConfig(), native.LiveFeedConfig()
        config.journal_dir, config.hot_dir, config.segment_bytes = str(self.journal_dir), str(self.hot_dir), 1 << 20
        config.node, config.capacity = 1, capacity()
        feed.name, feed.symbols = "sim", list(v.SYMBOLS)
        feed.mold.retry_ns, feed.mold.tries_max = 5_000_000, self.tries_max
        feed.mold.held_packets_max = self.rng.choice([4, 64, 1024])
        feed.mold.server_keeps = self.server_keeps
        if self.has_requests:
            feed.set_retransmit(*v.FEED_OUT)
        if self.has_snapshots:
            feed.set_snapshots(*v.GLIMPSE, "SNAP", "secret")
            feed.snapshot_tries_max, feed.snapshot_retry_ns, feed.buffer_bytes = 1_000, 1_000_000, self.buffer_bytes
        config.feeds = [feed]
        return config

    def crash(self) -> None:
        """The process dies between two rounds of its loop."""
        del self.node
        self.stream.cut()
        self.start()

    # ---- time

    def run(self) -> None:
        """A day under faults that change all the time."""
        rng = self.rng
        for _ in range(STEPS):
            draw = rng.random()
            if draw < 0.05:
                self._draw_faults(rng.choice(["A", "B", "requests"]))
            elif draw < 0.05 + self.crashes:
                self.crash()
            for _ in range(rng.choice([0, 1, 1, 2, 20])):
                self.venue.trade()
                self.witness.remember()
                if rng.random() < 0.8:
                    self.venue.publish()
            self.step()

    def _draw_faults(self, line: str) -> None:
        """0 to 30 % of loss, duplicates, overtaking; now and then a burst in which all is lost."""
        rng, faults = self.rng, self.nets[line].faults
        faults.loss_ppm = rng.choice([0, rng.randint(0, 300_000), rng.randint(0, 300_000), CERTAIN])
        faults.duplicate_ppm = rng.choice([0, 0, 100_000])
        faults.delay_ns, faults.jitter_ns = rng.choice([0, 100_000]), rng.choice([0, 0, 1_000_000])

    def step(self) -> None:
        self.clock.advance(self.rng.choice(STEP_NS))
        self.venue.publish()
        self.venue.serve()
        for _ in range(POLLS_MAX):
            if not self.node.step(self.clock.now_ns()):
                break

    def heal(self) -> None:
        """Faults end and nobody trades; run on until the node has heard everything and its books are valid."""
        for net in self.nets.values():
            net.faults.loss_ppm = net.faults.duplicate_ppm = net.faults.jitter_ns = 0
        self.venue.cuts = 0.0
        for _ in range(QUIET_STEPS_MAX):
            if self.is_caught_up():
                return
            self.step()
        raise AssertionError(
            f"message {self.witness.number} of {self.venue.core.itch_next - 1} after {QUIET_STEPS_MAX} quiet steps; "
            f"valid: {self.witness.is_valid}, recovering: {self.node.is_feed_recovering()}"
        )

    def is_caught_up(self) -> bool:
        return (
            self.engine.source_seq(FEED) == self.venue.core.itch_next - 1
            and all(self.engine.is_book_valid(i) for i in range(len(v.SYMBOLS)))
            and not self.node.is_feed_recovering()
        )

    # ---- what came of it

    def counters(self) -> dict[str, int]:
        """Of the last process."""
        page = native.Counters.attach(str(self.hot_dir / "counters")).read()
        return {name.removeprefix("feed.sim."): value for name, value in page if name.startswith("feed.sim.")}

    def touches(self) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """(the node's, the exchange's) of each instrument."""
        core, places = self.venue.core, range(len(v.SYMBOLS))
        ours = {self.symbol(i): self.engine.touch(i) for i in places}
        theirs = [(*core.touch(i, v.SIDES[0]), *core.touch(i, v.SIDES[1])) for i in places]
        return [ours[symbol] for symbol in v.SYMBOLS], theirs

    def symbol(self, instrument: int) -> str:
        return bytes(self.engine.instrument_record(instrument)[16:32]).rstrip(b"\0").decode()

    def verify(self) -> None:
        """Books equal the exchange's, no valid book ever differed, and the journal says all of it again."""
        assert self.witness.differences == []
        ours, theirs = self.touches()
        assert ours == theirs
        assert self.witness.checked > 0
        self.node.close()
        replayed = native.Engine(capacity())
        report = native.replay_journal(replayed, str(self.journal_dir), str(self.hot_dir))
        assert (report.core_differs_at, report.what) == (0, "")
        assert replayed.state_hash == self.engine.state_hash


FEED = 16


def play(seed: str, directory: Path) -> LossyWorld:
    """One day with everything that goes wrong in it."""
    world = LossyWorld(seed, directory)
    world.run()
    world.heal()
    world.venue.trade()
    world.witness.remember()
    world.heal()
    world.verify()
    return world
