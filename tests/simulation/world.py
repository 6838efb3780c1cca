"""A whole node in one process, its ports simulated: what it does is a function of the seed."""

import random
from pathlib import Path

from tests.simulation import venue as v

from openbell import _native as native
from openbell import events
from openbell.node.recovery import recover_engine
from openbell.strategy import Strategy, param
from openbell.types import BUY, SELL, ArmState, LimitKind, LimitScope, Tif

MIDNIGHT_NS = 1_750_000_000_000_000_000 // 86_400_000_000_000 * 86_400_000_000_000
OPEN_NS = MIDNIGHT_NS + 10 * 3_600_000_000_000
STEP_NS = (20_000, 50_000, 200_000, 1_000_000)
QUIET_STEPS_MAX = 20_000
OPERATOR = 1
STRATEGY = 1


class Restless(Strategy):
    """Quotes, requotes, crosses, cancels and sets timers, as its random source says."""

    size: int = param(20)
    decisions: int = 0
    is_news: bool = False

    def on_start(self, ctx):
        ctx.set_timer(1, ctx.now_ns + 3_000_000)

    def on_timer(self, ctx, timer_id):
        ctx.set_timer(timer_id, ctx.now_ns + 3_000_000)
        if not self.is_news:
            return
        self.is_news = False
        if ctx.random() < 0.1:
            ctx.cancel_all()
        elif ctx.random() < 0.3:
            for order in ctx.orders()[:2]:
                ctx.cancel(order.cl_ord_id)

    def on_book(self, ctx, book):
        self.is_news = True
        if not (book.is_valid and book.bid_px and book.ask_px) or ctx.random() < 0.7:
            return
        self.decisions += 1
        draw, qty = ctx.random(), 1 + int(ctx.random() * self.size)
        if draw < 0.8:
            skew = int(ctx.random() * 5) * book.tick
            ask_px = max(book.ask_px, book.bid_px + book.tick) + skew
            ctx.quote(book.instrument, bid_px=book.bid_px - skew, bid_qty=qty, ask_px=ask_px, ask_qty=qty)
        elif ctx.position(book.instrument) > 0:
            ctx.order(book.instrument, SELL, book.bid_px, qty, Tif.IOC)
        else:
            ctx.order(book.instrument, BUY, book.ask_px, qty, Tif.IOC)


def capacity() -> native.EngineCapacity:
    out = native.EngineCapacity()
    out.instruments_max, out.strategies_max, out.book_orders_max, out.orders_max = 2, 2, 1 << 12, 1 << 10
    return out


def presets() -> native.Presets:
    """Limits so narrow that some orders meet them."""
    values = {
        LimitKind.ORDER_QTY: 100,
        LimitKind.ORDER_NOTIONAL: 10**12,
        LimitKind.COLLAR_BPS: 500,
        LimitKind.POSITION_LONG: 300,
        LimitKind.POSITION_SHORT: 300,
        LimitKind.OPEN_ORDERS: 20,
    }
    out = native.Presets()
    out.add_conversion(events.conversion("USD", 10**8))
    out.add_limit(events.limit(LimitKind.ORDER_RATE, 100_000, scope=LimitScope.ACCOUNT, window_ns=10**9))
    for kind in (LimitKind.GROSS_NOTIONAL, LimitKind.DAILY_LOSS):
        out.add_limit(events.limit(kind, 10**15, scope=LimitScope.ACCOUNT, owner="sim"))
    for kind, value in values.items():
        out.add_limit(events.limit(kind, value, scope=LimitScope.INSTRUMENT, owner="sim"), "OBEL")
    return out


class World:
    """The node, its venue and the network between them."""

    venue_of = v.Venue

    def __init__(self, seed: str, directory: Path) -> None:
        self.rng = random.Random(seed)
        self.clock = native.SimClock(OPEN_NS)
        self.net = native.SimNet(self.clock, self.rng.getrandbits(63))
        self.venue = self.venue_of(self.clock, self.net, self.rng, MIDNIGHT_NS)
        self.journal_dir, self.hot_dir = directory / "journal", directory / "hot"
        self.feed = native.SimDatagrams(self.net, v.NODE_FEED)
        self.requests = native.SimDatagrams(self.net, v.NODE_REQUESTS)
        self.stream = native.SimStream(self.net, v.DOOR)
        self.seed = self.rng.getrandbits(63)
        self.start()

    def start(self) -> None:
        """A process begins: recovery, a new epoch, limits, armed."""
        self.stream = native.SimStream(self.net, v.DOOR)
        self.stream.send_max = self.rng.choice([11, 4096, 1 << 18])
        self.engine, _ = recover_engine(capacity(), self.journal_dir, self.hot_dir)
        host = native.StrategyHost()
        host.add(STRATEGY, "restless", Restless(), ["OBEL"])
        feed = native.FeedPorts([self.feed], self.requests)
        self.node = native.LiveNode(self._config(), self.engine, host, self.clock, [feed], self.stream)
        now = self.clock.now_ns()
        self.node.submit(events.started(node=3, epoch=self.node.epoch, now_ns=now, seed=self.seed))
        self.node.submit(events.arm(ArmState.FULL), OPERATOR)

    def _config(self) -> native.LiveConfig:
        config, feed = native.LiveConfig(), native.LiveFeedConfig()
        config.journal_dir, config.hot_dir, config.segment_bytes = str(self.journal_dir), str(self.hot_dir), 1 << 20
        config.node, config.capacity = 3, capacity()
        feed.session, feed.midnight_ns, feed.symbols = v.SESSION, MIDNIGHT_NS, ["OBEL"]
        feed.set_retransmit(*v.FEED_OUT)
        config.feeds = [feed]
        config.set_session("10.0.0.1", 9000, "SIM", "secret", "FIRM", MIDNIGHT_NS)
        gate = native.GateLimits()
        gate.order_qty_max, gate.order_notional_max, gate.orders_per_second_max = 100, 10**12, 100_000
        config.gate = gate
        config.presets = presets()
        return config

    # ---- time

    def step(self) -> None:
        self.clock.advance(self.rng.choice(STEP_NS))
        self.venue.step()
        for _ in range(4):  # a node polls until nothing happens; here, a bounded number of times
            if not self.node.step(self.clock.now_ns()):
                break

    def run(self, steps: int) -> None:
        """Trade under faults drawn from the seed."""
        rng, faults = self.rng, self.net.faults
        calm = rng.choice([1, 1, 5, 20])
        for _ in range(steps):
            draw = rng.random() * calm
            if draw < 0.01:
                faults.loss_ppm, faults.duplicate_ppm = rng.choice([0, 20_000, 200_000]), rng.choice([0, 50_000])
                faults.delay_ns, faults.jitter_ns = rng.choice([0, 50_000]), rng.choice([0, 300_000])
            elif draw < 0.014:
                self.stream.cut()
            elif draw < 0.016:
                self.venue.stop()
            elif draw < 0.03 * calm and self.venue.listener is None:
                self.venue.restart()
            elif draw < 0.032:
                self.crash()
            self.step()

    def crash(self) -> None:
        """The node's process dies between two instructions of its loop; nothing is said to anyone."""
        self.node.abandon()
        del self.node
        self.stream.cut()
        self.start()

    def heal(self) -> None:
        """Faults stop and the market falls silent; run on until the node and the venue have nothing more to say."""
        faults = self.net.faults
        faults.loss_ppm = faults.duplicate_ppm = faults.jitter_ns = 0
        if self.venue.listener is None:
            self.venue.restart()
        self.venue.is_flowing = False
        self.stream.send_max = 1 << 18
        self._until(lambda: self.engine.is_session_up and self.engine.is_book_valid(0))
        for _ in range(2_000):
            self.step()

    def wind_down(self) -> None:
        """Ctrl-C, and every cancel confirmed."""
        self.node.begin_stop()
        self._until(lambda: not self.engine.live_orders())

    def _until(self, done) -> None:
        for _ in range(QUIET_STEPS_MAX):
            if done():
                return
            self.step()
        raise AssertionError(f"not reached within {QUIET_STEPS_MAX} steps")

    # ---- what came of it

    def wind_down_from_anywhere(self) -> None:
        self.heal()
        self.wind_down()
        self.close()

    def close(self) -> None:
        self.node.close()

    def touch(self) -> tuple[int, int, int, int]:
        return self.engine.touch(0)

    def frames(self) -> list[tuple[object, ...]]:
        """Every frame of the journal, header and records."""
        reader = native.JournalReader(str(self.journal_dir), str(self.hot_dir), False)
        out = []
        while frame := reader.next():
            out.append((*frame[:-1], frame[-1].tobytes()))
        return out

    def account(self) -> tuple[int, int]:
        position = self.engine.position(STRATEGY, 0)
        return position["qty"], position["cash"]

    def open_orders(self) -> list[tuple[str, int, int]]:
        live = self.engine.live_orders()
        return sorted((native.ouch_token(o.cl_ord_id, o.version), o.px, o.leaves_qty) for o in live)
