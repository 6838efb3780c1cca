"""OUCH 5.0 at the venue."""

from typing import TYPE_CHECKING

from openbell._native import ouch50_decode_inbound
from oracles.exchange import MARKET_PX, WHOLE, Cause, Event, Peg, PostOnly, Refusal, Terms, Tif, Type
from oracles.venue.orders import SECOND_NS, Message, Order
from oracles.venue.ouch42 import CAUSES, STRATEGY

if TYPE_CHECKING:
    from oracles.venue.venue import OracleVenue

MARKETS = (0x7FFF_FFFF, 2_000_000_000)
REASONS = {
    Refusal.CLOSED: 2, Refusal.HALTED: 7, "symbol": 23, "side": 9, Refusal.PRICE: 29, Refusal.TICK: 29,
    Refusal.STOP_PRICE: 29, Refusal.PRICE_COLLAR: 6, Refusal.QTY: 19, Refusal.QTY_MAX: 30, Refusal.DISPLAY: 3,
    Refusal.MIN_QTY: 13, Refusal.PEG: 5, "cross": 20, Refusal.PHASE_NOT_ALLOWED: 20, "disabled": 12, "rate": 41,
    "ordered": 24, Refusal.FULL: 10,
}  # fmt: skip
DEFAULTS = {
    "firm": "    ", "qty_min": 0, "customer": " ", "max_floor": 0, "price_type": "L", "peg_offset": 0, "post_only": "N",
    "expire_s": 0, "group_id": 0, "user_ref_index": 0,
}  # fmt: skip
"""Options that reports repeat, in the order in which they do."""
ON_ENTER = {*DEFAULTS, "discretion_px", "discretion_price_type", "discretion_peg_offset", "random_reserves",
            "trade_now", "handling", "shares_located", "locate_broker"}  # fmt: skip
ON_REPLACE = (ON_ENTER | {"side"}) - {"firm", "customer", "group_id"}
NOT_DONE = {
    "discretion_px": 0, "discretion_price_type": "L", "discretion_peg_offset": 0, "random_reserves": 0, "handling": " ",
}  # fmt: skip


class Ouch50:
    """The door of OUCH 5.0."""

    def receive(self, venue: "OracleVenue", account: int, message: bytes) -> bool:
        m = ouch50_decode_inbound(message)
        if m is None:
            return False
        options = m.get("options", {})
        getattr(self, f"_on_{m['type']}")(venue, account, m, options, options.get("user_ref_index", 0))
        return True

    def _on_O(self, venue: "OracleVenue", account: int, m: Message, options: Message, channel: int) -> None:
        numbers = venue.accounts[account].numbers
        if m["user_ref"] <= numbers.get(channel, 0):
            venue.ignore("duplicate_tokens")
            return
        if not venue.begin(account, (channel, m["user_ref"])):
            return
        numbers[channel] = m["user_ref"]
        words = {**m, "options": {**DEFAULTS, **options}}
        instrument = venue.instrument(m["symbol"])
        order = Order(account, (channel, m["user_ref"]), words, instrument, m["side"], m["qty"], terms(words, m["qty"]))
        order.expires_ns = expiry(words, venue.now_ns)
        venue.enter(order, refusal(words, m["side"], options, ON_ENTER))

    def _on_U(self, venue: "OracleVenue", account: int, m: Message, options: Message, channel: int) -> None:
        numbers = venue.accounts[account].numbers
        prev = venue.accounts[account].live((channel, m["prev_user_ref"]))
        if prev is None:
            venue.ignore("dead_orders")
            return
        if m["user_ref"] <= numbers.get(channel, 0):
            venue.ignore("duplicate_tokens")
            return
        if not venue.begin(account, (channel, m["user_ref"])):
            return
        inherited = {key: prev.words["options"][key] for key in ("firm", "customer", "group_id")}
        words = {**prev.words, **m, "options": {**DEFAULTS, **options, **inherited}}
        side = options.get("side", prev.side)
        name = (channel, m["user_ref"])
        order = Order(account, name, words, prev.instrument, side, m["qty"], terms(words, m["qty"] - prev.cum))
        order.expires_ns = expiry(words, venue.now_ns)
        why = refusal(words, side, options, ON_REPLACE)
        if not why and (side == "B") != (prev.side == "B"):
            why = "side"
        if venue.replace(prev, order, why):
            numbers[channel] = m["user_ref"]

    def _on_X(self, venue: "OracleVenue", account: int, m: Message, options: Message, channel: int) -> None:  # noqa: ARG002
        order = venue.accounts[account].live((channel, m["user_ref"]))
        if order is None:
            venue.ignore("dead_orders")
        else:
            venue.reduce_total(order, m["qty"])

    def _on_M(self, venue: "OracleVenue", account: int, m: Message, options: Message, channel: int) -> None:  # noqa: ARG002
        order = venue.accounts[account].live((channel, m["user_ref"]))
        if order is None:
            venue.ignore("dead_orders")
        else:
            venue.modify(order, m["side"], m["qty"])

    def _on_C(self, venue: "OracleVenue", account: int, m: Message, options: Message, channel: int) -> None:
        about = {"user_ref": m["user_ref"], "firm": m["firm"], "symbol": m["symbol"]}
        venue.tell(account, {"type": "X", **about, "options": in_channel({}, channel)})
        wanted = venue.accounts[account].open()
        if m["symbol"].strip():
            wanted = [o for o in wanted if o.instrument == venue.instrument(m["symbol"])]
        if m["firm"].strip():
            wanted = [o for o in wanted if o.words["options"]["firm"] == m["firm"]]
        if "side" in options:
            wanted = [o for o in wanted if o.side == options["side"]]
        if "group_id" in options:
            wanted = [o for o in wanted if o.words["options"]["group_id"] == options["group_id"]]
        venue.mass_cancel(wanted)

    def _on_D(self, venue: "OracleVenue", account: int, m: Message, options: Message, channel: int) -> None:  # noqa: ARG002
        venue.accounts[account].is_enabled = False
        about = {"user_ref": m["user_ref"], "firm": m["firm"], "options": in_channel({}, channel)}
        venue.tell(account, {"type": "G", **about})

    def _on_E(self, venue: "OracleVenue", account: int, m: Message, options: Message, channel: int) -> None:  # noqa: ARG002
        venue.accounts[account].is_enabled = True
        about = {"user_ref": m["user_ref"], "firm": m["firm"], "options": in_channel({}, channel)}
        venue.tell(account, {"type": "K", **about})

    def _on_Q(self, venue: "OracleVenue", account: int, m: Message, options: Message, channel: int) -> None:  # noqa: ARG002
        next_number = venue.accounts[account].numbers.get(channel, 0) + 1
        venue.tell(account, optional({"type": "Q", "user_ref": next_number}, channel))

    # ---- reports -------------------------------------------------------------------------------

    def accepted(self, order: Order, px: int) -> Message:
        return {**self._terms(order, px), "type": "A", "qty": order.words["qty"]}

    def replaced(self, order: Order, px: int) -> Message:
        assert order.prev
        return {**self._terms(order, px), "type": "U", "qty": order.leaves, "prev_user_ref": order.prev.name[1]}

    def _terms(self, order: Order, px: int) -> Message:
        repeated = ("user_ref", "symbol", "tif", "display", "capacity", "iso", "cross", "cl_ord_id")
        words = {key: order.words[key] for key in repeated}
        values = order.words["options"]
        options = {key: values[key] for key, default in DEFAULTS.items() if values[key] != default}
        return {**words, "side": order.side, "px": px, "order_id": order.ref, "state": "L", "options": options}

    def rejected(self, order: Order, why: str) -> Message:
        reason = 4 if why == Refusal.DISPLAY and order.words["options"]["max_floor"] else REASONS.get(why, 15)
        return self._about(order, type="J", reason=reason, cl_ord_id=order.words["cl_ord_id"])

    def canceled(self, order: Order, qty: int, cause: Cause) -> Message:
        letter = "I" if cause == Cause.AUCTION_OVER else CAUSES.get(cause, "U")
        return self._about(order, type="C", qty=qty, reason=letter)

    def modified(self, order: Order) -> Message:
        return self._about(order, type="M", side=order.side, qty=order.leaves)

    def prevented(self, order: Order, e: Event) -> Message:
        liquidity = "A" if e.kind == "reduced" else "R"
        return self._about(order, type="D", qty=e.qty, reason="Q", qty_prevented=e.prevented_qty, px=e.px,
                           liquidity=liquidity, strategy=STRATEGY[order.terms.self_trade])  # fmt: skip

    def executed(self, order: Order, px: int, qty: int, liquidity: str, match: int) -> Message:
        return {"type": "E", "user_ref": order.name[1], "qty": qty, "px": px, "liquidity": liquidity, "match_id": match,
                "options": in_channel({}, order.name[0])}  # fmt: skip

    def repriced(self, order: Order, e: Event) -> Message:
        return self._about(order, type="T", px=e.px, display=order.words["display"], order_id=e.shown)

    def refreshed(self, order: Order, e: Event) -> Message:
        options = in_channel({}, order.name[0]) | {"display_qty": e.qty, "secondary_order_id": e.shown}
        return {"type": "R", "user_ref": order.name[1], "reason": "R", "options": options}

    def _about(self, order: Order, **fields: object) -> Message:
        return optional({"user_ref": order.name[1], **fields}, order.name[0])


def in_channel(options: Message, channel: int) -> Message:
    return {**options, "user_ref_index": channel} if channel else options


def optional(message: Message, channel: int) -> Message:
    """Of messages that end without options where there are none."""
    return {**message, "options": {"user_ref_index": channel}} if channel else message


def terms(m: Message, open_qty: int) -> Terms:
    """What the engine is asked for."""
    o = m["options"]
    is_market = m["px"] in MARKETS
    peg = {"P": Peg.MARKET, "R": Peg.PRIMARY, "M": Peg.MID, "m": Peg.MID}.get(o["price_type"], Peg.NONE)
    tif = {"O": Tif.AT_OPEN, "C": Tif.AT_CLOSE}.get(m["cross"], Tif.IOC if m["tif"] == "3" else Tif.DAY)
    display = min(o["max_floor"], open_qty) if o["max_floor"] else WHOLE
    return Terms(
        px=MARKET_PX if is_market else m["px"],
        qty=open_qty,
        tif=tif,
        type=Type.PEGGED if peg != Peg.NONE else Type.MARKET if is_market else Type.LIMIT,
        post_only=PostOnly.REJECT if o["post_only"] == "P" else PostOnly.NO,
        peg=peg,
        keeps_place=False,
        display=0 if m["display"] == "N" else display,
        min_qty=min(o["qty_min"], open_qty),
        peg_offset=o["peg_offset"],
    )


def refusal(m: Message, side: str, options: Message, allowed: set[str]) -> str:
    """What is wrong with the words, whatever the book says."""
    values = m["options"]
    if side not in "BSTE":
        return "side"
    if not 0 < m["qty"] < 1_000_000:
        return Refusal.QTY
    if m["px"] not in MARKETS and not 0 < m["px"] <= 1_999_999_900:
        return Refusal.PRICE
    if m["display"] not in "YNA" or values["max_floor"] > m["qty"] or (m["display"] == "N" and values["max_floor"]):
        return Refusal.DISPLAY
    if m["cross"] not in "NOCH":
        return "cross"
    if values["qty_min"] > m["qty"]:
        return Refusal.MIN_QTY
    if values["price_type"] not in "LPMRm":
        return Refusal.PEG
    if set(options) - allowed or any(options.get(key, default) != default for key, default in NOT_DONE.items()):
        return "words"
    if options.get("trade_now") == "Y":
        return "words"
    is_known = m["tif"] in "035" or (m["tif"] == "6" and 0 < values["expire_s"] < 86_400)
    return "" if is_known else Refusal.TIME_IN_FORCE


def expiry(m: Message, now_ns: int) -> int | None:
    return now_ns + m["options"]["expire_s"] * SECOND_NS if m["tif"] == "6" else None
