"""A position, slow and obvious, at average cost; and all that moved positions."""

QTY_MAX, PX_MAX = 2**44, 2**48
INT64_MAX = 2**63 - 1


def position_of(trades: list[tuple[int, int]]) -> dict[str, int]:
    """Quantity, cash, cost and realized profit of (px, signed qty) trades at average cost."""
    qty = cash = cost = realized = 0
    for px, signed in trades:
        cash -= px * signed
        closing = min(abs(signed), abs(qty)) if qty * signed < 0 else 0
        if closing:
            out = abs(cost) * closing // abs(qty) * (1 if cost > 0 else -1)
            cost -= out
            realized += (px * closing if qty > 0 else -px * closing) - out
        opening = (abs(signed) - closing) * (1 if signed > 0 else -1)
        cost += px * opening
        qty += signed
    return {"qty": qty, "cash": cash, "cost": cost, "realized": realized}


class Booked:
    """What was traded and charged, from the beginning: positions are added up anew for whoever asks."""

    def __init__(self, strategies_max: int, instruments_max: int) -> None:
        self.strategies_max, self.instruments_max = strategies_max, instruments_max
        self.trades: list[tuple[int, int, int, int]] = []  # strategy, instrument, px, signed qty
        self.charges: list[tuple[int, int, int]] = []  # strategy, instrument, fee
        self.adjustments: list[tuple[int, int, int]] = []  # strategy, instrument, signed qty

    def position(self, strategy: int | None, instrument: int) -> dict[str, int]:
        """Of one strategy, or of the account."""
        return position_of([(px, q) for s, i, px, q in self.trades if i == instrument and strategy in (None, s)])

    def adjust(self, strategy: int, instrument: int, qty: int, px: int, cash: int) -> bool:
        """By hand; whether that can be."""
        if strategy >= self.strategies_max or instrument >= self.instruments_max:
            return False
        if abs(qty) > QTY_MAX or not 0 <= px <= PX_MAX:
            return False
        held = [self.position(row, instrument)["qty"] + qty for row in (strategy, None)]
        if any(not -INT64_MAX - 1 <= after <= INT64_MAX for after in held):
            return False
        self.trades.append((strategy, instrument, px, qty))
        self.charges.append((strategy, instrument, -cash))
        self.adjustments.append((strategy, instrument, qty))
        return True
