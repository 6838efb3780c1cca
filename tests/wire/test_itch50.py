"""native/wire/itch50.h against its slow twin, and against real files."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell import _native as native
from oracles import itch, mold, pcap

TEXT = st.characters(min_codepoint=33, max_codepoint=126)


def field(code: str, width: int) -> st.SearchStrategy[str | int]:
    if code == "c":
        return st.characters(max_codepoint=255)
    if code == "s":
        return st.text(TEXT, max_size=width)
    return st.integers(0, 2 ** (8 * struct.calcsize(">" + code)) - 1)


@st.composite
def messages(draw: st.DrawFn) -> itch.Fields:
    kind = draw(st.sampled_from(sorted(itch.FORMATS)))
    form, names = itch.layout(kind)
    codes = [c for c in form.format[1:] if not c.isdigit()]
    fields: itch.Fields = {
        "type": kind,
        "locate": draw(st.integers(0, 0xFFFF)),
        "tracking": draw(st.integers(0, 0xFFFF)),
        "ts": draw(st.integers(0, 2**48 - 1)),
    }
    for name, code, width in zip(names, codes, itch.text_widths(form), strict=True):
        fields[name] = draw(field(code, width))
    return fields


def test_lengths_are_those_of_the_document():
    documented = {
        "S": 12,
        "R": 39,
        "H": 25,
        "Y": 20,
        "L": 26,
        "V": 35,
        "W": 12,
        "K": 28,
        "J": 35,
        "h": 21,
        "A": 36,
        "F": 40,
        "E": 31,
        "C": 36,
        "X": 23,
        "D": 19,
        "U": 35,
        "P": 44,
        "Q": 40,
        "B": 19,
        "I": 50,
        "N": 20,
        "O": 48,
    }

    assert native.itch_lengths() == documented
    assert {kind: itch.length(kind) for kind in itch.FORMATS} == documented


@given(messages())
def test_any_message_is_written_and_read_as_the_oracle_does(fields: itch.Fields):
    encoded = itch.encode(fields)

    assert native.itch_encode(fields) == encoded
    assert native.itch_decode(encoded) == itch.decode(encoded) == fields


@given(messages(), st.binary(min_size=1, max_size=9))
def test_bytes_after_a_known_message_are_ignored(fields: itch.Fields, extra: bytes):
    assert native.itch_decode(itch.encode(fields) + extra) == fields


@pytest.mark.parametrize("kind", sorted(itch.FORMATS))
def test_a_message_cut_at_any_byte_is_no_message(kind: str):
    whole = kind.encode() + b"A" * (itch.length(kind) - 1)

    assert native.itch_decode(whole) is not None
    assert [native.itch_decode(whole[:n]) for n in range(len(whole))] == [None] * len(whole)


def test_unknown_types_are_no_message():
    unknown = [bytes([b]) + bytes(60) for b in range(256) if chr(b) not in itch.FORMATS]

    assert [native.itch_decode(m) for m in unknown] == [None] * 233


@pytest.mark.parametrize(
    "name, count",
    [
        ("nasdaq_20191230_first1000.itch", 1000),
        ("nasdaq_20200130_AAPL_first4000.itch", 4000),
        ("synthetic_3stocks_12012msgs.itch", 12012),
    ],
)
def test_real_files_are_written_again_byte_for_byte(shared_data: Path, name: str, count: int):
    found = itch.read_file((shared_data / "itch50" / name).read_bytes())

    assert len(found) == count
    for message in found:
        fields = native.itch_decode(message)
        assert fields == itch.decode(message)
        assert native.itch_encode(fields) == message


def test_captured_packets_are_written_again_byte_for_byte(shared_data: Path):
    captures = sorted((shared_data / "nasdaq_pcap" / "Nasdaq.Equities.TotalView.Itch.v5.0").glob("*.pcap"))
    assert len(captures) == 8

    for capture in captures:
        for datagram in pcap.payloads(capture.read_bytes()):
            session, seq, count, found = native.mold_parse(datagram)
            again = [native.itch_encode(native.itch_decode(message)) for message in found]

            assert session == "000010059B" and count == len(found) > 0
            assert again == found
            assert native.mold_pack(session, seq, again, 1472) == [datagram]
            assert mold.parse(datagram) == (session, seq, count, found)
