"""The oracle engine's money: rates, fees, days and marks, as the records of a frame tell them."""

from collections.abc import Callable

import numpy as np

from openbell.types import RECORDS
from oracles import accounts, book, risk

Fields = dict[str, int]


class EngineMoney:
    """What `EngineInputs` does to the accounts."""

    accounts: accounts.Accounts
    books: book.Books
    risk: risk.Risk
    _is_valid: Callable[[int], bool]

    def _learn_instrument(self, r: Fields, raw: bytes) -> None:
        currency = np.frombuffer(raw, RECORDS["Instrument"])[0]["currency"]
        self.accounts.instruments[r["instrument"]] = r
        self.accounts.currencies[r["instrument"]] = currency.decode()

    def _on_fee_rate(self, r: Fields, _: bytes) -> None:
        per_lot, per_value, least, most = r["values"]
        self.accounts.set_fee_rate(r["text"].decode(), accounts.Terms(per_lot, per_value, r["code"], least, most))

    def _set_margin(self, r: Fields) -> None:
        self.accounts.margin_bps[r["instrument"]] = accounts.WHOLE_BPS if r["flags"] & 1 else r["value"]

    def _on_trading_day(self, r: Fields, _: bytes) -> None:
        self.accounts.start_day(r["value"])
        self.risk.flow.on_trading_day(r["value"])

    def _mark_to_market(self, instrument: int) -> None:
        bid_px, bid_qty, ask_px, ask_qty = self.books.books[instrument].touch()
        bid, ask = bid_px if bid_qty else 0, ask_px if ask_qty else 0
        is_good = self._is_valid(instrument) and not (bid and ask and bid > ask)
        self.accounts.mark(instrument, *((bid, ask) if is_good else (0, 0)))
