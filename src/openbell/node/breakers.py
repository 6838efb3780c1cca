"""Circuit breakers as configuration: `[[breakers]]`, strict, each value with the unit of its kind; docs/breakers.md."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

from pydantic import Field

from openbell import events
from openbell.config import Problem, Settings
from openbell.config_types import DecimalText, native_units
from openbell.types import NO_STRATEGY, ArmState, BreakerKind

MONEY_DECIMALS = 4
BREAKERS_MAX = 256
THRESHOLD_MAX = 10**12
WINDOW_MS_MAX = 86_400_000

Kind = Literal["loss", "drawdown", "reject_rate", "fill_rate", "unfilled_rate", "slippage", "too_good", "latency",
               "feed_stale", "message_rate", "position_jump", "reconciliation"]  # fmt: skip
UNIT_OF: Mapping[str, str] = {
    "loss": "money",
    "drawdown": "money",
    "reject_rate": "count",
    "fill_rate": "bps",
    "unfilled_rate": "bps",
    "slippage": "bps",
    "too_good": "bps",
    "latency": "ms",
    "feed_stale": "ms",
    "message_rate": "count",
    "position_jump": "lots",
    "reconciliation": "count",
}
UNITS = tuple(dict.fromkeys(UNIT_OF.values()))
OF_MANY = {"fill_rate", "unfilled_rate", "slippage"}
WINDOWED = {"reject_rate", "message_rate", "position_jump", "reconciliation"} | OF_MANY
OF_NODE = {"feed_stale", "reconciliation"}


class BreakerSettings(Settings):
    """`[[breakers]]`: above which measure the node, or one strategy, moves down to which state."""

    kind: Kind
    to: Literal["off", "shadow", "cancel_only", "reduce_only", "limited"]
    owner: str = Field(min_length=1, max_length=15, description="who answers for it")
    strategy: str = Field(default="", description="of which strategy; absent: of the node")
    symbol: str = Field(default="", description="position_jump: of which instrument")
    window_ms: int | None = Field(default=None, ge=1, le=WINDOW_MS_MAX, description="over which time it counts")
    least_count: int | None = Field(default=None, ge=1, le=10**6, description="orders or fills; fewer say nothing")
    above_money: DecimalText | None = Field(default=None, description="in the base currency, a decimal in quotes")
    above_count: int | None = Field(default=None, ge=0, le=THRESHOLD_MAX)
    above_bps: int | None = Field(default=None, ge=0, le=THRESHOLD_MAX)
    above_ms: int | None = Field(default=None, ge=1, le=WINDOW_MS_MAX)
    above_lots: int | None = Field(default=None, ge=0, le=THRESHOLD_MAX)
    again_below_money: DecimalText | None = None
    again_below_count: int | None = Field(default=None, ge=0)
    again_below_bps: int | None = Field(default=None, ge=0)
    again_below_ms: int | None = Field(default=None, ge=0)
    again_below_lots: int | None = Field(default=None, ge=0)

    def cross_check(self) -> Iterable[Problem]:
        """Yield units of another kind, what is missing, and scopes that cannot be measured."""
        own = UNIT_OF[self.kind]
        for unit in UNITS:
            for key in (f"above_{unit}", f"again_below_{unit}"):
                is_set = getattr(self, key) is not None
                if unit == own and not is_set:
                    yield Problem((key,), f'expected {key}, found none: kind "{self.kind}" is measured in {own}')
                elif unit != own and is_set:
                    yield Problem(
                        (key,), f'expected {key.removesuffix(unit)}{own}: kind "{self.kind}" is measured in {own}'
                    )
        above, again_below = self.value("above"), self.value("again_below")
        if above is not None and again_below is not None and again_below > above:
            yield Problem((f"again_below_{own}",), f"expected at most above_{own}: it must come down first")
        yield from self._check_window()
        yield from self._check_scope()

    def _check_window(self) -> Iterable[Problem]:
        if (self.window_ms is not None) != (self.kind in WINDOWED):
            what = "expected the time over which it counts" if self.window_ms is None else "expected no window"
            yield Problem(("window_ms",), f'{what}: kind "{self.kind}" counts {_over_time(self.kind)}')
        if self.least_count is not None and self.kind not in OF_MANY:
            yield Problem(("least_count",), f'expected none: kind "{self.kind}" is no ratio and no mean')

    def _check_scope(self) -> Iterable[Problem]:
        if self.strategy and self.kind in OF_NODE:
            yield Problem(("strategy",), f'expected none: kind "{self.kind}" is of the whole node')
        if bool(self.symbol) != (self.kind == "position_jump"):
            expected = "expected the instrument whose position it watches" if not self.symbol else "expected none"
            yield Problem(("symbol",), f'{expected}: kind "{self.kind}"')

    def value(self, name: str) -> int | None:
        """`above` or `again_below` in the engine's units: money in 1e-4, time in ns."""
        unit = UNIT_OF[self.kind]
        found: int | Decimal | None = getattr(self, f"{name}_{unit}")
        if isinstance(found, Decimal):
            return native_units(found, MONEY_DECIMALS)
        return found * 1_000_000 if found is not None and unit == "ms" else found


class BreakerRecord(NamedTuple):
    """A breaker as the journal holds it; of an instrument, its symbol stands beside."""

    symbol: str
    record: bytes


def breaker_records(breakers: Iterable[BreakerSettings], ids: Mapping[str, int]) -> list[BreakerRecord]:
    """The records of checked settings, in their order; `ids` are those of strategies by name."""
    out = []
    for breaker in breakers:
        record = events.breaker(
            BreakerKind[breaker.kind.upper()],
            to=ArmState[breaker.to.upper()],
            threshold=breaker.value("above") or 0,
            again_below=breaker.value("again_below") or 0,
            window_ns=(breaker.window_ms or 0) * 1_000_000,
            least=breaker.least_count or 0,
            strategy=ids[breaker.strategy] if breaker.strategy else NO_STRATEGY,
            owner=breaker.owner,
        )
        out.append(BreakerRecord(breaker.symbol, record))
    return out


def check_breakers(
    breakers: tuple[BreakerSettings, ...], strategies: Iterable[str], symbols: Iterable[str], feeds: int
) -> Iterable[Problem]:
    """Yield what is wrong in the breakers of a file that names these strategies and symbols, and has so many feeds."""
    known = {"strategy": set(strategies), "symbol": set(symbols)}
    seen: dict[tuple[str, ...], int] = {}
    for index, breaker in enumerate(breakers):
        for problem in breaker.cross_check():
            yield Problem(("breakers", index, *problem.path), problem.message)
        for key, names in known.items():
            name = getattr(breaker, key)
            if name and name not in names:
                yield Problem(("breakers", index, key), f'expected one of {sorted(names)}, found "{name}"')
        scope = (breaker.kind, breaker.to, breaker.strategy, breaker.symbol)
        if seen.setdefault(scope, index) != index:
            yield Problem(
                ("breakers", index), f"expected one breaker of its kind, scope and state; [{seen[scope]}] is one"
            )
    needed = sum(feeds if breaker.symbol else 1 for breaker in breakers)
    if needed > BREAKERS_MAX:
        yield Problem(
            ("breakers",),
            f"expected at most {BREAKERS_MAX}, found {needed}: one of a symbol counts once for each of {feeds} feeds; "
            "watch fewer symbols",
        )


def _over_time(kind: str) -> str:
    return "over time" if kind in WINDOWED else "no events"
