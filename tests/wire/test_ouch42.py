"""native/wire/ouch42.h and token.h against their slow twins."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openbell import _native as native
from oracles import itch, ouch

TEXT = st.characters(min_codepoint=33, max_codepoint=126)
DIRECTIONS = {
    "inbound": (ouch.INBOUND, native.ouch_encode_inbound, native.ouch_decode_inbound),
    "outbound": (ouch.OUTBOUND, native.ouch_encode_outbound, native.ouch_decode_outbound),
}


@st.composite
def messages(draw: st.DrawFn, formats: dict[str, tuple[str, str]]) -> itch.Fields:
    kind = draw(st.sampled_from(sorted(formats)))
    form = struct.Struct(">" + formats[kind][0])
    codes = [c for c in form.format[1:] if not c.isdigit()]
    fields: itch.Fields = {"type": kind}
    for name, code, width in zip(formats[kind][1].split(), codes, itch.text_widths(form), strict=True):
        if code in "cs":
            fields[name] = draw(st.text(TEXT, min_size=int(code == "c"), max_size=width))
        else:
            fields[name] = draw(st.integers(0, 2 ** (8 * struct.calcsize(">" + code)) - 1))
    return fields


@pytest.mark.parametrize("direction", DIRECTIONS)
@given(data=st.data())
def test_any_message_is_written_and_read_as_the_oracle_does(direction: str, data: st.DataObject):
    formats, encode, decode = DIRECTIONS[direction]
    fields = data.draw(messages(formats))
    encoded = ouch.encode(formats, fields)

    assert encode(fields) == encoded
    assert decode(encoded) == ouch.decode(formats, encoded) == fields


def test_lengths_are_those_of_the_document():
    inbound = {"O": 49, "U": 47, "X": 19, "M": 20, "N": 15}
    outbound = {
        "S": 10,
        "A": 66,
        "U": 80,
        "C": 28,
        "D": 38,
        "E": 40,
        "G": 45,
        "F": 41,
        "B": 32,
        "J": 24,
        "P": 23,
        "I": 23,
        "N": 23,
        "T": 36,
        "M": 28,
    }

    assert {k: len(native.ouch_encode_inbound({"type": k, **optional(k)})) for k in inbound} == inbound
    assert {k: len(native.ouch_encode_outbound({"type": k, **optional(k)})) for k in outbound} == outbound


def optional(kind: str) -> dict[str, str]:
    return {"O": {"customer": "R"}, "D": {"strategy": "x"}}.get(kind, {})


def test_an_enter_order_of_before_customer_type_is_accepted():
    order = native.ouch_encode_inbound({"type": "O", "token": "A1", "qty": 100, "symbol": "ALC", "px": 1_000_000})

    assert len(order) == 48
    assert native.ouch_decode_inbound(order).get("customer") is None
    assert native.ouch_decode_inbound(order + b"R")["customer"] == "R"


@pytest.mark.parametrize("kind, shortest", [("O", 48), ("U", 47), ("X", 19), ("M", 20), ("N", 15)])
def test_an_order_of_another_length_is_refused(kind: str, shortest: int):
    whole = native.ouch_encode_inbound({"type": kind, **optional(kind)})

    assert [n for n in range(len(whole) + 1) if native.ouch_decode_inbound(whole[:n])] == sorted({shortest, len(whole)})
    assert native.ouch_decode_inbound(whole + b"A") is None


@pytest.mark.parametrize("kind", sorted(ouch.OUTBOUND))
def test_a_report_cut_at_any_byte_is_none_and_a_longer_one_is_read(kind: str):
    whole = native.ouch_encode_outbound({"type": kind})

    assert [native.ouch_decode_outbound(whole[:n]) for n in range(len(whole))] == [None] * len(whole)
    assert native.ouch_decode_outbound(whole) is not None
    assert native.ouch_decode_outbound(whole + b"later") is not None


def test_unknown_types_are_none():
    assert [chr(b) for b in range(256) if native.ouch_decode_outbound(bytes([b]) + bytes(99))] == sorted(ouch.OUTBOUND)


@given(st.integers(0, 2**64 - 1), st.integers(0, 62**3 - 1))
@example(0, 0)
@example(2**64 - 1, 62**3 - 1)
def test_a_token_is_the_order_id_and_version(cl_ord_id: int, version: int):
    token = native.ouch_token(cl_ord_id, version)

    assert token == ouch.token(cl_ord_id, version)
    assert native.ouch_token_decode(token) == (cl_ord_id, version)


def test_a_version_beyond_three_digits_has_no_token():
    assert native.ouch_token(1, 62**3) is None


@given(st.one_of(st.text(TEXT, max_size=15), st.text(st.sampled_from(ouch.BASE62), min_size=14, max_size=14)))
@example(ouch.base62(2**64, 11) + "000")
@example("zzzzzzzzzzzzzz")
@example("0000000000000")
@example("00000000000 00")
def test_a_token_that_we_did_not_make_is_refused(token: str):
    key = native.ouch_token_decode(token)

    if key is None:
        canonical = len(token) == 14 and all(c in ouch.BASE62 for c in token)
        assert not canonical or sum(ouch.BASE62.index(c) * 62 ** (10 - i) for i, c in enumerate(token[:11])) >= 2**64
    else:
        assert ouch.token(*key) == token
