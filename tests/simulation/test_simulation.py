"""A whole node under a swarm of faults: some seeds of what `make sim` runs by the thousand."""

import os
import re
from pathlib import Path

import pytest
from tests.simulation import evidence, table
from tests.simulation.day import Day
from tests.simulation.faults import FAULTS, acts, races
from tests.simulation.market import Client
from tests.simulation.minimise import minimise
from tests.simulation.plan import Event, Plan, found_plans
from tests.simulation.session import Outcome, plan_of, play, play_twice
from tests.simulation.states import STATES

from openbell import _native as native
from openbell import events
from openbell.types import RECORDS, Type
from oracles.order_records import fields_of

SEEDS = int(os.environ.get("OPENBELL_SIMULATIONS", "40"))
DOCS = Path(__file__).resolve().parents[2] / "docs" / "simulation.md"


@pytest.mark.parametrize("run", range(SEEDS))
def test_after_the_faults_node_journal_and_venue_agree(run: int, seed: int):
    assert play(plan_of(f"{seed}-{run}")).wrong == ""


@pytest.mark.parametrize("run", range(3))
def test_a_day_of_races_has_no_other_faults_and_ends_in_agreement(run: int, seed: int):
    plan = plan_of(f"races-{seed}-{run}")

    outcome = play(plan)

    assert outcome.wrong == ""
    assert {"cut", "rejects", "lost ack", "bust", "correction"} <= races().keys()
    assert set(plan.kinds()) <= races().keys()
    assert len(plan.events) > 20


@pytest.mark.parametrize("found", found_plans().values(), ids=lambda plan: plan.seed)
def test_plans_that_once_failed_do_not_again(found: Plan):
    assert play_twice(found).wrong == ""


@pytest.mark.parametrize("run", range(3))
def test_the_same_seed_ends_with_the_same_state(run: int, seed: int):
    plan = plan_of(f"same {seed}-{run}")
    outcome = play_twice(plan.with_events(tuple(e for e in plan.events if e.fault != "power loss, memory")))

    assert outcome.wrong == ""
    assert outcome.facts["frames"] > 300, "a day that ended early shows little"


def test_both_speeds_of_a_strategy_end_with_the_same_state(seed: int):
    from dataclasses import replace

    plan = plan_of(f"speeds {seed}")
    python, compiled = play(replace(plan, speed="python")), play(replace(plan, speed="compiled"))

    assert python.wrong == compiled.wrong == ""
    assert (python.state_hash, python.facts) == (compiled.state_hash, compiled.facts)


def test_timers_that_are_due_fire_before_the_next_frame(seed: int, tmp_path: Path):
    day = Day(plan_of(f"timers {seed}").with_events(()), acts(), tmp_path)
    day.step()
    day.clock.advance_to(day.node.engine.next_deadline + 1)

    assert day.node.native is not None
    day.node.native.submit(events.control(Type.HEARTBEAT))

    reader = native.JournalReader(str(day.node.journal_dir), str(day.node.hot_dir), False)
    came_in = []
    while frame := reader.next():
        came_in += [frame] if frame[0] == 1 else []
    assert [Type(frame[-1][0][0]) for frame in came_in[-2:]] == [Type.TIMER, Type.HEARTBEAT]
    (timer,) = fields_of(came_in[-2][-1].tobytes(), RECORDS["Timer"])
    assert timer["ts_event"] < day.clock.now_ns()


@pytest.mark.parametrize("session, next_seq", [("FAR0000001", 1), ("SIM0000001", 10_000), ("SIM0000001", 0), ("", 2)])
def test_a_login_asks_only_for_what_the_venue_has_told(session: str, next_seq: int, seed: int, tmp_path: Path):
    day = Day(plan_of(f"logins {seed}").with_events(()), acts(), tmp_path)
    for _ in range(100):
        day.step()
    assert day.market.told_sessions == {"SIM0000001"}
    (_, login), *_ = native.soup_packets(native.soup_login_request("NODE1", "x", session, next_seq), 1024)[0]
    asked = Client(native.SimStream(day.nets["orders"], day.market.at.door), login=login)

    with pytest.raises(AssertionError, match=f"the node asked for .*{session!r}"):
        day.market._log_in(asked)


def test_a_failing_plan_is_made_small():
    plan = plan_of("small").with_events(tuple(Event(step, "ab"[step % 2], step) for step in range(100, 1_100, 10)))
    culprits = {plan.events[30], plan.events[61]}

    small = minimise(plan, lambda smaller: culprits <= set(smaller.events), budget_s=60)

    assert set(small.events) == culprits
    assert max(event.step for event in small.events) < small.steps < plan.steps


def test_evidence_adds_up_over_runs(tmp_path: Path):
    path = tmp_path / "evidence.jsonl"
    for first in (0, 50):
        batch = evidence.Evidence()
        for n in range(50):
            outcome = Outcome(f"7-{first + n}", counts={"cut": 2}, cells={("cut", "full"): 2}, facts={"frames": 10})
            batch.add(outcome, is_python=n % 2 == 0)
        evidence.append(path, batch.line("7", first, 2.5))

    sums, following = evidence.read(path, "7")

    assert (sums.seeds, sums.with_python, following) == (100, 50, 100)
    assert (sums.counts["cut"], sums.cells["cut", "full"], sums.facts["frames"]) == (200, 200, 1_000)
    assert evidence.read(path, "another")[1] == 0


def test_a_run_says_which_states_its_faults_have_not_met():
    acts()
    cells = {(name, state): 1 for name in FAULTS for state in STATES}
    assert table.missing(evidence.Counter(cells)) == []

    (told,) = table.missing(evidence.Counter({key: n for key, n in cells.items() if key[0] != "cut"}))
    assert told.startswith("cut: in 0 states")


def test_every_fault_is_in_the_documentation():
    acts()
    rows = DOCS.read_text().partition("| fault | number |")[2]
    listed = dict(re.findall(r"^\| ([a-z0-9,' -]+?) \| (F\d+|) ?\|", rows, re.M))
    assert listed == {name: one.number for name, one in FAULTS.items()}
