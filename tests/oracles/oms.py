"""The OMS, slow and obvious: an order is what is confirmed plus a dictionary of what is in flight.

Open quantities, order counts and positions are recomputed from everything that happened, never kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from openbell.types import OrderState, Reason, Type
from oracles.asked import compared, compared_late, has_terms, replaced_before
from oracles.positions import PX_MAX, QTY_MAX, Booked

NEW, REPLACE, CANCEL = "new", "replace", "cancel"
COMMAND = {Type.NEW_ORDER: NEW, Type.REPLACE_ORDER: REPLACE, Type.CANCEL_ORDER: CANCEL}
TYPE_OF = {name: kind for kind, name in COMMAND.items()}
BIT = {NEW: 1, REPLACE: 2, CANCEL: 4}


@dataclass
class Flight:
    """A command decided and not yet answered; `news` is unsent, sent or doubt."""

    version: int
    px: int = 0
    qty: int = 0
    news: str = "unsent"


@dataclass
class Order:
    """One order; `gone` is what was taken away, so that qty == cum + leaves + gone (I6)."""

    cl_ord_id: int
    strategy: int
    instrument: int
    side: int
    px: int
    qty: int
    leaves: int
    tag: int = 0
    tif: int = 0
    created_ns: int = 0
    cum: int = 0
    gone: int = 0
    order_id: int = 0
    version: int = 0
    newest: int = 1
    ended: OrderState | None = None
    last_live: OrderState = OrderState.PENDING_NEW
    acked: bool = False
    overfilled: bool = False
    worse_px: bool = False
    cancel_wanted: bool = False
    leaves_told: bool = False
    terms: int = 0
    expires_s: int = 0
    session: int = 64
    flights: dict[str, Flight] = field(default_factory=dict)

    def resting(self) -> OrderState:
        if self.version == 0:
            return OrderState.PENDING_NEW
        return OrderState.PARTIALLY_FILLED if self.cum > 0 else OrderState.NEW

    def state(self) -> OrderState:
        if self.ended is not None:
            return self.ended
        if any(f.news == "doubt" for f in self.flights.values()):
            return OrderState.IN_DOUBT
        if CANCEL in self.flights:
            return OrderState.PENDING_CANCEL
        return OrderState.PENDING_REPLACE if REPLACE in self.flights else self.resting()

    def worst(self) -> int:
        if self.ended is not None:
            return 0
        return max(self.leaves, self.flights[REPLACE].qty - self.cum if REPLACE in self.flights else 0)

    def end(self, state: OrderState) -> None:
        self.gone += self.leaves
        self.leaves = 0
        self.flights.clear()
        self.cancel_wanted = False
        self.ended = state

    def drop_ignored_cancel(self) -> None:
        """A cancel that names a version the venue does not hold is answered by silence."""
        cancel = self.flights.get(CANCEL)
        if cancel and self.version and not {NEW, REPLACE} & set(self.flights) and cancel.version != self.version:
            del self.flights[CANCEL]

    def rebalance(self) -> None:
        """After an execution or its reversal: what is neither executed nor open was taken away."""
        self.gone = max(0, self.qty - self.cum - self.leaves)
        self.overfilled |= self.cum + self.leaves > self.qty

    def confirm(self, version: int) -> bool:
        if version > self.newest:
            return False
        if self.ended is None and NEW in self.flights and version in (0, 1):
            del self.flights[NEW]
            self.version = 1
        elif self.ended is None and REPLACE in self.flights and version == self.flights[REPLACE].version:
            flight = self.flights[REPLACE]
            self.take_replace(flight.px, max(0, flight.qty - self.cum))
            self.leaves_told = False
        return True

    def take_replace(self, px: int, leaves: int) -> None:
        flight = self.flights.pop(REPLACE)
        self.version, self.px, self.leaves = flight.version, px, leaves
        self.qty = max(flight.qty, self.cum)
        self.gone = max(0, self.qty - self.cum - leaves)

    def is_of_older(self, version: int) -> bool:
        """The report is about a version that another has replaced; 0 names none."""
        return 0 < version < self.version

    def fields(self) -> dict[str, int]:
        """The fields of the native LiveOrder."""
        replace = self.flights.get(REPLACE, Flight(0))
        latest = next((TYPE_OF[c] for c in (CANCEL, REPLACE, NEW) if c in self.flights), 0)
        news = {n: sum(BIT[c] for c, f in self.flights.items() if f.news == n) for n in ("unsent", "doubt")}
        changing = bool({NEW, REPLACE} & set(self.flights))
        return {
            "cl_ord_id": self.cl_ord_id, "order_id": self.order_id, "instrument": self.instrument,
            "strategy": self.strategy, "side": self.side, "tif": self.tif, "state": int(self.state()),
            "prev_state": int(self.last_live if self.ended is not None else self.resting()), "pending": int(latest),
            "unsent": news["unsent"], "version": self.version, "pending_version": self.newest,
            "cancel_version": self.flights[CANCEL].version if CANCEL in self.flights else 0,
            "px": self.px, "qty": self.qty, "cum_qty": self.cum, "leaves_qty": self.leaves,
            "pending_px": replace.px, "pending_qty": replace.qty, "created_ns": self.created_ns, "tag": self.tag,
            "in_doubt": news["doubt"], "flags": changing * 1 + self.acked * 2 + self.overfilled * 4
            + self.cancel_wanted * 8 + self.leaves_told * 16 + self.worse_px * 32,
            "terms": self.terms, "expires_s": self.expires_s, "session": self.session - 64,
        }  # fmt: skip


class Oms(Booked):
    """The same verbs as the native Oms, on dictionaries."""

    def __init__(self, orders_max: int, strategies_max: int, instruments_max: int, fills_max: int) -> None:
        super().__init__(strategies_max, instruments_max)
        self.orders_max, self.fills_max = orders_max, fills_max
        self.live: dict[int, Order] = {}
        self.ended: dict[int, Order] = {}
        self.fills: dict[tuple[int, int], dict[str, int]] = {}
        self.every_fill: list[dict[str, int]] = []
        self.session_of: Callable[[int], int] = lambda _: 64
        self.fee_of: Callable[[int, int, int, int], int] = lambda *_: 0
        self.recycled = 0

    def find(self, cl_ord_id: int) -> Order | None:
        return self.live.get(cl_ord_id) or self.ended.get(cl_ord_id)

    def on_started(self) -> None:
        for order in self.live.values():
            for flight in order.flights.values():
                flight.news = "doubt" if flight.news == "unsent" else flight.news

    # ---- commands

    def on_command(self, c: dict[str, int]) -> Reason:
        if c["type"] == Type.NEW_ORDER:
            return self._open(c)
        order = self.live.get(c["cl_ord_id"])
        if order is None:
            return Reason.UNKNOWN_ORDER
        return self._replace(order, c) if c["type"] == Type.REPLACE_ORDER else self._cancel(order, c)

    def _open(self, c: dict[str, int]) -> Reason:
        refusals = [
            (c["strategy"] >= self.strategies_max, Reason.UNKNOWN_STRATEGY),
            (c["instrument"] >= self.instruments_max, Reason.NO_INSTRUMENT),
            (c["side"] not in (1, 2) or c["cl_ord_id"] == 0 or self.find(c["cl_ord_id"]), Reason.UNKNOWN_ORDER),
            (c["qty"] <= 0, Reason.QTY_NOT_POSITIVE),
            (c["px"] <= 0, Reason.PRICE_NOT_POSITIVE),
            (c["qty"] > QTY_MAX or c["px"] > PX_MAX, Reason.WOULD_OVERFLOW),
            (len(self.live) == self.orders_max, Reason.ORDERS_FULL),
        ]
        for refused, reason in refusals:
            if refused:
                return reason
        if len(self.live) + len(self.ended) == self.orders_max:
            del self.ended[next(iter(self.ended))]
            self.recycled += 1
        names = ("cl_ord_id", "strategy", "instrument", "side", "px", "qty", "tag", "tif")
        more = {"terms": c.get("flags", 0), "expires_s": c.get("expires_s", 0), "created_ns": c["ts_event"]}
        order = Order(**{n: c[n] for n in names}, **more, leaves=c["qty"], session=self.session_of(c["instrument"]))
        order.flights[NEW] = Flight(1)
        self.live[order.cl_ord_id] = order
        return Reason.NONE

    def _replace(self, order: Order, c: dict[str, int]) -> Reason:
        if order.flights or c["version"] != order.newest + 1 or order.session != self.session_of(order.instrument):
            return Reason.NOT_REPLACEABLE
        if c["qty"] <= order.cum:
            return Reason.QTY_NOT_POSITIVE
        if c["px"] <= 0:
            return Reason.PRICE_NOT_POSITIVE
        if c["qty"] > QTY_MAX or c["px"] > PX_MAX:
            return Reason.WOULD_OVERFLOW
        order.newest = c["version"]
        order.flights[REPLACE] = Flight(c["version"], c["px"], c["qty"])
        return Reason.NONE

    def _cancel(self, order: Order, c: dict[str, int]) -> Reason:
        if c["version"] > order.newest:
            return Reason.UNKNOWN_ORDER
        newest = order.newest if {NEW, REPLACE} & set(order.flights) else order.version
        order.flights[CANCEL] = Flight(c["version"] or newest)
        order.cancel_wanted = False
        order.drop_ignored_cancel()
        return Reason.NONE

    # ---- reports

    def on_report(self, r: dict[str, int]) -> tuple[str, bool]:
        order = self.find(r["cl_ord_id"])
        if order is None:
            known = r["type"] in (Type.BUSTED, Type.CORRECTED) and (r["cl_ord_id"], r["exec_id"]) in self.fills
            return (self._on_change(None, r), False) if known else ("UNKNOWN_ORDER", False)
        was_live, before = order.ended is None, order.state()
        name = Type(r["type"]).name.lower()
        verb = self._on_change if name in ("busted", "corrected") else getattr(self, f"_on_{name}")
        kind = verb(order, r)
        if order.ended is None:
            order.drop_ignored_cancel()
        elif was_live:
            order.last_live = before
            self.ended[order.cl_ord_id] = self.live.pop(order.cl_ord_id)
        return kind, was_live and order.ended is not None

    def _on_accepted(self, o: Order, r: dict[str, int]) -> str:
        if o.acked:
            return "DUPLICATE"
        if r["version"] > 1 or not has_terms(r) or o.ended == OrderState.REJECTED:
            return "ILLEGAL"
        o.acked, o.order_id = True, r["order_id"]
        if o.version > 0 or o.ended is not None:
            return "DONE" if o.version > 1 else compared_late(o, r, o.cum)
        o.confirm(1)
        kind = compared(o, r, o.qty - o.cum, o.px)
        o.px = r["px"] or o.px
        if r["leaves_qty"] == 0:
            o.end(OrderState.CANCELED)
        else:
            o.leaves, o.qty, o.gone = r["leaves_qty"], min(o.qty, o.cum + r["leaves_qty"]), 0
        return kind

    def _on_rejected(self, o: Order, r: dict[str, int]) -> str:
        v = r["version"]
        if v > o.newest:
            return "ILLEGAL"
        if o.ended is not None:
            if v > o.version > 0:
                return "IGNORED"
            return "DUPLICATE" if o.ended == OrderState.REJECTED else "ILLEGAL"
        pending = NEW if NEW in o.flights else REPLACE if REPLACE in o.flights else None
        if pending is None or v not in (0, o.newest):
            return "DUPLICATE" if v > o.version else "ILLEGAL"
        self._withdraw(o, pending)
        return "DONE"

    def _on_replaced(self, o: Order, r: dict[str, int]) -> str:
        v = r["version"]
        if v == 0 or v > o.newest:
            return "ILLEGAL"
        if v <= o.version:
            return replaced_before(o, r) if v > 1 else "ILLEGAL"
        flight = o.flights.get(REPLACE)
        if o.ended is not None or flight is None or v != flight.version or not has_terms(r):
            return "ILLEGAL"
        kind = compared(o, r, flight.qty - o.cum, flight.px)
        o.take_replace(r["px"] or flight.px, r["leaves_qty"])
        o.leaves_told = True
        o.order_id = r["order_id"] or o.order_id
        if o.leaves == 0:
            o.end(OrderState.CANCELED)
        return kind

    def _on_canceled(self, o: Order, r: dict[str, int]) -> str:
        if o.is_of_older(r["version"]):
            return "IGNORED"  # the replace gave it back
        if o.ended is not None:
            return "DUPLICATE" if o.ended == OrderState.CANCELED else "ILLEGAL"
        if r["version"] > o.newest or r["last_qty"] <= 0:
            return "ILLEGAL"
        implied = REPLACE in o.flights and r["version"] == o.flights[REPLACE].version
        held = max(0, o.flights[REPLACE].qty - o.cum) if implied else o.leaves
        if r["last_qty"] > held:
            return "ILLEGAL"
        o.confirm(r["version"])
        o.leaves -= r["last_qty"]
        o.gone += r["last_qty"]
        if o.leaves == 0:
            o.end(OrderState.CANCELED)
        elif r["reason"] == Reason.USER_CANCEL:
            o.flights.pop(CANCEL, None)
        return "DONE"

    def _on_cancel_rejected(self, o: Order, r: dict[str, int]) -> str:
        if r["version"] > o.newest:
            return "ILLEGAL"
        if o.ended is not None:
            return "IGNORED"
        if r["command"] != Type.REPLACE_ORDER and CANCEL in o.flights:
            del o.flights[CANCEL]
            return "DONE"
        if REPLACE in o.flights and r["version"] in (0, o.flights[REPLACE].version):
            del o.flights[REPLACE]
            return "DONE"
        return "IGNORED"

    def _on_expired(self, o: Order, r: dict[str, int]) -> str:
        if o.ended is not None:
            return "DUPLICATE" if o.ended == OrderState.EXPIRED else "ILLEGAL"
        if not o.confirm(r["version"]):
            return "ILLEGAL"
        o.end(OrderState.EXPIRED)
        return "DONE"

    def _on_sent(self, o: Order, r: dict[str, int]) -> str:
        if r["command"] not in TYPE_OF.values():
            return "ILLEGAL"
        flight = o.flights.get(COMMAND[r["command"]])
        if flight is None or flight.news != "unsent":
            return "IGNORED"
        flight.news = "sent"
        return "DONE"

    def _on_not_sent(self, o: Order, r: dict[str, int]) -> str:
        if r["command"] not in TYPE_OF.values():
            return "ILLEGAL"
        if o.ended is not None:
            return "IGNORED"
        name = COMMAND[r["command"]]
        if name not in o.flights or o.flights[name].news == "sent":
            return "ILLEGAL"
        self._withdraw(o, name)
        return "DONE"

    def _withdraw(self, o: Order, name: str) -> None:
        if name == NEW:
            o.end(OrderState.REJECTED)
        else:
            del o.flights[name]

    def _on_filled(self, o: Order, r: dict[str, int]) -> str:
        px, qty = r["last_px"], r["last_qty"]
        if not (0 < qty <= QTY_MAX and 0 < px <= PX_MAX):
            return "ILLEGAL"
        key = (r["cl_ord_id"], r["exec_id"])
        early = self.fills.get(key) if r["exec_id"] else None
        if early is not None and not early["untold"]:
            return "DUPLICATE"
        o.confirm(r["version"])
        o.cum += qty
        if not (o.leaves_told and o.is_of_older(r["version"])):  # else the venue has said so in Replaced
            o.leaves = max(0, o.leaves - qty)
        over = o.cum + o.leaves > o.qty
        o.rebalance()
        if o.ended is None and o.leaves == 0:
            o.end(OrderState.FILLED)
        fill = self._fill(o, px, qty, flag=r.get("liquidity", 0))
        self.charges.append((o.strategy, o.instrument, fill["fee"]))
        self.every_fill.append(fill)
        if early is None and r["exec_id"]:
            self._remember(key, fill)
        self.trades.append((o.strategy, o.instrument, px, qty if o.side == 1 else -qty))
        if early is not None:  # what was said of it before it came
            self.fills[key] = fill
            if early["busted"] or (early["px"], early["qty"]) != (px, qty):
                self._change(o, fill, early)
        return "OVERFILL" if over else "DONE"

    def _fill(self, o: Order, px: int, qty: int, *, flag: int = 0, busted: int = 0, untold: int = 0) -> dict[str, int]:
        of = {"strategy": o.strategy, "instrument": o.instrument, "side": o.side, "flag": flag}
        fee = 0 if untold else self.fee_of(o.instrument, flag, px, qty)
        return {"px": px, "qty": qty, "busted": busted, "untold": untold, "fee": fee, **of}

    def _remember(self, key: tuple[int, int], fill: dict[str, int]) -> None:
        if len(self.fills) == self.fills_max:
            del self.fills[next(iter(self.fills))]
        self.fills[key] = fill

    def _on_change(self, o: Order | None, r: dict[str, int]) -> str:
        bust = r["type"] == Type.BUSTED
        fill = self.fills.get((r["cl_ord_id"], r["exec_id"])) if r["exec_id"] else None
        px, qty = r["last_px"], r["last_qty"]
        if not r["exec_id"] or not (bust or (0 < qty <= QTY_MAX and 0 < px <= PX_MAX)):
            return "ILLEGAL"
        key = (r["cl_ord_id"], r["exec_id"])
        if fill is None:
            if o is not None:
                self._remember(key, self._fill(o, px, qty, busted=int(bust), untold=1))
            return "ILLEGAL"
        if fill["busted"]:
            return "DUPLICATE" if bust else "ILLEGAL"
        if not bust and (fill["px"], fill["qty"]) == (px, qty):
            return "DUPLICATE"
        if fill["untold"]:
            if o is not None:
                self.fills[key] = self._fill(o, px, qty, busted=int(bust), untold=1)
            return "ILLEGAL"
        self._change(o, fill, {"px": px, "qty": qty, "busted": int(bust)})
        return "DONE"

    def _change(self, o: Order | None, fill: dict[str, int], wanted: dict[str, int]) -> None:
        sign = 1 if fill["side"] == 1 else -1
        self.trades.append((fill["strategy"], fill["instrument"], fill["px"], -sign * fill["qty"]))
        fee = 0 if wanted["busted"] else self.fee_of(fill["instrument"], fill["flag"], wanted["px"], wanted["qty"])
        self.charges.append((fill["strategy"], fill["instrument"], fee - fill["fee"]))
        if not wanted["busted"]:
            self.trades.append((fill["strategy"], fill["instrument"], wanted["px"], sign * wanted["qty"]))
        if o is not None:
            o.cum += (0 if wanted["busted"] else wanted["qty"]) - fill["qty"]
            o.rebalance()
        fill.update({"busted": 1} if wanted["busted"] else {"px": wanted["px"], "qty": wanted["qty"], "fee": fee})

    def on_resolved(self, which: str = "all", session: int = 64) -> list[tuple[int, int, int]]:
        """(cl_ord_id, command, version) of what never reached the venue; `which`: all, cancels, in doubt."""
        found = []
        for order in [order for order in self.live.values() if order.session == session]:
            for name in (CANCEL,) if which == "cancels" else (NEW, REPLACE, CANCEL):
                flight = order.flights.get(name)
                if flight is None or flight.news == "unsent" or (which == "in doubt" and flight.news != "doubt"):
                    continue
                order.last_live = order.state()
                found.append((order.cl_ord_id, int(TYPE_OF[name]), flight.version))
                self._withdraw(order, name)
                if order.ended is None:
                    order.drop_ignored_cancel()
                else:
                    self.ended[order.cl_ord_id] = self.live.pop(order.cl_ord_id)
        return found

    # ---- answers

    def exposure(self, strategy: int | None, instrument: int) -> tuple[int, int, int, int]:
        mine = [o for o in self.live.values() if o.instrument == instrument and strategy in (None, o.strategy)]
        buys = sum(o.worst() for o in mine if o.side == 1)
        sells = sum(o.worst() for o in mine if o.side == 2)
        return self.position(strategy, instrument)["qty"], buys, sells, len(mine)
