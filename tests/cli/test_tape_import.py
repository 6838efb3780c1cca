"""`openbell tape import`, `list` and `compress`, as a person types them."""

import json
from pathlib import Path

import numpy as np
import pytest

from openbell.cli import main
from openbell.cli.tape_import import app
from openbell.errors import ConfigError
from openbell.journal import open_journal
from openbell.types import Check, Type

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MARKET_BYTES = 48
AAPL = "itch50/nasdaq_20200130_AAPL_first4000.itch"
PLACE = "xnas/2020-01-30/nasdaq_20200130_AAPL_first4000"


def run(*arguments):
    app([str(a) for a in arguments], result_action="return_value")


def tape(*arguments):
    with pytest.raises(SystemExit) as exit_:
        main(["tape", *map(str, arguments)])
    return exit_.value.code or 0


def test_import_says_what_it_wrote_and_that_times_are_not_measured(shared_data, tmp_path, capsys):
    run(shared_data / AAPL, "--out", tmp_path / "tape", "--symbols", "AAPL")

    said = capsys.readouterr().out
    frames = len(list(open_journal(tmp_path / "tape")))
    assert f"{tmp_path}/tape: {frames:_} frames" in said and "from 4_000 messages" in said
    assert "messages/s" in said and "MB/s" in said
    assert "times of receipt are not known" in said


def test_what_could_not_be_used_is_counted_and_said(shared_data, tmp_path, capsys):
    of_another_version = b"\x00\x0c" + b"~" * 12
    (tmp_path / "day.itch").write_bytes((shared_data / AAPL).read_bytes() + 2 * of_another_version)

    run(tmp_path / "day.itch", "--out", tmp_path / "tape", "--date", "2020-01-30")

    assert capsys.readouterr().out.rstrip().endswith("; left out: 2 of unknown type")


def test_a_date_can_be_given(shared_data, tmp_path):
    (tmp_path / "day.itch").write_bytes((shared_data / AAPL).read_bytes())
    with pytest.raises(ConfigError, match="give it with --date"):
        run(tmp_path / "day.itch", "--out", tmp_path / "tape")

    run(tmp_path / "day.itch", "--out", tmp_path / "tape", "--date", "2020-01-30")

    first = next(iter(open_journal(tmp_path / "tape")))
    assert first.ts_recv // 86_400_000_000_000 == 18_291  # 2020-01-30 UTC


def test_without_a_place_it_goes_into_the_catalog_and_is_found(shared_data, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    zip_file = shared_data / "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_1.zip"

    assert tape("import", shared_data / AAPL, zip_file) == 0

    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said] == [
        f"tapes/{PLACE}",
        "tapes/xnas/2012-06-21/LOBSTER_SampleFile_AMZN_2012-06-21_1",
    ]
    assert tape("list", "--instrument", "AAPL", "--json") == 0
    (found,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (found["path"], found["is_synthetic"]) == (str(tmp_path / "tapes" / PLACE), True)
    assert tape("list", "--date", "2012-06-21") == 0
    said = capsys.readouterr().out
    assert "AMZN" in said and "AAPL" not in said
    assert tape("list", "--venue", "binance") == 0
    assert "no tape in tapes is of that kind" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "options", "venue", "times"),
    [
        ("itch50/synthetic_3stocks_12012msgs.itch", ("--date", "2020-01-30"), "xnas", "are not known"),
        (
            "nasdaq_pcap/Nasdaq.Equities.TotalView.Itch.v5.0/Multiple.Packets.pcap",
            (),
            "xnas",
            "with times of receipt",
        ),
        ("binance_ws/usdm_btcusdt_20240718.gz", (), "binance-usdm", "with times of receipt"),
        ("crypto_ws_captures/OKX.ws.1.0.gz", (), "okx", "with times of receipt"),
        ("dbn/esh4-glbx-mdp3-20231224.mbo.dbn.zst", (), "glbx", "with times of receipt"),
    ],
)
def test_every_kind_of_file_is_known_by_its_content(shared_data, tmp_path, capsys, file, options, venue, times):
    if ".dbn" in file:
        pytest.importorskip("databento_dbn")
    nameless = tmp_path / "recorded"
    nameless.write_bytes((shared_data / file).read_bytes())

    assert tape("import", nameless, "--root", tmp_path / "tapes", *options) == 0

    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path}/tapes/{venue}/") and times in said


def node_of_aapl(folder, **bounds):
    """The example's node, with AAPL and its bounds as its only instrument."""
    lines = "".join(f'{name} = "{value}"\n' for name, value in bounds.items())
    text = (EXAMPLES / "node.toml").read_text().replace('["OBEL", "RING"]', '["AAPL"]')
    head, tail = text[: text.index("[[instruments]]")], text[text.index("[[strategies]]") :]
    tail = tail.replace("../strategies", str(EXAMPLES.parent / "strategies"))
    (folder / "node.toml").write_text(f'{head}[[instruments]]\nsymbol = "AAPL"\n{lines}\n{tail}')
    limits, first, second = (EXAMPLES / "limits.toml").read_text().split("[[instruments]]")
    rest = second[second.index("\n[") :]
    (folder / "limits.toml").write_text(f"{limits}[[instruments]]{first}{rest}".replace("OBEL", "AAPL"))
    return folder / "node.toml"


def test_the_checks_and_symbols_of_a_node_hold_for_an_import(shared_data, tmp_path, capsys):
    node = node_of_aapl(tmp_path, tick="0.05", px_low="300.00")

    run(shared_data / AAPL, "--out", tmp_path / "checked", "--config", node)

    said = capsys.readouterr().out
    rows = np.concatenate([f.records for f in open_journal(tmp_path / "checked") if f.raw.shape[1] == MARKET_BYTES])
    added = rows[rows["type"] == Type.BOOK_ADD]
    assert (added["px"] >= 3_000_000).all() and len(added)
    odd = int(((added["px"] % 500 != 0) & (added["px"] >= 10_000)).sum())
    assert odd and " px tick" in said and " px band" in said and " by checks" in said
    assert (rows["ref"][rows["type"] == Type.FEED_CHECK] == Check.PX_TICK).all()


def test_a_feed_of_a_node_is_for_itch_and_is_named_where_there_are_several(shared_data, tmp_path):
    node = node_of_aapl(tmp_path)
    with pytest.raises(ConfigError, match=r"expected a file of itch, lobster, pcap for the checks .* found okx"):
        run(shared_data / "crypto_ws_captures/OKX.ws.1.0.gz", "--out", tmp_path / "t", "--config", node)
    with pytest.raises(ConfigError, match=r"--feed: expected one of nasdaq of .*, found other"):
        run(shared_data / AAPL, "--out", tmp_path / "t", "--config", node, "--feed", "other")
    with pytest.raises(ConfigError, match="--feed: expected the node's file too"):
        run(shared_data / AAPL, "--out", tmp_path / "t", "--feed", "nasdaq")


def test_compress_says_how_much_smaller(shared_data, tmp_path, capsys):
    run(shared_data / AAPL, "--out", tmp_path / "tape")
    assert tape("info", tmp_path / "tape", "--json") == 0
    before = json.loads(capsys.readouterr().out.partition("\n")[2])

    assert tape("compress", tmp_path / "tape", "--level", "1") == 0

    said = capsys.readouterr().out
    assert "times smaller" in said and before["hash"] in said
    assert tape("compress", tmp_path / "tape") == 0
    assert "packed before" in capsys.readouterr().out
    assert tape("verify", tmp_path / "tape") == 0
    assert f"whole: {before['frames']:,} frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "expected one or more files"),
        (("a.itch", "b.itch", "--out", "tape"), "--out: expected one file, found 2"),
        (("none.itch",), r"at none\.itch, found no file"),
    ],
)
def test_what_is_asked_wrongly_is_said(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)

    assert tape("import", *arguments) == 2

    assert message.replace("\\", "") in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
