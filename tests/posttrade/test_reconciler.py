"""Our books against the others': a node and an exchange as processes, and breaks planted between them."""

import json
import signal
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.cli.world import WAIT_S, openbell, wait_for
from tests.posttrade.test_reconcile import PLANTED, books, kinds
from tests.posttrade.worlds import ChargingWorld, CopiedWorld

from configurations import reconciled
from openbell.errors import NetError
from openbell.posttrade.breaks import BreakDesk
from openbell.posttrade.drop_copy import DropCopyBooks
from openbell.posttrade.reconciler import AskedBooks, HeardBooks, Reconciler
from openbell.types import BreakNews

MS = 1_000_000
ROUND_NS = 100 * MS


def rounds(theirs, *, ours=books, count=10):
    """Look ten times in a simulated second; what was news in each round."""
    reconciler = Reconciler(ours, [AskedBooks("venue", theirs, every_s=0.0)], BreakDesk())
    return [reconciler.look(i * ROUND_NS).news for i in range(count)], reconciler


@pytest.mark.parametrize("kind", PLANTED, ids=lambda kind: kind.name)
def test_every_planted_break_is_open_within_a_second(kind):
    theirs = books("venue", **PLANTED[kind])
    if "fills" in PLANTED[kind]:
        theirs.positions = None
    if "positions" in PLANTED[kind]:
        theirs.fills = None

    news, _ = rounds(lambda: theirs)

    [(at, [(what, known)])] = [(i, found) for i, found in enumerate(news) if found]
    assert (what, known.key.kind, known.since) == (BreakNews.OPENED, kind, 0)
    assert at * ROUND_NS < 1_000 * MS


def test_sums_are_compared_only_where_both_have_seen_the_same():
    behind = books("venue", positions={"AAPL": 1}, fills=None)
    behind.as_of = 7

    news, _ = rounds(lambda: behind, ours=lambda: replace(books(), as_of=8))

    assert not any(news)
    assert kinds(books(), behind) != []


def test_a_break_in_a_sum_stays_open_while_the_moments_differ():
    moment = {"as_of": 7}
    wrong = books("venue", positions={"AAPL": 1}, fills=None)
    _, reconciler = rounds(lambda: replace(wrong, **moment), ours=lambda: replace(books(), as_of=7))
    moment["as_of"] = 9

    assert len(reconciler.desk.breaks) == 1
    assert reconciler.look(10**12).news == []
    assert len(reconciler.desk.breaks) == 1


def test_who_cannot_be_had_is_named_and_asked_again():
    answers = [NetError("no venue there"), books("x"), OSError("gone"), books("x")]

    def ask():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    asked = AskedBooks("venue", ask, every_s=0.05)
    reconciler = Reconciler(books, [asked], BreakDesk())
    looks = [reconciler.look(i * ROUND_NS) for i in range(4)]

    assert [look.silent for look in looks] == [["venue"], [], ["venue"], []]
    assert [look.compared for look in looks] == [[], ["venue"], [], ["venue"]]


def test_an_answer_is_used_until_it_is_time_to_ask_again():
    asked = []
    source = AskedBooks("venue", lambda: asked.append(1) or books("x"), every_s=1.0)

    for now_s in (0.0, 0.5, 0.99, 1.0, 1.5):
        assert source.books(now_s).name == "venue"
    assert len(asked) == 2


class BrokenLink:
    """A drop copy whose login is lost at every second look."""

    def __init__(self):
        self.is_up, self.connects, self.polls = False, 0, 0

    def connect(self):
        self.connects += 1
        self.is_up = True

    def poll(self, _now_s):
        self.polls += 1
        if self.polls % 2 == 0:
            self.is_up = False
            raise NetError("lost")


def test_a_lost_drop_copy_is_logged_in_again_a_second_later():
    heard = HeardBooks(link := BrokenLink(), DropCopyBooks("NODE1"))

    assert heard.books(0.0) is not None
    assert heard.books(0.1) is None
    assert heard.why_not == "lost"
    assert heard.books(0.5) is None
    assert link.connects == 1
    assert heard.books(1.1) is not None
    assert link.connects == 2


# ---- processes ---------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path):
    with CopiedWorld(tmp_path) as made:
        yield made


def follows_profit(world):
    following = world.spawn("pnl", world.node_file, "--follow", "--json", "--every-s", 0.05)

    def trades():
        return sum(row["trades"] for row in json.loads(following.stdout.readline())["pnl"])

    before = trades()
    wait_for(lambda: trades() > before, "more trades in the running view")
    following.send_signal(signal.SIGINT)


def test_a_trading_node_agrees_with_venue_and_drop_copy(world):
    node = world.run("--live")
    wait_for(lambda: len(world.ledger()["fills"]) >= 5, "some fills")

    said = openbell("reconcile", world.node_file, *world.others(), "--json")

    found = json.loads(said.stdout)
    assert (said.returncode, found["breaks"], found["silent"]) == (0, [], []), said
    assert found["compared"] == ["drop copy", "venue"]
    follows_profit(world)
    node.send_signal(signal.SIGINT)
    node.wait(WAIT_S)
    assert "compared with drop copy, venue: 0 breaks" in openbell("reconcile", world.journal, *world.others()).stdout
    earned = json.loads(openbell("pnl", world.journal, "--json", check=0).stdout)
    fills = world.ledger()["fills"]
    assert sum(row["trades"] for row in earned["pnl"]) == len(fills) > 0
    whole = sum(Decimal(row["total"]) for row in earned["pnl"])
    assert earned["total"] == {"amount": earned["total"]["amount"], "currency": "USD"}
    assert Decimal(earned["total"]["amount"]) == whole
    history = world.home / "returns.csv"
    history.write_text("OBEL,RING\n" + "0.01,-0.01\n-0.02,0.02\n" * 10)
    told = openbell("pnl", world.journal, "--ledger", "--risk", history, check=0).stdout
    assert "realized" in told and "expected shortfall" in told and "what one period may lose, by 20 periods" in told


def test_fees_and_cash_agree_with_the_venue_to_the_last_unit(tmp_path):
    with ChargingWorld(tmp_path) as world:
        node = world.run("--live")
        wait_for(lambda: len(world.ledger()["fills"]) >= 5, "some fills")
        node.send_signal(signal.SIGINT)
        node.wait(WAIT_S)
        fees = [fill["fee"] for fill in world.ledger()["fills"]]
        assert any(fees)

        said = openbell("reconcile", world.journal, *world.others(), "--json")
        assert (said.returncode, json.loads(said.stdout)["breaks"]) == (0, []), said.stdout
        earned = json.loads(openbell("pnl", world.journal, "--json", check=0).stdout)["pnl"]
        assert sum(Decimal(row["fees"]) for row in earned) == Decimal(sum(fees)).scaleb(-4)


def test_a_bust_that_the_node_was_never_told_of_is_found(world):
    """The node is gone when the venue takes a trade back: its books are old, and somebody is told so."""
    node = world.run("--live")
    wait_for(lambda: world.ledger()["fills"], "a fill")
    node.send_signal(signal.SIGINT)
    node.wait(WAIT_S)
    match = world.ledger()["fills"][0]["match_id"]
    openbell("exchange", "bust", match, "--control", world.ready["control"], check=0)

    said = openbell("reconcile", world.journal, *world.others(), "--json")

    found = json.loads(said.stdout)
    assert said.returncode == 1
    assert {(b["against"], b["kind"], b["match"]) for b in found["breaks"]} >= {
        ("venue", "MISSED_BUST", str(match)),
        ("drop copy", "MISSED_BUST", str(match)),
    }


def test_what_a_statement_says_otherwise_is_a_break(world, tmp_path):
    node = world.run("--live")
    wait_for(lambda: world.ledger()["fills"], "a fill")
    node.send_signal(signal.SIGINT)
    node.wait(WAIT_S)
    header = "date,account,section,symbol,currency,match_id,side,qty,px,fee,amount"
    statement = tmp_path / "statement.csv"
    statement.write_text(f"{header}\n2026-11-20,NODE1,position,OBEL,USD,,,9999999,,,\n")

    said = openbell("reconcile", world.journal, "--statement", statement)

    assert said.returncode == 1
    assert "POSITION OBEL: we have" in said.stdout
    assert "clearing statement 2026-11-20 has 9999999; for operations" in said.stdout
    assert "expected a running node, which keeps breaks in its journal, found none" in said.stderr


def test_follow_says_when_a_break_opens(world):
    node = world.run("--live")
    wait_for(lambda: world.ledger()["fills"], "a fill")
    follower = world.spawn("reconcile", world.node_file, *world.others(), "--follow", "--json")
    try:
        world.fault("wrong-report", "NODE1", "what=qty", "count=1")
        opened = json.loads(follower.stdout.readline())
    finally:
        follower.send_signal(signal.SIGINT)
        node.send_signal(signal.SIGINT)

    assert opened["news"] == "opened"
    assert opened["kind"] in ("FILL_QTY", "MISSING_FILL", "UNKNOWN_FILL", "POSITION", "ORDER_QTY", "STALE_ORDER")


def test_a_venue_that_is_not_there_is_said_so(world):
    world.run("--live")
    wait_for(world.is_alive, "the node")

    nobody = openbell("reconcile", world.node_file, check=2)
    absent = openbell("reconcile", world.node_file, "--venue", "127.0.0.1:1", "--account", "NODE1", "--for-s", "0.2")
    nameless = openbell("reconcile", world.node_file, "--venue", world.ready["control"], check=2)

    assert "give --venue, --drop-copy or --statement" in nobody.stderr
    assert absent.returncode == 2 and "venue: could not be had" in absent.stderr
    assert "--account: expected the name of the account at the venue" in nameless.stderr


def test_a_node_without_live_orders_is_compared_with_no_venue(world):
    world.write_node(mode="paper")
    node = world.run()
    wait_for((world.hot / "card.json").exists, "the node")

    said = openbell("reconcile", world.hot, *world.others(), check=2)

    assert "expected a node that trades live, found mode paper" in said.stderr
    node.send_signal(signal.SIGINT)
    node.wait(WAIT_S)


def test_a_forgotten_password_of_the_drop_copy_is_told_before_anything_starts(world):
    table = f'account = "NODE1"\ndrop_copy = "{world.ready["order_entry"]}"\nuser = "COPY"\n'
    table += 'password = "env:NOBODY_HAS_SET_IT"'
    world.node_file.write_text(reconciled(world.node_file.read_text(), table))

    said = openbell("run", world.node_file, "--live", check=2)

    assert "expected a credential in env:NOBODY_HAS_SET_IT, found none" in said.stderr
    assert not world.hot.exists()
