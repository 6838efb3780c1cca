"""Errors about the world, each a class that someone handles by name.

    OpenbellError
    ├── ConfigError            a configuration or limit file is wrong; nothing was started
    ├── JournalError           a journal cannot be opened or written
    │   ├── JournalDamagedError    bytes below the durable watermark are wrong: halt, never skip
    │   └── JournalLockedError     another process writes this journal
    ├── SnapshotError          a snapshot is damaged or of the future: recovery falls back to an older one
    ├── DecodeError            foreign bytes do not follow their protocol
    ├── CapacityError          a table of stated capacity is full
    ├── NetError               a socket could not be opened or bound
    ├── StrategyError          a strategy class is not acceptable, or it raised
    └── InvariantError         openbell's own promise broke: stop trading, keep the evidence

A message says what was expected, what was found, where, and the next step, in that order.
"""


class OpenbellError(Exception):
    """Base of every error that openbell raises on purpose."""


class ConfigError(OpenbellError):
    """A configuration or limit file is wrong; nothing was started."""


class JournalError(OpenbellError):
    """A journal cannot be opened or written."""


class JournalDamagedError(JournalError):
    """Bytes below the durable watermark are wrong; the message names the position. Never skipped."""


class JournalLockedError(JournalError):
    """Another process holds the writer's lock of this journal."""


class SnapshotError(OpenbellError):
    """A snapshot is damaged or newer than its journal; recovery falls back to an older one."""


class DecodeError(OpenbellError):
    """Foreign bytes do not follow their protocol."""


class CapacityError(OpenbellError):
    """A table of stated capacity is full; the message names the setting that sizes it."""


class NetError(OpenbellError):
    """A socket could not be opened, bound or connected."""


class StrategyError(OpenbellError):
    """A strategy class is not acceptable, or one of its callbacks raised."""


class InvariantError(OpenbellError):
    """One of openbell's own promises broke. Trading stops and the evidence is kept."""
