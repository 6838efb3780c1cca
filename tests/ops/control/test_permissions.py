"""Every cell of the matrix, written down a second time by hand."""

import itertools

import pytest

from openbell.ops.control.permissions import MAY, TWO_PEOPLE, Act, Role, ScopeKind, may, who_may

NODE, STRATEGY, INSTRUMENT = ScopeKind.NODE, ScopeKind.STRATEGY, ScopeKind.INSTRUMENT
#                viewer operator trader risk, for node / strategy / instrument
TABLE = {
    Act.LOOK: ("yyyy", "yyyy", "yyyy"),
    Act.STOP: ("nyyy", "nyyy", "nyyy"),
    Act.LOWER: ("nyyy", "nyyy", "nyyy"),
    Act.RAISE: ("nnny", "nnyy", "nnny"),
    Act.RELEASE: ("nyyy", "nyyy", "nyyy"),
    Act.BREAK_GLASS: ("nyyy", "nyyy", "nyyy"),
    Act.TIGHTEN: ("nnyy", "nnnn", "nnnn"),
    Act.LOOSEN: ("nnyy", "nnnn", "nnnn"),
    Act.APPROVE: ("nnny", "nnny", "nnny"),
    Act.DENY: ("nyyy", "nyyy", "nyyy"),
    Act.SIGNAL: ("nnyy", "nnyy", "nnnn"),
    Act.TUNE: ("nnnn", "nnyy", "nnnn"),
    Act.REPLACE: ("nnnn", "nnyy", "nnnn"),
    Act.ADJUST: ("nnnn", "nnyy", "nnnn"),
}
CELLS = list(itertools.product(Act, enumerate(ScopeKind), enumerate(Role)))


@pytest.mark.parametrize(("act", "scope", "role"), CELLS, ids=lambda v: getattr(v, "name", None) or v[1].value)
def test_every_cell_of_the_matrix_says_what_the_table_says(act, scope, role):
    column, kind = scope
    letter, person = role
    assert may(act, kind, frozenset({person})) == (TABLE[act][column][letter] == "y")


def test_a_verb_without_a_row_cannot_be_added_in_silence():
    assert set(MAY) == set(Act) == set(TABLE)
    assert {Act.RELEASE, Act.BREAK_GLASS, Act.LOOSEN, Act.REPLACE, Act.ADJUST} == TWO_PEOPLE


def test_nobody_has_what_nobody_was_given():
    assert not any(may(act, kind, frozenset()) for act in Act for kind in ScopeKind)
    assert who_may(Act.LOOSEN, STRATEGY) == "nobody"
    assert who_may(Act.APPROVE, INSTRUMENT) == "risk"


def test_stopping_is_open_to_everybody_who_may_do_anything():
    for kind in ScopeKind:
        for role in Role:
            assert may(Act.STOP, kind, frozenset({role})) == any(
                may(act, kind, frozenset({role})) for act in Act if act != Act.LOOK
            )
