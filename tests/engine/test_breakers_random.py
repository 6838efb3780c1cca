"""Long random days with circuit breakers that trip: the native engine and its slow twin agree on every record."""

import random

import pytest
from tests.engine import desk as d
from tests.engine.test_engine_random import Day

from openbell import events
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, BreakerKind, Type

K = BreakerKind


def random_breaker(rng: random.Random) -> bytes:
    kind = rng.choice(list(K))
    windowed = kind in (K.REJECT_RATE, K.FILL_RATE, K.UNFILLED_RATE, K.SLIPPAGE, K.MESSAGE_RATE, K.POSITION_JUMP,
                        K.RECONCILIATION)  # fmt: skip
    threshold = {
        K.LOSS: 50_000, K.DRAWDOWN: 50_000, K.FILL_RATE: 9_000, K.UNFILLED_RATE: 6_000, K.SLIPPAGE: 5, K.TOO_GOOD: 180,
        K.LATENCY: 40_000, K.FEED_STALE: 9_000, K.POSITION_JUMP: 15,
    }.get(kind, 3)  # fmt: skip
    scope = NO_STRATEGY if kind in (K.FEED_STALE, K.RECONCILIATION) else rng.choice([NO_STRATEGY, 0, 1])
    return events.breaker(
        kind,
        to=rng.choice([ArmState.REDUCE_ONLY, ArmState.LIMITED, ArmState.LIMITED, ArmState.CANCEL_ONLY]),
        threshold=threshold,
        again_below=rng.choice([0, threshold // 2, threshold]),
        window_ns=rng.choice([20_000, 90_000]) if windowed else 0,
        least=rng.choice([0, 3]),
        strategy=scope,
        instrument=rng.randint(0, 1) if kind == K.POSITION_JUMP else NO_INSTRUMENT,
    )


@pytest.mark.parametrize("run", range(6))
def test_random_days_with_breakers_are_decided_like_the_slow_twin(run: int, seed: int):
    rng = random.Random(f"breakers {seed}-{run}")
    day = Day(rng)
    copies, trips = [], 0
    for number in range(900):
        if number % 12 == 0:
            day.desk.frame(random_breaker(rng), source=d.OPERATOR)
            day.desk.arm(after_kill=True)
            for strategy in (0, 1):
                day.desk.frame(events.arm(ArmState.FULL, strategy=strategy, after_kill=True), source=d.OPERATOR)
                day.desk.frame(events.arm(ArmState.FULL, instrument=strategy, after_kill=True), source=d.OPERATOR)
        if rng.random() < 0.01:
            news = events.control(Type.BREAK, flags=rng.randrange(4))
            moved = events.control(Type.ADJUSTMENT, values=(4,), strategy=0, instrument=0)
            day.desk.frame(rng.choice([news, moved]))
        day.step()
        trips += any(b["is_tripped"] for b in day.desk.engine.breakers())
        if number % 100 == 99:
            copies.append((day.desk.restored(), len(day.desk.frames)))
    assert trips > 20
    for copy, already in copies:
        for frame in day.desk.frames[already:]:
            copy.decide(*frame)
        assert copy.engine.state_hash == day.desk.engine.state_hash
        assert copy.engine.breakers() == day.desk.engine.breakers()
