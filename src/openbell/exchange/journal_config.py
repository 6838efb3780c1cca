"""The `[journal]` section of an exchange file: whether the venue comes back after a crash."""

from typing import Literal

from pydantic import Field

from openbell.config import Settings
from openbell.config_types import NearPath


class JournalSettings(Settings):
    """`[journal]`: every input of the venue is kept, so that it goes on where it was. Not with a tape as flow."""

    dir: NearPath
    hot_dir: NearPath | None = Field(default=None, description="shared memory; absent: below /dev/shm/openbell")
    durability: Literal["memory", "local"] = Field(
        default="memory", description="what survives before anybody is answered: the process, or the host (local)"
    )
    segment_mib: int = Field(default=64, ge=1, le=1024)
    hot_segments_max: int = Field(default=16, ge=2, le=1024)
