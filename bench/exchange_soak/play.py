"""The whole soak: the day, the crashes, and the checks at its end."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from bench.exchange_soak.checks import conserves, orders_agree, replays_agree, state_hash
from bench.exchange_soak.day import Day, Life
from bench.exchange_soak.sessions import LostError
from openbell.exchange.server import allow_sockets

MEMORY_BYTES_PER_ORDER_MAX = 16.0
"""By which RssAnon of the exchange may grow: the places of messages in their logs, and little else."""
WARM_UP = 0.25
"""Of the orders of a life, before its memory is expected to be flat."""
KILL_BETWEEN = 0.35, 0.65
CHECKED_SESSIONS_MAX = 100
"""Whose orders are compared one by one; of the others positions, cash and number of reports."""


@dataclass
class Outcome:
    """What the day was like, and what was wrong."""

    sessions: int
    orders: int
    reports: int = 0
    cuts: int = 0
    lives: list[Life] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def orders_per_s(self) -> float:
        """Through the wire, without restarts."""
        return self.orders / sum(life.seconds for life in self.lives)


def soak(sessions: int, orders: int, seed: int, folder: Path, progress: Progress) -> Outcome:
    """Play the day in `folder`; the venue is killed once in the middle and once at the end."""
    allow_sockets(2 * sessions)  # a socket and a file for each
    task = progress.add_task("orders", total=orders)
    day = Day(folder, sessions, orders, seed)
    outcome = Outcome(sessions, day.orders, lives=day.lives)
    kill_at = int(day.orders * random.Random(f"{seed}/kill").uniform(*KILL_BETWEEN))
    try:
        for until in (kill_at, day.orders):
            day.start()
            day.log_in()
            for answered in day.trade(until):
                progress.update(task, completed=answered)
            if until < day.orders:
                day.kill()
        day.finish()
        progress.update(task, completed=day.orders)
        outcome.cuts = day.cuts
        outcome.reports = sum(session.next_seq - 1 for session in day.sessions)
        outcome.problems += _last_checks(day, folder, progress)
    except LostError as error:
        outcome.problems.append(str(error))
    finally:
        day.close()
    outcome.problems += memory_problems(day.lives)
    return outcome


def _last_checks(day: Day, folder: Path, progress: Progress) -> Iterator[str]:
    chosen = day.rng.sample(day.sessions, min(len(day.sessions), CHECKED_SESSIONS_MAX))
    with _step(progress, "kill -9 and recovery"):
        day.settle()
        before = state_hash(day.venue)
        day.kill()
        day.start()
        after = state_hash(day.venue)
        if after != before:
            yield f"expected the state {before} after recovery, found {after}"
        day.log_in()
        day.finish()
        day.settle()
    with _step(progress, "positions and cash"):
        yield from conserves(day.venue, day.sessions)
    with _step(progress, "orders one by one"):
        yield from orders_agree(day.venue, chosen)
    with _step(progress, "reports again"):
        yield from replays_agree(day, day.sessions, folder / "again")


def memory_problems(lives: list[Life]) -> Iterator[str]:
    """Yield the lives of the venue in which its memory grew."""
    for number, life in enumerate(lives, start=1):
        slope = bytes_per_order(life)
        if slope is not None and slope > MEMORY_BYTES_PER_ORDER_MAX:
            yield f"life {number}: expected at most {MEMORY_BYTES_PER_ORDER_MAX} bytes an order, found {slope:.1f}"


def bytes_per_order(life: Life) -> float | None:
    """Return the slope of memory over orders after the warm-up, by least squares; None for a short life."""
    warm = [sample for sample in life.memory if sample[0] >= WARM_UP * life.memory[-1][0]]
    if len(warm) < 10:
        return None
    orders, memory = zip(*warm, strict=True)
    mean_orders, mean_memory = sum(orders) / len(warm), sum(memory) / len(warm)
    around = sum((n - mean_orders) ** 2 for n in orders)
    return sum((n - mean_orders) * (m - mean_memory) for n, m in warm) / around


@contextmanager
def _step(progress: Progress, name: str) -> Iterator[None]:
    task = progress.add_task(name, total=1)
    yield
    progress.update(task, completed=1)
