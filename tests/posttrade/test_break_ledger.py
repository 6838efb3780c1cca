"""Breaks as records: what is written is what is read, and a desk that starts again goes on."""

import json
import os
import signal
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.world import WAIT_S, World, far_strategy, openbell, wait_for
from tests.posttrade.test_breaks import CASH, MISSING, SECOND, opened
from tests.posttrade.test_planted_breaks import ORDERS, Liar
from tests.posttrade.trades import heard

from configurations import reconciled
from openbell.errors import ConfigError
from openbell.node.config import load_node
from openbell.node.reconciliation import ReconciliationSettings
from openbell.posttrade.break_ledger import INT64_MAX, MONEY_UNIT, BreakLedger, break_record
from openbell.posttrade.breaks import Break, BreakDesk, BreakKey
from openbell.posttrade.node_books import SessionBooks
from openbell.posttrade.reconcile import BreakKind
from openbell.posttrade.watch import counterparts, forgotten
from openbell.types import BreakNews

N = BreakNews
KNOWN = Break(
    3, BreakKey("drop copy", BreakKind.FILL_PX, "AAPL", (2**63 + 5, 7)), 100, -5, "anna", since=9, note="asked"
)


def ledger(*records):
    return BreakLedger().take_all(heard(seq, record) for seq, record in enumerate(records, start=1))


def test_a_record_says_what_the_break_is():
    [known] = ledger(break_record(KNOWN, N.OPENED, {"AAPL": 4})).open()

    assert known == Break(3, KNOWN.key, 100, -5, "anna", since=1, note="asked")


def test_who_is_reconciled_for_a_session_is_named_as_the_ledger_reads_it_back():
    settings = ReconciliationSettings(account="A", venue="127.0.0.1:1")
    [venue] = counterparts(settings, SessionBooks(None, 1), "home_orders")

    [known] = ledger(break_record(replace(KNOWN, key=KNOWN.key._replace(against=venue.name)), N.OPENED, {})).open()
    assert known.key.against == venue.name == "venue home orders"


def test_what_stood_against_somebody_whom_the_file_names_no_more_is_closed():
    desk = BreakDesk()
    desk.resume([KNOWN, replace(KNOWN, number=4, key=KNOWN.key._replace(against="venue"))], 4)

    assert [(news, known.number) for news, known in forgotten(desk, ["venue"], 10)] == [(N.CLOSED, 3)]
    assert [known.number for known in desk.breaks.values()] == [4]


def test_a_break_keeps_its_age_through_changes_and_ends():
    entry = ledger(*(break_record(KNOWN, state, {}) for state in (N.OPENED, N.CHANGED, N.CLOSED))).entries[3]

    assert (entry.known.since, entry.closed_ns) == (1, 3)


def test_who_was_assigned_keeps_it_whatever_a_desk_that_does_not_know_says():
    given = replace(KNOWN, owner="bert", note="on the phone")
    changed = replace(KNOWN, ours=101)
    assigned = [break_record(KNOWN, N.OPENED, {}), break_record(given, N.ASSIGNED, {})]

    [known] = ledger(*assigned, break_record(changed, N.CHANGED, {})).open()
    assert (known.owner, known.note, known.ours) == ("bert", "on the phone", 101)
    ended = ledger(*assigned, break_record(changed, N.CLOSED, {})).entries[3]
    assert (ended.known.owner, ended.known.note, ended.closed_ns) == ("bert", "on the phone", 3)


def test_an_assignment_changes_neither_values_nor_that_it_ended():
    given = replace(KNOWN, owner="bert")
    opened, changed = break_record(KNOWN, N.OPENED, {}), break_record(replace(KNOWN, ours=101), N.CHANGED, {})

    [known] = ledger(opened, changed, break_record(given, N.ASSIGNED, {})).open()
    assert (known.owner, known.ours) == ("bert", 101)
    assert ledger(opened, break_record(KNOWN, N.CLOSED, {}), break_record(given, N.ASSIGNED, {})).open() == []


@given(st.integers(), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.text(max_size=90))
def test_whatever_fits_comes_back(value, order_id, match, note):
    broken = Break(1, BreakKey("venue", BreakKind.CASH, "USD", (order_id, match)), value, 0, "finance", 0, note)

    [known] = ledger(break_record(broken, N.OPENED, {})).open()

    assert known.key == broken.key
    assert known.ours == int(max(-INT64_MAX, min(INT64_MAX, Decimal(value) / MONEY_UNIT))) * MONEY_UNIT


def test_cash_is_told_in_a_unit_that_holds_an_account():
    broken = Break(1, BreakKey("venue", BreakKind.CASH, "USD", (0, 0)), -19_006_100 * 10**15, 10**18, "finance", 1)

    [known] = ledger(break_record(broken, N.OPENED, {})).open()

    assert known == broken
    assert known.sentence() == "CASH USD: we have -19006.10, venue has 1.00; for finance"


def test_several_records_of_one_frame_are_all_read():
    other = replace(KNOWN, number=4)
    frame = heard(1, *(break_record(known, N.OPENED, {}) for known in (KNOWN, other)))

    assert len(BreakLedger().take_all([frame]).open()) == 2


def test_a_desk_that_starts_again_goes_on_with_numbers_and_ages():
    desk = BreakDesk()
    opened(desk, MISSING, CASH)
    again = BreakDesk()
    again.resume(desk.breaks.values(), 7)

    assert again.look("venue", [MISSING, CASH], 5 * SECOND) == []
    [(news, closed)] = again.look("venue", [MISSING], 6 * SECOND)
    assert (news, closed.key.kind) == (N.CLOSED, BreakKind.CASH)
    [(_, fresh)] = opened(again, MISSING, CASH, at=7 * SECOND)
    assert fresh.number == 8


# ---- a node that reconciles all day --------------------------------------------------------------------


class ReconcilingWorld(World):
    """Its node is compared with a venue that can be made to lie."""

    def write_node(self, **_):
        super().write_node(strategy=far_strategy(self.home), strategy_class="Far")
        self.liar = Liar(self.ready["control"])
        table = f'account = "NODE1"\nvenue = "{self.liar.address}"'
        self.node_file.write_text(reconciled(self.node_file.read_text(), table))

    def __exit__(self, *error):
        super().__exit__(*error)
        self.liar.shutdown()
        self.liar.server_close()

    def breaks(self, *options):
        return [json.loads(line) for line in openbell("breaks", self.journal, "--json", *options).stdout.splitlines()]

    def reconciliation_pid(self):
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (process / "cmdline").read_text()
                if "openbell.posttrade.watch" in command and str(self.node_file) in command:
                    return int(process.name)
        return 0


def test_breaks_are_journalled_survive_a_crash_and_close(tmp_path):
    with ReconcilingWorld(tmp_path) as world:
        node = world.run("--live")
        world.wait_for_orders()
        wait_for(lambda: world.liar.asked > 1, "the reconciliation to ask")
        assert openbell("breaks", world.journal).returncode == 0

        world.liar.plant = ORDERS[BreakKind.ORDER_PX]
        [before] = wait_for(world.breaks, "the break")
        assert (before["kind"], before["number"], before["owner"]) == ("ORDER_PX", 1, "trading")
        openbell("breaks", "assign", world.node_file, 1, "anna", "--note", "on the phone", check=0)
        os.kill(world.reconciliation_pid(), signal.SIGKILL)
        asked = world.liar.asked
        wait_for(lambda: world.liar.asked > asked + 3, "another reconciliation")

        [after] = wait_for(world.breaks, "the break")
        assert after == before | {"owner": "anna", "note": "on the phone"}
        text = openbell("breaks", world.journal, check=1).stdout
        assert "1: ORDER_PX" in text and "for anna (on the phone); open for" in text
        assert "1 open of 1; by age: 1 <60s" in text

        world.liar.plant = None
        wait_for(lambda: not world.breaks(), "the break to close")
        [ended] = world.breaks("--ended")
        assert ended["closed_ns"] > ended["since_ns"]
        assert "stood" in openbell("breaks", world.journal, "--ended", check=0).stdout

        refused = openbell("breaks", "assign", world.node_file, 1, "anna", check=2)
        assert "expected the number of an open break, found 1; open are none" in refused.stderr
        node.send_signal(signal.SIGINT)
        node.wait(WAIT_S)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('account = "NODE1"', "nobody to compare with; give venue, drop_copy or both"),
        ('account = "NODE1"\ndrop_copy = "127.0.0.1:1"', "a drop copy logs in by a name of its own"),
        ('venue = "127.0.0.1:1"', "reconciliation.account"),
    ],
)
def test_half_a_table_is_refused(tmp_path, table, message):
    with World(tmp_path) as world:
        world.node_file.write_text(reconciled(world.node_file.read_text(), table))
        with pytest.raises(ConfigError, match=message.replace(".", r"\.")):
            load_node(world.node_file)
