"""What a feed leaves out stays out over losses, snapshots and crashes; a book that contradicts its feed is mended."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.feed import lossy_venue as v
from tests.feed.lossy_world import LossyWorld

from openbell import _native as native
from openbell.book import LEVEL
from openbell.types import RECORDS, Check, CheckPolicy, Side, Type
from oracles import mold

LEVELS = 100
LOW, HIGH = v.MID - 2 * v.TICK, v.MID + 3 * v.TICK
SEEDS = 20
QUIET_STEPS = 200
"""Long enough for a heartbeat of the venue, and for the counters to be published."""


class NarrowWorld(LossyWorld):
    """Orders away from the middle are left out, by the filter or by a check whose policy is `drop`."""

    quiet_steps = 0

    def _config(self) -> native.LiveConfig:
        config = super()._config()
        (feed,) = config.feeds
        edge = native.EdgeConfig()
        edge.left_out_max = 1 << 10
        policies = edge.policies
        policies[Check.PX_BAND] = CheckPolicy.DROP
        edge.policies = policies
        edge.add_limits(v.SYMBOLS[0], keep_low=LOW, keep_high=HIGH)
        edge.add_limits(v.SYMBOLS[1], px_low=LOW, px_high=HIGH)
        feed.checks = edge
        config.feeds = [feed]
        return config

    def is_caught_up(self) -> bool:
        """Messages at the end that make no record leave no trace in the journal; a heartbeat says where the feed is."""
        self.quiet_steps += 1
        return (
            self.quiet_steps > QUIET_STEPS
            and self.counters()["behind"] == 0
            and all(self.engine.is_book_valid(i) for i in range(len(v.SYMBOLS)))
            and not self.node.is_feed_recovering()
        )

    def levels(self) -> list[list[tuple[int, int]]]:
        ids = {self.symbol(i): i for i in range(len(v.SYMBOLS))}
        return [
            [(px, qty) for px, qty, _ in self.engine.depth(ids[symbol], side, LEVELS)]
            for symbol in v.SYMBOLS
            for side in (Side.BUY, Side.SELL)
        ]

    def levels_of_venue(self) -> list[list[tuple[int, int]]]:
        """All that the venue ever said, in a book of its own, less what is not kept."""
        feed, books = native.ItchFeed(), native.Books(len(v.SYMBOLS), 1 << 10)
        for number in range(1, self.venue.core.itch_next):
            feed.push(self.venue.core.itch_message(number))
        for instrument in range(len(v.SYMBOLS)):
            books.add_instrument(instrument)
        assert books.apply(feed.take_markets()) == 0
        return [
            [(px, qty) for px, qty, *_ in rows(books, number, side) if LOW <= px <= HIGH]
            for number in range(len(v.SYMBOLS))
            for side in (Side.BUY, Side.SELL)
        ]


def rows(books: native.Books, instrument: int, side: Side) -> list[tuple[int, ...]]:
    return list(books.depth(instrument, side, LEVELS).view(LEVEL)[:, 0].tolist())


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory: what is tested is not the disk."""
    base = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="openbell-edge-", dir=base if base.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


def test_books_are_those_of_the_venue_less_what_is_left_out(seed: int, memory: Path):
    seen = dict.fromkeys(("follow_ups", "filtered", "quarantined", "snapshots", "crashes"), 0)
    for number in range(SEEDS):
        print(f"seed {seed}-{number}")
        world = NarrowWorld(f"{seed}-{number}", memory / str(number))
        world.crashes = 0.01
        world.run()
        world.heal()

        assert world.levels() == world.levels_of_venue()
        assert world.engine.book_faults == 0
        counted = world.counters() | {"crashes": world.epochs - 1}
        seen = {name: count + counted[name] for name, count in seen.items()}
        world.node.close()
    assert all(seen.values()), seen


@pytest.fixture
def world(seed: int, memory: Path) -> LossyWorld:
    """A quiet day, with a snapshot server."""
    print(f"seed {seed}")
    for number in range(100):
        world = LossyWorld(f"{seed}-{number}", memory / str(number))
        if world.has_snapshots:
            break
        world.node.close()
    world.crashes = world.venue.cuts = 0.0
    world.venue.refuses = 0
    for _ in range(50):
        world.venue.trade()
        world.witness.remember()
    world.heal()
    return world


def published(world: LossyWorld) -> dict[str, int]:
    """The counters as they are now."""
    for _ in range(QUIET_STEPS):
        world.step()
    return world.counters()


def contradict(world: LossyWorld) -> None:
    """In the place of the venue's next message the node hears of an order that nobody has."""
    lie = native.itch_encode({"type": "D", "locate": 1, "order_id": 1 << 60})
    world.venue.send(mold.packet(v.SESSION, world.venue.core.itch_next, [lie]))
    world.step()


def test_a_book_that_contradicts_its_feed_is_mended_by_a_snapshot(world: LossyWorld):
    before = published(world)
    contradict(world)
    assert not all(world.engine.is_book_valid(i) for i in range(len(v.SYMBOLS)))
    world.venue.trade()  # takes the number that the lie had
    world.witness.remember()
    world.heal()

    after = published(world)
    assert (after["mendings"], after["snapshots"]) == (1, before["snapshots"] + 1)
    assert world.witness.differences == []
    ours, theirs = world.touches()
    assert ours == theirs


def test_a_book_that_does_not_stay_mended_is_left_to_a_person(world: LossyWorld):
    """Every snapshot holds what the check calls wrong."""
    checks = native.EdgeConfig()
    policies = checks.policies
    policies[Check.PX_BAND] = CheckPolicy.HALT
    checks.policies = policies
    for symbol in v.SYMBOLS:
        checks.add_limits(symbol, px_high=1)
    config = LossyWorld._config(world)
    (feed,) = config.feeds
    feed.checks, feed.snapshot_tries_max = checks, 3
    config.feeds = [feed]
    world._config = lambda: config  # type: ignore[method-assign]
    world.crash()
    for _ in range(2_000):
        world.venue.trade()
        world.step()

    assert world.counters()["mendings"] == 3
    assert not world.node.is_feed_recovering()
    reader = native.JournalReader(str(world.journal_dir), str(world.hot_dir), False)
    raw, _, _ = reader.gather(RECORDS["Market"].itemsize, [int(Type.FEED_CHECK)], 10)
    assert len(raw) > 0
