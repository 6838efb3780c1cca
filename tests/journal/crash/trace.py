"""What a program asked of its disk, call by call, as native/faults/disk_faults.cpp wrote it down."""

import struct
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

ENTRY = struct.Struct("<IIQQQQIHH")


class Kind(IntEnum):
    """Calls that change a disk; NOTE changes nothing."""

    CREATE = 0
    WRITE = 1
    TRUNCATE = 2
    SYNC = 3
    SYNC_NAMES = 4
    RENAME = 5
    UNLINK = 6
    MKDIR = 7
    NOTE = 8


class Call(NamedTuple):
    """One call. Names are relative to the folder of the scenario; `durable_seq` and `epoch` were promised before it."""

    kind: Kind
    file: int
    offset: int
    length: int
    durable_seq: int
    epoch: int
    name: str
    other: str
    data: bytes

    def __str__(self) -> str:
        where = f"{self.name} -> {self.other}" if self.other else self.name
        return f"{self.kind.name.lower()} {where} at {self.offset}, {self.length} bytes; durable {self.durable_seq}"


def read_trace(path: Path, folder: Path) -> list[Call]:
    """The calls in a trace, with names relative to `folder`."""
    raw, calls, at = path.read_bytes(), [], 0
    while at < len(raw):
        kind, _, file, offset, length, durable_seq, epoch, first, second = ENTRY.unpack_from(raw, at)
        at += ENTRY.size
        names = [raw[at : at + first].decode(), raw[at + first : at + first + second].decode()]
        at += first + second
        data = raw[at : at + length] if kind == Kind.WRITE else b""
        at += len(data)
        name, other = (n.removeprefix(str(folder)).lstrip("/") for n in names)
        calls.append(Call(Kind(kind), file, offset, length, durable_seq, epoch, name, other, data))
    return calls
