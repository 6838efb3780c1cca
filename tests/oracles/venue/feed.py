"""ITCH messages of what happened."""

from oracles.exchange import Auction, Event, Phase, Priority, Side
from oracles.venue.orders import Message

CROSS = {Auction.OPENING: "O", Auction.CLOSING: "C", Auction.REOPENING: "H"}
STATE = {
    Phase.HALTED: "H", Phase.CONTINUOUS: "T",
    Phase.REOPENING_CALL: "Q", Phase.OPENING_CALL: "Q", Phase.CLOSING_CALL: "Q",
}  # fmt: skip


class Feed:
    """Everything that was said in public."""

    def __init__(self, symbols: list[str]) -> None:
        self.symbols = [symbol.ljust(8) for symbol in symbols]
        self.messages: list[Message] = []
        self.now_ns = 0
        self.is_pause = [False] * len(symbols)

    def say(self, type_: str, instrument: int | None = None, **fields: object) -> None:
        locate = 0 if instrument is None else instrument + 1
        self.messages.append({"type": type_, "locate": locate, "tracking": 0, "ts": self.now_ns, **fields})

    def directory(self) -> None:
        for n, symbol in enumerate(self.symbols):
            self.say("R", n, symbol=symbol, round_lot=100)

    def hear(self, e: Event) -> None:
        if hear := getattr(self, f"_{e.kind}", None):
            hear(e)

    def _add(self, instrument: int, side: Side, ref: int, qty: int, px: int) -> None:
        letter = "B" if side == Side.BUY else "S"
        self.say("A", instrument, order_id=ref, side=letter, qty=qty, symbol=self.symbols[instrument], px=px)

    def _rested(self, e: Event) -> None:
        if e.shown:
            self._add(e.instrument, e.side, e.shown, e.qty, e.px)

    _refreshed = _rested

    def _executed(self, e: Event) -> None:
        if e.auction is not None:
            for shown in (e.shown, e.aggressor_shown):
                if shown:
                    trade = {"qty": e.qty, "match_id": e.match_number, "printable": "N", "px": e.px}
                    self.say("C", e.instrument, order_id=shown, **trade)
        elif e.shown:
            self.say("E", e.instrument, order_id=e.shown, qty=e.qty, match_id=e.match_number)
        else:
            trade = {"symbol": self.symbols[e.instrument], "qty": e.qty, "px": e.px, "match_id": e.match_number}
            self.say("P", e.instrument, order_id=0, side="B", **trade)

    def _less(self, instrument: int, shown: int, qty: int, *, is_gone: bool) -> None:
        if shown and is_gone:
            self.say("D", instrument, order_id=shown)
        elif shown and qty:
            self.say("X", instrument, order_id=shown, qty=qty)

    def _reduced(self, e: Event) -> None:
        self._less(e.instrument, e.shown, e.shown_qty, is_gone=e.leaves == 0)

    def _replaced(self, e: Event) -> None:
        if e.priority == Priority.LOST:
            self.say("U", e.instrument, order_id=e.prev_shown, new_order_id=e.shown, qty=e.leaves, px=e.px)
        else:
            self._less(e.instrument, e.prev_shown, e.shown_qty, is_gone=e.priority == Priority.REENTERED)

    def _repriced(self, e: Event) -> None:
        if e.prev_shown and e.shown:
            self.say("U", e.instrument, order_id=e.prev_shown, new_order_id=e.shown, qty=e.qty, px=e.px)
        elif e.shown:
            self._add(e.instrument, e.side, e.shown, e.qty, e.px)
        else:
            self._less(e.instrument, e.prev_shown, 0, is_gone=True)

    def _crossed(self, e: Event) -> None:
        symbol = self.symbols[e.instrument]
        self.say("Q", e.instrument, qty=e.qty, symbol=symbol, px=e.px, match_id=e.match_number, cross=CROSS[e.auction])

    def _phase_changed(self, e: Event) -> None:
        if e.phase != Phase.CLOSED:
            paused = e.phase == Phase.REOPENING_CALL and self.is_pause[e.instrument]
            state = "P" if paused else STATE[e.phase]
            self.say("H", e.instrument, symbol=self.symbols[e.instrument], state=state, reserved=" ", reason="    ")
