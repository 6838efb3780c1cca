"""A book by order from ITCH 5.0 bytes: slow, obvious, and shared with nothing that it checks.

Field offsets are those of the TotalView-ITCH 5.0 message tables.
"""

import struct
from bisect import insort

ASK_NONE, BID_NONE = 9_999_999_999, -9_999_999_999


class ItchLadder:
    """Orders by reference, quantity by (side, price). Every broken promise of the stream is counted."""

    def __init__(self):
        self.orders = {}
        self.qty = {b"B": {}, b"S": {}}
        self.prices = {b"B": [], b"S": []}
        self.names_ever_used = set()
        self.unknown_orders = 0
        self.reused_names = 0
        self.overdrawn_orders = 0

    def apply(self, message):
        kind = message[:1]
        if kind == b"A":
            reference, side, qty, _, px = struct.unpack_from(">QcI8sI", message, 11)
            self.reused_names += reference in self.names_ever_used
            self.names_ever_used.add(reference)
            self.orders[reference] = (side, px, qty)
            self._change(side, px, qty)
        elif kind in (b"E", b"X"):
            self._take(*struct.unpack_from(">QI", message, 11))
        elif kind == b"D":
            (reference,) = struct.unpack_from(">Q", message, 11)
            self._take(reference, self.orders.get(reference, (0, 0, 0))[2])

    def lobster_row(self, levels):
        """The best levels as LOBSTER writes them: ask px, ask qty, bid px, bid qty, best level first."""
        row = []
        for i in range(levels):
            for side, prices, none in ((b"S", self.prices[b"S"], ASK_NONE), (b"B", self.prices[b"B"][::-1], BID_NONE)):
                row += [prices[i], self.qty[side][prices[i]]] if i < len(prices) else [none, 0]
        return row

    def _take(self, reference, taken):
        if reference not in self.orders:
            self.unknown_orders += 1
            return
        side, px, qty = self.orders.pop(reference)
        self.overdrawn_orders += taken > qty
        if qty > taken:
            self.orders[reference] = (side, px, qty - taken)
        self._change(side, px, -taken)

    def _change(self, side, px, change):
        levels = self.qty[side]
        if px not in levels:
            insort(self.prices[side], px)
        levels[px] = levels.get(px, 0) + change
        if levels[px] == 0:
            del levels[px]
            self.prices[side].remove(px)
