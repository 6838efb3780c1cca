"""How fast an engine comes back from its journal: core replay of recorded intents, from the start and from a snapshot.

The journal is a live node's in content: a market maker's day over the generated flow, every frame of the market in it.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time

from bench.generated import generated_tape
from bench.harness import REPO, Result, samples, throughput
from openbell import _native as native
from openbell.backtest.run import BacktestSettings, run_backtest
from openbell.node.record import RunRecord, read_record
from openbell.node.recovery import recover_engine
from openbell.node.snapshots import usable_snapshots, write_snapshot

FRAMES = 10_000_000
AFTER_SNAPSHOT = 1_000_000
REPETITIONS, REPETITIONS_COLD = 7, 3
NO_HOT = Path()


def run() -> Result:
    """Replay all of it, and the last million frames after a snapshot."""
    journal = recorded_journal()
    record = read_record(journal)
    assert record is not None
    cold, last_seq = _cold(journal, record)
    after = _after_snapshot(journal, record, last_seq - AFTER_SNAPSHOT)
    return Result(
        name="recovery",
        input=f"{last_seq:_} frames: market maker over the generated flow, one record a frame; journal on disk, cached",
        figures=[
            samples(f"engine at the end of {last_seq // 10**6} M frames, no snapshot", "s", cold, target=30),
            throughput("core replay, thread CPU", "frames/s", [last_seq / s for s in cold], target=5e6),
            samples("engine at the end, 1 M frames after a snapshot", "s", after, target=2),
        ],
        notes="a process also starts Python, opens its sockets and logs in: make kills measures the whole of it",
    )


def _cold(journal: Path, record: RunRecord) -> tuple[list[float], int]:
    """CPU seconds of each replay from the first frame."""
    seconds, last_seq = [], 0
    for _ in range(REPETITIONS_COLD):
        engine = native.Engine(record.capacity.native())
        began = thread_time()
        report = native.recover(engine, str(journal))
        seconds.append(thread_time() - began)
        assert not report.core_differs_at, report.what
        last_seq = report.last_seq
    return seconds, last_seq


def _after_snapshot(journal: Path, record: RunRecord, at: int) -> list[float]:
    """Seconds of each recovery from the snapshot at `at`, reading and checking it included."""
    if not any(at - 10 < snapshot.seq <= at for snapshot in usable_snapshots(journal, NO_HOT)):  # a frame has two
        engine = native.Engine(record.capacity.native())
        native.recover(engine, str(journal), "", at)
        write_snapshot(journal / "snapshots", engine)
    seconds = []
    for _ in range(REPETITIONS):
        began = perf_counter()
        _, recovered = recover_engine(record.capacity.native(), journal, NO_HOT)
        seconds.append(perf_counter() - began)
        assert recovered.snapshot_seq, recovered
    return seconds


def recorded_journal(frames: int = FRAMES) -> Path:
    """A journal of at least so many frames, made once into run/bench."""
    journal = REPO / f"run/bench/recovery{frames}"
    if not journal.is_dir():
        print(f"making {journal.name}, once (about {frames // 50_000} s)", flush=True)
        with TemporaryDirectory(dir=journal.parent) as scratch:
            settings = BacktestSettings(
                tape=generated_tape(),
                strategy_file=REPO / "strategies/market_maker.py",
                strategy_class="MarketMaker",
                speed="compiled",
                out=Path(scratch) / "backtest",
            )
            run_backtest(settings)
            unfinished = Path(scratch) / "journal"
            _fill_in(settings, unfinished, frames)
            unfinished.rename(journal)
    return journal


def _fill_in(settings: BacktestSettings, out: Path, frames: int) -> None:
    """Copy the journal of a backtest with the frames that it leaves on its tape, as a live node would have them."""
    assert settings.out is not None
    record = read_record(settings.out)
    assert record is not None
    ours, tape = native.JournalReader(str(settings.out)), native.JournalReader(str(settings.tape))
    writer = native.JournalWriter(str(out))
    now_ns, seq = 0, 0
    while seq < frames and (frame := ours.next()):
        kind, number, _, source, source_seq, cause_seq, ts_recv, ts_seq, _, raw = frame
        while seq + 1 < number:
            _, _, _, tape_source, tape_seq, _, tape_recv, _, _, tape_raw = tape.next()
            arrival = tape_recv + settings.feed_latency_ns
            now_ns = max(now_ns, arrival)
            seq = _append(writer, 1, tape_source, tape_raw, 0, tape_seq, arrival, now_ns)
        now_ns = max(now_ns, ts_seq)
        seq = _append(writer, kind, source, raw, cause_seq, source_seq, ts_recv, ts_seq)
    writer.close()
    record.model_copy(update={"tape": None, "end": None}).write(out)


def _append(writer, kind, source, raw, cause_seq, source_seq, ts_recv, ts_seq):  # type: ignore[no-untyped-def]
    records, size = raw.reshape(-1), raw.shape[1]
    return writer.append(kind, source, size, records, cause_seq, source_seq, ts_recv, ts_seq)
