"""Random inputs for a venue: whole days of what clients, internal accounts and operators do, right and wrong.

    inputs = RandomInputs(rng)
    venue = inputs.new_venue()
    for one in inputs.take(500):
        do(venue, one)

The same random source gives the same inputs, whatever the venue answers.
"""

import random
from collections.abc import Iterator
from typing import Any

from openbell._native import (
    FeeRules,
    InstrumentRules,
    OrderType,
    Peg,
    PostOnly,
    Protocol,
    SelfTrade,
    Terms,
    VenueCore,
    ouch50_encode_inbound,
    ouch_encode_inbound,
)
from openbell.types import Side, Tif

SYMBOLS = ("OBEL", "RING")
MARKET = 0x7FFF_FFFF
LISTED_PX = 50_0000
TICK = 100
SECOND_NS = 1_000_000_000
Input = tuple[Any, ...]
FEES = FeeRules(
    [(0, [-2_000, 0, 0, 3_000, 1_000, 500, 500, 500], [0] * 8), (1_000_000, [-2_500] * 3 + [2_500] * 5, [0] * 8)]
)
"""Per share in 1e-6, by liquidity."""


def do(venue: VenueCore, one: Input) -> Any:
    """Tell `venue` one input; internal orders are named by their place among the open ones."""
    verb, *arguments = one
    if verb == "submit_terms":
        arguments[3] = Terms(**arguments[3])
    if verb == "reduce":
        account, nth, leaves, now_ns = arguments
        if not (open_orders := venue.open_orders_of(account)):
            return None
        arguments = [open_orders[nth % len(open_orders)][0], leaves, now_ns]
    return getattr(venue, verb)(*arguments)


class RandomInputs:
    """Inputs for two clients of each protocol, one internal account, and whoever runs the venue."""

    def __init__(
        self, rng: random.Random, *, orders_max: int = 1_000, tokens_max: int = 20_000, faults: bool = True
    ) -> None:
        self.rng = rng
        self.faults = faults
        self.limits = {"orders_max": orders_max, "tokens_max": tokens_max, "messages_max": 1_000_000}
        self.now_ns = 0
        self.names = 0
        self.numbers: dict[int, int] = {}

    def new_venue(self, **more: Any) -> VenueCore:
        """A venue that these inputs are for; its accounts are numbered in this order."""
        rules = [InstrumentRules(symbol, listed_px=LISTED_PX) for symbol in SYMBOLS]
        venue = VenueCore(rules, 0, **self.limits, **more)
        venue.set_fees(FEES)
        self.internal = venue.add_account(internal=True)
        self.tokens = [
            venue.add_account(),
            venue.add_account(group=7, self_trade=SelfTrade.CANCEL_OLDEST, orders_per_s=30, burst=30, volume=2_000_000),
        ]
        self.numbered = [
            venue.add_account(protocol=Protocol.OUCH50),
            venue.add_account(protocol=Protocol.OUCH50, group=9, self_trade=SelfTrade.DECREMENT),
        ]
        return venue

    def take(self, count: int) -> Iterator[Input]:
        """A day of `count` inputs between its opening and its close."""
        yield ("open_day", 1)
        for _ in range(count):
            self.now_ns += self.rng.choice((0, 1_000, 1_000_000, 100_000_000))
            yield self._input()
        yield ("close_day", self.now_ns)

    def _input(self) -> Input:
        what = self.rng.random()
        if what < 0.45:
            return ("receive", self.rng.choice(self.tokens), self._ouch42(), self.now_ns)
        if what < 0.85:
            account = self.rng.choice(self.numbered)
            return ("receive", account, self._ouch50(account), self.now_ns)
        if what < 0.94:
            return self._submit()
        if what < 0.97:
            return ("reduce", self.internal, self.rng.randrange(100), self.rng.choice((0, 0, 50, 100)), self.now_ns)
        return self._operation()

    def _operation(self) -> Input:
        """What is rare: sessions that break, halts, nonsense, and (with `faults`) whatever makes logs lie."""
        account = self.rng.choice([*self.tokens, *self.numbered])
        instrument = self.rng.randrange(len(SYMBOLS))
        if self.faults and self.rng.random() < 0.4:
            return self._fault(account)
        return self.rng.choice(
            (
                ("cancel_all", account, self.now_ns),
                ("set_state", instrument, self.rng.choice("HHQPT"), self.now_ns),
                ("set_state", 0, "T", self.now_ns),
                ("set_state", 1, "T", self.now_ns),
                ("advance", self.now_ns + self.rng.randrange(3) * SECOND_NS),
                ("receive", account, self.rng.randbytes(self.rng.randrange(60)), self.now_ns),
                ("reject_next", account, self.rng.randrange(3), self.now_ns),
            )
        )

    def _fault(self, account: int) -> Input:
        return self.rng.choice(
            (
                ("bust", self.rng.randrange(1, 40), "E", self.now_ns),
                ("correct", self.rng.randrange(1, 40), self._px(), self._qty(), "S", self.now_ns),
                ("shift_clock", self.rng.choice((0, 0, -5 * SECOND_NS)), self.now_ns),
                ("divert", account, self.rng.random() < 0.5, self.now_ns),
                ("settle", account, [self.rng.randbytes(self.rng.randrange(300)) for _ in range(2)], self.now_ns),
            )
        )

    def _submit(self) -> Input:
        terms = {
            "px": self._px(),
            "qty": 100 * self.rng.randint(1, 5),
            "tif": self.rng.choice((Tif.DAY, Tif.GTC, Tif.IOC)),
            "type": self.rng.choice((OrderType.LIMIT, OrderType.LIMIT, OrderType.PEGGED, OrderType.STOP_LIMIT)),
            "peg": self.rng.choice((Peg.NONE, Peg.MID, Peg.PRIMARY)),
            "post_only": self.rng.choice((PostOnly.NO, PostOnly.NO, PostOnly.SLIDE)),
            "stop_px": self._px(),
        }
        side = self.rng.choice((Side.BUY, Side.SELL))
        return ("submit_terms", self.internal, self.rng.randrange(len(SYMBOLS)), side, terms, self.now_ns)

    def _px(self) -> int:
        return LISTED_PX + TICK * self.rng.randint(-10, 10)

    def _qty(self) -> int:
        return self.rng.choice((100, 100, 200, 300, 300, 400, 500, 700, 0 if self.rng.random() < 0.2 else 250))

    def _ouch42(self) -> bytes:
        self.names += self.rng.random() < 0.8
        px = MARKET if self.rng.random() < 0.05 else self._px()
        terms = {
            "qty": self._qty(),
            "px": px,
            "tif": self.rng.choice((*(99_998, 99_999) * 8, 0, 0, 5, 2, 90_000)),
            "display": self.rng.choice("Y" * 20 + "AAPPNNLMWI"),
            "iso": "N",
            "qty_min": self.rng.choice((0,) * 12 + (100,)),
        }
        what = self.rng.random()
        if what < 0.6:
            token = {"token": self._token(new=True), "side": self._side(), "symbol": self._symbol(), "firm": "FIRM"}
            cross = self.rng.choice("N" * 40 + "OCHS")
            return ouch_encode_inbound(
                {"type": "O", **token, "capacity": "P", "cross": cross, "customer": " ", **terms}
            )
        if what < 0.8:
            return ouch_encode_inbound(
                {"type": "U", "prev_token": self._token(), "token": self._token(new=True), **terms}
            )
        if what < 0.9:
            return ouch_encode_inbound({"type": "X", "token": self._token(), "qty": self.rng.choice((0, 0, 100, 200))})
        if what < 0.98:
            side = self.rng.choice("BSTE")
            return ouch_encode_inbound({"type": "M", "token": self._token(), "side": side, "qty": self._qty()})
        return ouch_encode_inbound({"type": "N", "token": self._token()})

    def _token(self, *, new: bool = False) -> str:
        recent = self.names if new and self.rng.random() < 0.95 else max(0, self.names - self.rng.randrange(30))
        return f"T{recent}".ljust(14)

    def _side(self) -> str:
        return self.rng.choice("BBSSTE" * 4 + "X")

    def _symbol(self) -> str:
        return self.rng.choice((*SYMBOLS * 20, "NONE")).ljust(8)

    def _ouch50(self, account: int) -> bytes:
        what = self.rng.random()
        if what < 0.6:
            return ouch50_encode_inbound(self._enter50(account))
        if what < 0.8:
            return ouch50_encode_inbound(self._replace50(account))
        ref = {"user_ref": self._number(account)}
        if what < 0.9:
            return ouch50_encode_inbound({"type": "X", **ref, "qty": self.rng.choice((0, 0, 100, 200))})
        if what < 0.96:
            return ouch50_encode_inbound({"type": "M", **ref, "qty": self._qty(), "side": self.rng.choice("BSTE")})
        return ouch50_encode_inbound(self._rare50(ref))

    def _rare50(self, ref: dict[str, Any]) -> dict[str, Any]:
        firm = {"firm": "    "}
        return self.rng.choice(
            (
                {"type": "C", **ref, **firm, "symbol": self._symbol(), "options": {"side": self.rng.choice("BSTE")}},
                {"type": "C", **ref, **firm, "symbol": " " * 8, "options": {"group_id": 1}},
                {"type": "D", **ref, **firm},
                *({"type": "E", **ref, **firm},) * 4,
                {"type": "Q"},
            )
        )

    def _enter50(self, account: int) -> dict[str, Any]:
        terms = {**self._terms50(), "user_ref": self._number(account, new=True), "capacity": "P"}
        if self.rng.random() < 0.2:
            terms["options"]["group_id"] = self.rng.randrange(3)
        if self.rng.random() < 0.05:
            terms["options"]["handling"] = self.rng.choice(" I")
        return {
            "type": "O", "side": self._side(), "symbol": self._symbol(),
            "cross": self.rng.choice("N" * 40 + "OCHA"), **terms,
        }  # fmt: skip

    def _replace50(self, account: int) -> dict[str, Any]:
        prev = self._number(account)
        terms = self._terms50()
        if self.rng.random() < 0.1:
            terms["options"]["side"] = self.rng.choice("BSTE")
        return {"type": "U", "prev_user_ref": prev, "user_ref": self._number(account, new=True), **terms}

    def _terms50(self) -> dict[str, Any]:
        options: list[dict[str, Any]] = [
            *({},) * 15,
            {"qty_min": 100},
            {"max_floor": 100},
            {"price_type": self.rng.choice("MPRQ")},
            {"price_type": "P", "peg_offset": self.rng.choice((-200, 0, 100))},
            {"post_only": "P"},
            {"expire_s": self.rng.choice((1, 3))},
            {"discretion_px": 1},
        ]
        px = self.rng.choice((MARKET, 2_000_000_000)) if self.rng.random() < 0.05 else self._px()
        more = self.rng.choice(options)
        return {
            "qty": self._qty(), "px": px, "tif": "6" if "expire_s" in more else self.rng.choice("0" * 20 + "33356E"),
            "display": self.rng.choice("YYYYYAAN"), "iso": "N", "cl_ord_id": f"ID{self.rng.randrange(99)}".ljust(14),
            "options": dict(more),
        }  # fmt: skip

    def _number(self, account: int, *, new: bool = False) -> int:
        last = self.numbers.get(account, 0)
        if new and self.rng.random() < 0.95:
            self.numbers[account] = last + self.rng.choice((1, 1, 1, 2))
            return self.numbers[account]
        return max(0, last - self.rng.randrange(30))
