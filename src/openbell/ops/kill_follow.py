"""What a kill did, read from the journal: which orders were open, which cancels left, which were confirmed."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openbell import _native as native
from openbell.journal import Frame, open_journal
from openbell.node.card import NodeCard
from openbell.node.holdings import px_decimals_of
from openbell.node.snapshots import usable_snapshots
from openbell.ops.follow import capacity_of_card
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, KillLevel, OrderState, Type, strategy_of

CONFIRM_WITHIN_S = 5.0
RELEASE_WITH = 'release with: openbell arm NODE STATE --all --release --why "..."'
LOOK_EVERY_S = 0.001
CLOSING = {Type.CANCELED, Type.EXPIRED, Type.REJECTED}
ORDERS = {Type.NEW_ORDER, Type.REPLACE_ORDER}


@dataclass(frozen=True)
class KillReport:
    """Times in ms from the request; `answered_ms` None: the trading thread did not answer."""

    node: str
    level: str
    closed_us: float
    is_running: bool
    answered_ms: float | None
    warden_acted: bool
    orders_open: int
    cancels_sent: int
    cancels_confirmed: int
    confirmed_ms: float | None
    orders_sent_after: int
    orders_left: int
    was_killed: bool = False
    what: str = "the node"
    exposure: str = "0"

    @property
    def is_flat(self) -> bool:
        """Every order that was hit is confirmed closed, and none followed that this kill does not let pass."""
        is_silent = self.orders_sent_after == 0 or self.level == "soft"
        return self.orders_left == 0 and is_silent and not self.warden_acted

    def lines(self) -> list[str]:
        """The report as a person reads it."""
        if self.was_killed:
            left = f"{self.orders_left} orders are open by the journal"
            return [f"{self.node}: was killed already; {left}", RELEASE_WITH]
        of = "" if self.what == "the node" else f" of {self.what}"
        until = " until the engine has taken the kill" if self.level == "soft" else ""
        said = [
            f"{self.node}: {self.level} kill{of}: gate closed within {self.closed_us:.0f} us; "
            f"no new order passes it{until}"
        ]
        if not self.is_running:
            return [
                *said,
                f"no trading process is running; {self.orders_open} orders were open when it ended, by its journal",
                f"the next start comes up killed; {RELEASE_WITH}",
            ]
        if self.answered_ms is None:
            said.append("the trading thread did not answer within 50 ms")
            said.append(
                "order sockets were shut by the warden: cancel-on-disconnect is what cancels at the venue"
                if self.warden_acted
                else "the warden has not acted (there are no order sockets in this mode)"
            )
            return [*said, f"{self.orders_open} orders were open by the journal: ask the venue what became of them"]
        said.append(f"trading thread answered after {self.answered_ms:.2f} ms")
        if self.warden_acted:
            said.append("order sockets were shut by the warden")
        said.append(
            f"{self.orders_open} orders were open, exposure {self.exposure}, {self.cancels_sent} cancels sent, "
            f"{self.cancels_confirmed} confirmed closed"
            + (f" after {self.confirmed_ms:.1f} ms" if self.confirmed_ms is not None else "")
        )
        passing = "; what reduces passes a soft kill" if self.level == "soft" else ""
        said.append(f"new orders sent after the request: {self.orders_sent_after}{passing}")
        if self.orders_left:
            said.append(f"NOT CONFIRMED: {self.orders_left} orders; look with: openbell status {self.node}")
        return said

    def as_dict(self) -> dict[str, Any]:
        """The report for machines."""
        return {**asdict(self), "is_flat": self.is_flat}


class KillFollow:
    """Follows a journal from just before a kill until every order open then is closed."""

    def __init__(self, card: NodeCard, after_seq: int, requested_at: int) -> None:
        self.card = card
        self.after_seq = after_seq
        self.requested_at = requested_at
        self.open: dict[int, int] = {}
        self.orders_open = 0
        self.exposure = "0"
        self.scope = (NO_STRATEGY, NO_INSTRUMENT)
        self.cancels_sent = 0
        self.orders_sent_after = 0
        self.answered_ms: float | None = None
        self.confirmed_ms: float | None = None
        self.journal = open_journal(card.journal_dir, card.hot_dir)

    def follow(self, wait_s: float = CONFIRM_WITHIN_S) -> None:
        """Until all is confirmed, or for `wait_s`."""
        self.journal.seek(self.after_seq + 1)
        give_up = time.monotonic() + wait_s
        while time.monotonic() < give_up:
            for frame in self.journal:
                self._take(frame)
            if self.answered_ms is not None and not self.open:
                return
            time.sleep(LOOK_EVERY_S)

    def _take(self, frame: Frame) -> None:
        if frame.is_decision:
            return
        for i in range(len(frame.raw)):
            kind = int(frame.raw[i, 0])
            if kind == Type.KILL and self.answered_ms is None:
                self._begin(frame.record(i), frame)
            elif Type.ACCEPTED <= kind <= Type.NOT_SENT:
                self._take_report(kind, frame.record(i), frame.ts_recv)

    def _begin(self, kill: Any, frame: Frame) -> None:
        """What it hits: the orders of its scope; a soft one cancels only those that would grow a position."""
        self.answered_ms = (frame.ts_recv - self.requested_at) / 1e6
        self.scope = (int(kill["strategy"]), int(kill["instrument"]))
        is_soft = int(kill["code"]) == KillLevel.SOFT
        engine = engine_at(self.card, frame.seq + 1 if is_soft else frame.seq - 1)  # its decision shows what it cancels
        hit = [order for order in engine.live_orders() if self._covers(order.strategy, order.instrument)]
        if is_soft:
            hit = [order for order in hit if order.state == OrderState.PENDING_CANCEL]
        self.open = {order.cl_ord_id: order.leaves_qty for order in hit}
        self.orders_open = len(self.open)
        worth = sum(o.leaves_qty * o.px / 10 ** px_decimals_of(engine, o.instrument) for o in hit)
        self.exposure = f"{worth:,.2f}"
        if not self.open:
            self.confirmed_ms = 0.0

    def _covers(self, strategy: int, instrument: int) -> bool:
        return self.scope[0] in (NO_STRATEGY, strategy) and self.scope[1] in (NO_INSTRUMENT, instrument)

    def _take_report(self, kind: int, report: Any, ts_recv: int) -> None:
        order, command = int(report["cl_ord_id"]), int(report["command"])
        if kind == Type.SENT and self._covers(strategy_of(order), int(report["instrument"])):
            self.cancels_sent += command == Type.CANCEL_ORDER and self.answered_ms is not None
            self.orders_sent_after += command in ORDERS and int(report["ts_sent"]) > self.requested_at
        if order not in self.open:
            return
        if kind in (Type.ACCEPTED, Type.REPLACED):
            self.open[order] = int(report["leaves_qty"])
        elif kind == Type.FILLED:
            self.open[order] -= int(report["last_qty"])
        is_unsent = kind == Type.NOT_SENT and command == Type.NEW_ORDER
        if kind in CLOSING or is_unsent or self.open[order] <= 0:
            del self.open[order]
            self.confirmed_ms = (ts_recv - self.requested_at) / 1e6


def engine_at(card: NodeCard, seq: int) -> native.Engine:
    """An engine as it stood after frame `seq` of the node's journal."""
    engine = native.Engine(capacity_of_card(card))
    for snapshot in usable_snapshots(Path(card.journal_dir), Path(card.hot_dir)):
        if snapshot.seq <= seq:
            engine.load(snapshot.state)
            break
    native.recover(engine, card.journal_dir, card.hot_dir, seq)
    return engine
