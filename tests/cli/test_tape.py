"""`openbell tape` on tapes that a trader might have."""

import json

import numpy as np
import polars as pl
import pytest

from openbell.backtest.tape import inspect_tape, tape_hash
from openbell.cli import main
from openbell.cli.tape import app
from openbell.journal import FrameClass, JournalWriter, seal_finished
from openbell.research import load
from openbell.research.tape_load import DEFAULT_COLUMNS
from openbell.types import RECORDS, Type
from research.market_tape import write_market_tape

TS = 1_700_000_000_000_000_000


@pytest.fixture
def tape(tmp_path):
    directory = tmp_path / "tape"
    writer = JournalWriter(str(directory), segment_bytes=64 << 10, frame_bytes_max=8192)
    for i in range(1000):
        market = np.zeros(2, RECORDS["Market"])
        market["type"] = Type.BOOK_ADD, Type.TRADE
        market["px"] = 1_000_000 + i
        writer.append(FrameClass.IN, 16, 48, market.view(np.uint8), source_seq=i, ts_recv=TS + i)
    order = np.zeros(1, RECORDS["Order"])
    order["type"] = Type.NEW_ORDER
    writer.append(FrameClass.OUT, 0, 128, order.view(np.uint8), cause_seq=1000, ts_recv=TS)
    writer.close()
    seal_finished(directory)
    return directory


def run(*arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["tape", *map(str, arguments)])
    return exit_.value.code or 0


def test_info_counts_what_is_there(tape, capsys):
    assert run("info", tape, "--json") == 0

    facts = json.loads(capsys.readouterr().out)
    assert facts["types"] == {"BOOK_ADD": 1000, "TRADE": 1000, "NEW_ORDER": 1}
    assert (facts["frames"], facts["records"], facts["seq"]) == (1001, 2001, "1 to 1001")
    assert facts["first"] == "2023-11-14T22:13:20.000000000Z"
    assert facts["segments"] == facts["sealed_segments"] > 2
    assert facts["epochs"] == "1 from seq 1"

    assert run("info", tape) == 0
    assert "1,001" in capsys.readouterr().out


def test_info_says_what_a_trader_asks_first(tmp_path, capsys, seed):
    tape = write_market_tape(tmp_path / "tape", 200, seed, calendar="XNAS")
    capsys.readouterr()  # the seed

    assert run("info", tape, "--json") == 0

    facts = json.loads(capsys.readouterr().out)
    alfa = facts["instruments"][0]
    assert (alfa["symbol"], alfa["venue"], alfa["px_decimals"]) == ("ALFA", "xnas", 4)
    assert facts["times"] == "of receipt"
    assert facts["hash"] == tape_hash(tape)
    assert facts["gaps"] == inspect_tape(tape).gaps > 0

    assert run("info", tape) == 0
    assert "prices in 1e-4 USD" in capsys.readouterr().out


def test_tail_shows_the_last_frames(tape, capsys):
    assert run("tail", tape, "-n", 2) == 0

    first, second = capsys.readouterr().out.splitlines()
    assert "1000 e1 2023-11-14T22:13:20.000000999Z IN 16:999" in first
    assert first.endswith("BOOK_ADD TRADE")
    assert second.endswith("OUT <- 1000      NEW_ORDER")


def test_verify_tells_a_whole_tape(tape, capsys):
    assert run("verify", tape) == 0
    assert "whole: 1,001 frames, 2,001 records, seq 1 to 1001" in capsys.readouterr().out


@pytest.mark.parametrize("is_sealed", [True, False])
@pytest.mark.parametrize("segment", [1, -1])
def test_verify_names_the_first_damage(tape, capsys, segment, is_sealed):
    if not is_sealed:
        for seal in tape.glob("*.seal"):
            seal.unlink()
    path = sorted(tape.glob("*.seg"))[segment]
    data = bytearray(path.read_bytes())
    data[4096 + 160 + 70] ^= 1
    path.write_bytes(data)

    assert run("verify", tape) == 1
    out = capsys.readouterr().out
    assert path.name in out
    if not is_sealed:
        assert f"offset {4096 + 160}" in out


def test_lost_bytes_in_the_middle_are_damage(tape, capsys):
    for seal in tape.glob("*.seal"):
        seal.unlink()
    path = tape / "00000002.seg"
    data = bytearray(path.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    path.write_bytes(data)

    assert run("verify", tape) == 1
    assert "bytes are missing" in capsys.readouterr().out


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_export_writes_every_record_with_its_frame(tape, tmp_path, format_):
    output = tmp_path / f"out.{format_}"
    assert run("export", tape, output) == 0

    frame = pl.read_csv(output) if format_ == "csv" else pl.read_parquet(output)
    assert frame["px"].to_list() == [1_000_000 + i // 2 for i in range(2000)]
    assert frame["seq"].to_list() == [1 + i // 2 for i in range(2000)]
    assert frame["ts_recv"][1999] == TS + 999


def test_a_parquet_file_says_how_many_decimals_its_integers_have(tmp_path, capsys, seed):
    tape = write_market_tape(tmp_path / "tape", 200, seed)

    assert run("export", tape, tmp_path / "day", "--parquet") == 0

    told = json.loads(pl.read_parquet_metadata(tmp_path / "day")["openbell.instruments"])
    assert [(one["id"], one["symbol"], one["px_decimals"]) for one in told] == [
        (0, "ALFA", 4),
        (1, "BETA", 4),
        (2, "GAMA", 4),
    ]
    rows = len(load(tape))
    assert f"{rows:,} Market records" in capsys.readouterr().out
    assert pl.read_parquet(tmp_path / "day").select(DEFAULT_COLUMNS).equals(load(tape))


def test_export_of_another_layout(tape, tmp_path):
    assert run("export", tape, tmp_path / "o.parquet", "--record", "Instrument") == 0
    assert run("export", tape, tmp_path / "o.parquet", "--record", "Order") == 0
    assert pl.read_parquet(tmp_path / "o.parquet")["type"].to_list() == [Type.NEW_ORDER]


def test_missing_tape_is_one_readable_line(tmp_path, capsys):
    assert run("info", tmp_path / "none") == 2
    assert "expected a journal directory" in capsys.readouterr().err


def test_app_names_its_verbs():
    assert {"import", "record", "list", "info", "tail", "export", "compress", "verify"} <= set(app)
