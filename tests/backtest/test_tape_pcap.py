"""Captures of MoldUDP64 as tapes: both lines, holes, and a beginning in the middle of the day."""

import struct
from datetime import date

import numpy as np
import pytest

from openbell._native import EdgeConfig, itch_encode
from openbell.backtest.tape_directory import midnight_ns
from openbell.backtest.tape_pcap import import_pcap
from openbell.book import Books
from openbell.errors import DecodeError
from openbell.journal import open_journal
from openbell.types import RECORDS, Type

DAY = date(2023, 8, 22)
SECOND = 10**9
NINE = midnight_ns(DAY) + 9 * 3600 * SECOND
HEAD = {"locate": 7, "tracking": 0, "ts": 9 * 3600 * SECOND}


def add(order_id, qty=10, side="B", px=1_000_000):
    fields = {"order_id": order_id, "side": side, "qty": qty, "symbol": "OBEL", "px": px}
    return itch_encode({"type": "A", **HEAD, **fields})


def directory():
    return itch_encode({"type": "R", **HEAD, "symbol": "OBEL"})


def packet(seq, *messages):
    return b"SESSION001" + struct.pack(">QH", seq, len(messages)) + b"".join(len(m).to_bytes(2) + m for m in messages)


def capture(path, *sent):
    """sent: (ns since nine o'clock, line, payload)."""
    out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    for after, line, payload in sent:
        udp = struct.pack(">HHHH", 1, 26477, len(payload) + 8, 0) + payload
        ip = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 9, 17, 0, b"\1\2\3\4", bytes([233, 54, 12, line])
        )
        frame = bytes(12) + b"\x08\x00" + ip + udp
        seconds, fraction = divmod(NINE + after, SECOND)
        out += struct.pack("<IIII", seconds, fraction, len(frame), len(frame)) + frame
    path.write_bytes(out)
    return path


def tape(file, out, **options):
    imported = import_pcap(file, out, **options)
    return imported, list(open_journal(out))


def kinds(frames):
    return [Type(int(kind)) for frame in frames for kind in frame.raw[:, 0]]


def test_frames_carry_the_times_of_the_capture_and_the_numbers_of_the_session(tmp_path):
    file = capture(tmp_path / "c", (0, 1, packet(5, directory(), add(1))), (250, 1, packet(7, add(2), add(3))))
    imported, frames = tape(file, tmp_path / "t")
    assert (imported.messages, imported.unsubscribed) == (4, 0)
    assert kinds(frames) == [Type.INSTRUMENT, *[Type.BOOK_ADD] * 3]
    assert [(f.ts_recv - NINE, f.source_seq, f.flags) for f in frames] == [(0, 6, 0), (0, 6, 0), (250, 8, 0)]
    assert int(frames[1].records["ts_event"][0]) == NINE


def test_what_one_line_lost_the_other_brings(tmp_path):
    packets = [packet(1, directory(), add(1)), packet(3, add(2)), packet(4, add(3)), packet(5, add(4))]
    sent = [(10 * n, 1, p) for n, p in enumerate(packets) if n != 1] + [
        (10 * n + 5, 2, p) for n, p in enumerate(packets)
    ]
    _, frames = tape(capture(tmp_path / "c", *sorted(sent)), tmp_path / "t")
    assert kinds(frames).count(Type.BOOK_ADD) == 4
    assert Type.GAP not in kinds(frames) or Type.RECOVERED in kinds(frames)
    adds = [int(r["order_id"]) for f in frames if f.raw[0, 0] == Type.BOOK_ADD for r in f.records]
    assert adds == [1, 2, 3, 4]


def test_what_both_lines_lost_is_a_gap_that_stays(tmp_path):
    sent = [(0, 1, packet(1, directory(), add(1))), (10, 1, packet(5, add(4))), (5 * SECOND, 1, packet(6, add(5)))]
    _, frames = tape(capture(tmp_path / "c", *sent), tmp_path / "t")
    gaps = [np.frombuffer(f.raw.tobytes(), RECORDS["Control"])[0] for f in frames if f.raw[0, 0] == Type.GAP]
    assert [(int(g["code"]), g["values"].tolist()[:2]) for g in gaps] == [(0, [3, 5]), (1, [3, 5])]
    assert kinds(frames).count(Type.BOOK_ADD) == 3


def test_a_capture_from_the_middle_of_a_day_announces_what_it_meets(tmp_path):
    _, frames = tape(capture(tmp_path / "c", (0, 1, packet(900, add(1), add(2)))), tmp_path / "t")
    assert kinds(frames) == [Type.INSTRUMENT, Type.BOOK_ADD, Type.BOOK_ADD]
    assert np.frombuffer(frames[0].raw.tobytes(), RECORDS["Instrument"])[0]["symbol"] == b"OBEL"
    books = Books(1, 16)
    books.add_instrument(0)
    assert books.apply(frames[1].records) == 0
    assert books.touch(0)[:2] == (1_000_000, 20)


def test_other_symbols_are_counted(tmp_path):
    file = capture(tmp_path / "c", (0, 1, packet(1, directory(), add(1))))
    imported, frames = tape(file, tmp_path / "t", symbols=["ELSE"])
    assert (imported.unsubscribed, frames) == (2, [])


def test_every_real_capture_of_totalview_is_read(shared_data, tmp_path):
    folder = shared_data / "nasdaq_pcap" / "Nasdaq.Equities.TotalView.Itch.v5.0"
    messages = {}
    for number, file in enumerate(sorted(folder.glob("*.pcap"))):
        imported, frames = tape(file, tmp_path / str(number))
        messages[file.stem] = imported.messages
        assert all(f.ts_recv // SECOND // 86_400 == 1_692_662_400 // 86_400 for f in frames)
    assert messages["Multiple.Packets"] >= 38
    assert messages["AddOrderNoMpidAttributionMessage"] == 2  # with its announcement


def test_captures_of_other_protocols_are_refused_and_leave_nothing(shared_data, tmp_path):
    for file in (shared_data / "nasdaq_pcap" / "Nasdaq.Nsm.Ouch.v5.0").glob("*.pcap"):
        with pytest.raises(DecodeError, match="MoldUDP64"):
            import_pcap(file, tmp_path / "t")
    for file in (shared_data / "iex").glob("**/*.pcap*"):
        with pytest.raises(DecodeError, match="MoldUDP64"):
            import_pcap(file, tmp_path / "t")
    with pytest.raises(DecodeError, match="MoldUDP64"):
        import_pcap(capture(tmp_path / "c", (0, 1, b"hello")), tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_checks_of_a_feed_hold_for_a_capture(tmp_path):
    checks = EdgeConfig()
    checks.add_limits("OBEL", qty_max=50)
    file = capture(tmp_path / "c", (0, 1, packet(1, directory(), add(1), add(2, qty=51))))

    imported, frames = tape(file, tmp_path / "t", checks=checks)

    assert Type.QUARANTINED in kinds(frames) and kinds(frames).count(Type.BOOK_ADD) == 1
    assert (imported.failed, imported.left_out) == ({"qty band": 1}, {"by checks": 1})
