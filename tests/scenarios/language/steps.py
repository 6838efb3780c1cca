"""What a scenario is made of once it is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from oracles.exchange import Auction, Cause, Phase, Rules, Side, Terms


@dataclass(frozen=True)
class Instrument:
    symbol: str
    rules: Rules
    starts: Phase = Phase.CONTINUOUS


@dataclass(frozen=True)
class Submit:
    label: str
    side: Side
    terms: Terms
    account: int = 1
    instrument: int = 0


@dataclass(frozen=True)
class Replace:
    label: str
    terms: Terms


@dataclass(frozen=True)
class Reduce:
    """A cancel, of everything or down to `leaves`."""

    label: str
    leaves: int = 0
    cause: Cause = Cause.USER


@dataclass(frozen=True)
class MassCancel:
    account: int
    instrument: int | None = None
    side: Side | None = None


@dataclass(frozen=True)
class SetPhase:
    phase: Phase
    instrument: int = 0
    with_closing_auction: bool = False


@dataclass(frozen=True)
class SetBands:
    lower: int
    upper: int
    instrument: int = 0


@dataclass(frozen=True)
class ShowBook:
    """What is displayed, by level; `side` None: both."""

    side: Side | None = None
    instrument: int = 0


@dataclass(frozen=True)
class ShowQueue:
    """Every order of a side, hidden ones too, in the order in which they would trade."""

    side: Side
    instrument: int = 0


@dataclass(frozen=True)
class ShowIndicative:
    auction: Auction
    instrument: int = 0


Action = Submit | Replace | Reduce | MassCancel | SetPhase | SetBands
Question = ShowBook | ShowQueue | ShowIndicative


@dataclass(frozen=True)
class Step:
    """One line of a case: what is done or asked, and every word that must come back, in order."""

    line: int
    text: str
    what: Action | Question
    expected: Sequence[str]


@dataclass
class Case:
    """One rule, shown."""

    name: str
    line: int
    instruments: list[Instrument] = field(default_factory=list)
    orders_max: int = 1 << 10
    steps: list[Step] = field(default_factory=list)
