"""native/wire/itch50.h against its slow twin, and against real files."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itch_messages import messages
from openbell import _native as native
from oracles import itch, mold, pcap


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


def sections(specification: str) -> dict[str, tuple[int, str]]:
    """Type -> (length, text) of each message of the document; two may share a heading, and a table."""
    heads = list(re.finditer(r"(?:^## |and |\. )([A-Za-z]) [A-Z][\w ,-]*\((\d+)\)", specification, re.MULTILINE))
    ends = [head.start() for head in heads[1:]] + [len(specification)]
    texts = [specification[head.end() : end] for head, end in zip(heads, ends, strict=True)]
    return {head[1]: (int(head[2]), texts[i] if texts[i].strip() else texts[i + 1]) for i, head in enumerate(heads)}


def test_every_field_lies_where_the_document_says(shared_data: Path):
    documented = sections((shared_data.parent / "specs/itch50.md").read_text())

    assert {kind: length for kind, (length, _) in documented.items()} == native.itch_lengths()
    checked = 0
    for kind, fields in native.itch_layouts().items():
        assert fields[:3] == [("locate", 1, 2), ("tracking", 3, 2), ("ts", 5, 6)]
        places = {offset: size for _, offset, size in fields[3:]}
        text = documented[kind][1].replace(": as E, then", documented["E"][1])
        rows = {int(at): int(size) for at, size in re.findall(r"^\| (\d+) \| (\d+) \|", text, re.MULTILINE)}
        if rows:
            assert {at: size for at, size in rows.items() if at < documented[kind][0]} == places, kind
        sizes = {int(at): int(size) for at, size in re.findall(r"\b(\d+) [A-Za-z ]+ \((\d+)\)", text)}
        numbers = {int(n) for n in re.findall(r"\b\d+\b", text)}
        for at, size in places.items():
            assert at in numbers, f"{kind}: the document has no field at {at}"
            assert sizes.get(at, size) == size, f"{kind}: size of the field at {at}"
            checked += 1
    assert checked == 99


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
