"""What a venue remembers of its day: the same in files as in the process, and in files without staying resident."""

import random
from pathlib import Path

import pytest

from openbell._native import VenueCore, soup_packets
from openbell.errors import CapacityError

MB = 1 << 20


def new_venue(memory_dir="", messages_max=1_000_000):
    return VenueCore([("OBEL", 100, 100)], 0, 100, 1000, messages_max, memory_dir=str(memory_dir))


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.fixture(params=["process", "files"])
def venue(request, tmp_path):
    return new_venue(tmp_path if request.param == "files" else "")


def test_every_message_is_read_as_it_was_written_in_any_order(venue, rng):
    messages = [rng.randbytes(rng.choice((0, 1, 40, 300, 65_535))) for _ in range(2_000)]
    venue.publish(messages)

    for n in (*range(2_000), *rng.choices(range(2_000), k=3_000)):
        assert venue.itch_message(n + 1) == messages[n]


def test_reading_and_writing_take_turns(venue, rng):
    written, read = [], 0
    for _ in range(3_000):
        written.append(rng.randbytes(rng.randrange(900)))
        venue.publish(written[-1:])
        if rng.random() < 0.3:
            for n in range(read, min(len(written), read + rng.randrange(6))):
                assert venue.itch_message(n + 1) == written[n]
                read = n + 1
        if rng.random() < 0.1:
            n = rng.randrange(len(written))
            assert venue.itch_message(n + 1) == written[n]


def test_reports_of_many_accounts_share_the_memory(venue):
    accounts = [venue.add_account(internal=False) for _ in range(300)]
    for account in accounts:
        for n in range(20):
            venue.settle(account, [f"{account}/{n}".encode() * 10])

    for account in accounts:
        data, _ = venue.reports(account).sequenced(1, 1 << 20)
        assert [p for _, p in soup_packets(data, 1000)[0]] == [f"{account}/{n}".encode() * 10 for n in range(20)]


def test_a_full_log_ends_the_day_and_says_which_limit(tmp_path):
    venue = new_venue(tmp_path, messages_max=3)
    venue.publish([b"a", b"b", b"c"])

    with pytest.raises(CapacityError, match=r"at most 3 messages a day; raise \[limits\] messages_max"):
        venue.publish([b"d"])


def test_in_files_a_long_day_stays_on_disk(tmp_path):
    venue = new_venue(tmp_path)
    block = [random.Random(1).randbytes(1000) for _ in range(1000)]
    venue.publish(block)
    before = resident_bytes()
    for _ in range(200):
        venue.publish(block)
    for seq in range(1, venue.itch_next, 100):
        assert venue.itch_message(seq) == block[(seq - 1) % 1000]

    assert resident_bytes() - before < 16 * MB
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) > 200 * MB


def test_the_files_of_a_process_that_ended_are_removed(tmp_path):
    (tmp_path / "000001.mem").write_bytes(b"of yesterday")
    (tmp_path / "notes.txt").write_text("not ours")
    venue = new_venue(tmp_path)
    venue.publish([b"today"])
    assert venue.itch_message(1) == b"today"

    del venue
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]
