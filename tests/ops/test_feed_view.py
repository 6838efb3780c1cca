"""What a person sees of a node's feeds, from its counters alone."""

import json

from rich.console import Console
from tests.ops.test_view import VIEW

from openbell.ops.feed_view import FeedRow, checks_line, recovery_line, take_feeds
from openbell.ops.view import render

NOW = 1_000_000_000_000
COUNTERS = {
    "frames_in": 5,
    "feed.nasdaq.gaps": 7,
    "feed.nasdaq.requests": 4,
    "feed.nasdaq.recovered": 30,
    "feed.nasdaq.lost": 2,
    "feed.nasdaq.snapshots": 1,
    "feed.nasdaq.waited_ns_max": 2_500_000,
    "feed.nasdaq.A.packets": 1_000,
    "feed.nasdaq.A.first": 900,
    "feed.nasdaq.A.lag_ns": 1_500,
    "feed.nasdaq.A.heard_ns": NOW - 1_000_000,
    "feed.nasdaq.B.packets": 990,
    "feed.nasdaq.B.first": 100,
    "feed.nasdaq.B.skipped": 12,
    "feed.nasdaq.B.lag_ns": 42_000,
    "feed.nasdaq.B.lag_ns_max": 1_234_000,
    "feed.nasdaq.B.heard_ns": NOW - 2_000_000,
}


def feed(**more: int) -> FeedRow:
    (row,) = take_feeds(COUNTERS | {f"feed.nasdaq.{key.replace('__', '.')}": value for key, value in more.items()}, NOW)
    return row


def shown(row: FeedRow) -> str:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(render(VIEW.__class__(**{**VIEW.__dict__, "feeds": (row,)})))
    return capture.get()


def test_feeds_are_taken_out_of_the_counters():
    counters = dict(COUNTERS)

    (row,) = take_feeds(counters, NOW)

    assert counters == {"frames_in": 5}
    assert [(line.name, line.packets, line.first, line.skipped) for line in row.lines] == [
        ("A", 1_000, 900, 0),
        ("B", 990, 100, 12),
    ]
    assert row.lines[1].silent_ms == 2.0


def test_each_line_has_its_losses_and_lag():
    text = shown(feed())

    assert "nasdaq  A" in text and "1.5 µs" in text
    assert "12" in text and "42.0 µs" in text and "1,234.0 µs" in text
    assert recovery_line(feed()) in text
    assert "gaps 7, requests 4, recovered 30, lost 2, snapshots 1, longest wait in a socket 2,500 µs" in text


def test_a_feed_that_is_well_has_no_alarm():
    assert list(feed().alarms()) == []
    assert list(feed(A__heard_ns=1, B__heard_ns=1).alarms()) == []  # both: the node or the venue stands still


def test_what_the_edge_found_is_one_line():
    assert checks_line(feed()) == ""
    row = feed(failed_px_band=1_200, failed_malformed=1, quarantined=5, filtered=7, duplicates=990, sessions=2)

    said = "px_band 1,200, malformed 1, quarantined 5, filtered 7, duplicates 990, sessions 2"
    assert checks_line(row) == f"nasdaq: {said}"
    assert said in shown(row)


def test_what_is_wrong_is_said():
    (stale,) = feed(stale=1).alarms()
    assert stale.startswith("silent: nothing was heard for stale_ms")
    (full,) = feed(no_room=4).alarms()
    assert full.startswith("4 orders should have been left out") and full.endswith("raise left_out_max")
    (dropped,) = feed(B__dropped=3).alarms()
    assert "line B: the kernel dropped 3 datagrams" in dropped
    (silent,) = feed(A__heard_ns=NOW - 6_000_000_000).alarms()
    assert silent == "line A: silent for 6 s while the other one speaks"
    (behind,) = feed(behind=1_200).alarms()
    assert behind == "1,200 messages behind: waiting for what was lost"
    (recovering,) = feed(recovering=1, snapshot_tries=2, snapshots_given_up=1).alarms()
    assert recovering == "books are being built anew from a snapshot (login 2)"
    (given_up,) = feed(snapshots_given_up=1).alarms()
    assert given_up.startswith("snapshots were given up")
    (stray,) = feed(wrong_session=9).alarms()
    assert "9 packets of another session refused" in stray
    assert "line B: the kernel dropped 3 datagrams" in shown(feed(B__dropped=3))


def test_machines_get_the_same():
    view = VIEW.__class__(**{**VIEW.__dict__, "feeds": (feed(B__dropped=3),)})

    (row,) = json.loads(json.dumps(view.as_dict()))["feeds"]

    assert row["name"] == "nasdaq" and row["lines"][1]["dropped"] == 3 and len(row["alarms"]) == 1
