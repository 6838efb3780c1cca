"""Our own books, from the journal alone: an engine that follows it for orders and positions, a blotter for trades."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from openbell import _native as native
from openbell.journal import Frame, Source, open_journal
from openbell.journal.assets import Asset
from openbell.node.card import NodeCard
from openbell.ops.follow import follow
from openbell.posttrade.adjusted import moved, with_adjustments
from openbell.posttrade.blotter import Blotter, Trade, TradeKey
from openbell.posttrade.books import Books, Fill, FillKey, OpenOrder
from openbell.posttrade.fees import FEE_DECIMALS
from openbell.posttrade.ledger import fee_money, money_of
from openbell.types import NO_STRATEGY

FRAMES_PER_POLL = 20_000


class NodeBooks:
    """Follows a node, or reads what its journal holds."""

    def __init__(self, card: NodeCard) -> None:
        hot = card.hot_dir if Path(card.hot_dir).is_dir() else None
        self.card = card
        self.blotter = Blotter()
        self._follower = follow(card)
        self._journal = open_journal(card.journal_dir, hot)
        self._ahead: Frame | None = None
        self._fills: dict[FillKey, Fill] = {}
        self._known: dict[TradeKey, Trade] = {}

    @property
    def engine(self) -> native.Engine:
        """As of the last `catch_up`."""
        return self._follower.engine

    def of_session(self, number: int) -> SessionBooks:
        """What left by one order session, and what its venue trades."""
        return SessionBooks(self, number)

    def assets(self, session: int | None = None) -> dict[int, Asset]:
        """By id: all, or those whose orders leave by a session."""
        known = self.blotter.assets
        return {n: asset for n, asset in known.items() if session is None or self.engine.session_of(n) == session}

    def assets_by_symbol(self, session: int | None = None) -> dict[str, Asset]:
        """What each symbol's integers mean."""
        return {asset.symbol: asset for asset in self.assets(session).values()}

    def instruments(self, session: int | None = None) -> dict[str, int]:
        """Ids by symbol."""
        return {asset.symbol: number for number, asset in self.assets(session).items()}

    def catch_up(self, progress: Callable[[int], None] | None = None) -> None:
        """Take all that the journal holds; engine and blotter then stand at the same frame."""
        while self._follower.poll(FRAMES_PER_POLL):
            if progress:
                progress(self.engine.seq)
        if self._ahead is not None and not self._take(self._ahead):
            return
        for frame in self._journal:
            if not self._take(frame):
                return

    def _take(self, frame: Frame) -> bool:
        """Whether the frame is one that the engine has seen, or its own decision; another waits for the engine."""
        if frame.seq > self.engine.seq and not frame.is_decision:
            self._ahead = frame._replace(raw=frame.raw.copy())  # the mapping may move on
            return False
        self._ahead = None
        self.blotter.take(frame)
        return True

    def books(self, session: int | None = None) -> Books:
        """What the engine and the journal say; where the journal has no fee rates, nothing is said of fees.

        Of one session, or of the only one.
        """
        self.catch_up()
        assets, engine = self.assets(session), self.engine
        adjustments = [one for one in self.blotter.adjustments if one.instrument in assets]
        fills, has_fees = self._our_fills(assets), self.blotter.fees.is_known
        live = {order.cl_ord_id: order for order in engine.live_orders() if order.instrument in assets}
        held = {number: engine.position(NO_STRATEGY, number) for number in assets}
        positions: dict[str, int] = {}
        for number, asset in assets.items():  # of one symbol at several venues: all of them
            positions[asset.symbol] = positions.get(asset.symbol, 0) + held[number]["qty"]
        return Books(
            name="ours",
            orders={
                order_id: OpenOrder(assets[order.instrument].symbol, order.side, order.px, order.leaves_qty)
                for order_id, order in live.items()
            },
            ended=self.blotter.order_ids - live.keys(),
            fills=with_adjustments(fills, adjustments, assets, has_fees=has_fees) if adjustments else fills,
            positions=positions,
            moved=moved(adjustments, assets),
            cash=self._cash(assets, held),
            as_of=engine.source_seq(Source.ORDER_ENTRY + (session or 0)),
        )

    def _our_fills(self, assets: Mapping[int, Asset]) -> dict[FillKey, Fill]:
        for key, trade in self.blotter.trades.items():
            if trade.match is None and self._known.get(key) is not trade:
                self._known[key] = trade
                self._fills[key.cl_ord_id, key.exec_id] = Fill(
                    symbol=self.blotter.assets[trade.instrument].symbol,
                    side=trade.side,
                    px=trade.px,
                    qty=trade.qty,
                    fee=money_of(trade.fee, FEE_DECIMALS) if self.blotter.fees.is_known else None,
                    is_busted=trade.is_busted,
                )
        if len(assets) == len(self.blotter.assets):
            return self._fills
        mine = {(key.cl_ord_id, key.exec_id) for key, one in self.blotter.trades.items() if one.instrument in assets}
        return {key: fill for key, fill in self._fills.items() if key in mine}

    def _cash(self, assets: Mapping[int, Asset], held: Mapping[int, dict[str, int]]) -> dict[str, int]:
        cash: dict[str, int] = {}
        for number, asset in assets.items():
            money = money_of(held[number]["cash"] * asset.multiplier, asset.decimals)
            cash[asset.currency] = cash.get(asset.currency, 0) + money
        for trade in self.blotter.trades.values():
            if trade.instrument in assets:
                cash[assets[trade.instrument].currency] -= fee_money(trade)
        return cash


@dataclass(frozen=True)
class SessionBooks:
    """The books of one order session of a node."""

    node: NodeBooks
    number: int

    def books(self) -> Books:
        """As `NodeBooks.books`."""
        return self.node.books(self.number)

    def assets_by_symbol(self) -> dict[str, Asset]:
        """What each symbol's integers mean at its venue."""
        return self.node.assets_by_symbol(self.number)

    def instruments(self) -> dict[str, int]:
        """Ids by symbol."""
        return self.node.instruments(self.number)
