"""Our commands on the wire, read back by the oracle."""

from typing import Any

import pytest

from openbell._native import HIDDEN, POST_ONLY
from openbell.types import Reason, Side, Tif, Type
from oracles import ouch, soup
from venue.client import INSTRUMENT, ORDER_ID, Client, client, live, order

AAPL = INSTRUMENT.tobytes()


def on_the_wire(session: Client, command: bytes) -> dict[str, Any]:
    [(kind, message)], rest = soup.packets(session.encode(command, AAPL))
    assert (kind, rest) == ("U", b"")
    return ouch.decode(ouch.INBOUND, message)


def test_a_new_order_is_an_enter_order():
    assert on_the_wire(live(), order(side=Side.SELL, qty=200, px=1_234_500)) == {
        "type": "O",
        "token": ouch.token(ORDER_ID, 1),
        "side": "S",
        "qty": 200,
        "symbol": "AAPL",
        "px": 1_234_500,
        "tif": 99_998,
        "firm": "OPEN",
        "display": "Y",
        "capacity": "P",
        "iso": "N",
        "qty_min": 0,
        "cross": "N",
        "customer": "N",
    }


@pytest.mark.parametrize(("tif", "wire", "qty_min"), [(Tif.DAY, 99_998, 0), (Tif.IOC, 0, 0), (Tif.FOK, 0, 100)])
def test_time_in_force_is_seconds_and_fok_has_a_minimum(tif: Tif, wire: int, qty_min: int):
    for kind, version in ((Type.NEW_ORDER, 1), (Type.REPLACE_ORDER, 2)):
        message = on_the_wire(live(), order(kind, tif=tif, version=version))

        assert (message["tif"], message["qty_min"]) == (wire, qty_min)


def test_a_replace_names_the_version_before_it():
    assert on_the_wire(live(), order(Type.REPLACE_ORDER, version=4, qty=500, px=10_000)) == {
        "type": "U",
        "prev_token": ouch.token(ORDER_ID, 3),
        "token": ouch.token(ORDER_ID, 4),
        "qty": 500,
        "px": 10_000,
        "tif": 99_998,
        "display": "Y",
        "iso": "N",
        "qty_min": 0,
    }


def test_a_replace_after_a_rejected_one_names_the_version_that_lives():
    message = on_the_wire(live(), order(Type.REPLACE_ORDER, version=4, prev_version=2))

    assert message["prev_token"] == ouch.token(ORDER_ID, 2)


def test_a_cancel_names_its_version_and_takes_everything():
    message = on_the_wire(live(), order(Type.CANCEL_ORDER, version=3))

    assert message == {"type": "X", "token": ouch.token(ORDER_ID, 3), "qty": 0}


@pytest.mark.parametrize(
    "fields",
    [
        {"side": 0},
        {"qty": 0},
        {"qty": -1},
        {"qty": 1_000_000},
        {"qty": 2**32 + 1},
        {"px": 0},
        {"px": -100},
        {"px": 1_999_999_901},
        {"px": 2**32 + 1},
        {"version": 62**3},
        {"version": 0},
        {"kind": Type.CANCEL_ORDER, "version": 0},
        {"kind": Type.REPLACE_ORDER, "version": 1},
        {"kind": Type.MASS_CANCEL},
        {"kind": Type.CANCEL_ORDER, "version": 62**3},
        {"kind": Type.REPLACE_ORDER, "version": 0},
        {"kind": Type.REPLACE_ORDER, "version": 3, "prev_version": 3},
    ],
)
def test_what_ouch_cannot_carry_is_refused(fields: dict[str, Any]):
    command = order(**fields)
    session = live()

    assert session.encode(command, AAPL) == b""
    assert session.refusal(command, AAPL) == Reason.NOT_EXPRESSIBLE


NOW = 1_700_000_000 * 10**9


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        (Reason.TIF_NOT_CARRIED, {"tif": Tif.GTC}),
        (Reason.TIF_NOT_CARRIED, {"tif": 77}),
        (Reason.TIF_NOT_CARRIED, {"tif": Tif.GTD, "ts_event": NOW, "expires_s": NOW // 10**9}),
        (Reason.TIF_NOT_CARRIED, {"tif": Tif.GTD, "ts_event": NOW, "expires_s": NOW // 10**9 + 99_998}),
        (Reason.TIF_NOT_CARRIED, {"tif": Tif.AT_OPEN, "kind": Type.REPLACE_ORDER, "version": 2}),
        (Reason.POST_ONLY_NOT_CARRIED, {"flags": POST_ONLY | HIDDEN}),
        (Reason.DISPLAY_NOT_CARRIED, {"display_qty": 50}),
    ],
)
def test_terms_that_ouch_has_no_word_for_are_refused_by_name(reason: Reason, fields: dict[str, Any]):
    command = order(**fields)
    session = live()

    assert session.encode(command, AAPL) == b""
    assert session.refusal(command, AAPL) == reason


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"flags": POST_ONLY}, {"display": "P"}),
        ({"flags": HIDDEN}, {"display": "N"}),
        ({"display_qty": 100}, {"display": "Y"}),
        ({"tif": Tif.AT_OPEN}, {"cross": "O", "tif": 99_998}),
        ({"tif": Tif.AT_CLOSE}, {"cross": "C", "tif": 99_998}),
        ({"tif": Tif.GTD, "ts_event": NOW, "expires_s": NOW // 10**9 + 99_997}, {"tif": 99_997}),
    ],
)
def test_terms_in_the_words_of_ouch(fields: dict[str, Any], words: dict[str, Any]):
    message = on_the_wire(live(), order(**fields))
    assert {name: message[name] for name in words} == words

    if "cross" not in words:
        replace = on_the_wire(live(), order(Type.REPLACE_ORDER, version=2, **fields))
        assert {name: replace[name] for name in words} == words


@pytest.mark.parametrize(
    "fields", [{"qty": 999_999}, {"px": 1_999_999_900}, {"qty": 1, "px": 1}, {"version": 62**3 - 1}]
)
def test_the_limits_themselves_pass(fields: dict[str, Any]):
    message = on_the_wire(live(), order(**fields))

    assert message["token"] == ouch.token(ORDER_ID, fields.get("version", 1))
    assert (message["qty"], message["px"]) == (fields.get("qty", 100), fields.get("px", 1_500_000))


@pytest.mark.parametrize("change", [{"px_decimals": 2}, {"qty_decimals": 3}, {"symbol": b"NINECHARS"}])
def test_an_instrument_of_another_scale_is_refused(change: dict[str, Any]):
    other = INSTRUMENT.copy()
    for name, value in change.items():
        other[name] = value

    assert live().refusal(order(), other.tobytes()) == Reason.NOT_EXPRESSIBLE


def test_a_session_that_is_not_live_refuses():
    down, logging_in, leaving = client(), client(), live()
    logging_in.on_connected(0)
    leaving.log_out()

    for session in (down, logging_in, leaving):
        assert session.encode(order(), AAPL) == b""
        assert session.refusal(order(), AAPL) == Reason.SESSION_DOWN


def test_with_bytes_unsent_only_cancels_pass():
    session = live()
    packet = session.encode(order(), AAPL)
    assert session.keep(packet[20:])
    cancel = order(Type.CANCEL_ORDER)

    assert session.refusal(order(version=2), AAPL) == Reason.SOCKET_FULL
    assert session.refusal(order(Type.REPLACE_ORDER, version=2), AAPL) == Reason.SOCKET_FULL
    cancel_packet = session.encode(cancel, AAPL)
    assert session.keep(cancel_packet)

    assert session.say() == packet[20:] + cancel_packet
    assert session.refusal(order(version=2), AAPL) == Reason.NONE


def test_what_is_kept_is_bounded_and_whole():
    session = live()
    chunk = bytes(range(250)) * 40

    assert session.keep(chunk)
    session.taken(6_000)
    assert session.keep(chunk)
    assert not session.keep(chunk)

    assert session.say() == chunk[6_000:] + chunk
