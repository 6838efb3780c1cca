"""Pro-rata: how one level is shared out."""

from oracles.exchange.orders import Order
from oracles.exchange.terms import Rules


def shares(rules: Rules, level: list[Order], qty: int) -> list[tuple[Order, int]]:
    """What each displayed order of the level gets of `qty`; orders stand and are answered in time order."""
    got = {order.ref: 0 for order in level}
    left = qty
    if qty < sum(order.slice for order in level):
        if rules.grants_top:
            left -= give_in_time_order([o for o in level if o.is_top], got, left)
        left -= give_in_time_order(level, got, left * rules.fifo_percent // 100)
        left -= give_in_proportion(level, got, left, rules.min_allocation)
    give_in_time_order(level, got, left)
    return [(order, got[order.ref]) for order in level if got[order.ref]]


def give_in_time_order(level: list[Order], got: dict[int, int], qty: int) -> int:
    given = 0
    for order in level:
        part = min(order.slice - got[order.ref], qty - given)
        got[order.ref] += part
        given += part
    return given


def give_in_proportion(level: list[Order], got: dict[int, int], qty: int, least: int) -> int:
    still_open = {order.ref: order.slice - got[order.ref] for order in level}
    whole = sum(still_open.values())
    given = 0
    for ref, qty_open in still_open.items():
        part = qty * qty_open // whole
        if part >= least:
            got[ref] += part
            given += part
    return given
