"""The journal: numbered frames of records, appended by one process and read by any number.

    journal = open_journal("run/journal", hot="/dev/shm/openbell/node1")
    for frame in journal:                      # everything committed up to now
        print(frame.seq, frame.records["type"])
    for trades in journal.arrays("Market"):    # the fast path: large batches of one record
        ...

A tape is a journal without hot segments: plain files in one directory. The format is drawn byte by byte
in `native/journal/frame.h` and `native/journal/segment.h`.
"""

from openbell._native import Archiver, Counter, Counters, JournalReader, JournalWriter, KillCell, Ring, SimDisk
from openbell.journal.frames import RECORD_OF, Frame, FrameClass, Journal, Source, open_journal, records_view
from openbell.journal.seal import journal_hash, seal_finished, verify_seals

__all__ = [
    "RECORD_OF",
    "Archiver",
    "Counter",
    "Counters",
    "Frame",
    "FrameClass",
    "Journal",
    "JournalReader",
    "JournalWriter",
    "KillCell",
    "Ring",
    "SimDisk",
    "Source",
    "journal_hash",
    "open_journal",
    "records_view",
    "seal_finished",
    "verify_seals",
]
