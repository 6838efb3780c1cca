"""The kinds of files that become tapes, and how each is recognised: by its first bytes, then by its name."""

import gzip
import importlib
import importlib.util
import re
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from openbell._native import EdgeConfig, itch_lengths
from openbell.backtest.tape_directory import Imported, Progress
from openbell.errors import ConfigError

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PCAP_MAGICS = {
    bytes.fromhex(text) for text in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a")
}  # both byte orders of pcap in us and in ns; pcapng
HEAD_BYTES = 4096


class Importer(Protocol):
    """Writes the market data of a file to the new tape `out`, whole or not at all."""

    def __call__(
        self, file: Path, out: Path, *, day: date | None, symbols: Sequence[str], progress: Progress | None
    ) -> Imported: ...


class Kind(NamedTuple):
    """A kind of file: its name, what it is, `module:function` of its importer, and what marks it."""

    name: str
    what: str
    target: str
    has_content: Callable[[bytes], bool]
    file_name: str
    """A regular expression, for files whose content says nothing."""
    is_itch: bool = False

    def importer(self, checks: EdgeConfig | None = None) -> Importer:
        """The function that imports it; with `checks`, as a node's feed checks and leaves out.

        Raises:
            ConfigError: there are `checks`, and this kind is not checked by a node's rules.
        """
        module, _, function = self.target.partition(":")
        found = getattr(importlib.import_module(module), function)
        if checks is None:
            return cast(Importer, found)
        if not self.is_itch:
            kinds = ", ".join(kind.name for kind in KINDS.values() if kind.is_itch)
            raise ConfigError(
                f"expected a file of {kinds} for the checks of a node's feed, found {self.name} ({self.what}); "
                "import it without --config"
            )
        return cast(Importer, partial(found, checks=checks))

    @property
    def is_here(self) -> bool:
        """Whether its importer is part of this installation."""
        return importlib.util.find_spec(self.target.partition(":")[0]) is not None


def _is_itch(head: bytes) -> bool:
    length = int.from_bytes(head[:2])
    return len(head) > 2 and itch_lengths().get(chr(head[2])) == length


def _is_binance(head: bytes) -> bool:
    return re.match(rb'\d{19} \{"(stream|lastUpdateId|code)"', head) is not None or head.startswith(
        b"wss://stream.binance.com"
    )


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "itch",
            "NASDAQ ITCH 5.0 behind 2-byte lengths, plain or gzip",
            "openbell.backtest.tape_import:import_itch",
            _is_itch,
            r"(?i)itch|\.(txt|bin)(\.gz)?$",
            is_itch=True,
        ),
        Kind(
            "lobster",
            "LOBSTER zip",
            "openbell.backtest.tape_lobster:import_lobster",
            lambda head: head.startswith(b"PK\x03\x04"),
            r"(?i)\.zip$",
            is_itch=True,
        ),
        Kind(
            "pcap",
            "packet capture of MoldUDP64 with ITCH 5.0",
            "openbell.backtest.tape_pcap:import_pcap",
            lambda head: head[:4] in PCAP_MAGICS,
            r"(?i)\.pcap(ng)?(\.gz)?$",
            is_itch=True,
        ),
        Kind(
            "dbn",
            "Databento binary encoding, plain or zstd",
            "openbell.backtest.tape_dbn:import_dbn",
            lambda head: head.startswith(b"DBN"),
            r"(?i)\.dbn(\.zst)?$",
        ),
        Kind(
            "binance",
            "recorded lines of Binance WebSocket streams, plain or gzip",
            "openbell.backtest.tape_binance:import_binance",
            _is_binance,
            r"(?i)binance",
        ),
        Kind(
            "okx",
            "recorded lines of OKX WebSocket streams, plain or gzip",
            "openbell.backtest.tape_okx:import_okx",
            lambda head: head.startswith(b"wss://ws.okx.com"),
            r"(?i)okx",
        ),
    )
}


def kind_of(file: Path, name: str | None = None) -> Kind:
    """The kind called `name`, or the one that `file` is of.

    Raises:
        ConfigError: there is no such kind, or nothing recognises the file.
    """
    known = {kind.name: kind for kind in KINDS.values() if kind.is_here}
    if name is not None:
        if name not in known:
            raise ConfigError(f"--kind: expected one of {', '.join(known)}, found {name!r}")
        return known[name]
    head = head_of(file)
    for kind in known.values():
        if kind.has_content(head):
            return kind
    for kind in known.values():
        if re.search(kind.file_name, file.name):
            return kind
    raise ConfigError(
        f"expected one of {'; '.join(f'{kind.name} ({kind.what})' for kind in known.values())}; found {file}, which "
        f"begins with {head[:16]!r}; say which it is with --kind"
    )


def head_of(file: Path) -> bytes:
    """The first bytes of what `file` holds, unpacked; of what lies under a compression that cannot be read, none."""
    with file.open("rb") as raw:
        head = raw.read(HEAD_BYTES)
    if head.startswith(GZIP_MAGIC):
        with suppress(EOFError, OSError, zlib.error), gzip.open(file) as stream:
            return stream.read(HEAD_BYTES)
        return b""
    if head.startswith(ZSTD_MAGIC):
        import zstandard

        with suppress(zstandard.ZstdError), file.open("rb") as raw:
            return zstandard.ZstdDecompressor().stream_reader(raw).read(HEAD_BYTES)
        return b""
    return head
