"""What people call the instruments of a running node: see `openbell.journal.assets.names_of`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openbell import _native as native
from openbell.journal.assets import Asset, names_of, read_asset
from openbell.types import RECORDS


class Names:
    """Of the instruments of an engine, by id. `feeds` are the names of the node's feeds, in its order."""

    def __init__(self, feeds: Sequence[str]) -> None:
        self._feeds = feeds
        self._known: dict[int, str] = {}

    def of(self, engine: native.Engine) -> dict[int, str]:
        """As of now: one more instrument may change the name of another."""
        if len(self._known) != engine.instruments:
            self._known = names_of(assets_in(engine), self._feeds)
        return self._known


def assets_in(engine: native.Engine) -> dict[int, Asset]:
    """The instruments that an engine has heard of, by id."""
    records = (engine.instrument_record(number) for number in range(engine.instruments))
    return {number: read_asset(np.frombuffer(one, RECORDS["Instrument"])[0]) for number, one in enumerate(records)}
