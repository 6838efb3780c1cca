"""The seam between agents and a venue: one instrument, prices in ticks, quantities in lots."""

from typing import Protocol

from openbell._native import MARKET_PX, VenueCore
from openbell.types import Side, Tif

BUY, SELL = Side.BUY, Side.SELL
DAY, IOC = Tif.DAY, Tif.IOC
NO_ORDER = 0


class Market(Protocol):
    """What an agent may do with an instrument."""

    def limit(self, side: Side, px: int, qty: int, now_ns: int) -> int:
        """Enter a day order; return its reference, `NO_ORDER` when nothing of it rests."""
        ...

    def take(self, side: Side, px: int | None, qty: int, now_ns: int) -> None:
        """Trade what can be traded at once at `px` or better, at any price without it."""
        ...

    def cancel(self, order_id: int, now_ns: int) -> bool:
        """Take an order out; False when it is not live."""
        ...

    def leaves(self, order_id: int) -> int:
        """Return the open quantity of an order, 0 when it is not live."""
        ...

    def touch(self, side: Side) -> tuple[int, int]:
        """Return best price and its quantity; the quantity of an empty side is 0."""
        ...


class VenueMarket:
    """A `Market` of one internal account of a venue.

    Agents live in flow time, which begins at `start_ns` and runs `speed` times as fast as the venue's.
    """

    def __init__(
        self,
        venue: VenueCore,
        account: int,
        instrument: int,
        *,
        tick_px: int,
        lot: int,
        start_ns: int = 0,
        speed: float = 1.0,
    ) -> None:
        self._venue, self._account, self._instrument = venue, account, instrument
        self._tick, self._lot = tick_px, lot
        self._start_ns, self._speed = start_ns, speed

    def limit(self, side: Side, px: int, qty: int, now_ns: int) -> int:
        """Enter a day order; return its reference, `NO_ORDER` when nothing of it rests."""
        if px <= 0:
            return NO_ORDER
        return self._venue.submit(
            self._account, self._instrument, side, px * self._tick, qty * self._lot, DAY, self._venue_ns(now_ns)
        )

    def take(self, side: Side, px: int | None, qty: int, now_ns: int) -> None:
        """Trade what can be traded at once at `px` or better, at any price without it."""
        venue_px = MARKET_PX if px is None else px * self._tick
        now = self._venue_ns(now_ns)
        self._venue.submit(self._account, self._instrument, side, venue_px, qty * self._lot, IOC, now)

    def cancel(self, order_id: int, now_ns: int) -> bool:
        """Take an order out; False when it is not live."""
        return self._venue.cancel(order_id, self._venue_ns(now_ns))

    def leaves(self, order_id: int) -> int:
        """Return the open quantity of an order, 0 when it is not live."""
        return -(-self._venue.leaves(order_id) // self._lot)

    def touch(self, side: Side) -> tuple[int, int]:
        """Return best price and its quantity; the quantity of an empty side is 0."""
        px, qty = self._venue.touch(self._instrument, side)
        return px // self._tick, -(-qty // self._lot)

    def _venue_ns(self, now_ns: int) -> int:
        return self._start_ns + int((now_ns - self._start_ns) / self._speed)
