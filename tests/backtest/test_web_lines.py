"""Recordings line by line: both ways to write a time, what is skipped, and what is damage."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbell.backtest.tape_binance import import_binance
from openbell.backtest.web_lines import WebLine, web_lines
from openbell.errors import DecodeError
from openbell.journal import open_journal
from openbell.types import Type


def write(path, *lines):
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_times_in_ns_and_in_seconds_and_what_was_sent(tmp_path):
    file = write(
        tmp_path / "f",
        b"wss://host/path <-> 1652459224.5",
        b'wss://host/path <- 1652459225.25: {"op":"subscribe"}',
        b'1652459225.5037491: {"a":1}',
        b"",
        b'1723161253937085768 {"b":2}\r',
        b'wss://host/path -> 1652459226: {"c":3}',
    )
    assert list(web_lines(file)) == [
        WebLine(3, 1_652_459_225_503_749_100, b'{"a":1}'),
        WebLine(5, 1_723_161_253_937_085_768, b'{"b":2}'),
        WebLine(6, 1_652_459_226_000_000_000, b'{"c":3}'),
    ]


def test_damage_is_named_by_its_line(tmp_path):
    file = write(tmp_path / "f", b"1723161253937085768 {}", b"no time")
    with pytest.raises(DecodeError, match="line 2"):
        list(web_lines(file))
    whole = gzip.compress(b"1723161253937085768 {}\n" * 5_000, mtime=0)
    (tmp_path / "g").write_bytes(whole[:-9])
    with pytest.raises(DecodeError, match="gzip"):
        list(web_lines(tmp_path / "g"))
    with pytest.raises(DecodeError, match="check the path"):
        list(web_lines(tmp_path / "nowhere"))


def test_a_malformed_message_in_a_recording_is_a_gap_on_the_tape_and_the_rest_is_there(tmp_path):
    depth = b'{"e":"depthUpdate","E":1,"s":"AB","U":%d,"u":%d,"b":[["1.0","2.0"]],"a":[["3.0","%d.0"]]}'
    snapshot = b'{"lastUpdateId":%d,"bids":[["1.0","2.0"]],"asks":[]}'
    lines = [depth % (1, 2, 1), snapshot % 2, depth % (3, 3, 5), depth[:20], depth % (5, 5, 6), snapshot % 5]
    file = write(tmp_path / "f", *(b"%d " % (10**18 + n) + line for n, line in enumerate(lines)))

    imported = import_binance(file, tmp_path / "t")

    kinds = [Type(int(f.raw[0, 0])) for f in open_journal(tmp_path / "t")]
    assert imported.messages == 6
    assert [k for k in kinds if k in (Type.GAP, Type.RECOVERED)] == [Type.GAP, Type.RECOVERED] * 2


def test_a_silence_in_a_recording_is_on_the_tape_at_its_own_time(tmp_path):
    second, depth = 10**9, b'{"e":"depthUpdate","E":%d,"s":"AB","U":%d,"u":%d,"b":[["1.0","2.0"]],"a":[]}'
    snapshot = b'{"lastUpdateId":1,"bids":[["1.0","2.0"]],"asks":[]}'
    said = {0: depth % (1, 1, 1), 1: snapshot, 2: depth % (2, 2, 2), 100: depth % (3, 3, 3)}
    file = write(tmp_path / "f", *(b"%d " % (10**18 + at * second) + line for at, line in said.items()))

    import_binance(file, tmp_path / "t")

    told = [(Type(int(f.raw[0, 0])), f.ts_recv // second - 10**9) for f in open_journal(tmp_path / "t")]
    assert [one for one in told if one[0] in (Type.GAP, Type.RECOVERED)][-2:] == [
        (Type.GAP, 32),
        (Type.RECOVERED, 100),
    ]


def test_a_recording_without_the_symbols_that_were_asked_for_is_an_error(tmp_path):
    file = write(tmp_path / "f", b'1723161253937085768 {"u":1,"s":"AB","b":"1","B":"1","a":"2","A":"1"}')
    with pytest.raises(DecodeError, match="expected messages of CD, found those of AB"):
        import_binance(file, tmp_path / "t", symbols=["CD"])
    assert not (tmp_path / "t").exists()


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40) | st.binary(max_size=40).map(lambda b: b"1723161253937085768 " + b), max_size=5))
def test_any_lines_are_messages_or_a_typed_error(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("lines")
    try:
        import_binance(write(folder / "f", *lines), folder / "t")
    except DecodeError:
        assert not (folder / "t").exists()
