"""Tells a person at a terminal what changes in a running node, one line per event, from its journal."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from openbell import _native as native
from openbell.errors import OpenbellError
from openbell.journal import Journal, Source, open_journal
from openbell.journal.frames import records_view
from openbell.journal.segments import first_seq_of, segment_files
from openbell.node.card import NodeCard
from openbell.ops.find import read_page
from openbell.ops.follow import follow
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, ArmState, KillLevel, Type

LOOK_EVERY_S = 0.2
EVENTS_PER_LOOK_MAX = 100
FRAMES_PER_POLL = 20_000
RECORD_BYTES = 128
TOLD = [
    Type.STRATEGY_HALTED,
    Type.CONNECTED,
    Type.DISCONNECTED,
    Type.GAP,
    Type.RECOVERED,
    Type.RESOLVED,
    Type.KILL,
    Type.ARM,
    Type.OPERATOR,
]
MEANS_TRADING = [Type.RESOLVED, Type.ARM]
"""What sounds as if the node might trade: not said before somebody has looked whether it is in doubt."""
GAP_LOST, GAP_REBUILT, GAP_STALE, FROM_SNAPSHOT = 1, 2, 3, 1
"""Codes of Gap and Recovered records, as native/engine/engine.h has them."""


class Herald(threading.Thread):
    """Follows the journal of `card` from now on and says each line; its death changes nothing. A context."""

    def __init__(self, card: NodeCard, say: Callable[[str], None]) -> None:
        super().__init__(name="herald", daemon=True)
        self._card = card
        self._say = say
        self._ended = threading.Event()
        self._after = read_page_seq(card) or last_on_disk(Path(card.journal_dir))
        self._dropped: dict[str, int] = {}
        self._journal: Journal | None = None

    def __enter__(self) -> Herald:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
        self.tell()

    def run(self) -> None:
        """Until the context ends."""
        while not self._ended.wait(LOOK_EVERY_S):
            self.tell()

    def tell(self) -> None:
        """Say what has happened since the last time."""
        if self._journal is None:
            if not read_page_seq(self._card):
                return
            self._journal = open_journal(self._card.journal_dir, self._card.hot_dir).seek(self._after + 1)
        raw, _, _ = self._journal.reader.gather(RECORD_BYTES, [int(t) for t in TOLD], EVENTS_PER_LOOK_MAX)
        is_doubted = bool(np.isin(raw[:, 0], MEANS_TRADING).any()) and is_in_doubt(self._card)
        for line in lines_of(raw, self._card, is_doubted=is_doubted):
            self._say(line)
        self._tell_drops()

    def _tell_drops(self) -> None:
        """Datagrams that the kernel dropped since the last time, by line."""
        path = Path(self._card.hot_dir) / "counters"
        counters = native.Counters.attach(str(path)).read() if path.is_file() else []
        for name, dropped in counters:
            if name.startswith("feed.") and name.endswith(".dropped"):
                if more := dropped - self._dropped.get(name, 0):
                    _, feed, line, _ = name.split(".")
                    self._say(
                        f"feed {feed}, line {line}: the kernel dropped {more:,} datagrams; raise receive_buffer_kib"
                    )
                self._dropped[name] = dropped


def read_page_seq(card: NodeCard) -> int:
    """The last committed frame of the node's journal; 0 before the first."""
    return read_page(Path(card.hot_dir)).committed_seq


def is_in_doubt(card: NodeCard) -> bool:
    """Whether only a person may let the node open anything again, by its journal as it stands now.

    No record says it, an engine knows it: one plays the frames since the newest snapshot, at a login or an arming.
    """
    try:
        follower = follow(card)
        while follower.poll(FRAMES_PER_POLL):
            pass
    except (OpenbellError, OSError):
        return True  # who cannot know does not say that all is well
    return not follower.engine.is_reconciled


def last_on_disk(journal_dir: Path) -> int:
    """The last frame of a journal whose shared memory is gone; 0 where there is none. What is before it is no news."""
    try:
        for newest in segment_files(journal_dir)[-1:]:
            first = first_seq_of(newest)
            reader = native.JournalReader(str(journal_dir))
            reader.seek(first)
            return max(int(reader.summary()["last_seq"]), first - 1)
    except (OpenbellError, OSError, struct.error):
        pass  # damaged: the node does not start
    return 0


def lines_of(raw: Any, card: NodeCard, *, is_doubted: bool = False) -> Iterator[str]:
    """Control records, rows of 128 bytes, as a person reads them; `is_doubted`: whether the node is."""
    names, halts = {number: name for name, number in card.strategies.items()}, set[tuple[str, int]]()
    for record in records_view(raw, "Control"):
        text = record["text"].decode(errors="replace")
        if Source.FEED <= int(record["source"]) < Source.ORDER_ENTRY:
            yield from _of_feed(record, text)
            continue
        match Type(int(record["type"])):
            case Type.STRATEGY_HALTED:
                name = names.get(int(record["strategy"]), "?")
                if (halt := (name, int(record["ts_event"]))) in halts:  # of a process of its own: in the decision too
                    continue
                halts.add(halt)
                yield (
                    f"strategy {name} halted, its quotes are pulled: {text}; correct it, restart, then: "
                    f'openbell arm {card.name} full --all --release --why "..."'
                )
            case Type.CONNECTED:
                yield f"order session{_by(record, card)} up ({text}); hearing what was missed"
            case Type.RESOLVED:
                yield _resolved(_by(record, card, " by"), card, is_doubted=is_doubted)
            case Type.DISCONNECTED:
                yield f"order session{_by(record, card)} down{f': {text}' if text else ''}; connecting again"
            case Type.KILL:
                level = KillLevel(int(record["code"]))
                does = (
                    "only what reduces passes" if level == KillLevel.SOFT else "nothing opens, everything is canceled"
                )
                yield f"{_whose(record, names)}KILLED ({level.name.lower()}): {does}{_why(text)}"
            case Type.ARM:
                held = ", but IN DOUBT: held at CANCEL_ONLY" if is_doubted else ""
                yield f"{_whose(record, names)}{_armed(record)}{held}{_why(text)}"
            case Type.OPERATOR if text and int(record["code"]) == native.OperatorVerb.ASKED:
                yield f"uid {int(record['values'][0])}: {text}"


def _by(record: Any, card: NodeCard, word: str = "") -> str:
    """The order session by name, where there are several."""
    number = int(record["source"]) - Source.ORDER_ENTRY
    return f"{word} {card.sessions[number]}" if 0 <= number < len(card.sessions) > 1 else ""


def _resolved(by: str, card: NodeCard, *, is_doubted: bool) -> str:
    if not is_doubted:
        return f"every order{by} is known; trading may go on"
    return (
        f"the venue{by} has told what it knows, but the node is IN DOUBT: held at CANCEL_ONLY until a person has "
        f'reconciled, then: openbell arm {card.name} full --all --release --why "..."'
    )


def _whose(record: Any, names: dict[int, str]) -> str:
    if int(record["strategy"]) != NO_STRATEGY:
        return f"strategy {names.get(int(record['strategy']), '?')}: "
    return "" if int(record["instrument"]) == NO_INSTRUMENT else f"instrument {int(record['instrument'])}: "


def _armed(record: Any) -> str:
    uid, approver, _, until_ns = (int(value) for value in record["values"])
    said = f"armed {ArmState(int(record['code'])).name.lower()}"
    if until_ns:
        said = f"BREAK-GLASS by uid {uid}, approved by {approver}: {said} until {until_ns / 1e9:.0f} of engine time"
    return said


def _why(text: str) -> str:
    return f" ({text})" if text and text != "arm_at_start" else ""


def _of_feed(record: Any, text: str) -> Iterator[str]:
    """What a feed says of itself. A gap that another line or a retransmission fills is not worth a line."""
    feed = f"feed {int(record['source']) - Source.FEED}"
    first, end = (int(value) for value in record["values"][:2])
    match Type(int(record["type"])), int(record["code"]):
        case Type.CONNECTED, _:
            yield f"{feed}: session {text}"
        case Type.DISCONNECTED, _:
            yield f"{feed}: end of session, the next message would have been {first:,}"
        case Type.GAP, code if code == GAP_LOST:
            yield f"{feed}: lost messages {first:,} to {end - 1:,} for good; its books are not valid"
        case Type.GAP, code if code == GAP_REBUILT:
            yield f"{feed}: a snapshot builds the books anew"
        case Type.GAP, code if code == GAP_STALE:
            yield f"{feed}: silent; its books are not valid until it is heard again"
        case Type.RECOVERED, code if code == FROM_SNAPSHOT:
            yield f"{feed}: books are valid again, from message {first:,} on"
