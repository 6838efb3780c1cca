"""A wrong configuration file is refused whole, with every error at its line."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import Field

from openbell.config import Settings, load_toml, parse_toml
from openbell.config_types import AddressText, DecimalText, NearPath, SecretText, native_units
from openbell.errors import ConfigError


class Gate(Settings):
    name: str
    stale_after_ms: int = Field(ge=1)
    is_open: bool = True
    ratio: float = 0.5
    notional_max: DecimalText = Decimal("1.5")
    peer: AddressText | None = None


class House(Settings):
    title: str
    gates: tuple[Gate, ...] = ()
    key: SecretText | None = None
    file: NearPath | None = None


ORIGIN = Path("/etc/openbell/house.toml")


def errors(text: str) -> list[str]:
    """The error lines of `text`, each without the file's name."""
    with pytest.raises(ConfigError) as caught:
        parse_toml(text, House, ORIGIN)
    head, *lines = str(caught.value).splitlines()
    assert head.startswith(f"{ORIGIN}: {len(lines)} error")
    return [line.removeprefix(f"  {ORIGIN}:") for line in lines]


def gate(line: str) -> str:
    return f'title = "t"\n\n[[gates]]\nname = "a"\nstale_after_ms = 5\n\n[[gates]]\nname = "b"\n{line}\n'


def test_a_right_file_becomes_its_model():
    house = parse_toml(gate('stale_after_ms = 9\nnotional_max = "2.50"\npeer = "localhost:9"'), House, ORIGIN)

    assert [g.stale_after_ms for g in house.gates] == [5, 9]
    assert house.gates[1].notional_max == Decimal("2.50")
    assert str(house.gates[1].peer) == "localhost:9"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("stale_after_s = 1", "unknown key; the unit is part of the key: write 'stale_after_ms', in milliseconds"),
        ("stale_after = 1", "unknown key; the unit is part of the key: write 'stale_after_ms', in milliseconds"),
        ("stale_after_ms = 5\nis_opne = true", "unknown key; did you mean 'is_open'?"),
        ("stale_after_ms = 5\nstr = 1", "unknown key; known here: is_open, name, notional_max, peer, ratio, stale_"),
        ("stale_after_ms = 0", "expected at least 1, found 0 (an integer)"),
        ("stale_after_ms = -3", "expected at least 1, found -3 (an integer)"),
        ("stale_after_ms = true", "expected an integer, found true (a boolean)"),
        ("stale_after_ms = 1.0", "expected an integer, found 1.0 (a float)"),
        ('stale_after_ms = "5"', "expected an integer, found '5' (a string)"),
        ("stale_after_ms = [5]", "expected an integer, found an array of 1"),
        ("stale_after_ms = 5\nis_open = 1", "expected true or false, found 1 (an integer)"),
        ('stale_after_ms = 5\nratio = "0.5"', "expected a number, found '0.5' (a string)"),
        ("stale_after_ms = 5\nnotional_max = 2.5", "expected a decimal in quotes"),
        ('stale_after_ms = 5\nnotional_max = "-2.5"', "expected a decimal in quotes"),
        ('stale_after_ms = 5\nnotional_max = "1e3"', "expected a decimal in quotes"),
        ('stale_after_ms = 5\npeer = "localhost"', 'expected "host:port"'),
        ('stale_after_ms = 5\npeer = "localhost:65536"', 'expected "host:port"'),
        ("stale_after_ms = 5\npeer = 80", 'expected "host:port"'),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_cure(line: str, expected: str):
    assert any(expected in error for error in errors(gate(line)))


def test_an_error_names_line_and_key():
    assert errors(gate("stale_after_ms = -3")) == [
        "9: gates[1].stale_after_ms: expected at least 1, found -3 (an integer)"
    ]


def test_a_missing_key_is_placed_at_its_table():
    assert errors(gate("is_open = true")) == ["7: gates[1].stale_after_ms: expected this key, found none"]


def test_all_errors_are_told_at_once_in_the_order_of_the_file():
    found = errors('titel = 1\n[[gates]]\nname = 5\nstale_after_s = "x"\n')

    assert [error.split(":")[0] for error in found] == ["1", "1", "2", "3", "4"]


def test_a_credential_is_never_shown():
    class Login(Settings):
        password: SecretText

    with pytest.raises(ConfigError, match="env:NAME") as caught:
        parse_toml('password = "hunter2"', Login, ORIGIN)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["title = ", "title = 'a'\ntitle = 'b'", "[[gates]\n", "title = \x00"])
def test_broken_toml_is_told_with_its_line(text: str):
    with pytest.raises(ConfigError, match=r"expected TOML, found .*line \d|expected TOML"):
        parse_toml(text, House, ORIGIN)


@pytest.mark.parametrize("make", [lambda _: None, lambda p: p.mkdir(), lambda p: p.write_bytes(b"\xff\xfe")])
def test_an_unreadable_file_is_told(tmp_path: Path, make):
    path = tmp_path / "house.toml"
    make(path)

    with pytest.raises(ConfigError, match=str(path)):
        load_toml(path, House)


def test_a_relative_path_starts_at_the_files_folder():
    assert parse_toml('title = "t"\nfile = "a/b"', House, ORIGIN).file == Path("/etc/openbell/a/b")


@pytest.mark.parametrize("name", ["x" * 256, "d/" * 2048, "~nobody-here/x", "\\u0000"])
def test_a_file_name_that_nothing_can_have_is_told(name: str):
    (line,) = errors(f'title = "t"\nfile = "{name}"')

    assert line.startswith("2: file: expected a file name")


def test_a_secret_is_read_from_where_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "key").write_text("from-file\n")
    monkeypatch.setenv("OPENBELL_TEST_KEY", "from-env")

    def read(where: str) -> str:
        house = parse_toml(f'title = "t"\nkey = "{where}"', House, ORIGIN)
        assert house.key is not None
        assert "plain-text" not in repr(house)
        return house.key.read()

    assert read("env:OPENBELL_TEST_KEY") == "from-env"
    assert read(f"file:{tmp_path}/key") == "from-file"
    assert read("plain:plain-text") == "plain-text"
    with pytest.raises(ConfigError, match="OPENBELL_NOWHERE"):
        read("env:OPENBELL_NOWHERE")


def test_a_limit_never_grows_by_rounding():
    assert native_units(Decimal("0.12349"), 4) == 1234
    assert native_units(Decimal("150000.00"), 4) == 1_500_000_000
