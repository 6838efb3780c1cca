"""What a power cut can leave of a disk, by the weakest promises that POSIX makes.

Contents: what was not synced is lost or kept sector by sector, in any mixture and order; the size is any that the
file had since its last sync, and what a longer size shows of lost sectors is zero. Names: any subset of the creations,
renames and removals since the folder was synced, a file's own sync notwithstanding. A rename itself is whole or not.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from journal.crash.trace import Call, Kind

Image = dict[str, bytes]


@dataclass
class File:
    """The contents of one file: as synced, and what was done to them since."""

    synced: bytes = b""
    calls: list[Call] = field(default_factory=list)

    def history(self) -> list[bytes]:
        """The contents after the sync and after each call since."""
        states = [self.synced]
        for call in self.calls:
            states.append(_after(states[-1], call))
        return states

    def sync(self) -> None:
        """Everything done so far is kept."""
        self.synced, self.calls = self.history()[-1], []


def _after(contents: bytes, call: Call) -> bytes:
    if call.kind == Kind.TRUNCATE:
        return contents[: call.length].ljust(call.length, b"\0")
    before = contents[: call.offset].ljust(call.offset, b"\0")
    return before + call.data + contents[call.offset + len(call.data) :]


@dataclass(frozen=True)
class NameCall:
    """A creation, rename or removal that its folder may still lose."""

    folder: str
    kind: Kind
    name: str
    other: str = ""
    file: int = 0


class Disk:
    """A disk that is told the calls of a trace, and asked at any moment what a power cut would leave."""

    def __init__(self, image: Image | None = None) -> None:
        self.files: dict[int, File] = {}
        self.kept: dict[str, int] = {}  # names on disk -> file
        self.now: dict[str, int] = {}
        self.pending: list[NameCall] = []
        self._by_inode: dict[int, int] = {}
        for name, contents in (image or {}).items():
            self.files[len(self.files)] = File(contents)
            self.kept[name] = self.now[name] = len(self.files) - 1

    def apply(self, call: Call) -> None:
        """One call has returned."""
        match call.kind:
            case Kind.CREATE:
                self._by_inode[call.file] = len(self.files)
                self.files[len(self.files)] = File()
                self._rename(NameCall(_folder(call.name), call.kind, call.name, file=len(self.files) - 1))
            case Kind.WRITE | Kind.TRUNCATE:
                self.files[self._file(call)].calls.append(call)
            case Kind.SYNC:
                self.files[self._file(call)].sync()
            case Kind.RENAME | Kind.UNLINK | Kind.MKDIR:
                file = self.now.get(call.name, -1)
                self._rename(NameCall(_folder(call.name), call.kind, call.name, call.other, file))
            case Kind.SYNC_NAMES:
                for pending in self.pending:
                    if pending.folder == call.name:
                        _apply_name(self.kept, pending)
                self.pending = [p for p in self.pending if p.folder != call.name]

    def _file(self, call: Call) -> int:
        if call.file not in self._by_inode:  # it was there before
            self._by_inode[call.file] = self.now[call.name]
        return self._by_inode[call.file]

    def _rename(self, call: NameCall) -> None:
        _apply_name(self.now, call)
        self.pending.append(call)

    # ---- images

    def images(self, limit: int, rng: random.Random, sector: int = 512) -> Iterator[Image]:
        """Every image a power cut could leave now; when there are more than `limit`, the extremes and a sample."""
        files = {n: _FileSpace(f.history(), sector) for n, f in self.files.items() if f.calls}
        axes = [2] * len(self.pending) + [n for space in files.values() for n in space.axes]
        if math.prod(axes) <= limit:
            choices: Iterator[tuple[int, ...]] = itertools.product(*map(range, axes))
        else:
            choices = _sample(axes, limit, rng)
        for choice in choices:
            yield self._image(choice, files)

    def _image(self, choice: tuple[int, ...], files: dict[int, _FileSpace]) -> Image:
        names, at = dict(self.kept), len(self.pending)
        folders_lost = set()
        for is_kept, call in zip(choice, self.pending, strict=False):
            if is_kept:
                _apply_name(names, call)
            elif call.kind == Kind.MKDIR:
                folders_lost.add(call.name)
        contents = {}
        for number, space in files.items():
            contents[number] = space.contents(choice[at : at + len(space.axes)])
            at += len(space.axes)
        return {
            name: contents.get(file, self.files[file].synced)
            for name, file in names.items()
            if not any(name.startswith(f"{folder}/") for folder in folders_lost)
        }

    def torn_images(self, count: int, rng: random.Random) -> Iterator[Image]:
        """As `images`, with one write cut within a sector, or stale bytes of the disk where a new sector was lost."""
        written = [(n, call) for n, f in self.files.items() for call in f.calls if call.kind == Kind.WRITE]
        for _ in range(count if written else 0):
            number, call = rng.choice(written)
            image = next(iter(self.images(1, rng)))
            torn = bytearray(self.files[number].history()[-1])
            cut = call.offset + rng.randrange(len(call.data))
            if cut >= len(torn):  # cut off since
                continue
            end = min(len(torn), (cut // 512 + 1) * 512)
            old = self.files[number].synced[cut:end].ljust(end - cut, b"\0")
            torn[cut:end] = rng.choice([old, rng.randbytes(end - cut), bytes(torn[: end - cut])])
            for name, file in {**self.kept, **self.now}.items():
                if file == number and name in image:
                    image[name] = bytes(torn[: rng.choice([end, len(torn)])])
            yield image


class _FileSpace:
    """The contents that a file may have: an axis for its size, one for each sector that changed."""

    def __init__(self, history: list[bytes], sector: int) -> None:
        self.sizes = sorted({len(h) for h in history})
        self.sector = sector
        self.base = history[0]
        padded = [h.ljust(self.sizes[-1], b"\0") for h in history]
        self.changed: dict[int, list[bytes]] = {}
        for at in range(0, self.sizes[-1], sector):
            versions = list(dict.fromkeys(p[at : at + sector] for p in padded))
            if len(versions) > 1:
                self.changed[at] = versions
        self.whole = padded[0]
        self.axes = [len(self.sizes), *map(len, self.changed.values())]

    def contents(self, choice: tuple[int, ...]) -> bytes:
        out = bytearray(self.whole)
        for (at, versions), pick in zip(self.changed.items(), choice[1:], strict=True):
            out[at : at + self.sector] = versions[pick]
        return bytes(out[: self.sizes[choice[0]]])


def _sample(axes: list[int], count: int, rng: random.Random) -> Iterator[tuple[int, ...]]:
    oldest, newest = tuple(0 for _ in axes), tuple(n - 1 for n in axes)
    yield newest
    if count > 1:
        yield oldest
    for i in range(count - 2):
        if i % 3 == 0:  # one thing lost, or one thing alone kept
            base, at = list(rng.choice([oldest, newest])), rng.randrange(len(axes))
            base[at] = rng.randrange(axes[at])
            yield tuple(base)
        else:
            yield tuple(rng.randrange(n) for n in axes)


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _apply_name(names: dict[str, int], call: NameCall) -> None:
    match call.kind:
        case Kind.CREATE:
            names[call.name] = call.file
        case Kind.RENAME:
            names.pop(call.name, None)
            names[call.other] = call.file
        case Kind.UNLINK:
            names.pop(call.name, None)
