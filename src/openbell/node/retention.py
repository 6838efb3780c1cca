"""`[retention]` of a node's file: how long its journal keeps sealed segments, and how; by default all, plain."""

from __future__ import annotations

from pydantic import Field

from openbell.config import Settings

GIB = 1 << 30


class RetentionSettings(Settings):
    """`[retention]`: what the archiver does with sealed segments (docs/durability.md)."""

    plain_segments: int | None = Field(
        default=None, ge=2, description="newest sealed segments that stay plain; older ones are packed with zstd"
    )
    keep_days: float | None = Field(default=None, gt=0, description="older sealed segments are removed")
    keep_gib: float | None = Field(default=None, gt=0, description="the oldest go while all are larger")

    def arguments(self) -> list[str]:
        """The same for the archiver's command line."""
        keep_bytes = None if self.keep_gib is None else int(self.keep_gib * GIB)
        options = {"plain-segments": self.plain_segments, "keep-days": self.keep_days, "keep-bytes": keep_bytes}
        return [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
