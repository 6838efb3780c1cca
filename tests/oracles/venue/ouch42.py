"""OUCH 4.2 at the venue."""

from typing import TYPE_CHECKING

from openbell._native import ouch_decode_inbound
from oracles.exchange import MARKET_PX, WHOLE, Cause, Event, Peg, PostOnly, Refusal, SelfTrade, Terms, Tif, Type
from oracles.venue.orders import SECOND_NS, Message, Order

if TYPE_CHECKING:
    from oracles.venue.venue import OracleVenue

MARKET = 0x7FFF_FFFF
REASONS = {
    Refusal.CLOSED: "C", Refusal.HALTED: "H", "symbol": "S", Refusal.PRICE: "X", Refusal.TICK: "X",
    Refusal.PRICE_COLLAR: "X", Refusal.STOP_PRICE: "X", Refusal.QTY: "Z", Refusal.QTY_MAX: "Z", Refusal.DISPLAY: "D",
    Refusal.POST_ONLY: "D", Refusal.MIN_QTY: "N", "cross": "R", Refusal.PHASE_NOT_ALLOWED: "R", "disabled": "a",
    "ordered": "T",
}  # fmt: skip
CAUSES = {
    Cause.IMMEDIATE_OR_CANCEL: "I", Cause.POST_ONLY: "G", Cause.TIMEOUT: "T", Cause.CLOSE: "E", Cause.SELF_MATCH: "Q",
    Cause.COLLAR: "K", Cause.AUCTION_OVER: "C", Cause.DISCONNECT: "S", Cause.SUPERVISORY: "S",
}  # fmt: skip
STRATEGY = {
    SelfTrade.CANCEL_NEWEST: "N", SelfTrade.CANCEL_OLDEST: "O", SelfTrade.CANCEL_BOTH: "B", SelfTrade.DECREMENT: "D",
}  # fmt: skip


class Ouch42:
    """The door of OUCH 4.2."""

    def receive(self, venue: "OracleVenue", account: int, message: bytes) -> bool:
        m = ouch_decode_inbound(message)
        if m is None:
            return False
        getattr(self, f"_on_{m['type']}")(venue, account, m)
        return True

    def _on_O(self, venue: "OracleVenue", account: int, m: Message) -> None:
        if not venue.begin(account, m["token"]):
            return
        order = Order(account, m["token"], m, venue.instrument(m["symbol"]), m["side"], m["qty"], terms(m, m["qty"]))
        order.expires_ns = expiry(m, venue.now_ns)
        venue.enter(order, refusal(m, m["side"], m["cross"]))

    def _on_U(self, venue: "OracleVenue", account: int, m: Message) -> None:
        prev = venue.accounts[account].live(m["prev_token"])
        if prev is None:
            venue.ignore("dead_orders")
        elif venue.begin(account, m["token"]):
            words = {**prev.words, **m}
            order = Order(
                account, m["token"], words, prev.instrument, prev.side, m["qty"], terms(words, m["qty"] - prev.cum)
            )
            order.expires_ns = expiry(m, venue.now_ns)
            venue.replace(prev, order, refusal(words, prev.side, words["cross"]))

    def _on_X(self, venue: "OracleVenue", account: int, m: Message) -> None:
        order = venue.accounts[account].live(m["token"])
        if order is None:
            venue.ignore("dead_orders")
        else:
            venue.reduce_total(order, m["qty"])

    def _on_M(self, venue: "OracleVenue", account: int, m: Message) -> None:
        order = venue.accounts[account].live(m["token"])
        if order is None:
            venue.ignore("dead_orders")
        else:
            venue.modify(order, m["side"], m["qty"])

    def _on_N(self, venue: "OracleVenue", account: int, m: Message) -> None:  # noqa: ARG002
        venue.ignore("unsupported")

    # ---- reports -------------------------------------------------------------------------------

    def accepted(self, order: Order, px: int) -> Message:
        return {**self._terms(order, px), "type": "A", "qty": order.words["qty"]}

    def replaced(self, order: Order, px: int) -> Message:
        assert order.prev
        return {**self._terms(order, px), "type": "U", "qty": order.leaves, "prev_token": order.prev.name}

    def _terms(self, order: Order, px: int) -> Message:
        repeated = ("symbol", "tif", "firm", "display", "capacity", "iso", "qty_min", "cross")
        words = {key: order.words[key] for key in repeated}
        return {**words, "token": order.name, "side": order.side, "px": px, "order_id": order.ref, "state": "L",
                "bbo_weight": " "}  # fmt: skip

    def rejected(self, order: Order, why: str) -> Message:
        return {"type": "J", "token": order.name, "reason": REASONS.get(why, "O")}

    def canceled(self, order: Order, qty: int, cause: Cause) -> Message:
        return {"type": "C", "token": order.name, "qty": qty, "reason": CAUSES.get(cause, "U")}

    def modified(self, order: Order) -> Message:
        return {"type": "M", "token": order.name, "side": order.side, "qty": order.leaves}

    def prevented(self, order: Order, e: Event) -> Message:
        return {"type": "D", "token": order.name, "qty": e.qty, "reason": "Q", "qty_prevented": e.prevented_qty,
                "px": e.px, "liquidity": "A" if e.kind == "reduced" else "R",
                "strategy": STRATEGY[order.terms.self_trade]}  # fmt: skip

    def executed(self, order: Order, px: int, qty: int, liquidity: str, match: int) -> Message:
        return {"type": "E", "token": order.name, "qty": qty, "px": px, "liquidity": liquidity, "match_id": match}

    def repriced(self, order: Order, e: Event) -> Message:
        return {"type": "T", "token": order.name, "px": e.px, "display": order.words["display"], "order_id": e.shown}

    def refreshed(self, order: Order, e: Event) -> None:
        """No words for it."""


def terms(m: Message, open_qty: int) -> Terms:
    """What the engine is asked for."""
    is_market = m["px"] == MARKET
    peg = Peg.MID if m["display"] in "MW" else Peg.NONE
    tif = {"O": Tif.AT_OPEN, "C": Tif.AT_CLOSE}.get(m["cross"], Tif.IOC if m["tif"] == 0 else Tif.DAY)
    return Terms(
        px=MARKET_PX if is_market else m["px"],
        qty=open_qty,
        tif=tif,
        type=Type.PEGGED if peg != Peg.NONE else Type.MARKET if is_market else Type.LIMIT,
        post_only=PostOnly.REJECT if m["display"] in "PLW" else PostOnly.NO,
        peg=peg,
        display=0 if m["display"] == "N" else WHOLE,
        min_qty=min(m["qty_min"], open_qty),
    )


def refusal(m: Message, side: str, cross: str) -> str:
    """What is wrong with the words, whatever the book says."""
    if side not in "BSTE":
        return "side"
    if not 0 < m["qty"] < 1_000_000:
        return Refusal.QTY
    if m["px"] != MARKET and not 0 < m["px"] <= 1_999_999_900:
        return Refusal.PRICE
    if m["display"] not in "AYPLNMW":
        return Refusal.DISPLAY
    if cross not in "NOCH":
        return "cross"
    if m["qty_min"] > m["qty"]:
        return Refusal.MIN_QTY
    return "" if m["tif"] <= 86_399 or m["tif"] in (99_998, 99_999) else Refusal.TIME_IN_FORCE


def expiry(m: Message, now_ns: int) -> int | None:
    return now_ns + m["tif"] * SECOND_NS if 0 < m["tif"] <= 86_399 else None
