"""The venue comes back from its journal: the same reports, the same feed, the same numbers, wherever it was cut."""

import os
import random
import shutil
import signal
import subprocess
import sys

import pytest
from tests.exchange.venue_inputs import RandomInputs, do

from openbell._native import Archiver, JournalReader, JournalWriter, VenueCore, exchange_journal_beginning
from openbell.errors import CapacityError, ConfigError, JournalDamagedError, JournalError, JournalLockedError

SEGMENT_BYTES = 320 * 1024
"""Little more than one frame of the largest size: a long session takes several."""


def open_journal(venue, folder, *, session="DAY1"):
    return venue.open_journal(str(folder / "journal"), str(folder / "hot"), session, SEGMENT_BYTES)


def play(folder, seed, count):
    """Play a random session with a journal; the state's hash before and after every input."""
    inputs = RandomInputs(random.Random(seed))
    venue = inputs.new_venue()
    assert open_journal(venue, folder) == 0
    hashes = [venue.state_hash]
    for one in inputs.take(count):
        frames = frames_in(folder)
        do(venue, one)
        if frames_in(folder) > frames:
            hashes.append(venue.state_hash)
        assert venue.state_hash == hashes[-1], f"{one} changed the venue and was not journalled"
    return hashes


def frames_in(folder):
    return int.from_bytes((folder / "hot/journal.ctl").read_bytes()[80:88], "little")


def recover(folder):
    venue = RandomInputs(random.Random(0)).new_venue()
    return venue, open_journal(venue, folder)


def ends_of_frames(folder):
    """Where each frame ends: (segment, offset)."""
    reader = JournalReader(str(folder / "journal"), str(folder / "hot"))
    ends = []
    while reader.next() is not None:
        ends.append((reader.segment, reader.offset))
    return ends


def cut(folder, target, segment, offset, junk=b""):
    """Copy the journal up to a place, as a crash there would leave it."""
    (target / "hot").mkdir(parents=True)
    shutil.copytree(folder / "journal", target / "journal")
    shutil.copy(folder / "hot/journal.ctl", target / "hot")
    for path in sorted((folder / "hot").glob("*.seg")):
        number = int(path.stem)
        if number < segment:
            shutil.copy(path, target / "hot")
        elif number == segment:
            data = bytearray(path.read_bytes())
            data[offset:] = bytes(len(data) - offset)
            data[offset : offset + len(junk)] = junk
            (target / "hot" / path.name).write_bytes(data)


@pytest.mark.parametrize("seed", range(3))
def test_a_journal_cut_after_any_input_gives_the_venue_of_that_moment(seed, tmp_path):
    hashes = play(tmp_path / "whole", seed, 250)
    ends = ends_of_frames(tmp_path / "whole")
    assert len(ends) == len(hashes)

    for n, (segment, offset) in enumerate(ends):
        cut(tmp_path / "whole", tmp_path / f"cut{n}", segment, offset)
        venue, count = recover(tmp_path / f"cut{n}")
        assert (count, venue.state_hash) == (n, hashes[n]), f"seed {seed}, input {n}"
        venue.close_journal()
        shutil.rmtree(tmp_path / f"cut{n}")


def test_a_session_of_several_segments_comes_back(tmp_path):
    hashes = play(tmp_path, 7, 2_500)
    assert len(list((tmp_path / "hot").glob("*.seg"))) > 2

    venue, count = recover(tmp_path)
    assert (count, venue.state_hash) == (len(hashes) - 1, hashes[-1])


def test_a_torn_tail_is_an_input_that_nobody_was_answered(tmp_path, rng):
    hashes = play(tmp_path / "whole", 5, 60)
    ends = ends_of_frames(tmp_path / "whole")
    whole = (tmp_path / "whole/hot/00000001.seg").read_bytes()

    for n in range(1, len(ends)):
        (_, begin), (_, end) = ends[n - 1], ends[n]
        torn = bytearray(whole[begin:end])
        torn[rng.randrange(4, len(torn))] ^= 0x40
        cut(tmp_path / "whole", tmp_path / f"cut{n}", 1, begin, bytes(torn))
        venue, count = recover(tmp_path / f"cut{n}")
        assert (count, venue.state_hash) == (n - 1, hashes[n - 1])


def test_a_recovered_venue_goes_on_as_if_nothing_had_happened(tmp_path):
    one, other = RandomInputs(random.Random(3)), RandomInputs(random.Random(3))
    unbroken = one.new_venue()
    for each in one.take(400):
        do(unbroken, each)

    venue = other.new_venue()
    open_journal(venue, tmp_path)
    for n, each in enumerate(other.take(400)):
        if n % 50 == 25:
            del venue
            venue, _ = recover(tmp_path)
        do(venue, each)

    assert venue.state_hash == unbroken.state_hash
    for account in range(5):
        data = [v.reports(account).sequenced(1, 1 << 26)[0] for v in (venue, unbroken)]
        assert data[0] == data[1]
    assert venue.itch_next == unbroken.itch_next


CHILD = """
import random, sys
from tests.exchange.venue_inputs import RandomInputs, do
inputs = RandomInputs(random.Random(11))
venue = inputs.new_venue()
venue.open_journal(sys.argv[1] + "/journal", sys.argv[1] + "/hot", "DAY1", 320 * 1024)
for one in inputs.take(100_000):
    do(venue, one)
    print(venue.state_hash, flush=True)
"""


@pytest.mark.parametrize("answers", [1, 40, 300])
def test_kill_9_loses_nothing_that_was_answered(answers, tmp_path, repo):
    path = os.pathsep.join([str(repo / "src"), str(repo)])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert child.stdout
    answered = [int(child.stdout.readline()) for _ in range(answers)]
    child.send_signal(signal.SIGKILL)
    answered += [int(line) for line in child.stdout.read().split(b"\n")[:-1]]
    child.wait()
    child.stdout.close()

    venue, _ = recover(tmp_path)
    expected = RandomInputs(random.Random(11))
    unbroken = expected.new_venue()
    hashes = []
    for one in expected.take(len(answered)):  # one may have been done without being answered
        do(unbroken, one)
        hashes.append(unbroken.state_hash)
    assert hashes[: len(answered)] == answered
    assert venue.state_hash in hashes[len(answered) - 1 :]


def test_after_the_host_is_gone_what_was_durable_comes_back(tmp_path):
    inputs = RandomInputs(random.Random(2))
    venue = inputs.new_venue()
    open_journal(venue, tmp_path)
    archiver = Archiver(str(tmp_path / "hot"), str(tmp_path / "journal"))
    day = inputs.take(300)
    for _ in range(100):
        do(venue, next(day))
    assert not venue.is_durable
    while archiver.run_once():
        pass
    assert venue.is_durable
    promised = venue.state_hash
    for one in day:
        do(venue, one)
    venue.close_journal()
    del archiver
    shutil.rmtree(tmp_path / "hot")

    assert recover(tmp_path)[0].state_hash == promised


def test_a_journal_says_whose_it_is(tmp_path):
    folders = str(tmp_path / "journal"), str(tmp_path / "hot")
    (tmp_path / "journal").mkdir()
    (tmp_path / "hot").mkdir()
    assert exchange_journal_beginning(*folders) is None

    open_journal(RandomInputs(random.Random(1)).new_venue(), tmp_path, session="MONDAY")

    assert exchange_journal_beginning(*folders) == ("MONDAY", 0)


@pytest.mark.parametrize(
    "other",
    [
        lambda: VenueCore([("OBEL", 100, 100)], 0, 1_000, 20_000, 1_000),
        lambda: RandomInputs(random.Random(1), orders_max=999).new_venue(),
    ],
    ids=["instruments and accounts", "limits"],
)
def test_a_journal_of_another_configuration_is_refused(other, tmp_path):
    play(tmp_path, 1, 5)

    with pytest.raises(ConfigError, match="to be of this configuration and day, found that it began"):
        open_journal(other(), tmp_path)


def test_a_journal_belongs_to_one_venue_at_a_time(tmp_path):
    venue = RandomInputs(random.Random(1)).new_venue()
    open_journal(venue, tmp_path)

    with pytest.raises(JournalLockedError):
        recover(tmp_path)


def test_a_journal_of_somebody_else_is_refused(tmp_path):
    writer = JournalWriter(str(tmp_path / "journal"), str(tmp_path / "hot"), SEGMENT_BYTES)
    writer.append(1, 0, 48, bytearray(48))
    writer.close()

    with pytest.raises(JournalError, match=r"expected inputs of an exchange in .*, found those of another source"):
        recover(tmp_path)
    with pytest.raises(JournalError, match="those of another source"):
        exchange_journal_beginning(str(tmp_path / "journal"), str(tmp_path / "hot"))


def test_damage_below_what_is_durable_halts(tmp_path):
    play(tmp_path, 4, 50)
    archiver = Archiver(str(tmp_path / "hot"), str(tmp_path / "journal"))
    while archiver.run_once():
        pass
    del archiver
    path = tmp_path / "hot/00000001.seg"
    data = bytearray(path.read_bytes())
    data[5_000] ^= 1
    path.write_bytes(data)

    with pytest.raises(JournalDamagedError, match="nothing was skipped"):
        recover(tmp_path)


def test_a_venue_that_has_begun_takes_no_journal(tmp_path):
    venue = RandomInputs(random.Random(1)).new_venue()
    venue.open_day(1)
    with pytest.raises(ConfigError, match="has had no input yet"):
        open_journal(venue, tmp_path)
    tape = VenueCore([("OBEL", 100, 100)], 0, 10, 10, 10, matches=False)
    with pytest.raises(ConfigError, match="a tape that is passed through"):
        open_journal(tape, tmp_path)


def test_a_long_input_takes_several_records(tmp_path):
    venue = RandomInputs(random.Random(1)).new_venue()
    open_journal(venue, tmp_path)
    venue.settle(1, [b"x" * 60_000, b"", b"y" * 104])
    before = venue.state_hash
    del venue

    assert recover(tmp_path)[0].state_hash == before


def test_only_what_fits_into_the_memory_of_the_journal_is_done(tmp_path):
    venue = RandomInputs(random.Random(1)).new_venue()
    venue.open_journal(str(tmp_path / "journal"), str(tmp_path / "hot"), "DAY1", SEGMENT_BYTES, 2)
    before = venue.state_hash
    with pytest.raises(CapacityError, match="every hot segment waiting for the archiver; is it running"):
        for _ in range(100_000):
            before = venue.state_hash
            venue.settle(1, [b"x" * 50_000])

    assert venue.state_hash == before
