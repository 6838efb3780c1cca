"""The tap of the feed: every datagram that reached the node, read by code of its own.

A book is valid only while nothing that was heard is missing from it: not while a gap is unresolved, nor while messages
wait for their turn.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.simulation import market as m

if TYPE_CHECKING:
    from tests.simulation.process import Node

HEADER = struct.Struct(">10sQH")
END_OF_SESSION = 0xFFFF
FEED_SOURCE = 16


class DataTap:
    """`collect` says what is wrong with the books after a round of the node's loop; empty: nothing."""

    def __init__(self) -> None:
        self._heard = 0
        """Number of the last message that this process has heard of."""
        self._epoch = 0

    def collect(self, node: Node) -> str:
        """Take what arrived since the last call."""
        arrived = [packet for port in node.ports.values() for packet in port.take_received()]
        epoch = node.native.epoch if node.native is not None else 0
        if epoch != self._epoch:  # another process has heard nothing yet
            self._heard, self._epoch = 0, epoch
        for packet in arrived:
            self._hear(packet)
        if node.native is None or not node.is_idle:
            return ""
        applied = node.engine.source_seq(FEED_SOURCE)
        valid = [i for i in node.books(0, m.SYMBOLS) if node.engine.is_book_valid(i)]
        if valid and self._heard > applied:
            return f"books {valid} are valid at message {applied}, while message {self._heard} has been heard of"
        return ""

    def _hear(self, packet: bytes) -> None:
        if len(packet) < HEADER.size:
            return
        session, seq, count = HEADER.unpack_from(packet)
        if session == m.SESSION.encode():
            self._heard = max(self._heard, seq - 1 + (count if count != END_OF_SESSION else 0))
