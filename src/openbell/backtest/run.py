"""A backtest: a tape through the node's own driver and engine, with virtual orders for a venue.

The same inputs and the same seed give the same journal, byte for byte; so does `openbell replay` of it.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path
from types import FrameType

from pydantic import Field

from openbell import _native as native
from openbell import events
from openbell.backtest.result import BacktestResult, InstrumentResult, RunCard, decisions_hash, tally
from openbell.backtest.tape import TapeFacts, inspect_tape
from openbell.config import Settings
from openbell.config_types import Speed, native_units
from openbell.errors import ConfigError, JournalError
from openbell.journal import Source
from openbell.node.assemble import binary_hash, digest
from openbell.node.limit_lines import MONEY_DECIMALS, RATE_ONE
from openbell.node.record import (
    FILES,
    CapacityRecord,
    EndRecord,
    Params,
    RunRecord,
    StrategyRecord,
    TapeRecord,
    build_host,
)
from openbell.strategy.budget import watched
from openbell.strategy.loader import load_strategy
from openbell.types import ArmState, LimitKind, LimitScope, Type

FILL_MODEL = "virtual own orders in an unaltered book: no impact"
EVENTS_PER_TURN = 50_000
"""Events between two looks at progress and Ctrl-C."""
STRATEGY_ID = 1
INSTRUMENTS_MAX_LEAST = 64

Progress = Callable[[int, int], None]
"""(frames of the tape done, all of them)."""


class BacktestSettings(Settings):
    """Everything that decides what a backtest does. Latencies in ns, quantities in lots."""

    tape: Path
    strategy_file: Path
    strategy_class: str | None = None
    params: Params = Field(default_factory=dict)
    speed: Speed = "interpreted"
    instruments: tuple[str, ...] = ()
    """Symbols the strategy sees; empty: all of the tape."""
    feed_latency_ns: int = Field(default=50_000, ge=0, le=10**10)
    order_latency_ns: int = Field(default=50_000, ge=0, le=10**10)
    report_latency_ns: int = Field(default=50_000, ge=0, le=10**10)
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    max_position_lots: int = Field(default=1_000, ge=0, le=10**12)
    max_order_lots: int = Field(default=1_000, ge=1, le=10**9)
    max_notional: Decimal = Field(default=Decimal(10_000_000), gt=0, description="of one order, in the currency")
    max_gross_notional: Decimal = Field(default=Decimal(1_000_000_000), gt=0, description="of all held and open")
    max_daily_loss: Decimal = Field(default=Decimal(100_000_000), gt=0, description="then it may only reduce")
    collar_bps: int = Field(default=1_000, ge=1, le=10_000)
    open_orders_max: int = Field(default=1_000, ge=1, le=100_000)
    orders_per_second_max: int = Field(default=100_000, ge=1)
    book_orders_max: int = Field(default=262_144, ge=1024, le=1 << 24)
    callback_budget_ms: int = Field(default=10_000, ge=1, le=86_400_000)
    """An interpreted callback that takes longer is ended and its strategy halted."""
    segment_mib: int = Field(default=64, ge=1, le=1024)
    out: Path | None = None
    """Directory of the journal; run/backtest-<hash of the inputs> when absent."""


def run_backtest(
    settings: BacktestSettings,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    around: Callable[[native.IntentSource], native.IntentSource] = lambda strategies: strategies,
) -> BacktestResult:
    """Run it and leave a journal that `openbell replay` plays again.

    `around` puts something between engine and strategies, such as `native.TimedStrategies`. A journal of an earlier
    backtest in the same directory is replaced once this one has ended.

    Raises:
        OpenbellError: tape, strategy or parameters are not acceptable, or a table is too small; no journal is left.
    """
    tape = inspect_tape(settings.tape)
    symbols = _symbols(settings, tape)
    strategy = _strategy_record(settings, symbols)
    host = build_host((strategy,))
    key = _key(settings, strategy, tape)
    out = (settings.out or Path("run") / f"backtest-{key.hex()[:12]}").resolve()
    with _journal_directory(out) as directory:
        session = native.BacktestSession(_native_config(settings, tape, symbols, directory), around(host))
        record = RunRecord(
            kind="backtest",
            capacity=CapacityRecord.of(_capacity(settings, tape)),
            strategies=(strategy,),
            tape=TapeRecord(path=str(tape.path), hash=tape.hash, feed_latency_ns=settings.feed_latency_ns),
            settings=settings.model_dump(mode="json", exclude={"out"}),
        )
        with _budget(host, settings):  # of their on_start too
            _open(session, settings, strategy, tape, key)
            began = time.perf_counter()
            is_whole = _play(session, tape, progress, should_stop)
        wall_s = time.perf_counter() - began
        session.submit(events.checkpoint())
        session.close()
        end = EndRecord(last_seq=session.engine.seq + 1, state_hash=f"{session.engine.state_hash:016x}")
        record.model_copy(update={"end": end}).write(directory)
        decisions = decisions_hash(directory)
        instruments, halts = tally(directory, session.engine, (strategy,))
    card = RunCard(
        tape=str(settings.tape),
        tape_hash=tape.hash,
        first_ns=tape.first_ns,
        last_ns=tape.last_ns,
        is_synthetic=tape.is_synthetic,
        strategy=strategy.name,
        params=strategy.params,
        speed=strategy.speed,
        fill_model=FILL_MODEL,
        latency_ns={
            "feed": settings.feed_latency_ns,
            "order": settings.order_latency_ns,
            "report": settings.report_latency_ns,
        },
        seed=settings.seed,
        is_whole=is_whole,
        is_at_rest=session.is_at_rest,
        events=session.tape_records,
        frames=session.tape_frames,
        callbacks=host.callbacks,
        wall_s=wall_s,
        decisions=decisions,
        state_hash=end.state_hash,
        journal=str(out),
    )
    return BacktestResult(card, instruments, halts, book_faults=session.engine.book_faults)


def _budget(host: native.StrategyHost, settings: BacktestSettings) -> AbstractContextManager[object]:
    """Python tells signals to the main thread alone: elsewhere, callbacks have no budget."""
    if settings.speed == "compiled" or threading.current_thread() is not threading.main_thread():
        return nullcontext()
    return watched(host, settings.callback_budget_ms * 1_000_000)


def callback_of(frame: FrameType | None) -> FrameType | None:
    """The callback that `frame` stands in, or what else a backtest has called; None: `frame` is in none."""
    called = None
    while frame is not None and frame.f_code not in (_open.__code__, _play.__code__):
        called, frame = frame, frame.f_back
    return called if frame is not None else None


def _play(
    session: native.BacktestSession, tape: TapeFacts, progress: Progress | None, stop: Callable[[], bool]
) -> bool:
    while session.run(EVENTS_PER_TURN):
        if progress:
            progress(session.tape_frames, tape.frames)
        if stop():
            return False
    return True


def _open(
    session: native.BacktestSession, settings: BacktestSettings, strategy: StrategyRecord, tape: TapeFacts, key: bytes
) -> None:
    """The records that a live node's journal begins with, and the tape this one refers to."""
    session.submit(
        events.started(
            node=0,
            epoch=session.epoch,
            now_ns=session.first_ns,
            seed=settings.seed,
            binary=binary_hash(),
            strategies=digest(strategy.identity()),
            limits=digest(*_limits_of(settings)),
            config=key,
        )
    )
    latencies = (settings.feed_latency_ns, settings.order_latency_ns, settings.report_latency_ns)
    session.submit(events.control(Type.TAPE_REF, values=latencies, text=tape.hash))
    session.submit(events.control(Type.CONNECTED, source=Source.ORDER_ENTRY, text="backtest"))
    session.submit(events.control(Type.RESOLVED, source=Source.ORDER_ENTRY, text="backtest"))
    session.submit(events.arm(ArmState.FULL), Source.OPERATOR)


def _key(settings: BacktestSettings, strategy: StrategyRecord, tape: TapeFacts) -> bytes:
    """16 bytes over all that decides the journal's content, paths aside."""
    decisive = settings.model_dump_json(
        exclude={"tape", "strategy_file", "strategy_class", "out", "callback_budget_ms"}
    )
    return digest(decisive.encode(), strategy.model_dump_json(exclude={"file"}).encode(), tape.hash.encode())


def _symbols(settings: BacktestSettings, tape: TapeFacts) -> tuple[str, ...]:
    for symbol in settings.instruments:
        if symbol not in tape.symbols:
            known = ", ".join(tape.symbols[:20]) + (" ..." if len(tape.symbols) > 20 else "")
            raise ConfigError(
                f"instruments: expected symbols of the tape {settings.tape} ({known or 'none'}), found {symbol!r}"
            )
    if not tape.symbols:
        raise ConfigError(f"tape {settings.tape}: expected Instrument records, found none; import it again")
    return settings.instruments or tape.symbols


def _strategy_record(settings: BacktestSettings, symbols: tuple[str, ...]) -> StrategyRecord:
    loaded = load_strategy(settings.strategy_file, settings.strategy_class)
    return StrategyRecord.of(
        id=STRATEGY_ID,
        name=loaded.__name__,
        file=settings.strategy_file.resolve(),
        class_name=loaded.__name__,
        params=settings.params,
        symbols=symbols,
        speed=settings.speed,
    )


def _capacity(settings: BacktestSettings, tape: TapeFacts) -> native.EngineCapacity:
    capacity = native.EngineCapacity()
    capacity.instruments_max = max(INSTRUMENTS_MAX_LEAST, len(tape.symbols))
    capacity.book_orders_max = settings.book_orders_max
    return capacity


def _limits_of(settings: BacktestSettings) -> list[bytes]:
    """Of every instrument."""
    values = {
        LimitKind.ORDER_QTY: settings.max_order_lots,
        LimitKind.ORDER_NOTIONAL: native_units(settings.max_notional, MONEY_DECIMALS),
        LimitKind.COLLAR_BPS: settings.collar_bps,
        LimitKind.POSITION_LONG: settings.max_position_lots,
        LimitKind.POSITION_SHORT: settings.max_position_lots,
        LimitKind.OPEN_ORDERS: settings.open_orders_max,
    }
    return [events.limit(kind, n, scope=LimitScope.INSTRUMENT, owner="backtest") for kind, n in values.items()]


def _presets(settings: BacktestSettings, tape: TapeFacts, symbols: tuple[str, ...]) -> native.Presets:
    """Money of a backtest is in each instrument's own currency: all of them are worth the same here."""
    presets = native.Presets()
    for currency in sorted({one.currency for one in tape.instruments}):
        presets.add_conversion(events.conversion(currency, RATE_ONE))
    rate = settings.orders_per_second_max
    presets.add_limit(events.limit(LimitKind.ORDER_RATE, rate, scope=LimitScope.ACCOUNT, window_ns=1_000_000_000))
    sums = {LimitKind.GROSS_NOTIONAL: settings.max_gross_notional, LimitKind.DAILY_LOSS: settings.max_daily_loss}
    for kind, amount in sums.items():
        presets.add_limit(events.limit(kind, native_units(amount, MONEY_DECIMALS), scope=LimitScope.ACCOUNT))
    for symbol in symbols:
        for record in _limits_of(settings):
            presets.add_limit(record, symbol)
    return presets


def _native_config(
    settings: BacktestSettings, tape: TapeFacts, symbols: tuple[str, ...], directory: Path
) -> native.BacktestConfig:
    gate = native.GateLimits()
    gate.order_qty_max = settings.max_order_lots
    gate.order_notional_max = native_units(settings.max_notional, MONEY_DECIMALS)
    gate.orders_per_second_max = settings.orders_per_second_max
    config = native.BacktestConfig()
    config.tape_dir = str(tape.path)
    config.journal_dir = str(directory)
    config.segment_bytes = settings.segment_mib << 20
    config.latency = native.VenueLatency(
        settings.feed_latency_ns, settings.order_latency_ns, settings.report_latency_ns
    )
    config.capacity = _capacity(settings, tape)
    config.gate = gate
    config.presets = _presets(settings, tape, symbols)
    return config


@contextmanager
def _journal_directory(out: Path) -> Iterator[Path]:
    """A directory beside `out` that takes its place when the body succeeds, and is removed when it fails."""
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / FILES["backtest"]).is_file())):
        raise JournalError(
            f"expected nothing or an earlier backtest at {out}, found something else; choose another --out"
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise JournalError(f"expected to make the directory {out}: {error}; choose another --out") from error
    try:
        unfinished.chmod(0o755)
        yield unfinished
        if out.exists():
            shutil.rmtree(out)
        unfinished.replace(out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


__all__ = ["BacktestResult", "BacktestSettings", "InstrumentResult", "run_backtest"]
