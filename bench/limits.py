"""The file of limits of a benchmarked node: so wide that they are checked and not met."""

import json

from openbell.node.limits import NOT_REQUIRED

ACCOUNT = f"""
owner = "bench"
version = 1
base_currency = "USD"
unlimited = {json.dumps([*NOT_REQUIRED])}
[account]
order_rate_max = 100000
order_rate_window_ms = 1000
gross_notional_max = "1000000000.00"
daily_loss_max = "1000000000.00"
"""
INSTRUMENT = """
[[instruments]]
symbol = "{symbol}"
px_last = "100.00"
order_qty_max_lots = 1000
order_notional_max = "1000000.00"
position_long_max_lots = {position_max_lots}
position_short_max_lots = {position_max_lots}
collar_bps = 2000
open_orders_max = 20
"""


def limits_toml(*symbols: str, position_max_lots: int) -> str:
    """Limits of the account and of each of `symbols`."""
    ones = (INSTRUMENT.format(symbol=symbol, position_max_lots=position_max_lots) for symbol in symbols)
    return ACCOUNT + "".join(ones)
