"""The audit of the books: silent on what can be, and loud about one changed number wherever it stands."""

import re
import struct

import pytest
from tests.oms.test_oms_orders import BUY, SELL, Desk

from openbell import _native
from openbell.errors import InvariantError, OpenbellError


def busy_desk() -> Desk:
    desk = Desk()
    for exec_id, (side, strategy) in enumerate([(BUY, 0), (SELL, 1), (BUY, 1)], start=1):
        i = desk.resting(100 * exec_id, side=side, strategy=strategy)
        desk.fill(i, 30, exec_id=exec_id)
    ended = desk.resting(50)
    desk.fill(ended, 50, exec_id=9)
    desk.oms.audit()
    return desk


def test_books_that_agree_are_let_be():
    busy_desk()
    _native.Oms(8, 2, 2).audit()


def test_an_overfill_is_an_incident_and_no_contradiction():
    desk = Desk()
    desk.fill(desk.resting(100), 130)

    desk.oms.audit()


def test_a_changed_quantity_is_found_wherever_it_stands():
    """Every int64 of the saved state that holds one of the orders' or positions' quantities, one up."""
    saved = busy_desk().oms.save()
    found = 0
    for at in range(0, len(saved) - 8, 4):
        (value,) = struct.unpack_from("<q", saved, at)
        if not 0 < value < 1_000:
            continue
        other = _native.Oms(8, 2, 2)
        changed = bytearray(saved)
        struct.pack_into("<q", changed, at, value + 1)
        try:
            other.load(bytes(changed))
            other.audit()
        except InvariantError as error:
            assert "stop trading and keep the journal" in str(error)
            found += 1
        except OpenbellError:
            continue  # a count or an index that cannot be: refused by load
    assert found >= 15


@pytest.mark.parametrize(
    ("text", "message"),
    [("position", "I12 buys less sells, strategy 0, instrument 0"), ("order", r"I6 cum \+ leaves against qty, order")],
)
def test_the_message_says_which_rule_and_where(text, message):
    desk = Desk()
    i = desk.resting(777)
    desk.fill(i, 333, exec_id=1)
    saved = bytearray(desk.oms.save())
    number = {"position": 333, "order": 444}[text]  # bought; still open
    places = [at for at in range(len(saved) - 8) if struct.unpack_from("<q", saved, at)[0] == number]
    seen = []
    for at in places:
        changed = bytearray(saved)
        struct.pack_into("<q", changed, at, number + 1)
        other = _native.Oms(8, 2, 2)
        other.load(bytes(changed))
        try:
            other.audit()
        except InvariantError as error:
            seen.append(str(error))

    assert any(re.search(message, said) for said in seen), seen


def test_an_id_of_an_epoch_that_never_was_is_found():
    desk = Desk()
    desk.start(epoch=7)
    desk.resting()
    saved = bytearray(desk.oms.save())
    struct.pack_into("<I", saved, 4, 3)
    other = _native.Oms(8, 2, 2)
    other.load(bytes(saved))

    with pytest.raises(InvariantError, match="I3 epoch of an order id"):
        other.audit()
