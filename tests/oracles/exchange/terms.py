"""The words: what an order asks for, what an instrument allows. As in native/exchange/matching/order_terms.h."""

from dataclasses import dataclass
from enum import StrEnum, auto

MARKET_PX = 2**63 - 1
"""No limit: at any price."""
PX_MAX = 10**14
WHOLE = -1
"""`Terms.display`: everything is shown."""


class Side(StrEnum):
    BUY = auto()
    SELL = auto()


class Type(StrEnum):
    LIMIT = auto()
    MARKET = auto()
    MARKET_TO_LIMIT = auto()
    STOP = auto()
    STOP_LIMIT = auto()
    PEGGED = auto()


class Tif(StrEnum):
    DAY = auto()
    GTC = auto()
    GTD = auto()
    IOC = auto()
    FOK = auto()
    AT_OPEN = auto()
    AT_CLOSE = auto()


class Peg(StrEnum):
    NONE = auto()
    PRIMARY = auto()
    MID = auto()
    MARKET = auto()


class PostOnly(StrEnum):
    NO = auto()
    REJECT = auto()
    SLIDE = auto()


class SelfTrade(StrEnum):
    ALLOW = auto()
    CANCEL_NEWEST = auto()
    CANCEL_OLDEST = auto()
    CANCEL_BOTH = auto()
    DECREMENT = auto()


class Phase(StrEnum):
    CLOSED = auto()
    OPENING_CALL = auto()
    CONTINUOUS = auto()
    CLOSING_CALL = auto()
    HALTED = auto()
    REOPENING_CALL = auto()

    @property
    def is_call(self) -> bool:
        return self in (Phase.OPENING_CALL, Phase.CLOSING_CALL, Phase.REOPENING_CALL)


class Auction(StrEnum):
    OPENING = auto()
    CLOSING = auto()
    REOPENING = auto()


AUCTION_OF = {
    Phase.OPENING_CALL: Auction.OPENING,
    Phase.CLOSING_CALL: Auction.CLOSING,
    Phase.REOPENING_CALL: Auction.REOPENING,
}


class Refusal(StrEnum):
    """Why an order, a replace or a cancel is not taken, in the order in which reasons are looked for."""

    NONE = auto()
    CLOSED = auto()
    HALTED = auto()
    PHASE_NOT_ALLOWED = auto()
    TYPE = auto()
    TIME_IN_FORCE = auto()
    PRICE = auto()
    TICK = auto()
    PRICE_COLLAR = auto()
    QTY = auto()
    QTY_MAX = auto()
    DISPLAY = auto()
    MIN_QTY = auto()
    POST_ONLY = auto()
    STOP_PRICE = auto()
    PEG = auto()
    FULL = auto()
    NOT_LIVE = auto()


class Cause(StrEnum):
    """Why an order lost quantity."""

    NONE = auto()
    USER = auto()
    IMMEDIATE_OR_CANCEL = auto()
    POST_ONLY = auto()
    TIMEOUT = auto()
    DISCONNECT = auto()
    CLOSE = auto()
    SELF_MATCH = auto()
    COLLAR = auto()
    AUCTION_OVER = auto()
    SUPERVISORY = auto()
    MASS_CANCEL = auto()


class Priority(StrEnum):
    """What a replace did to the order's place."""

    NONE = auto()
    KEPT = auto()
    LOST = auto()
    REENTERED = auto()


@dataclass(frozen=True)
class Terms:
    """What an order asks for; prices in 1e-4, quantities in units."""

    px: int = 0
    qty: int = 0
    tif: Tif = Tif.DAY
    type: Type = Type.LIMIT
    post_only: PostOnly = PostOnly.NO
    peg: Peg = Peg.NONE
    self_trade: SelfTrade = SelfTrade.ALLOW
    keeps_place: bool = True
    group: int = 0
    display: int = WHOLE
    min_qty: int = 0
    stop_px: int = 0
    peg_offset: int = 0

    @property
    def is_stop(self) -> bool:
        return self.type in (Type.STOP, Type.STOP_LIMIT)

    @property
    def has_limit(self) -> bool:
        return self.type in (Type.LIMIT, Type.STOP_LIMIT) or (self.type == Type.PEGGED and self.px != MARKET_PX)

    @property
    def limit(self) -> int:
        return self.px if self.has_limit else MARKET_PX

    @property
    def shown_at_a_time(self) -> int:
        return 0 if self.type == Type.PEGGED else self.display

    @property
    def is_immediate(self) -> bool:
        return self.tif in (Tif.IOC, Tif.FOK)

    @property
    def may_rest(self) -> bool:
        """Whether what does not trade on arrival stays."""
        return not self.is_immediate and self.type not in (Type.MARKET, Type.STOP)


@dataclass(frozen=True)
class Rules:
    """What one instrument allows; ticks are (from_px, tick), ascending from 0."""

    ticks: tuple[tuple[int, int], ...] = ((0, 100),)
    lot: int = 1
    qty_max: int = 999_999
    listed_px: int = 0
    limit_collar_bps: int = 0
    market_collar_bps: int = 0
    is_pro_rata: bool = False
    grants_top: bool = False
    fifo_percent: int = 0
    min_allocation: int = 1

    def tick_at(self, px: int) -> int:
        return next(tick for from_px, tick in reversed(self.ticks) if px >= from_px)

    def is_on_tick(self, px: int) -> bool:
        return px % self.tick_at(px) == 0

    def rounded_down(self, px: int) -> int:
        """The highest price on the tick that is not above; 0 or less: there is none."""
        if px <= 0:
            return 0
        below = px - px % self.tick_at(px)
        return below if self.is_on_tick(below) else self.rounded_down(below)

    def rounded_up(self, px: int) -> int:
        """The lowest positive price on the tick that is not below."""
        px = max(px, 1)
        while not self.is_on_tick(px):
            at_step = [from_px for from_px, _ in self.ticks if from_px > px]
            px = min([px - px % self.tick_at(px) + self.tick_at(px), *at_step])
        return px

    def away_from_trading(self, side: Side, px: int) -> int:
        return self.rounded_down(px) if side == Side.BUY else self.rounded_up(px)

    def one_tick_short(self, side: Side, of_px: int) -> int:
        """The next price on the tick before `of_px`, seen from trading; 0: none."""
        return self.rounded_down(of_px - 1) if side == Side.BUY else self.rounded_up(of_px + 1)
