"""A host with one strategy on an engine that is fed frame by frame."""

from pathlib import Path

import numpy as np
from tests.engine import desk as d

from openbell import _native as native
from openbell import events
from openbell.strategy import Strategy
from openbell.types import RECORDS, Type

BID = 1_000_000
IN, OUT = 1, 2
SAID = (Type.INTENT, Type.TIMER_ARMED, Type.STRATEGY_STATE, Type.STRATEGY_HALTED)


class World:
    """Frames in, what the strategy said out."""

    def __init__(self, strategy: Strategy, probe: native.EngineProbe | None = None) -> None:
        self.strategy = strategy
        self.host = native.StrategyHost()
        self.host.add(0, type(strategy).__name__, strategy, ["SYM0"])
        self.probe = probe or native.EngineProbe(d.capacity())
        self.seq = 0
        self.frames: list[tuple[int, int, bytes, bytes]] = []

    def start(self, epoch: int = 1, *, has_book: bool = True) -> list[bytes]:
        """A new epoch; in the first one an instrument too, and a touch."""
        said = self.frame(events.started(node=1, epoch=epoch, now_ns=1, seed=7))
        if epoch == 1:
            self.frame(d.instrument(0))
            if has_book:
                self.book(1)
        return said

    def frame(self, records: bytes, source: int = 0) -> list[bytes]:
        """One IN frame; the records that strategies said."""
        self.seq += 1
        decision, _ = self.probe.decide(records, self.seq, self.seq, source, strategies=self.host)
        self.frames.append((self.seq, source, records, decision))
        self.seq += bool(decision)  # the number of the OUT frame
        records = (decision[at : at + 128] for at in range(0, len(decision), 128))
        return [r for r in records if r[0] in SAID]

    def replay(self, directory: Path, host: native.StrategyHost) -> native.ReplayReport:
        """The frames so far as a journal in `directory`, played again with the strategies of `host`."""
        writer = native.JournalWriter(str(directory))
        for seq, source, records, decision in self.frames:
            size = 48 if records[0] < 32 else 128
            writer.append(IN, source, size, np.frombuffer(records, np.uint8), ts_recv=seq, ts_seq=seq)
            if decision:
                writer.append(OUT, 0, 128, np.frombuffer(decision, np.uint8), cause_seq=seq, ts_recv=seq, ts_seq=seq)
        writer.close()
        return native.replay_journal(native.Engine(d.capacity()), str(directory), again=host)

    def book(self, order_id: int, px: int = BID) -> list[bytes]:
        """A bid joins."""
        return self.frame(d.add(order_id, px, 1, buy=True), d.FEED)


def kinds(said: list[bytes]) -> list[Type]:
    """What sort of records they are."""
    return [Type(r[0]) for r in said]


def halted(said: list[bytes]) -> str:
    """Why the strategy was halted; empty when it was not."""
    for raw in said:
        if raw[0] == Type.STRATEGY_HALTED:
            return raw[RECORDS["Control"].fields["text"][1] :].split(b"\0")[0].decode()
    return ""
