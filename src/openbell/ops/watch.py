"""Watches a node from another process: an engine that follows its journal, its counters, its histograms.

It takes nothing from the trading process but memory that is there anyway, and its death changes nothing.
"""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any

from openbell import _native as native
from openbell.journal import Source
from openbell.node.card import NodeCard
from openbell.node.holdings import holdings_of, px_decimals_of
from openbell.node.names import Names
from openbell.ops.feed_view import take_feeds
from openbell.ops.find import read_page
from openbell.ops.follow import follow
from openbell.ops.money_view import take_breakers, take_money
from openbell.ops.strategy_view import FAILED, StrategyLooks
from openbell.ops.view import LatencyRow, NodeView, OwnOrder, Row, SessionRow
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, KillLevel

QUANTILES = (0.5, 0.99, 0.999)
FRAMES_PER_POLL = 20_000
RATE_OVER_S = 2.0
"""Rates are means over this long."""


class Watch:
    """A follower of one node. `look` catches up and says what there is."""

    def __init__(self, card: NodeCard) -> None:
        self.card = card
        self.hot_dir = Path(card.hot_dir)
        self._follower = follow(card)
        self._names = Names(card.feeds)
        self._strategies = StrategyLooks(card)
        self._rates: deque[tuple[float, int]] = deque()

    def look(self, *, catch_up_s: float = 0.1) -> NodeView:
        """The node as it is now. Stops catching up after `catch_up_s`; `behind` says by how many frames."""
        give_up = time.monotonic() + catch_up_s
        while self._follower.poll(FRAMES_PER_POLL) and time.monotonic() < give_up:
            pass
        engine, page, counters = self._follower.engine, read_page(self.hot_dir), self._counters()
        level, warden_acted = self._kill_level(), bool(counters.pop("warden_acted", 0))
        now_ns = counters.pop("now_ns", 0)
        feeds = take_feeds(counters, now_ns)
        names = self._names.of(engine)
        held = holdings_of(engine, self.card.strategies.values(), names)
        orders = [_own(order) for order in engine.live_orders()]
        return NodeView(
            name=self.card.name,
            mode=self.card.mode,
            journal=self.card.journal_dir,
            is_alive=page.is_alive,
            epoch=engine.epoch,
            seq=engine.seq,
            behind=max(0, page.committed_seq - engine.seq),
            arm=engine.arm_state.name,
            kill=level,
            warden_acted=warden_acted,
            is_session_up=engine.is_session_up,
            sessions=self._sessions(engine),
            is_stopping=engine.is_draining or bool(counters.pop("stopping", 0)),
            halted=tuple(n for n, number in self.card.strategies.items() if engine.life_of(number) in FAILED),
            held=held_scopes(engine, self.card.strategies, names),
            durability=self.card.durability,
            durable_lag=max(0, page.committed_seq - page.durable_seq),
            age_ms=max(0.0, (time.time_ns() - now_ns) / 1e6) if now_ns else 0.0,
            rows=tuple(self._row(i, name, orders, held[name]) for i, name in names.items()),
            orders=tuple(orders),
            counters=counters,
            events_per_s=self._rate(counters.get("frames_in", 0)),
            latency=self._latency(),
            feeds=feeds,
            money=take_money(engine, self.card.strategies),
            breakers=take_breakers(engine, self.card.strategies, names),
            strategies=self._strategies.take(engine),
        )

    def _sessions(self, engine: native.Engine) -> tuple[SessionRow, ...]:
        told = (engine.session(Source.ORDER_ENTRY + number)[1:] for number in range(len(self.card.sessions)))
        return tuple(SessionRow(name, *facts) for name, facts in zip(self.card.sessions, told, strict=True))

    def _row(self, instrument: int, name: str, orders: list[OwnOrder], held: dict[str, Any]) -> Row:
        engine = self._follower.engine
        bid_px, bid_qty, ask_px, ask_qty = engine.touch(instrument)
        mine = [order for order in orders if order.instrument == instrument]
        return Row(
            symbol=name,
            px_decimals=px_decimals_of(engine, instrument),
            bid_px=bid_px,
            bid_qty=bid_qty,
            ask_px=ask_px,
            ask_qty=ask_qty,
            is_valid=engine.is_book_valid(instrument),
            trading=engine.trading(instrument).name,
            own_bids=tuple((o.px, o.leaves_qty) for o in mine if o.side == "BUY"),
            own_asks=tuple((o.px, o.leaves_qty) for o in mine if o.side == "SELL"),
            **held,
        )

    def _kill_level(self) -> str:
        path = self.hot_dir / "kill"
        if not path.is_file():
            return "NONE"
        return max(native.KillCell.open(str(path)).level, self._follower.engine.kill_level).name

    def _counters(self) -> dict[str, int]:
        path = self.hot_dir / "counters"
        return dict(native.Counters.attach(str(path)).read()) if path.is_file() else {}

    def _latency(self) -> tuple[LatencyRow, ...]:
        path = self.hot_dir / "latency"
        if not path.is_file():
            return ()
        rows = native.latency_percentiles(str(path), list(QUANTILES))
        return tuple(LatencyRow(h, n, *q) for h, (n, q) in zip(native.LATENCY_HOPS, rows, strict=True) if n)

    def _rate(self, frames: int) -> float:
        now = time.monotonic()
        self._rates.append((now, frames))
        while len(self._rates) > 2 and now - self._rates[1][0] > RATE_OVER_S:
            self._rates.popleft()
        since, before = self._rates[0]
        return max(0.0, (frames - before) / (now - since)) if now > since else 0.0


def held_scopes(engine: native.Engine, strategies: dict[str, int], names: dict[int, str]) -> tuple[str, ...]:
    """A line for the node if it is in doubt or granted, and for each strategy and instrument that is not at FULL."""
    scopes = [("node", NO_STRATEGY, NO_INSTRUMENT)]
    scopes += [(f"strategy {name}", number, NO_INSTRUMENT) for name, number in strategies.items()]
    scopes += [(f"instrument {name}", NO_STRATEGY, i) for i, name in names.items()]
    lines = []
    for name, strategy, instrument in scopes:
        state, _, kill, is_doubted, granted_until = engine.arming(strategy, instrument)
        why = [f"{kill.name.lower()} kill"] if kill != KillLevel.NONE and name != "node" else []
        why += ["in doubt: a person has to reconcile"] if is_doubted else []
        why += [f"break-glass until {granted_until / 1e9:.0f} s of engine time"] if granted_until else []
        if why or (name != "node" and state != ArmState.FULL):
            lines.append(f"{name} {state.name}" + (f" ({', '.join(why)})" if why else ""))
    return tuple(lines)


def _own(order: native.LiveOrder) -> OwnOrder:
    return OwnOrder(
        cl_ord_id=order.cl_ord_id,
        instrument=order.instrument,
        strategy=order.strategy,
        side=order.side.name,
        state=order.state.name,
        px=order.px,
        leaves_qty=order.leaves_qty,
        cum_qty=order.cum_qty,
    )
