"""What may be asked of a running node: one line of JSON each, read strictly.

    {"verb": "kill", "level": "hard", "strategy": "maker", "why": "quotes look wrong"}
    {"verb": "arm", "state": "full", "all": true, "release": true, "why": "feed is back"}
    {"verb": "approve", "proposal": "p-5f1c09ab"}

Who asks is never in the line: the kernel says it. An answer is {"ok": true, ...} or {"ok": false, "error": "..."}.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from openbell.ops.control.proposals import RefusedError

WHY_LETTERS_MAX = 60
BREAK_GLASS_MINUTES_MAX = 15
MATCH_MAX = 2**63 - 1
IDENTITY_KEYS = ("uid", "user", "name", "as", "identity", "role", "roles", "approver", "proposer")

Name = Annotated[str, msgspec.Meta(max_length=32)]
InstrumentName = Annotated[str, msgspec.Meta(max_length=49)]
"""A symbol of 16 letters, @, and the name of a feed."""
Path = Annotated[str, msgspec.Meta(max_length=4096)]
DecimalText = Annotated[str, msgspec.Meta(max_length=40)]
Why = Annotated[str, msgspec.Meta(max_length=WHY_LETTERS_MAX, pattern=r"^[^\x00-\x1f\x7f]*$")]


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="verb"):
    pass


class _Scoped(_Request, frozen=True):
    strategy: Name = ""
    instrument: InstrumentName = ""
    all: bool = False


class Kill(_Scoped, frozen=True, tag="kill"):
    """Stop a scope."""

    level: Literal["soft", "hard", "cord"] = "hard"
    why: Why = ""


class Arm(_Scoped, frozen=True, tag="arm", kw_only=True):
    """Arm a scope; `release`: after a kill, a doubt or a halt; `minutes`: break-glass; `acknowledge`: what runs;
    `settle`: what is in doubt never reached the venue."""

    state: Literal["off", "shadow", "cancel_only", "reduce_only", "limited", "full"]
    release: bool = False
    minutes: Annotated[int, msgspec.Meta(ge=0, le=BREAK_GLASS_MINUTES_MAX)] = 0
    acknowledge: Name = ""
    settle: bool = False
    why: Why = ""


class Limits(_Request, frozen=True, tag="limits"):
    """Show the limits in force; with a `file` (its text) propose others."""

    file: str = ""
    why: Why = ""


class Signal(_Request, frozen=True, tag="signal"):
    """Send strategies a value that `[[signals]]` names."""

    name: Name
    value: float
    instrument: InstrumentName = ""


class Params(_Request, frozen=True, tag="params"):
    """Show the parameters of strategies; with `values` change those of one, all of them at once."""

    strategy: Name = ""
    values: dict[Name, bool | int | float] = {}
    why: Why = ""


class Strategy(_Request, frozen=True, tag="strategy", kw_only=True):
    """Stop, flatten or start one strategy; `replace`: by the class `class_name` of `file`, or as configured."""

    act: Literal["stop", "flatten", "start", "replace"]
    strategy: Name
    file: Path = ""
    class_name: Name = ""
    why: Why = ""


class Adjust(_Request, frozen=True, tag="adjust", kw_only=True):
    """Move a position by hand: signed lots at a price, money, or both; `match`: of that execution."""

    strategy: Name
    symbol: InstrumentName
    qty: DecimalText = ""
    px: DecimalText = ""
    cash: DecimalText = ""
    match: Annotated[int, msgspec.Meta(ge=0, le=MATCH_MAX)] = 0
    why: Why = ""


class Position(_Request, frozen=True, tag="position"):
    """What a strategy holds, and where books differ."""

    strategy: Name
    symbol: InstrumentName


class Status(_Request, frozen=True, tag="status"):
    """How far every scope is armed, what is killed, what is proposed."""


class Waiting(_Request, frozen=True, tag="waiting"):
    """How many commands the trading thread has not taken yet."""


class ProposalsOpen(_Request, frozen=True, tag="proposals"):
    """What can be approved."""


class Approve(_Request, frozen=True, tag="approve"):
    """Carry out what another person proposed."""

    proposal: Name


class Deny(_Request, frozen=True, tag="deny"):
    """End a proposal unused."""

    proposal: Name
    why: Why = ""


Request = (
    Kill
    | Arm
    | Limits
    | Signal
    | Params
    | Strategy
    | Adjust
    | Position
    | Status
    | Waiting
    | ProposalsOpen
    | Approve
    | Deny
)
_decoder = msgspec.json.Decoder(Request)


def read_request(line: bytes) -> Request:
    """The request that `line` is.

    Raises:
        RefusedError: it is none, and what was expected where.
    """
    try:
        request: Request = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(_explain(line, error)) from None
    if isinstance(request, _Scoped):
        _one_scope(request)
    if isinstance(request, Kill) and request.level == "cord" and not request.all:
        raise RefusedError('kill: level "cord" drops every session: expected "all": true, or level "hard"')
    if isinstance(request, Arm) and request.minutes and request.release:
        raise RefusedError(
            "arm: expected release or minutes, found both: break-glass holds for minutes and releases nothing"
        )
    if isinstance(request, Arm) and request.settle and not (request.release and request.all):
        raise RefusedError(
            "arm: expected settle together with release and all, found it alone: whoever settles what is in doubt says "
            "that the venue was asked"
        )
    return request


def _one_scope(request: _Scoped) -> None:
    named = [bool(request.strategy), bool(request.instrument), request.all]
    if sum(named) != 1:
        raise RefusedError(
            'expected exactly one of "strategy", "instrument" and "all": true, because nothing is the default; '
            f"found {sum(named)}"
        )


def _explain(line: bytes, error: Exception) -> str:
    """What the decoder found, as a person needs it."""
    try:
        data = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return f"expected one JSON object on one line, found {line[:40]!r}; see docs/control.md"
    if isinstance(data, dict) and (forged := [key for key in IDENTITY_KEYS if key in data]):
        return (
            f"expected no {forged[0]!r}: who asks is what the kernel says of the connection, not what the line says; "
            "leave it out and ask as yourself"
        )
    return f"expected a request as in docs/control.md, found: {error}"
