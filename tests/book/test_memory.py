"""What a resting order costs, as docs/market-data.md states it: a process of its own fills a table and looks."""

import subprocess
import sys

ORDERS = 1 << 20
BYTES_PER_ORDER_MAX = 64
FILL = f"""
import numpy as np
from openbell.book import Books
from openbell.types import RECORDS, Type

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

records = np.zeros({ORDERS}, RECORDS["Market"])
records["type"], records["qty"] = Type.BOOK_ADD, 1
records["order_id"] = 1 + np.arange({ORDERS})
records["px"] = 100 * (np.arange({ORDERS}) % 1000)
before = resident()
books = Books(1, {ORDERS}, 2000)
books.add_instrument(0)
assert books.apply(records) == 0 and books.orders(0) == {ORDERS}
print(resident() - before)
"""


def test_a_resting_order_takes_no_more_than_stated():
    done = subprocess.run([sys.executable, "-c", FILL], capture_output=True, text=True, check=True)

    assert int(done.stdout) / ORDERS <= BYTES_PER_ORDER_MAX
