"""The limits in force, slow and obvious: a dictionary of what was said of each scope."""

from dataclasses import dataclass, field
from typing import NamedTuple

from openbell.types import NO_INSTRUMENT, NO_STRATEGY, LimitKind, LimitScope

ACCOUNTS_MAX = 16
VALUE_MAX = 2**63 - 1
DAY_NS = 86_400 * 10**9
WINDOWED = {
    LimitKind.DRIFT_BPS, LimitKind.ORDER_RATE, LimitKind.MESSAGE_RATE, LimitKind.DUPLICATES, LimitKind.REPEATS,
}  # fmt: skip
SUMS = {
    LimitKind.GROSS_NOTIONAL, LimitKind.NET_NOTIONAL, LimitKind.MARGIN, LimitKind.DAILY_LOSS, LimitKind.DRAWDOWN,
}  # fmt: skip
OF_INSTRUMENT = {LimitKind.DRIFT_BPS, LimitKind.MARGIN_BPS}
REQUIRED = {
    LimitScope.INSTRUMENT: (
        LimitKind.ORDER_QTY, LimitKind.ORDER_NOTIONAL, LimitKind.COLLAR_BPS, LimitKind.POSITION_LONG,
        LimitKind.POSITION_SHORT, LimitKind.OPEN_ORDERS,
    ),
    LimitScope.ACCOUNT: (LimitKind.ORDER_RATE, LimitKind.GROSS_NOTIONAL, LimitKind.DAILY_LOSS),
}  # fmt: skip
KINDS = {int(kind) for kind in LimitKind} - {0}
Key = tuple[LimitScope, int, int]  # scope; account, strategy or instrument; instrument of a pair


class Limit(NamedTuple):
    value: int
    window_ns: int = 0
    reserve: int = 0


@dataclass
class Limits:
    """The same as the native LimitTable."""

    strategies_max: int
    instruments_max: int
    pairs_max: int
    rows: dict[Key, dict[LimitKind, Limit]] = field(default_factory=dict)
    version: int = 0
    fault: tuple[int, int] | None = None  # scope and kind of a record that could not be taken

    def set(self, r: dict[str, int]) -> bool:
        self.version = r["version"]
        key = self._key_of(r)
        if key is None or not self._makes_sense(r):
            scopes = {int(scope) for scope in LimitScope}
            self.fault = (r["scope"] if r["scope"] in scopes else 0, r["kind"] if r["kind"] in KINDS else 0)
            return False
        kind, row = LimitKind(r["kind"]), self.rows.setdefault(key, {})
        if r["flags"] & 1:
            row.pop(kind, None)
        elif key[0] == LimitScope.STRATEGY_INSTRUMENT and not row and self.pairs() > self.pairs_max:
            self.fault = (r["scope"], r["kind"])
        else:
            row[kind] = Limit(r["value"], r["window_ns"], r["reserve"])
        if not row:
            del self.rows[key]
        return self.fault is None or key in self.rows or bool(r["flags"] & 1)

    def pairs(self) -> int:
        return sum(key[0] == LimitScope.STRATEGY_INSTRUMENT for key in self.rows)

    def clear(self) -> None:
        self.rows, self.version, self.fault = {}, 0, None

    def around(self, account: int, strategy: int, instrument: int) -> list[tuple[LimitScope, Key]]:
        """Every scope that an order belongs to, in the order of their numbers."""
        return [
            (LimitScope.FIRM, (LimitScope.FIRM, 0, 0)),
            (LimitScope.ACCOUNT, (LimitScope.ACCOUNT, account, 0)),
            (LimitScope.STRATEGY, (LimitScope.STRATEGY, strategy, 0)),
            (LimitScope.INSTRUMENT, (LimitScope.INSTRUMENT, instrument, 0)),
            (LimitScope.STRATEGY_INSTRUMENT, (LimitScope.STRATEGY_INSTRUMENT, strategy, instrument)),
        ]

    def get(self, key: Key, kind: LimitKind) -> Limit | None:
        return self.rows.get(key, {}).get(kind)

    def _key_of(self, r: dict[str, int]) -> Key | None:
        strategy, instrument, account = r["strategy"], r["instrument"], r["account"]
        no_strategy, no_instrument = strategy == NO_STRATEGY, instrument == NO_INSTRUMENT
        has_strategy, has_instrument = strategy < self.strategies_max, instrument < self.instruments_max
        match r["scope"]:
            case LimitScope.FIRM if no_strategy and no_instrument and account == 0:
                return LimitScope.FIRM, 0, 0
            case LimitScope.ACCOUNT if no_strategy and no_instrument and account < ACCOUNTS_MAX:
                return LimitScope.ACCOUNT, account, 0
            case LimitScope.STRATEGY if has_strategy and no_instrument:
                return LimitScope.STRATEGY, strategy, 0
            case LimitScope.INSTRUMENT if no_strategy and has_instrument:
                return LimitScope.INSTRUMENT, instrument, 0
            case LimitScope.STRATEGY_INSTRUMENT if has_strategy and has_instrument:
                return LimitScope.STRATEGY_INSTRUMENT, strategy, instrument
        return None

    def _makes_sense(self, r: dict[str, int]) -> bool:
        if r["kind"] not in KINDS:
            return False
        kind = LimitKind(r["kind"])
        allowed = {
            kind in OF_INSTRUMENT: {LimitScope.INSTRUMENT},
            kind in SUMS: {LimitScope.FIRM, LimitScope.ACCOUNT, LimitScope.STRATEGY},
        }.get(True, set(LimitScope))
        if r["scope"] not in allowed:
            return False
        if r["flags"] & 1:
            return True
        fits = 0 <= r["value"] < VALUE_MAX and r["reserve"] >= 0
        fits &= kind != LimitKind.PERMISSION or r["value"] <= 15
        fits &= kind != LimitKind.MESSAGE_RATE or r["reserve"] <= r["value"]
        return fits and (kind not in WINDOWED or 0 < r["window_ns"] <= DAY_NS)
