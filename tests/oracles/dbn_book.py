"""A Databento MBO file as Databento itself tells to read it: a dict of orders, levels as lists in priority.

Source: Databento, "MBO schema" and its example "State management of an order book".
"""

from dataclasses import dataclass, field
from pathlib import Path

from databento_dbn import Compression, DBNDecoder


@dataclass
class Book:
    orders: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    levels: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def apply(self, r) -> None:
        match r.action:
            case "R":
                self.__init__()
            case "A":
                self._add(r)
            case "C":
                side, px, qty = self.orders[r.order_id]
                assert r.size <= qty
                self.orders[r.order_id] = (side, px, qty - r.size)
                if r.size == qty:
                    self._remove(r.order_id)
            case "M" if r.order_id not in self.orders:
                self._add(r)
            case "M":
                side, px, qty = self.orders[r.order_id]
                if r.price != px or r.size > qty:
                    self._remove(r.order_id)
                    self._add(r)
                else:
                    self.orders[r.order_id] = (side, px, r.size)

    def _add(self, r) -> None:
        self.orders[r.order_id] = (str(r.side), r.price, r.size)
        self.levels.setdefault((str(r.side), r.price), []).append(r.order_id)

    def _remove(self, order_id: int) -> None:
        side, px, _ = self.orders.pop(order_id)
        level = self.levels[side, px]
        level.remove(order_id)
        if not level:
            del self.levels[side, px]

    def queues(self, side: str) -> list[tuple[int, list[tuple[int, int]]]]:
        """[(price in 1e-9, [(order_id, quantity)])], best first."""
        prices = sorted((px for s, px in self.levels if s == side), reverse=side == "B")
        return [(px, [(o, self.orders[o][2]) for o in self.levels[side, px]]) for px in prices]


def records(file: Path) -> list:
    """Everything in a DBN file, metadata first, as the official decoder reads it."""
    data = file.read_bytes()
    decoder = DBNDecoder(compression=Compression("zstd" if data[:1] == b"\x28" else "none"))
    decoder.write(data)
    found: list = []
    while more := decoder.decode():
        found += more
    return found
