"""A timer wheel: arming is O(1), and a turn looks only at what is due, however many wait.

Times are seconds of any clock that does not go back.
"""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Armed(Protocol):
    """What a wheel can hold; `armed_slot` is the wheel's own note on it, 0 when it does not wait."""

    armed_slot: int


Item = TypeVar("Item", bound=Armed)


class Wheel(Generic[Item]):
    """Items wait in slots of `slot_s`; each waits once, for the deadline given last."""

    def __init__(self, slot_s: float, now: float) -> None:
        self.slot_s = slot_s
        self._slots: dict[int, list[Item]] = {}
        self._turned = int(now / slot_s)

    def arm(self, item: Item, deadline: float) -> None:
        """Let `item` come out of the first turn after `deadline`, and no more at what it was armed for before."""
        slot = max(int(deadline / self.slot_s) + 1, self._turned + 1)
        if slot != item.armed_slot:
            item.armed_slot = slot
            self._slots.setdefault(slot, []).append(item)

    def disarm(self, item: Item) -> None:
        """Let `item` wait no longer; its place is cleared when its slot is due."""
        item.armed_slot = 0

    def turn(self, now: float) -> Iterator[Item]:
        """Yield what is due; an item may be armed again while it is being looked at."""
        while self._turned < int(now / self.slot_s):
            self._turned += 1
            for item in self._slots.pop(self._turned, ()):
                if item.armed_slot == self._turned:
                    item.armed_slot = 0
                    yield item
