"""native/wire/ouch50.h and ouch50_options.h against their slow twin and production packets."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openbell import _native as native
from openbell.errors import DecodeError
from oracles import itch, ouch50, pcap, soup

TEXT = st.characters(min_codepoint=33, max_codepoint=126)


class Direction(NamedTuple):
    table: ouch50.Table
    encode: Callable[[ouch50.Message], bytes]
    decode: Callable[[bytes], ouch50.Message | None]
    why: Callable[[bytes], str]


DIRECTIONS = {
    "inbound": Direction(
        ouch50.INBOUND, native.ouch50_encode_inbound, native.ouch50_decode_inbound, native.ouch50_why_inbound
    ),
    "outbound": Direction(
        ouch50.OUTBOUND, native.ouch50_encode_outbound, native.ouch50_decode_outbound, native.ouch50_why_outbound
    ),
}
KINDS = [(way, kind) for way in DIRECTIONS for kind in sorted(DIRECTIONS[way].table)]
LENGTHS = {
    "inbound": {"O": 47, "U": 40, "X": 9, "M": 10, "C": 19, "D": 11, "E": 11, "Q": 1},
    "outbound": {"S": 10, "A": 64, "U": 68, "C": 18, "D": 32, "E": 36, "B": 36, "J": 29, "P": 13, "I": 13, "T": 30}
    | {"M": 18, "R": 16, "X": 27, "G": 19, "K": 19, "Q": 13},
}


def values(form: str, names: str) -> st.SearchStrategy[itch.Fields]:
    """Any values of fields of these formats."""
    layout = struct.Struct(">" + form)
    codes = [c for c in form if not c.isdigit()]
    fields = {}
    for name, code, width in zip(names.split(), codes, itch.text_widths(layout), strict=True):
        bits = 8 * struct.calcsize(">" + code)
        if code in "cs":
            fields[name] = st.text(TEXT, min_size=int(code == "c"), max_size=width)
        elif code.islower():
            fields[name] = st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        else:
            fields[name] = st.integers(0, 2**bits - 1)
    return st.fixed_dictionaries(fields)


@st.composite
def options(draw: st.DrawFn) -> itch.Fields:
    found: itch.Fields = {}
    for tag in draw(st.permutations(sorted(ouch50.OPTIONS)))[: draw(st.integers(0, len(ouch50.OPTIONS)))]:
        found |= draw(values(*ouch50.OPTIONS[tag]))
    return found


@st.composite
def messages(draw: st.DrawFn, table: ouch50.Table) -> ouch50.Message:
    kind = draw(st.sampled_from(sorted(table)))
    form, names, ending = table[kind]
    message: ouch50.Message = {"type": kind, **draw(values(form, names))}
    if ending == ouch50.ALWAYS or (ending == ouch50.MAYBE and draw(st.booleans())):
        message["options"] = draw(options())
    return message


def order_of(found: ouch50.Message | None) -> list[str]:
    assert found is not None
    return list(found.get("options", {}))


@pytest.mark.parametrize("way", DIRECTIONS)
@given(data=st.data())
def test_any_message_is_written_and_read_as_the_oracle_does(way: str, data: st.DataObject):
    table, encode, decode, _ = DIRECTIONS[way]
    message = data.draw(messages(table))
    encoded = ouch50.encode(table, message)

    assert encode(message) == encoded
    assert decode(encoded) == ouch50.decode(table, encoded) == message
    assert order_of(decode(encoded)) == list(message.get("options", {}))


@pytest.mark.parametrize("way", DIRECTIONS)
@given(data=st.data())
def test_a_damaged_message_is_refused_for_the_oracles_reason_or_written_again(way: str, data: st.DataObject):
    table, encode, decode, why = DIRECTIONS[way]
    damaged = bytearray(ouch50.encode(table, data.draw(messages(table))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        if not damaged:
            break

    assert why(bytes(damaged)) == ouch50.why(table, bytes(damaged))
    assert (decode(bytes(damaged)) is None) == (why(bytes(damaged)) != "")
    if (found := decode(bytes(damaged))) is not None:
        assert encode(found) == bytes(damaged)


def test_lengths_without_options_are_those_of_the_document():
    for way, direction in DIRECTIONS.items():
        assert {kind: len(direction.encode({"type": kind})) for kind in direction.table} == LENGTHS[way]


@pytest.mark.parametrize("way, kind", KINDS)
def test_a_message_of_every_other_length_is_refused(way: str, kind: str):
    _, encode, decode, why = DIRECTIONS[way]
    shortest = encode({"type": kind})
    with_firm = encode({"type": kind, "options": {"firm": "LIME"}}) if (way, kind) != ("outbound", "S") else shortest
    read = [n for n in range(len(with_firm) + 1) if why(with_firm[:n]) == ""]

    assert all((decode(with_firm[:n]) is not None) == (n in read) for n in range(len(with_firm) + 1))
    optional = DIRECTIONS[way].table[kind][2] == ouch50.MAYBE
    assert read == ([len(shortest)] if optional else []) + [len(with_firm)]
    assert decode(shortest) is not None
    assert decode(with_firm + b"A") is None and decode(shortest + b"A") is None


@pytest.mark.parametrize("way", DIRECTIONS)
def test_unknown_types_are_refused(way: str):
    _, _, _, why = DIRECTIONS[way]

    assert [chr(b) for b in range(256) if why(bytes([b])) != "unknown type"] == sorted(LENGTHS[way])
    assert why(b"") == "empty"


ENTER = native.ouch50_encode_inbound({"type": "O", "user_ref": 1, "qty": 100})[:-2]


@pytest.mark.parametrize("tag", range(256))
def test_an_option_has_the_size_of_its_tag_or_is_refused(tag: int):
    read = []
    for size in range(32):
        element = bytes([1 + size, tag]) + b"1" * size
        order = ENTER + len(element).to_bytes(2, "big") + element
        if (found := native.ouch50_decode_inbound(order)) is not None:
            read.append(size)
            assert order_of(found) == [ouch50.OPTIONS[tag][1]] and native.ouch50_encode_inbound(found) == order
        else:
            assert native.ouch50_why_inbound(order) == ("option size" if tag in ouch50.OPTIONS else "option unknown")

    assert read == ([struct.calcsize(">" + ouch50.OPTIONS[tag][0])] if tag in ouch50.OPTIONS else [])


@pytest.mark.parametrize(
    "options, why",
    [
        ("", "too short"),
        ("00", "too short"),
        ("0000", ""),
        ("0001", "options length"),
        ("000000", "options length"),
        ("000100", "option size"),
        ("000101", "options length"),
        ("00020108", "option unknown"),
        ("0002ff02", "options length"),
        ("0006 0502 4c494d45", ""),
        ("0005 0502 4c494d45", "options length"),
        ("0007 0502 4c494d45", "options length"),
        ("0006 0602 4c494d45", "options length"),
        ("0006 0402 4c494d45", "option size"),
        ("000c 0502 4c494d45 0502 4c494d45", "option duplicate"),
        ("0009 0502 4c494d45 02 10 59", ""),
        ("ffff 0502 4c494d45", "options length"),
    ],
)
def test_options_are_read_strictly(options: str, why: str):
    order = ENTER + bytes.fromhex(options)

    assert native.ouch50_why_inbound(order) == ouch50.why(ouch50.INBOUND, order) == why


def test_every_option_at_once_is_read_in_either_order():
    every = {name: "9" if code.endswith(("c", "s")) else 9 for code, name in ouch50.OPTIONS.values()}
    for some in (every, dict(reversed(every.items()))):
        order = native.ouch50_encode_inbound({"type": "O", "options": some})

        assert len(order) == 45 + 126
        assert order_of(native.ouch50_decode_inbound(order)) == list(some)


def test_optional_options_are_written_as_they_were_read():
    cancel = native.ouch50_encode_inbound({"type": "X", "user_ref": 7})
    empty = native.ouch50_encode_inbound({"type": "X", "user_ref": 7, "options": {}})

    assert empty == cancel + b"\0\0"
    assert native.ouch50_decode_inbound(cancel) == {"type": "X", "user_ref": 7, "qty": 0}
    assert native.ouch50_decode_inbound(empty) == {"type": "X", "user_ref": 7, "qty": 0, "options": {}}


def test_a_dict_that_is_no_message_says_so():
    with pytest.raises(DecodeError, match="option 'colour' is not one"):
        native.ouch50_encode_inbound({"type": "O", "options": {"colour": 1}})
    with pytest.raises(DecodeError, match="fields that it does not know"):
        native.ouch50_encode_outbound({"type": "S", "options": {}})


@pytest.mark.parametrize(
    "way, packet, message",
    [
        ("inbound", "000a 55 58 00752e71 00000000", {"type": "X", "user_ref": 0x752E71, "qty": 0}),
        (
            "outbound",
            "0013 53 43 0000289b4d681317 00753a8d 00000028 55",
            {"type": "C", "ts": 0x289B4D681317, "user_ref": 0x753A8D, "qty": 0x28, "reason": "U"},
        ),
    ],
)
def test_the_packets_of_the_specification(way: str, packet: str, message: ouch50.Message):
    whole = bytes.fromhex(packet)
    [(kind, payload)], rest = soup.packets(whole)

    assert (DIRECTIONS[way].decode(payload), rest) == (message, b"")
    assert native.soup_packet(kind, DIRECTIONS[way].encode(message)) == whole


CAPTURES = {
    "CancelOrderMessage": {"type": "X", "user_ref": 0x752E71, "qty": 0},
    "CanceledMessage": {"type": "C", "ts": 0x289B4D681317, "user_ref": 0x753A8D, "qty": 40, "reason": "U"},
    "EnterOrderMessage": {
        "type": "O",
        "user_ref": 0x71,
        "side": "T",
        "qty": 225,
        "symbol": "CVLT",
        "px": 630_200,
        "tif": "0",
        "display": "Y",
        "capacity": "A",
        "iso": "N",
        "cross": "N",
        "cl_ord_id": "H8FUB8IV",
        "options": {"firm": "LIME"},
    },
    "OrderAcceptedMessage": {
        "type": "A",
        "ts": 0x289B4D64AF87,
        "user_ref": 0x753A8D,
        "side": "B",
        "qty": 40,
        "symbol": "ADBE",
        "px": 4_777_800,
        "tif": "5",
        "display": "Y",
        "order_id": 0x0F56B4F5,
        "capacity": "A",
        "iso": "N",
        "cross": "N",
        "state": "L",
        "cl_ord_id": "7682701",
        "options": {"firm": "MLRO", "bbo_weight": "0"},
    },
    "ClientHeartbeatPacket": None,
    "ServerHeartbeatPacket": None,
}


@pytest.mark.parametrize("name", CAPTURES)
def test_production_packets_are_read_and_written_again_byte_for_byte(name: str, shared_data: Path):
    capture = shared_data / "nasdaq_pcap/Nasdaq.Nsm.Ouch.v5.0" / f"{name}.pcap"
    [segment] = pcap.payloads(capture.read_bytes())
    framing, kind, payload, used = native.soup_parse(segment)
    way = DIRECTIONS["inbound" if kind in "UR" else "outbound"]

    assert (framing, used) == ("complete", len(segment))
    if CAPTURES[name] is None:
        assert (kind, payload) in [("R", b""), ("H", b"")] and native.soup_packet(kind, b"") == segment
        return
    message = way.decode(payload)
    assert message == ouch50.decode(way.table, payload) == CAPTURES[name]
    assert native.soup_packet(kind, way.encode(message)) == segment


def test_every_capture_of_the_folder_is_expected(shared_data: Path):
    folder = shared_data / "nasdaq_pcap/Nasdaq.Nsm.Ouch.v5.0"

    assert {capture.stem for capture in folder.glob("*.pcap")} == set(CAPTURES)


@given(st.binary(max_size=80))
@example(b"O" + bytes(46))
def test_any_bytes_are_judged_as_the_oracle_does(data: bytes):
    for direction in DIRECTIONS.values():
        assert direction.why(data) == ouch50.why(direction.table, data)
