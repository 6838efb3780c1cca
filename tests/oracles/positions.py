"""A position, slow and obvious, at average cost."""


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
