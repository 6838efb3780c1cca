"""Frames for the journal's tests: random, reproducible, comparable with the oracle."""

import random

import numpy as np

from oracles.journal import OracleFrame

SMALL = {"segment_bytes": 64 << 10, "frame_bytes_max": 8192, "hot_segments_max": 64}


def random_frames(seed: int, count: int, records_max: int = 20) -> list[OracleFrame]:
    rng = random.Random(seed)
    frames = []
    for _ in range(count):
        size = rng.choice([48, 128])
        records = rng.randbytes(size * rng.randint(1, records_max))
        frames.append(
            OracleFrame(
                frame_class=rng.choice([1, 2]),
                flags=rng.randrange(256),
                source=rng.randrange(1 << 16),
                record_size=size,
                epoch=0,
                seq=0,
                cause_seq=rng.randrange(1 << 63),
                source_seq=rng.randrange(1 << 63),
                ts_recv=rng.randrange(-(1 << 62), 1 << 62),
                ts_seq=rng.randrange(1 << 62),
                records=records,
            )
        )
    return frames


def append_all(writer, frames):
    """Append and return the frames as the journal must give them back."""
    out = []
    for f in frames:
        seq = writer.append(
            f.frame_class,
            f.source,
            f.record_size,
            np.frombuffer(f.records, np.uint8),
            cause_seq=f.cause_seq,
            source_seq=f.source_seq,
            ts_recv=f.ts_recv,
            ts_seq=f.ts_seq,
            flags=f.flags,
        )
        assert seq is not None
        out.append(f._replace(seq=seq, epoch=writer.epoch))
    return out


def read_all(reader):
    """What a reader sees, in the oracle's terms."""
    frames = []
    while (f := reader.next()) is not None:
        frame_class, seq, epoch, source, source_seq, cause, recv, sequenced, flags, raw = f
        frames.append(
            OracleFrame(
                frame_class, flags, source, raw.shape[1], epoch, seq, cause, source_seq, recv, sequenced, raw.tobytes()
            )
        )
    return frames
