"""A file's kind is in its first bytes, then in its name; who asks may also say it."""

import gzip
import zipfile

import pytest
import zstandard

from openbell._native import itch_encode
from openbell.backtest.tape_import import import_tape
from openbell.backtest.tape_kinds import KINDS, kind_of
from openbell.errors import ConfigError

ITCH = (12).to_bytes(2) + itch_encode({"type": "S", "event": "O"})
CONTENTS = {
    "itch": ITCH,
    "pcap": bytes.fromhex("d4c3b2a1") + bytes(20),
    "dbn": b"DBN\x03" + bytes(20),
    "binance": b'1723161253937085768 {"stream":"btcusdt@depth"}\n',
    "okx": b"wss://ws.okx.com:8443/ws/v5/public <-> 1652459224.53\n",
}


@pytest.fixture
def every_kind(monkeypatch):
    """As if the importers of all kinds were installed."""
    from openbell.backtest.tape_kinds import Kind

    monkeypatch.setattr(Kind, "is_here", True)


@pytest.mark.usefixtures("every_kind")
@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
def test_content_says_it(tmp_path, name, pack):
    file = tmp_path / "capture.zip"  # whatever the name says
    file.write_bytes(pack(CONTENTS[name]))

    assert kind_of(file).name == name


@pytest.mark.usefixtures("every_kind")
def test_a_zip_is_lobsters(tmp_path):
    with zipfile.ZipFile(tmp_path / "day.itch", "w") as file:
        file.writestr("a.csv", "1")

    assert kind_of(tmp_path / "day.itch").name == "lobster"


@pytest.mark.usefixtures("every_kind")
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("01302020.NASDAQ_ITCH50.gz", "itch"),
        ("S013020-v50.txt.gz", "itch"),
        ("LOBSTER_SampleFile.zip", "lobster"),
        ("day.pcapng", "pcap"),
        ("es.dbn.zst", "dbn"),
        ("binance_spot.gz", "binance"),
    ],
)
def test_where_content_says_nothing_the_name_does(tmp_path, file, name):
    (tmp_path / file).write_bytes(b"\x1f\x8bcut" if file.endswith("gz") else b"\x28\xb5\x2f\xfdcut")

    assert kind_of(tmp_path / file).name == name


def test_who_asks_may_say_it(tmp_path):
    (tmp_path / "day").write_bytes(b"anything")

    assert kind_of(tmp_path / "day", "itch") is KINDS["itch"]
    with pytest.raises(ConfigError, match=r"--kind: expected one of itch, lobster.*, found 'fix'"):
        kind_of(tmp_path / "day", "fix")


def test_a_file_that_nobody_knows_is_shown(tmp_path):
    (tmp_path / "notes.md").write_bytes(b"# notes")

    with pytest.raises(
        ConfigError, match=r"expected one of itch \(.*begins with b'# notes'; say which it is with --kind"
    ):
        import_tape(tmp_path / "notes.md", tmp_path / "tape")


@pytest.mark.parametrize("name", KINDS)
def test_an_importer_that_is_here_is_a_function(name):
    kind = KINDS[name]
    if not kind.is_here:
        pytest.skip(f"{kind.target} is not part of this installation")
    assert callable(kind.importer())
