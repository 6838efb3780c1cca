"""A node whose wall clock was set back while it was down: its time goes on from the journal's end."""

import time

import numpy as np
from tests.node import lives

from openbell import events
from openbell._native import JournalWriter
from openbell.journal import FrameClass, Source, open_journal
from openbell.types import Type

HOUR_NS = 3_600 * 10**9


def test_engine_time_does_not_stand_still_and_the_step_is_told_and_journalled(tmp_path, capfd):
    node = lives.write_node(tmp_path)
    lives.run_epoch(node, 1, lives.OPENING + lives.adds(1, 20))
    later_ns = time.time_ns() + HOUR_NS
    writer = JournalWriter(str(tmp_path / "journal"), str(tmp_path / "hot"), segment_bytes=4 << 20)
    heartbeat = np.frombuffer(events.control(Type.HEARTBEAT), np.uint8)
    writer.append(FrameClass.IN, int(Source.NODE), len(heartbeat), heartbeat, 0, 0, later_ns, later_ns)
    writer.close()
    capfd.readouterr()

    lives.run_epoch(node, 23, [])

    assert "the wall clock stands 3" in (said := capfd.readouterr().err)
    assert "look after the clock" in said
    after = [f for f in open_journal(tmp_path / "journal", tmp_path / "hot") if f.ts_seq >= later_ns]
    assert len({f.ts_seq for f in after}) > 3
    assert after[-1].ts_seq - later_ns > lives.RUN_NS // 2
    offsets = [f.record(0) for f in after if f.record(0)["type"] == Type.CLOCK_OFFSET]
    assert [round(int(o["values"][1] - o["values"][0]) / HOUR_NS) for o in offsets] == [1]
