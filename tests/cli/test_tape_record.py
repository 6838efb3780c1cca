"""`openbell tape record` beside a running exchange, as a process that is ended with Ctrl-C."""

import json
import re
import signal
import time
import warnings

import pytest

from cli.world import MAKER, World, openbell, wait_for
from configurations import SYMBOLS
from openbell.backtest.tape import INDEX_NAME
from openbell.journal import open_journal
from openbell.journal.segments import segment_files
from openbell.research import features, load
from openbell.types import Type

FRAMES = 400


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as running:
        yield running


def frames_of(tape):
    return open_journal(tape).summary()["frames"] if tape.is_dir() and segment_files(tape) else 0


def record(world, tape, *options):
    """Record until there are enough frames, then Ctrl-C; what it said."""
    process = world.spawn("tape", "record", *options)
    wait_for(lambda: frames_of(tape()) >= FRAMES, f"{FRAMES} frames on the tape")
    process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=30)
    assert process.returncode == 0, complained
    return said


def test_a_feed_is_recorded_from_its_first_message_with_times_of_receipt(world, tmp_path):
    tape, began_ns = tmp_path / "tape", time.time_ns()

    said = record(
        world,
        lambda: tape,
        *("--listen", f"127.0.0.1:{world.feed}", "--retransmit", world.ready["retransmit"], "--out", tape),
    )

    table = load(tape, ["ts_recv", "ts_seq", "symbol"])
    assert re.search(r"records of 2 instruments.*0 messages lost, 0 records that contradict", said)
    assert table["symbol"].drop_nulls().unique().sort().to_list() == sorted(SYMBOLS)
    assert began_ns < table["ts_recv"].min() and table["ts_recv"].max() < time.time_ns()
    assert table["ts_seq"].is_sorted() and (table["ts_recv"] <= table["ts_seq"]).all()
    first = next(iter(open_journal(tape).arrays("Instrument")))
    assert len(first) == 2  # of the beginning of the day: what was sent before is asked for
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(features(tape)) > 100  # every record fits its book
    facts = json.loads((tape / INDEX_NAME).read_text())
    assert (facts["is_synthetic"], facts["missing"], facts["venue"]) == (False, 0, "xnas")
    kinds = {int(kind) for batch in open_journal(tape).arrays("Control") for kind in batch["type"]}
    assert kinds <= {int(Type.CONNECTED), int(Type.GAP), int(Type.RECOVERED), int(Type.CLOCK_OFFSET)}


def test_a_feed_of_a_node_goes_into_the_catalog_and_a_backtest_plays_it(world, tmp_path):
    root = tmp_path / "tapes"

    def tape():
        return next(root.glob("xnas/*/feed-*"), root)

    said = record(world, tape, world.node_file, "--root", root)

    assert said.startswith(str(tape()))
    done = openbell("backtest", MAKER, "--tape", tape(), "--out", tmp_path / "run", check=0)
    assert "OBEL" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "expected a node's file or --listen"),
        (("--listen", "127.0.0.1"), "--listen:"),
        (("--listen", "127.0.0.1:0", "--for", "0.3"), "expected packets of a feed at 127.0.0.1:0, found none"),
    ],
)
def test_what_cannot_be_recorded_is_said(tmp_path, options, message):
    done = openbell("tape", "record", *options, "--out", tmp_path / "tape", check=2)

    assert message in done.stderr
