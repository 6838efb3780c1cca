"""The snapshot of a feed once more, slow and obvious: a dict of the Adds that are left, in the order they joined."""

import struct

from openbell._native import VenueCore, glimpse_end

STATES_IN_ORDER = b"RHYhN"
"""Directory, trading action, Reg SHO, operational halt, retail interest: the last of each instrument."""
LOCATE = slice(1, 3)
REFERENCE = slice(11, 19)
NEW_REFERENCE = slice(19, 27)
MARKET = slice(19, 20)
ADD_SHARES_OFFSET = 20
REDUCED_SHARES_OFFSET = 19
REPLACED_SHARES_OFFSET = 27
HEAD_BYTES = 11


class Spin:
    """Follows the feed of `venue` from its first message on."""

    def __init__(self, venue: VenueCore) -> None:
        self._venue = venue
        self._next_seq = 1
        self._system_event = b""
        self._states: dict[tuple[int, bytes, bytes], bytes] = {}  # (place in order, locate, market)
        self._adds: dict[bytes, bytearray] = {}  # by reference, in the order they joined their levels

    def messages(self) -> list[bytes]:
        """Return the snapshot as of now, its last message the number of the feed to go on with."""
        while self._next_seq < self._venue.itch_next:
            self._apply(self._venue.itch_message(self._next_seq))
            self._next_seq += 1
        states = [message for _, message in sorted(self._states.items())]
        adds = [bytes(add) for add in self._adds.values()]
        first = [self._system_event] if self._system_event else []
        return [*first, *states, *adds, glimpse_end(self._next_seq)]

    def _apply(self, message: bytes) -> None:
        match message[:1]:
            case b"A" | b"F":
                self._adds.pop(message[REFERENCE], None)
                self._adds[message[REFERENCE]] = bytearray(message)
            case b"E" | b"C" | b"X":
                self._reduce(message[REFERENCE], *struct.unpack_from(">I", message, REDUCED_SHARES_OFFSET))
            case b"D":
                self._adds.pop(message[REFERENCE], None)
            case b"U":
                self._replace(message)
            case b"S":
                self._system_event = message
            case kind if kind in STATES_IN_ORDER:
                market = message[MARKET] if kind == b"h" else b""
                self._states[STATES_IN_ORDER.index(kind), message[LOCATE], market] = message

    def _reduce(self, reference: bytes, shares: int) -> None:
        add = self._adds.get(reference)
        if add is None:  # of an order that is not displayed
            return
        (left,) = struct.unpack_from(">I", add, ADD_SHARES_OFFSET)
        if shares >= left:
            del self._adds[reference]
        else:
            struct.pack_into(">I", add, ADD_SHARES_OFFSET, left - shares)

    def _replace(self, message: bytes) -> None:
        """The new order is an Add at the back, with the side, the stock and the attribution of the old one."""
        if (old := self._adds.pop(message[REFERENCE], None)) is None:
            return
        shares_and_px = message[REPLACED_SHARES_OFFSET : REPLACED_SHARES_OFFSET + 8]
        side, stock, attribution = old[19:20], old[24:32], old[36:]
        new = old[:1] + message[1:HEAD_BYTES] + message[NEW_REFERENCE] + side
        self._adds[message[NEW_REFERENCE]] = new + shares_and_px[:4] + stock + shares_and_px[4:] + attribution
