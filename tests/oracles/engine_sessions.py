"""The oracle engine's order sessions: by which of them orders leave, when they do, and what is doubted.

A session is known by its source. Everything a node has of it is kept by source; only the arming that follows from a
doubt is the node's.
"""

from typing import Any

from openbell.types import Reason, Type
from oracles.arming import NODE

FIRST, LAST = 64, 126
ROUTE_PARAMETER = 4
SESSION_ENDED = 4
Fields = dict[str, Any]


def is_session(source: int) -> bool:
    """Whether orders may leave by it."""
    return FIRST <= source <= LAST


class EngineSessions:
    """Its state is `EngineInputs`'."""

    def _begin_sessions(self) -> None:
        self.up: set[int] = set()
        self.routes: dict[int, int] = {}  # feed -> session, 0: none; one that is not named: the first
        self.names: dict[int, bytes] = {}
        self.ended_sessions: set[int] = set()
        self.doubted: set[int] = set()
        self.oms.session_of = self.session_of

    def session_of(self, instrument: int) -> int:
        feed = self.feed_of[instrument] if instrument < len(self.feed_of) else None
        return self.routes.get(feed, FIRST)

    def is_up(self, instrument: int) -> bool:
        return self.session_of(instrument) in self.up

    def is_reachable(self, order: Any) -> bool:
        return order.session in self.up

    @property
    def session_up(self) -> bool:
        """Every session that trades."""
        return {FIRST, *self.routes.values()} - {0} <= self.up

    def _route(self, r: Fields) -> None:
        self.routes[r["code"]] = r["value"] if is_session(r["value"]) else 0

    def _on_session_connected(self, r: Fields) -> None:
        source, name = r["source"], r["text"].strip(b"\0")
        if not is_session(source):
            return
        self.up.discard(source)
        is_other = len({self.names.get(source, b""), name} - {b""}) == 2
        is_open = any(order.session == source for order in self.oms.live.values())
        if is_other and (source not in self.ended_sessions or is_open):
            self._distrust_session(source)
        self.names[source] = name
        self.ended_sessions.discard(source)
        if r["value"] > 0:
            self.source_seq[source] = r["value"] - 1

    def _on_session_disconnected(self, r: Fields) -> None:
        self.up.discard(r["source"])
        if r["code"] == SESSION_ENDED:
            self.ended_sessions.add(r["source"])

    def _on_resolved(self, r: Fields, _: bytes) -> None:
        source = r["source"]
        if not is_session(source):
            return
        self.up.add(source)
        self.sweep_due = True
        self.quoter.forget_refusals()
        self._settle_unreached(source, "cancels" if source in self.doubted else "all")
        if source in self.doubted:
            self._doubt_in_flight(source)
        for key in [*self.quoter.active(), *sorted(self.targets)]:
            self._mark(key)

    def _settle_unreached(self, source: int, which: str) -> None:
        for cl_ord_id, command, version in self.oms.on_resolved(which, source):
            order = self.oms.find(cl_ord_id)
            self.breakers.on_unreached(order)
            if order.ended is not None:
                self._on_closed(order)
            said = {"type": Type.NOT_SENT, "command": command, "version": version, "cl_ord_id": cl_ord_id}
            self._tell(order, said | {"order_id": order.order_id, "reason": Reason.NEVER_REACHED_VENUE})

    def _release_sessions(self, *, settles: bool) -> None:
        """A person has looked at all of them."""
        self.doubted.clear()
        for source in sorted(self.up) if settles else []:
            self._settle_unreached(source, "in doubt")

    def _doubt_session(self, source: int) -> None:
        """What the node itself has told concerns them all."""
        self.doubted |= {source} if is_session(source) else set(range(FIRST, LAST + 1))
        self.arming.of(NODE).doubted = True
        self.arming.of(NODE).granted = None
        self._pull_lowered(NODE)

    def _distrust_session(self, source: int) -> None:
        self._doubt_in_flight(source)
        self._doubt_session(source)

    def _doubt_in_flight(self, source: int) -> None:
        orders = [order for order in self.oms.live.values() if order.session == source]
        for flight in (flight for order in orders for flight in order.flights.values() if flight.news != "unsent"):
            flight.news = "doubt"
