"""What reconciliation says to whoever must not go on while books differ."""

from openbell.node.reconciliation import ReconciliationSettings, round_ms
from openbell.node.reconciliation_page import begin_page, compared_ns, open_breaks, write_page

S = 10**9


def test_where_nobody_compares_nothing_is_open_and_an_old_page_is_forgotten(tmp_path):
    assert open_breaks(tmp_path, S) == []
    assert compared_ns(tmp_path) == 0
    write_page(tmp_path, S, S, ["cash differs"])
    begin_page(tmp_path, 2 * S, 0)
    assert open_breaks(tmp_path, 2 * S) == []


def test_a_node_that_begins_is_not_clean_before_the_first_round(tmp_path):
    begin_page(tmp_path, S, S)
    assert open_breaks(tmp_path, S) == ["no comparison since the start"]
    write_page(tmp_path, 2 * S, S, [])
    assert compared_ns(tmp_path) == 2 * S
    assert open_breaks(tmp_path, 3 * S) == []


def test_a_round_is_as_often_as_the_most_impatient_asks():
    settings = [ReconciliationSettings(account="A", venue="127.0.0.1:1", every_ms=every) for every in (60_000, 100)]
    assert (round_ms(settings), round_ms([])) == (100, 0)


def test_a_comparison_that_fell_silent_is_a_break(tmp_path):
    write_page(tmp_path, S, S, ["cash differs"])
    assert open_breaks(tmp_path, 11 * S) == ["cash differs"]
    assert open_breaks(tmp_path, 12 * S) == ["no comparison for 11 s", "cash differs"]
