"""What a kill is said to have done: from frames of a journal, in words, and while nobody answers."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from openbell import _native, events
from openbell.cli import kill as verb
from openbell.cli import main
from openbell.journal import Counters, JournalWriter, KillCell
from openbell.node.card import NodeCard, write_card
from openbell.ops import kill_follow
from openbell.ops.control import client
from openbell.ops.kill_follow import KillFollow, KillReport
from openbell.types import KillLevel, OrderState, Type
from oracles.order_records import record

ASKED_NS = 1_000_000
MS = 1_000_000
IN, OUT = 1, 2
OF_ONE, OF_TWO = 1 << 30 | 1, 2 << 30 | 1  # orders of strategies 1 and 2


def order(cl_ord_id: int, leaves: int = 100, state: OrderState = OrderState.NEW) -> SimpleNamespace:
    strategy = kill_follow.strategy_of(cl_ord_id)
    terms = {"strategy": strategy, "instrument": 0, "px": 50_000, "leaves_qty": leaves, "state": state}
    return SimpleNamespace(cl_ord_id=cl_ord_id, **terms)


class Node:
    """A journal in which a kill stands, and an engine that had these orders."""

    def __init__(self, folder) -> None:
        self.hot, self.journal = folder / "hot", folder / "journal"
        self.writer = JournalWriter(journal_dir=str(self.journal), hot_dir=str(self.hot))
        self.card = NodeCard(
            "n", "live", "memory", "n.toml", str(self.journal), str(self.hot), 1, 8, 4, 1 << 12, {"maker": 1}, ("OBEL",)
        )
        write_card(self.card)
        self.orders: list[SimpleNamespace] = []

    def write(self, *records: bytes, at_ms: float = 0.0, kind: int = IN) -> None:
        raw = np.frombuffer(b"".join(records), np.uint8)
        self.writer.append(kind, 1, 128, raw, cause_seq=0, source_seq=0, ts_recv=ASKED_NS + int(at_ms * MS), ts_seq=1)

    def report(self, kind: Type, cl_ord_id: int, at_ms: float, **fields: int) -> None:
        self.write(record("Report", type=kind, cl_ord_id=cl_ord_id, **fields), at_ms=at_ms)

    def sent(self, command: Type, cl_ord_id: int, at_ms: float) -> None:
        ts_sent = ASKED_NS + int(at_ms * MS)
        self.report(Type.SENT, cl_ord_id, at_ms, command=command, ts_sent=ts_sent)

    def follow(self, wait_s: float = 5.0) -> KillFollow:
        made = KillFollow(self.card, 0, ASKED_NS)
        made.follow(wait_s)
        return made


@pytest.fixture
def node(tmp_path, monkeypatch):
    made = Node(tmp_path)
    engine = SimpleNamespace(live_orders=lambda: made.orders)
    monkeypatch.setattr(kill_follow, "engine_at", lambda *_: engine)
    monkeypatch.setattr(kill_follow, "px_decimals_of", lambda *_: 2)
    yield made
    made.writer.close()


def test_every_order_is_followed_to_its_end(node):
    ids = [1 << 30 | n for n in range(1, 7)]
    node.orders = [order(i) for i in ids]
    node.sent(Type.NEW_ORDER, ids[0], -1)
    node.write(events.kill(KillLevel.HARD), at_ms=1)
    node.write(events.kill(KillLevel.HARD), at_ms=2)  # what follows is of the first
    node.write(record("Order", type=Type.CANCEL_ORDER), kind=OUT)
    for i in ids:
        node.sent(Type.CANCEL_ORDER, i, 2)
    node.report(Type.CANCELED, ids[0], 3, last_qty=100)
    node.report(Type.EXPIRED, ids[1], 3)
    node.report(Type.NOT_SENT, ids[2], 3, command=Type.NEW_ORDER)
    node.report(Type.NOT_SENT, ids[3], 3, command=Type.CANCEL_ORDER)
    node.report(Type.FILLED, ids[3], 4, last_qty=60)
    node.report(Type.REPLACED, ids[3], 4, leaves_qty=70)
    node.report(Type.FILLED, ids[3], 5, last_qty=70)
    node.report(Type.ACCEPTED, ids[4], 5, leaves_qty=100)
    node.report(Type.REJECTED, ids[4], 6)
    node.report(Type.CANCELED, ids[5], 9, last_qty=100)
    node.report(Type.CANCELED, OF_TWO, 12, last_qty=100)  # of nobody who was open

    done = node.follow()

    assert (done.answered_ms, done.confirmed_ms, done.open) == (1.0, 9.0, {})
    assert (done.orders_open, done.cancels_sent, done.orders_sent_after) == (6, 6, 0)
    assert done.exposure == "300,000.00"


def test_an_order_that_left_after_the_request_is_counted(node):
    node.orders = [order(OF_ONE)]
    node.sent(Type.NEW_ORDER, OF_ONE, -0.5)
    node.sent(Type.REPLACE_ORDER, OF_ONE, 0.5)
    node.write(events.kill(KillLevel.HARD), at_ms=1)
    node.report(Type.CANCELED, OF_ONE, 2, last_qty=100)
    assert node.follow().orders_sent_after == 1


def test_a_kill_of_one_strategy_is_about_its_orders(node):
    node.orders = [order(OF_ONE), order(OF_TWO)]
    node.write(events.kill(KillLevel.HARD, strategy=1), at_ms=1)
    node.sent(Type.CANCEL_ORDER, OF_ONE, 2)
    node.sent(Type.CANCEL_ORDER, OF_TWO, 2)
    node.report(Type.CANCELED, OF_ONE, 3, last_qty=100)
    done = node.follow()
    assert (done.orders_open, done.cancels_sent, done.confirmed_ms) == (1, 1, 3.0)


def test_a_soft_kill_is_about_what_it_cancels(node):
    node.orders = [order(OF_ONE), order(OF_TWO, state=OrderState.PENDING_CANCEL)]
    node.write(events.kill(KillLevel.SOFT), at_ms=1)
    node.report(Type.CANCELED, OF_TWO, 4, last_qty=100)
    done = node.follow()
    assert (done.orders_open, done.confirmed_ms) == (1, 4.0)


def test_without_open_orders_it_is_confirmed_at_once(node):
    node.write(events.kill(KillLevel.HARD), at_ms=1)
    done = node.follow()
    assert (done.confirmed_ms, done.open) == (0.0, {})


def test_what_is_not_confirmed_is_waited_for_so_long_and_no_longer(node):
    node.orders = [order(OF_ONE)]
    node.write(events.kill(KillLevel.HARD), at_ms=1)
    done = node.follow(wait_s=0.01)
    assert (done.confirmed_ms, done.open) == (None, {OF_ONE: 100})


def test_an_engine_stands_as_the_journal_left_it(node, monkeypatch):
    monkeypatch.undo()
    node.write(events.started(node=1, epoch=1, now_ns=1, seed=1))
    assert kill_follow.engine_at(node.card, 1).live_orders() == []
    newer = SimpleNamespace(seq=2, state=b"of what comes after")
    monkeypatch.setattr(kill_follow, "usable_snapshots", lambda *_: [newer])
    assert kill_follow.engine_at(node.card, 1).live_orders() == []


# ---- in words


DONE = KillReport("n", "hard", 1.4, True, 0.5, False, 4, 4, 4, 2.5, 0, 0, exposure="1,000.00")


@pytest.mark.parametrize(
    ("report", "said", "is_flat"),
    [
        (DONE, ["4 orders were open, exposure 1,000.00, 4 cancels sent, 4 confirmed closed after 2.5 ms"], True),
        (
            replace(DONE, was_killed=True, orders_left=2),
            ["was killed already; 2 orders", "release with"],
            False,
        ),
        (replace(DONE, what="strategy s"), ["n: hard kill of strategy s: gate closed within 1 us"], True),
        (replace(DONE, is_running=False, answered_ms=None), ["no trading process is running; 4 orders"], True),
        (
            replace(DONE, answered_ms=None),
            ["did not answer within 50 ms", "the warden has not acted"],
            True,
        ),
        (replace(DONE, answered_ms=None, warden_acted=True), ["cancel-on-disconnect is what cancels"], False),
        (replace(DONE, warden_acted=True), ["order sockets were shut by the warden"], False),
        (replace(DONE, confirmed_ms=None, orders_left=1), ["closed\n", "NOT CONFIRMED: 1 orders; look with"], False),
        (replace(DONE, orders_sent_after=1), ["new orders sent after the request: 1"], False),
    ],
)
def test_a_report_says_what_is_known_and_what_is_not(report, said, is_flat):
    text = "\n".join([*report.lines(), ""])
    assert [part for part in said if part not in text] == []
    assert report.is_flat == report.as_dict()["is_flat"] == is_flat


# ---- the verb, where no sender went before it


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["kill", *words])
    return int(end.value.code or 0)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(verb, "ANSWER_WITHIN_S", 0.01)
    monkeypatch.setattr(verb, "WARDEN_WITHIN_S", 0.01)
    monkeypatch.delenv(verb.SENT, raising=False)


def cell_of(node: Node) -> KillCell:
    return KillCell.open(str(node.hot / "kill"))


@pytest.mark.parametrize("words", [["--soft", "--cord"], ["--level", "cord"]])
def test_the_harder_of_two_levels_counts(node, words, capsys):
    assert run(str(node.hot), "--all", *words, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["level"], said["answered_ms"], said["what"]) == ("cord", None, "the node")
    assert cell_of(node).level == KillLevel.CORD


def test_an_answer_of_the_trading_thread_is_waited_for(node):
    cell_of(node).ack(KillLevel.HARD)
    asked = verb._request(cell_of(node), "hard", 7)
    assert (asked.was_killed, asked.answer_s is not None, asked.after_seq) == (False, True, 7)
    assert verb._request(cell_of(node), "hard", 0).was_killed
    assert verb._request(cell_of(node), "cord", 0).answer_s is None


def test_who_answered_is_followed_in_the_journal(node):
    node.orders = [order(OF_ONE)]
    node.write(events.kill(KillLevel.HARD), at_ms=1)
    node.report(Type.CANCELED, OF_ONE, 2, last_qty=100)
    report = verb._report(verb.Asked(ASKED_NS, 1.0, False, 0.001, 0), node.hot, "hard", "the node")
    assert (report.is_running, report.orders_open, report.cancels_confirmed, report.confirmed_ms) == (True, 1, 1, 2.0)


def test_a_warden_that_acts_is_waited_for(node):
    counters = Counters.open(str(node.hot / "counters"))
    assert not verb._warden_acted(node.hot, wait=True)
    counters.counter("warden_acted").set(1)
    assert verb._warden_acted(node.hot, wait=False)
    assert not verb._warden_acted(node.journal, wait=True)


@pytest.mark.parametrize(("words", "asked"), [(["--strategy", "s"], {"strategy": "s"}),
                                              (["--instrument", "OBEL"], {"instrument": "OBEL"})])  # fmt: skip
@pytest.mark.parametrize("is_taken", [False, True])
def test_one_scope_goes_by_the_control_process(node, monkeypatch, capsys, words, asked, is_taken):
    heard = []

    def ask(_, request):
        heard.append(request)
        if not is_taken:
            cell_of(node).ask_scoped()

    monkeypatch.setattr(client, "ask", ask)
    assert run(str(node.hot), *words, "--why", "looks odd", "--json") == 0
    assert heard == [{"verb": "kill", "level": "hard", "why": "looks odd", **asked}]
    assert json.loads(capsys.readouterr().out)["what"] == " ".join(*asked.items())


def test_a_kill_of_one_scope_waits_until_the_trading_thread_has_taken_it(node, monkeypatch):
    looks = iter([True, True, False])

    class Cell:
        awaits_scoped = property(lambda _: next(looks))

    monkeypatch.setattr(_native, "KillCell", SimpleNamespace(open=lambda _: Cell()))
    monkeypatch.setattr(client, "ask", lambda *_: None)
    monkeypatch.setattr(verb, "ANSWER_WITHIN_S", 60)
    assert verb._ask(node.hot, {"verb": "kill"}, 7).answer_s is not None


def test_what_the_sender_did_is_reported_and_not_done_again(node, monkeypatch, capsys):
    monkeypatch.setenv(verb.SENT, f"{ASKED_NS} 1500 1 -1 0")
    assert run(str(node.hot)) == 0
    assert "was killed already" in capsys.readouterr().out
    assert cell_of(node).level == KillLevel.NONE


def test_two_scopes_are_none(node, capsys):
    assert run(str(node.hot), "--all", "--strategy", "s") == 2
    assert "expected one of --strategy, --instrument and --all" in capsys.readouterr().err


def test_a_folder_where_no_node_ran_has_no_cell(node, monkeypatch, capsys):
    from openbell.ops import find

    page = SimpleNamespace(epoch=0)
    monkeypatch.setattr(find, "read_page", lambda _: page)
    assert run(str(node.hot)) == 2
    assert "has a node run here?" in capsys.readouterr().err
