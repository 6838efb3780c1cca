"""Two people beside whoever runs the tests: their tables for a node's file, and how a test becomes one of them."""

import contextlib
import grp
import os
from collections.abc import Iterator

ANN, BOB = 64_001, 64_002
NOBODY = 65_534
GROUP = grp.getgrgid(NOBODY).gr_name
PEOPLE = f"""
[[operators]]
name = "root"
uid = 0
roles = ["operator"]
[[operators]]
name = "ann"
uid = {ANN}
roles = ["risk"]
[[operators]]
name = "bob"
uid = {BOB}
roles = ["risk", "trader"]
"""


@contextlib.contextmanager
def become(uid: int) -> Iterator[None]:
    """Be that person, whom the kernel names to whoever is asked; only root can."""
    os.setegid(NOBODY)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
