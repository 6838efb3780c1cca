"""Who can reach a running node: `[control]`, `[watchdog]`, `[[operators]]`."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from openbell.config import Problem, Settings
from openbell.config_types import NAME_PATTERN, SecretText


class ControlSettings(Settings):
    """`[control]`: who can reach the running node, and how many people a loosening needs; see docs/control.md."""

    identities: Literal[1, 2] | None = Field(
        default=None, description="people for a release, a loosened limit, break-glass; absent: 2 where mode is live"
    )
    group: str = Field(default="", description="whose members may connect to the socket; empty: only the node's user")
    requests_per_s: int = Field(default=20, ge=1, le=1_000, description="of one person; a kill is never too many")


class WatchdogSettings(Settings):
    """`[watchdog]`: when `openbell watchdog` stops the node, and how; see docs/control.md."""

    with_node: bool | None = Field(
        default=None, description="openbell run --live starts it, and starts it again; false: it is started apart"
    )
    act: Literal["login", "end"] = Field(default="login", description="log in to its account, or end its process")
    silence_ms: int = Field(default=700, ge=100, le=60_000, description="of the trading thread's heartbeat")
    kill_ms: int = Field(default=250, ge=100, le=60_000, description="for an answer to a kill")
    password: SecretText | None = Field(default=None, description="of the account, if the watchdog has its own")
    drop_copy: str = Field(default="", max_length=6, description="user of the venue's drop copy of the account")
    drop_copy_password: SecretText | None = None


def check_watchdog(settings: WatchdogSettings, sessions: int, mode: str) -> Iterator[Problem]:
    """Yield a live node of which nobody said who watches over it, half a login, one credential for several venues."""
    if mode == "live" and settings.with_node is None:
        yield Problem(
            ("watchdog", "with_node"),
            "expected true (openbell run starts the watchdog) or false (you start it apart: openbell watchdog "
            "NODE.toml), found neither: nobody would stop a live node that hangs; say which is meant",
        )
    if settings.drop_copy and settings.drop_copy_password is None:
        yield Problem(("watchdog", "drop_copy_password"), 'expected "env:NAME" or "file:PATH" of the drop copy')
    if sessions < 2:
        return
    if settings.password is not None:
        yield Problem(
            ("watchdog", "password"),
            f"expected none for {sessions} sessions: each venue has a password of its own; leave it out: the watchdog "
            "logs in with each session's",
        )
    for key in ("drop_copy", "drop_copy_password"):
        if getattr(settings, key):
            yield Problem(
                ("watchdog", key),
                f"expected none for {sessions} sessions: the watchdog of a node with several sessions has none yet; "
                "leave it out",
            )


class OperatorSettings(Settings):
    """`[[operators]]`: a person who may ask something of the running node, known by the user id the kernel gives."""

    name: str = Field(pattern=NAME_PATTERN)
    uid: int = Field(ge=0, le=2**32 - 2, description="as `id -u` says it")
    roles: tuple[Literal["viewer", "operator", "trader", "risk"], ...] = Field(min_length=1, max_length=4)
