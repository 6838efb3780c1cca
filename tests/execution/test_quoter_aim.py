"""Working towards a position: one order at a time, the same commands as the twin, and it arrives."""

import random

import pytest
from tests.execution.test_quoter_random import BUY, KEYS, SELL, Desk

from openbell.types import Reason, Side


class AimingDesk(Desk):
    """Every key has a position it wants; whatever happens there is a reason to look again."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.wanted = dict.fromkeys(KEYS, 0)
        self.px = dict.fromkeys(KEYS, 100)
        self.qty_max = 0

    def missing(self, key: tuple[int, int]) -> tuple[int, int, int]:
        missing = self.wanted[key] - self.oms_twin.position(*key)["qty"]
        qty = min(abs(missing), self.qty_max or abs(missing))
        return (BUY if missing > 0 else SELL), self.px[key], qty

    def aim(self, key: tuple[int, int], *, is_new: bool = False) -> None:
        side, px, qty = self.missing(key)
        self.quoter.aim(*key, (Side(side), px, qty), 9, is_new, self.oms)
        self.quoter_twin.aim(key, (side, px, qty), 9, is_new, self.oms_twin)
        super().reconcile(key)

    def reconcile(self, key: tuple[int, int]) -> None:
        self.aim(key)

    def step(self) -> None:
        draw, venue, key = self.rng.random(), self.venue, self.rng.choice(KEYS)
        if draw < 0.1:
            self.wanted[key] = self.rng.randint(-40, 40)
            self.aim(key, is_new=True)
        elif draw < 0.2:
            self.px[key] = self.rng.choice([0, 99, 100, 101])
            self.aim(key)
        elif draw < 0.22:
            self.qty_max = self.rng.choice([0, 5, 7])
        elif draw < 0.24:
            self.quoter.forget_refusals()
            self.quoter_twin.forget_refusals()
        elif draw < 0.5 and venue.inbox:
            venue.read_one()
        elif draw < 0.6 and venue.held:
            venue.fill(self.rng.choice(list(venue.held)))
        elif draw < 0.61 and venue.held:
            venue.end(self.rng.choice(list(venue.held)), Reason.SESSION_CANCEL)
        elif venue.outbox:
            self.hear(venue.outbox.pop(0))

    def check_one_order(self) -> None:
        seen = [(o["strategy"], o["instrument"]) for o in self.venue.held.values()]
        assert len(seen) == len(set(seen))


@pytest.mark.parametrize("run", range(10))
def test_one_order_at_a_time_arrives_at_the_position(run: int, seed: int):
    rng = random.Random(f"aim {seed}-{run}")
    desk = AimingDesk(rng)

    for _ in range(2500):
        desk.step()
        desk.check_one_order()

    desk.settle()
    for round_, key in ((n, key) for n in range(60) for key in KEYS):
        desk.px[key] = 100 + round_ % 2  # what was refused at one price is tried at another
        desk.aim(key, is_new=True)
        desk.settle()
        for i in list(desk.venue.held):
            desk.venue.fill(i)
        desk.settle()
    assert {key: desk.oms_twin.position(*key)["qty"] for key in KEYS} == desk.wanted
    assert not desk.venue.held
