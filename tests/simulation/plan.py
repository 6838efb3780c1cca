"""What one seed means: the node's configuration, and which fault comes at which step."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

FOUND = Path(__file__).with_name("found.jsonl")
"""Plans that once failed, whole, with what was wrong."""
STEPS = 1_200
QUIET = "quiet"
RACES = "races"
"""A seed that begins with it is a day of the venue's faults alone: `--seed races-7`."""
RACE_EVERY = 25
"""Steps between two of them, on the average."""
Speed = Literal["python", "compiled"]


class Event(NamedTuple):
    """One fault: when, which, and the seed of its own choices."""

    step: int
    fault: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """One run. Dropping events leaves the others as they were."""

    seed: str
    steps: int
    is_durable: bool
    """`local` durability: a command waits until its decision is on the disk."""
    speed: Speed
    has_rogue: bool
    has_lines: int
    has_requests: bool
    has_snapshots: bool
    segment_bytes: int
    rate_max: int
    """The gate's orders a second."""
    events: tuple[Event, ...]
    may_lose_tail: bool = False
    """Durability is `memory`, and a loss of power may end the day."""

    messages_max: int = 0
    """The venue's own limit of messages in any second, cancels included; 0: it has none."""
    has_far: bool = False
    """A second feed, of another venue."""
    trades_far: bool = False
    """The node has an order session there too."""

    @property
    def far_ends(self) -> bool:
        """The far venue's session ends in the middle of the day, and what it knew with it."""
        return self.has_far and not self.trades_far

    def with_events(self, events: tuple[Event, ...]) -> Plan:
        """The same run with some of its events."""
        return replace(self, events=events)

    def shortened(self, steps: int) -> Plan:
        """The same run, ended earlier."""
        return replace(self, steps=steps, events=tuple(e for e in self.events if e.step < steps))

    def kinds(self) -> list[str]:
        """Of its faults, in the order of their first event."""
        return list(dict.fromkeys(event.fault for event in self.events))


def found_plans() -> dict[str, Plan]:
    """Plans that once failed, by their seeds: a seed means another plan as soon as there is one fault more."""
    rows = [json.loads(line) for line in FOUND.read_text().splitlines()]
    return {row["seed"]: _plan_from(row) for row in rows}


def _plan_from(row: dict[str, Any]) -> Plan:
    events = tuple(Event(*event) for event in row.pop("events"))
    return Plan(events=events, **{name: value for name, value in row.items() if name != "why"})


def draw(seed: str, weights: dict[str, float], needs: dict[str, str], steps: int = STEPS) -> Plan:
    """The plan of a seed. `weights`: of every fault; `needs`: what a fault asks of the configuration.

    Swarm: each fault is on in about half of the seeds, so some days are calm and some combinations rare no longer.
    """
    rng = random.Random(f"plan {seed}")
    plan = Plan(
        seed=seed,
        steps=steps,
        is_durable=rng.random() < 0.5,
        speed="python" if rng.random() < 0.5 else "compiled",
        has_rogue=rng.random() < 0.35,
        has_lines=rng.choice([1, 2, 2]),
        has_requests=rng.random() < 0.85,
        has_snapshots=True,
        segment_bytes=rng.choice([1 << 19, 1 << 20]),
        rate_max=rng.choice([100_000, 100_000, 300]),
        events=(),
    )
    tail = random.Random(f"tail {seed}").random() < 0.4
    far = random.Random(f"far {seed}").random() < 0.3
    messages = random.Random(f"messages {seed}").choice([0, 0, 150])
    trades_far = far and random.Random(f"trades far {seed}").random() < 0.5
    plan = replace(plan, may_lose_tail=tail and not plan.is_durable, messages_max=messages)
    plan = replace(plan, has_far=far, trades_far=trades_far)
    on = [name for name in weights if rng.random() < 0.5 and (name not in needs or getattr(plan, needs[name]))]
    mean = rng.choice([15, 30, 30, 60, 400])
    """Steps between two events, on the average."""
    events = []
    step = rng.randint(1, mean)
    while on and step < steps:
        fault = rng.choices(on, [weights[name] for name in on])[0]
        events.append(Event(step, fault, rng.getrandbits(40)))
        step += 1 + int(rng.expovariate(1 / mean))
    return plan.with_events(tuple(events))


def draw_races(plan: Plan, weights: dict[str, float]) -> Plan:
    """The same node on a day on which all of these faults happen, and no other."""
    rng = random.Random(f"{RACES} {plan.seed}")
    events = []
    step = rng.randint(1, RACE_EVERY)
    while step < plan.steps:
        fault = rng.choices([*weights], [*weights.values()])[0]
        events.append(Event(step, fault, rng.getrandbits(40)))
        step += 1 + int(rng.expovariate(1 / RACE_EVERY))
    return plan.with_events(tuple(events))
