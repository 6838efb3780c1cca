"""Faults of processes, hosts, disks and strategies."""

import random

from tests.simulation.day import Day
from tests.simulation.faults import fault
from tests.simulation.strategies import MISCHIEF

SECTOR_BYTES = 512


@fault("crash", "F1")
def crash(day: Day, rng: random.Random) -> None:
    if day.node.native is not None:
        day.die()


@fault("crash at a look", "F1")
def crash_at_a_look(day: Day, rng: random.Random) -> None:
    """The process dies where it next reads the clock: between journal, perimeter and socket."""
    if day.node.native is not None:
        day.dies_at_look = rng.randint(2, 60)


@fault("crash at a send", "F1")
def crash_at_a_send(day: Day, rng: random.Random) -> None:
    """The process dies when the socket has taken bytes, before it is journalled that they were sent."""
    if day.node.native is not None:
        day.venue(rng)[1].die_at_send(rng.randint(1, 3))


@fault("pause", "F2")
def pause(day: Day, rng: random.Random) -> None:
    """The process is stopped while the world goes on."""
    day.paused_until_ns = day.clock.now_ns() + rng.choice([3_000_000, 20_000_000])


@fault("long pause", "F2", weight=0.3)
def long_pause(day: Day, rng: random.Random) -> None:
    day.clock.advance(rng.choice([1_100_000_000, 30_000_000_000]))


@fault("restart storm", "F3", weight=0.3)
def restart_storm(day: Day, rng: random.Random) -> None:
    for _ in range(rng.randint(2, 4)):
        if day.node.native is not None:
            day.die()
        day.start()
        for _ in range(rng.randint(0, 3)):
            day.step()


@fault("strategy raises", "F6", needs="has_rogue")
def strategy_raises(day: Day, rng: random.Random) -> None:
    MISCHIEF.raises = True


@fault("strategy is slow", "F6", needs="has_rogue")
def strategy_is_slow(day: Day, rng: random.Random) -> None:
    MISCHIEF.takes_ns = rng.choice([500_000_000, 1_500_000_000])


@fault("strategy floods", "F6", needs="has_rogue")
def strategy_floods(day: Day, rng: random.Random) -> None:
    MISCHIEF.floods = rng.choice([20, 200])


@fault("strategy opens a file", "F6", needs="has_rogue")
def strategy_opens_a_file(day: Day, rng: random.Random) -> None:
    """It is refused, and halted like one that raises."""
    MISCHIEF.opens = True


@fault("archiver dies", "F1")
def archiver_dies(day: Day, rng: random.Random) -> None:
    if day.node.archiver is not None:
        day.node.archiver = None
        day.node.start_archiver()


@fault("archiver aborts", "F4")
def archiver_aborts(day: Day, rng: random.Random) -> None:
    """In the middle of a pass: a part of it is written, and the next one begins there."""
    if day.node.archiver is not None and day.power_seed is None:
        day.node.archiver_aborts = True
        day.node.disk.die_at_call(rng.randint(1, 6))


@fault("write fails", "F8", weight=0.5)
def write_fails(day: Day, rng: random.Random) -> None:
    """The n-th call to the disk from now, with an input or output error; nothing of it is done."""
    day.node.disk.fail_call(rng.randint(1, 6))
    day.later(rng.randint(10, 100), lambda: _mend_disk(day))


@fault("full disk", "F9", weight=0.5)
def full_disk(day: Day, rng: random.Random) -> None:
    """Until somebody makes room, and starts the archiver again."""
    day.node.disk.set_room(day.node.disk.bytes + rng.choice([0, 2_000, 20_000]))
    day.later(rng.randint(10, 200), lambda: _mend_disk(day))


@fault("sync fails", "F10", weight=0.5)
def sync_fails(day: Day, rng: random.Random) -> None:
    """Once; what it should have written is gone, and later syncs succeed."""
    day.node.disk.fail_sync(rng.randint(1, 3))
    day.later(rng.randint(10, 100), lambda: _mend_disk(day))


def _mend_disk(day: Day) -> None:
    day.node.disk.set_room(1 << 60)
    day.node.disk.fail_sync(0)
    day.node.disk.fail_call(0)
    if not day.node.is_rebooting:
        day.node.start_archiver()


@fault("power loss", "F11", needs="is_durable")
def power_loss(day: Day, rng: random.Random) -> None:
    """Unsynced sectors are lost or torn."""
    day.lose_power(rng.getrandbits(60))


@fault("power loss, memory", "F11", weight=0.6, needs="may_lose_tail")
def power_loss_of_memory(day: Day, rng: random.Random) -> None:
    """What was not on the disk yet is gone: the end of the day, but for what the venue tells."""
    day.has_lost_tail = True
    day.lose_power(rng.getrandbits(60))


@fault("power loss in a write", "F12", needs="is_durable")
def power_loss_in_a_write(day: Day, rng: random.Random) -> None:
    """At the n-th call to the disk from now: a part of a group commit has happened."""
    day.power_seed = rng.getrandbits(60)
    day.node.disk.die_at_call(rng.randint(1, 6))


@fault("power loss at a send", "F11", needs="is_durable")
def power_loss_at_a_send(day: Day, rng: random.Random) -> None:
    """Right after the bytes of an order have left."""
    if day.node.native is not None:
        day.power_seed = rng.getrandbits(60)
        day.venue(rng)[1].die_at_send(rng.randint(1, 3))


@fault("slow disk", "F15", weight=2)
def slow_disk(day: Day, rng: random.Random) -> None:
    day.node.disk_waits_until_ns = day.clock.now_ns() + rng.choice([1_000_000, 20_000_000, 300_000_000])


@fault("dead disk", "F15", weight=0.2)
def dead_disk(day: Day, rng: random.Random) -> None:
    """It stalls for longer than the node waits."""
    day.node.disk_waits_until_ns = day.clock.now_ns() + 3_000_000_000


@fault("snapshot", "")
def snapshot(day: Day, rng: random.Random) -> None:
    """No fault: what the snapshot process does now and then."""
    day.node.take_snapshot()


@fault("snapshot is damaged", "F13")
def snapshot_is_damaged(day: Day, rng: random.Random) -> None:
    """A bit flips, or the end is missing."""
    if (path := day.node.take_snapshot()) is None:
        return
    data = bytearray(path.read_bytes())
    if rng.random() < 0.5:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    else:
        del data[rng.randrange(len(data)) :]
    path.write_bytes(data)


@fault("write goes elsewhere", "F14")
def write_goes_elsewhere(day: Day, rng: random.Random) -> None:
    """A sector of a segment lies in the middle of a snapshot."""
    segments = sorted(day.node.journal_dir.glob("*.seg"))
    if not segments or (path := day.node.take_snapshot()) is None:
        return
    data, segment = bytearray(path.read_bytes()), segments[0].read_bytes()
    at = rng.randrange(len(data) // SECTOR_BYTES) * SECTOR_BYTES
    data[at : at + SECTOR_BYTES] = segment[:SECTOR_BYTES]
    path.write_bytes(data)


@fault("old snapshot is back", "F40")
def old_snapshot_is_back(day: Day, rng: random.Random) -> None:
    """Restored from a backup under the name of a later one."""
    snapshots = sorted((day.node.journal_dir / "snapshots").glob("*.snap"))
    if snapshots:
        (snapshots[0].parent / f"{10**11 + rng.randrange(10**6):012}.snap").write_bytes(snapshots[0].read_bytes())
