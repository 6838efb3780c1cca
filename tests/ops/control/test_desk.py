"""What becomes of requests: one person, two people, the wrong person, and the same approval twice."""

import json
from dataclasses import replace

import pytest
from tests.ops.control.desks import ANN, BOB, CALM, OPS, STRANGER, TOM, VIC, Desk

from openbell._native import OperatorVerb
from openbell.ops.control.limits import LimitsChange
from openbell.ops.control.permissions import Act
from openbell.ops.control.proposals import ENDED_MAX, OPEN_MAX, VALID_FOR_NS
from openbell.ops.control.world import Armed, Target
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, KillLevel, Type

KILLED = Armed(ArmState.CANCEL_ONLY, ArmState.FULL, KillLevel.HARD, False, 0)
DOUBTED = Armed(ArmState.CANCEL_ONLY, ArmState.CANCEL_ONLY, KillLevel.NONE, True, 0)
HALTED = Armed(ArmState.FULL, ArmState.FULL, KillLevel.NONE, False, 0, halted=True)
RELEASE = {"state": "full", "all": True, "release": True, "why": "feed is back"}


def killed_desk(**more) -> Desk:
    desk = Desk(**more)
    desk.node.scopes[Target()] = KILLED
    return desk


# ---- stopping needs one person


@pytest.mark.parametrize("who", [OPS, TOM, ANN])
@pytest.mark.parametrize("level", ["soft", "hard", "cord"])
def test_one_person_kills_the_node_by_its_cell(who, level):
    desk = Desk()
    assert desk.ask(who, "kill", level=level, all=True, why="x")["ok"]
    assert desk.node.kills == [(KillLevel[level.upper()], who)]
    assert desk.log() == [(who, Act.STOP, 1)]


@pytest.mark.parametrize(
    ("scope", "ids"),
    [({"strategy": "taker"}, (1, NO_INSTRUMENT)), ({"instrument": "OBEL"}, (NO_STRATEGY, 0))],
)
def test_one_person_kills_a_strategy_or_an_instrument_with_a_ticket_of_the_cell(scope, ids):
    desk = Desk()
    assert desk.ask(OPS, "kill", level="soft", why="odd quotes", **scope)["ok"]

    (kill,) = desk.told(Type.KILL)
    assert (int(kill["strategy"]), int(kill["instrument"]), int(kill["code"])) == (*ids, KillLevel.SOFT)
    assert [int(v) for v in kill["values"]] == [OPS, -1, 1, 0]
    assert bytes(kill["text"]).startswith(b"odd quotes")


def test_a_kill_that_the_trading_thread_does_not_take_says_what_still_holds_and_what_helps():
    desk = Desk()
    desk.node.room = 0
    said = desk.ask(OPS, "kill", strategy="maker")
    assert "the gate is closed to every new order" in said["error"]
    assert "openbell kill --all" in said["error"]
    assert desk.node.tickets == 1


def test_a_viewer_and_a_stranger_stop_nothing():
    desk = Desk()
    assert "expected role operator, risk, trader, found vic with viewer" in desk.ask(VIC, "kill", all=True)["error"]
    assert "found uid 999" in desk.ask(STRANGER, "kill", all=True)["error"]
    assert desk.node.kills == []
    assert desk.log() == [(VIC, 0, 0), (STRANGER, 0, 0)]


# ---- arming


@pytest.mark.parametrize(
    ("who", "scope", "state", "act"),
    [
        (OPS, {"all": True}, "limited", Act.LOWER),
        (OPS, {"strategy": "maker"}, "off", Act.LOWER),
        (TOM, {"strategy": "maker"}, "full", Act.RAISE),
        (ANN, {"instrument": "OBEL"}, "full", Act.RAISE),
        (ANN, {"all": True}, "full", Act.RAISE),
    ],
)
def test_one_person_arms_where_nothing_was_stopped(who, scope, state, act):
    desk = Desk()
    assert desk.ask(who, "arm", state=state, **scope)["ok"]
    (arm,) = desk.told(Type.ARM)
    assert (int(arm["code"]), int(arm["flags"])) == (ArmState[state.upper()], 0)
    assert [int(v) for v in arm["values"]] == [who, -1, 0, 0]
    assert desk.log() == [(who, act, 1)]


@pytest.mark.parametrize(
    ("who", "scope"),
    [(OPS, {"strategy": "maker"}), (OPS, {"all": True}), (TOM, {"all": True}), (TOM, {"instrument": "OBEL"})],
)
def test_raising_needs_the_role(who, scope):
    said = Desk().ask(who, "arm", state="full", **scope)
    assert not said["ok"]
    assert "raise" in said["error"]
    assert "expected role" in said["error"]


def test_a_strategy_with_an_owner_is_raised_by_them_or_by_risk():
    desk = Desk(owners={"maker": "tom", "taker": "zoe"})
    assert desk.ask(TOM, "arm", state="full", strategy="maker")["ok"]
    assert "expected its owner zoe" in desk.ask(TOM, "arm", state="full", strategy="taker")["error"]
    assert desk.ask(ANN, "arm", state="full", strategy="taker")["ok"]
    assert desk.ask(TOM, "arm", state="off", strategy="taker")["ok"]  # stopping is everybody's


@pytest.mark.parametrize("held", [KILLED, DOUBTED, HALTED])
def test_what_was_stopped_is_not_armed_in_passing(held):
    desk = Desk()
    desk.node.scopes[Target()] = Armed(
        ArmState.CANCEL_ONLY, ArmState.CANCEL_ONLY, held.killed, held.doubted, 0, held.halted
    )
    assert "expected a release" in desk.ask(ANN, "arm", state="full", all=True)["error"]
    assert desk.told(Type.ARM) == []


def test_nothing_is_released_where_nothing_is_held():
    assert "expected a kill, a doubt or a halted strategy" in Desk().ask(ANN, "arm", **RELEASE)["error"]


def test_the_node_is_not_released_while_an_order_is_in_doubt_unless_two_people_settle_it():
    desk = killed_desk()
    desk.node.doubts = ["order 7 BUY 10 OBEL"]

    error = desk.ask(ANN, "arm", **RELEASE)["error"]
    assert "expected no order in doubt, found order 7 BUY 10 OBEL" in error
    assert "add --settle" in error
    said = desk.ask(ANN, "arm", **RELEASE, settle=True)
    assert said["proposal"]["says"][-1] == "never reached the venue: order 7 BUY 10 OBEL"
    assert desk.ask(BOB, "approve", proposal="p-0")["ok"]
    assert [int(arm["flags"]) for arm in desk.told(Type.ARM)] == [3]


@pytest.mark.parametrize(
    ("later", "word"),
    [({"doubts": ["order 8 SELL 5 RING"]}, "found order 8 SELL 5 RING; ask"), ({"breaks": ["cash"]}, "found cash")],
)
def test_what_came_up_after_a_release_was_proposed_is_not_approved_with_it(later, word):
    desk = killed_desk()
    desk.node.doubts = ["order 7 BUY 10 OBEL"]
    assert desk.ask(ANN, "arm", **RELEASE, settle=True)["ok"]

    before = {name: getattr(desk.node, name) for name in later}
    for name, more in later.items():
        setattr(desk.node, name, before[name] + more)
    assert word in desk.ask(BOB, "approve", proposal="p-0")["error"]
    assert desk.told(Type.ARM) == []

    for name, less in before.items():
        setattr(desk.node, name, less)
    assert desk.ask(BOB, "approve", proposal="p-0")["ok"]


def test_the_node_is_not_released_while_its_books_differ():
    desk = killed_desk()
    desk.node.breaks = [f"break {n}" for n in range(7)]

    error = desk.ask(ANN, "arm", **RELEASE, settle=True)["error"]

    assert "expected books that agree with the venue's, found break 0; " in error
    assert "and 2 more; openbell breaks shows them" in error


def test_settling_is_a_word_about_the_whole_node():
    assert "together with release and all" in Desk().ask(ANN, "arm", state="full", all=True, settle=True)["error"]


# ---- two people


def test_a_release_is_proposed_by_one_and_approved_by_another():
    desk = killed_desk()
    said = desk.ask(OPS, "arm", **RELEASE)
    assert said["proposal"]["says"] == ["the node: CANCEL_ONLY -> FULL", "releases: killed (hard)"]
    assert said["next"] == "within 10 minutes ann or bob: openbell approve p-0"
    assert desk.told(Type.ARM) == []

    assert desk.ask(BOB, "approve", proposal="p-0")["ok"]
    (arm,) = desk.told(Type.ARM)
    assert (int(arm["flags"]), [int(v) for v in arm["values"]]) == (1, [OPS, BOB, 0, 0])
    assert desk.log() == [(OPS, Act.RELEASE, 2), (BOB, Act.APPROVE, 1)]


def test_what_runs_and_did_not_run_before_is_acknowledged_by_its_name():
    desk = killed_desk()
    desk.node.running = "3f2a1c9e0b77"

    for wrong in ("", "000000000000"):
        error = desk.ask(ANN, "arm", **RELEASE, acknowledge=wrong)["error"]
        assert "expected --acknowledge 3f2a1c9e0b77, because what runs is not what ran before" in error
    said = desk.ask(ANN, "arm", **RELEASE, acknowledge="3f2a1c9e0b77")
    assert "acknowledges that 3f2a1c9e0b77 runs" in said["proposal"]["says"]
    assert desk.told(Type.ARM) == []

    assert desk.ask(BOB, "approve", proposal="p-0")["ok"]
    meant, *_ = [row for row in desk.told(Type.OPERATOR) if int(row["code"]) == OperatorVerb.ACKNOWLEDGED]
    assert (bytes(meant["text"]).rstrip(b"\0"), [int(v) for v in meant["values"]]) == (
        b"3f2a1c9e0b77",
        [ANN, BOB, 0, 0],
    )
    assert len(desk.told(Type.ARM)) == 1


@pytest.mark.parametrize("uid", [ANN])
def test_the_proposer_is_not_the_approver_in_another_session_either(uid):
    desk = killed_desk()
    desk.ask(uid, "arm", **RELEASE)
    assert "expected the approval of another person than ann" in desk.ask(uid, "approve", proposal="p-0")["error"]
    assert desk.told(Type.ARM) == []
    assert desk.ask(BOB, "approve", proposal="p-0")["ok"]  # it is still open for somebody else


def test_approving_needs_role_risk():
    desk = killed_desk()
    desk.ask(OPS, "arm", **RELEASE)
    for uid in (VIC, TOM, OPS):
        assert "expected role risk" in desk.ask(uid, "approve", proposal="p-0")["error"]
    assert desk.told(Type.ARM) == []


def test_an_approval_is_used_once():
    desk = killed_desk()
    desk.ask(OPS, "arm", **RELEASE)
    desk.ask(BOB, "approve", proposal="p-0")
    for uid in (BOB, ANN):
        assert "it was approved by bob; propose it again" in desk.ask(uid, "approve", proposal="p-0")["error"]
    assert len(desk.told(Type.ARM)) == 1


def test_an_approval_comes_within_ten_minutes():
    desk = killed_desk()
    desk.ask(OPS, "arm", **RELEASE)
    desk.now_ns = VALID_FOR_NS - 1
    assert len(desk.ask(VIC, "proposals")["proposals"]) == 1
    desk.now_ns = VALID_FOR_NS
    assert "it has expired after 10 minutes" in desk.ask(BOB, "approve", proposal="p-0")["error"]
    assert desk.ask(VIC, "proposals")["proposals"] == []


def test_a_denied_or_unknown_proposal_cannot_be_approved():
    desk = killed_desk()
    desk.ask(OPS, "arm", **RELEASE)
    assert "expected role" in desk.ask(VIC, "deny", proposal="p-0")["error"]
    assert desk.ask(OPS, "deny", proposal="p-0", why="not yet")["denied"] == "p-0"
    assert "it was denied by ops" in desk.ask(BOB, "approve", proposal="p-0")["error"]
    assert "was never made here" in desk.ask(BOB, "approve", proposal="p-77")["error"]
    assert "was never made here" in desk.ask(BOB, "deny", proposal="p-77")["error"]


@pytest.mark.parametrize("again", [{"all": True}, {"strategy": "maker"}])
def test_a_kill_after_the_proposal_overtakes_it(again):
    desk = killed_desk()
    desk.ask(OPS, "arm", **RELEASE)
    desk.ask(TOM, "kill", **again)
    assert "expected no kill since it was made, found one" in desk.ask(BOB, "approve", proposal="p-0")["error"]
    assert desk.told(Type.ARM) == []


def test_two_operators_at_once_propose_two_things_and_each_is_judged_alone():
    desk = killed_desk()
    first, second = desk.ask(ANN, "arm", **RELEASE), desk.ask(BOB, "arm", **RELEASE | {"state": "limited"})
    assert [p["id"] for p in desk.ask(VIC, "proposals")["proposals"]] == ["p-0", "p-1"]
    assert desk.ask(ANN, "approve", proposal=second["proposal"]["id"])["ok"]
    desk.node.scopes.clear()  # it took effect
    assert desk.ask(BOB, "approve", proposal=first["proposal"]["id"])["ok"]
    assert [int(arm["code"]) for arm in desk.told(Type.ARM)] == [ArmState.LIMITED, ArmState.FULL]


def test_the_other_person_is_told_why():
    assert "expected why" in killed_desk().ask(OPS, "arm", **RELEASE | {"why": ""})["error"]


def test_with_one_identity_a_release_is_done_at_once_and_the_record_says_that_nobody_approved():
    desk = killed_desk(identities=1)
    assert desk.ask(OPS, "arm", **RELEASE)["done"].startswith("the node: CANCEL_ONLY -> FULL")
    (arm,) = desk.told(Type.ARM)
    assert [int(v) for v in arm["values"]] == [OPS, -1, 0, 0]


def test_where_nobody_else_could_approve_the_answer_says_so():
    desk = killed_desk()
    del desk.desk.operators[BOB]
    assert "add a second person" in desk.ask(ANN, "arm", **RELEASE)["next"]


def test_proposals_are_bounded_and_so_is_what_is_remembered_of_them():
    desk = killed_desk()
    for _ in range(OPEN_MAX):
        assert desk.ask(OPS, "arm", **RELEASE)["ok"]
    assert f"expected at most {OPEN_MAX}" in desk.ask(OPS, "arm", **RELEASE)["error"]
    for n in range(ENDED_MAX + 2):
        desk.ask(OPS, "deny", proposal=f"p-{n}" if n < OPEN_MAX else f"p-{n + 1}")
        desk.ask(OPS, "arm", **RELEASE)
    assert "was never made here" in desk.ask(BOB, "approve", proposal="p-0")["error"]


# ---- break-glass


def test_break_glass_lifts_a_doubt_for_minutes_by_two_people():
    desk = Desk()
    desk.node.scopes[Target()] = DOUBTED
    ask = {"state": "reduce_only", "all": True, "minutes": 15, "why": "flatten by hand"}
    assert desk.ask(OPS, "arm", **ask)["proposal"]["says"][1] == "for 15 minutes, then as before"
    assert desk.ask(ANN, "approve", proposal="p-0")["ok"]
    (arm,) = desk.told(Type.ARM)
    assert [int(v) for v in arm["values"]] == [OPS, ANN, 0, 1_000 + 15 * 60 * 10**9]
    assert int(arm["flags"]) == 0


def test_break_glass_passes_no_kill_and_lasts_at_most_a_quarter_of_an_hour():
    desk = killed_desk()
    ask = {"state": "reduce_only", "all": True, "why": "flatten"}
    assert "does not pass a kill" in desk.ask(OPS, "arm", minutes=5, **ask)["error"]
    assert "`int` <= 15" in desk.ask(OPS, "arm", minutes=16, **ask)["error"]
    assert "expected release or minutes, found both" in desk.ask(OPS, "arm", minutes=5, release=True, **ask)["error"]


# ---- limits


class FakeLimits:
    """Says one change after another; `taken` counts those that are in force."""

    def __init__(self, *changes: LimitsChange) -> None:
        self._changes = iter(changes)
        self.version = self.taken = 0

    def show(self) -> list[str]:
        return ["OBEL order_qty 500"]

    def compare(self, _: str) -> LimitsChange:
        version = self.version
        return replace(next(self._changes), is_current=lambda: self.version == version, taken=self._take)

    def _take(self) -> tuple[str, ...]:
        self.version, self.taken = self.version + 1, self.taken + 1
        return ()


def a_change(says: str, is_loosening: bool, *records: bytes) -> LimitsChange:
    return LimitsChange((says,) if says else (), is_loosening, records, lambda: True, lambda: None, tuple)


TIGHTER = a_change("OBEL order_qty 500 -> 400", False, b"\1" * 128, b"\2" * 128)
LOOSER = a_change("OBEL order_qty 500 -> 900", True, b"\3" * 128)
SAME = a_change("", False)


def test_limits_are_shown_to_everybody_and_tightened_by_one():
    desk = Desk(limits=FakeLimits(TIGHTER, SAME))
    assert desk.ask(VIC, "limits")["limits"] == ["OBEL order_qty 500"]
    assert desk.ask(TOM, "limits", file="...")["done"] == "OBEL order_qty 500 -> 400"
    assert desk.node.records[:2] == list(TIGHTER.records)
    assert "nothing was done" in desk.ask(TOM, "limits", file="...")["done"]


def test_limits_are_loosened_by_two():
    desk = Desk(limits=FakeLimits(LOOSER, LOOSER, LOOSER))
    assert "expected role" in desk.ask(OPS, "limits", file="...", why="x")["error"]
    assert "expected why" in desk.ask(TOM, "limits", file="...")["error"]
    assert desk.ask(TOM, "limits", file="...", why="more volume")["proposal"]["says"] == list(LOOSER.says)
    assert LOOSER.records[0] not in desk.node.records
    desk.ask(OPS, "kill", strategy="maker")  # a kill does not change what the limits say
    assert desk.ask(BOB, "approve", proposal="p-0")["ok"]
    assert LOOSER.records[0] in desk.node.records


def test_limits_that_were_compared_with_others_are_not_put_in_force():
    limits = FakeLimits(LOOSER, TIGHTER)
    desk = Desk(limits=limits)
    desk.ask(TOM, "limits", file="...", why="more volume")
    desk.ask(TOM, "limits", file="...")
    assert "found that changed since; compare again" in desk.ask(BOB, "approve", proposal="p-0")["error"]
    assert LOOSER.records[0] not in desk.node.records
    assert limits.taken == 1


def test_without_a_node_there_are_no_limits():
    assert "ask again when it runs" in Desk().ask(ANN, "limits")["error"]


# ---- looking, and what is no request


def test_status_shows_every_scope_and_what_waits_for_approval():
    desk = killed_desk()
    desk.ask(OPS, "arm", **RELEASE)
    said = desk.ask(VIC, "status")
    assert list(said["scopes"]) == ["node", "strategy maker", "strategy taker", "instrument OBEL"]
    assert said["scopes"]["node"]["kill"] == "HARD"
    assert said["scopes"]["strategy maker"]["state"] == CALM.state.name
    assert (said["identities"], len(said["proposals"])) == (2, 1)


def test_what_the_trading_thread_has_not_taken_is_counted():
    assert Desk().ask(VIC, "waiting")["waiting"] == 0


def test_a_full_ring_refuses_an_arming_and_says_so():
    desk = Desk()
    desk.node.room = 0
    assert "takes no commands" in desk.ask(ANN, "arm", state="full", all=True)["error"]


@pytest.mark.parametrize("key", ["uid", "user", "as", "role", "approver"])
def test_an_identity_in_the_line_is_a_forgery(key):
    desk = Desk()
    said = desk.ask(OPS, "arm", state="full", all=True, **{key: "ann"})
    assert "who asks is what the kernel says" in said["error"]
    assert desk.log() == [(OPS, 0, 0)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "expected one JSON object"),
        (b"{", "expected one JSON object"),
        (b"\xff\xfe", "expected one JSON object"),
        (b"[" * 5_000, "expected one JSON object"),
        (b"[]", "expected a request"),
        (b'{"verb": "sell"}', "expected a request"),
        (b'{"verb": "kill", "all": 1}', "expected a request"),
        (b'{"verb": "kill", "all": true, "level": "medium"}', "expected a request"),
        (b'{"verb": "kill"}', "nothing is the default"),
        (b'{"verb": "kill", "all": true, "strategy": "maker"}', "found 2"),
        (b'{"verb": "kill", "strategy": "maker", "level": "cord"}', "drops every session"),
        (b'{"verb": "kill", "strategy": "nobody"}', "it has maker, taker"),
        (b'{"verb": "kill", "instrument": "NONE"}', "it has OBEL"),
        (b'{"verb": "arm", "state": "full", "all": true, "minutes": true}', "expected a request"),
        (b'{"verb": "arm", "state": "full", "all": true, "minutes": 1.5}', "expected a request"),
        (b'{"verb": "arm", "state": "full", "all": true, "minutes": -1}', "expected a request"),
        (b'{"verb": "arm", "state": "fulll", "all": true}', "expected a request"),
        (json.dumps({"verb": "kill", "all": True, "why": "x" * 61}).encode(), "expected a request"),
        (json.dumps({"verb": "kill", "all": True, "why": "a\nb"}).encode(), "expected a request"),
        (json.dumps({"verb": "approve", "proposal": "p" * 33}).encode(), "expected a request"),
    ],
)
def test_what_is_no_request_is_told_what_one_is(line, said):
    desk = Desk()
    answer = desk.say(ANN, line)
    assert not answer["ok"]
    assert said in answer["error"]
    assert desk.node.kills == []
    assert desk.log() == [(ANN, 0, 0)]
