"""`openbell tape compress`: pack the segments of a tape."""

from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter, validators

app = cyclopts.App(name="compress", help="Pack a tape with zstd; everything reads it as before.")
MEGABYTE = 1_000_000


@app.default
def compress(
    tape: Path,
    /,
    *,
    level: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=19))] = 1,
) -> None:
    """Pack the segments of TAPE with zstd. Backtests and research read it as before, a segment in memory at a time.

    Its hash is that of its contents and stays. `zstd -d TAPE/*.zst` is all it takes to unpack it.

    Parameters
    ----------
    level
        1 is fastest, 19 smallest.
    """
    import time

    from openbell.backtest.tape_pack import pack_tape
    from openbell.cli.progress import bar

    began = time.perf_counter()
    with bar(tape.name) as progress:
        packed = pack_tape(tape, level=level, progress=progress)
    seconds = time.perf_counter() - began
    if not packed.plain_bytes:
        print(f"{tape}: packed before, hash {packed.facts.hash}")
        return
    print(
        f"{tape}: {packed.plain_bytes / MEGABYTE:,.1f} MB -> {packed.packed_bytes / MEGABYTE:,.1f} MB "
        f"({packed.plain_bytes / packed.packed_bytes:.1f} times smaller) in {seconds:.1f} s; hash {packed.facts.hash}"
    )
