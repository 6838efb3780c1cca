"""The catalog finds tapes by venue, instrument and day, in plain folders with an index that can be made again."""

from datetime import date

import pytest

from openbell.backtest.tape import INDEX_NAME, inspect_tape, read_index, tape_facts
from openbell.backtest.tape_layout import name_for, place
from openbell.errors import ConfigError, JournalError
from openbell.research import catalog
from research.market_tape import write_market_tape

DAY = date(2023, 11, 14)  # of the generated flow, UTC


@pytest.fixture
def root(tmp_path, seed):
    root = tmp_path / "tapes"
    for name, calendar in (("one", "TEST"), ("two", "XNAS"), ("three", "TEST")):
        place(root, name, lambda path, calendar=calendar: write_market_tape(path, 300, seed, calendar=calendar))
    return root


def names(found):
    return [tape.path.name for tape in found]


def test_a_tape_lies_where_its_venue_and_day_say(root):
    assert sorted(path.parent for path in root.rglob(INDEX_NAME)) == [
        root / "test" / DAY.isoformat() / "one",
        root / "test" / DAY.isoformat() / "three",
        root / "xnas" / DAY.isoformat() / "two",
    ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["one", "three", "two"]),
        ({"venue": "XNAS"}, ["two"]),
        ({"venue": "test", "instrument": "BETA"}, ["one", "three"]),
        ({"instrument": "ZETA"}, []),
        ({"date": DAY}, ["one", "three", "two"]),
        ({"date": "2023-11-14", "venue": "xnas"}, ["two"]),
        ({"date": "2023-11-16"}, []),
    ],
)
def test_tapes_are_found(root, wanted, found):
    assert names(catalog.find(root, **wanted)) == found


def test_the_index_says_what_reading_the_tape_says(root):
    for tape in catalog.tapes(root):
        assert tape == inspect_tape(tape.path)
        assert (tape.gaps > 0, tape.symbols) == (True, ("ALFA", "BETA", "GAMA"))


@pytest.mark.parametrize("harm", ["", "not json", '{"format": 99}', '{"format": 1, "files": {}}', "[]"])
def test_an_index_that_says_nothing_is_made_again(root, harm):
    path = next(catalog.tapes(root)).path
    before = (path / INDEX_NAME).read_bytes()
    (path / INDEX_NAME).write_text(harm)
    assert read_index(path) is None

    assert names(catalog.tapes(root)) == ["one", "three", "two"]

    assert (path / INDEX_NAME).read_bytes() == before


def test_an_index_of_other_segments_is_not_believed(root, seed):
    path = next(catalog.tapes(root)).path
    index = (path / INDEX_NAME).read_bytes()
    for segment in path.glob("*.seg"):
        segment.unlink()
    write_market_tape(path, 200, seed)
    (path / INDEX_NAME).write_bytes(index)

    assert tape_facts(path) == inspect_tape(path)


def test_rebuilding_needs_no_index(root):
    before = {path: path.read_bytes() for path in root.rglob(INDEX_NAME)}
    for path in before:
        path.unlink()

    catalog.rebuild(root)

    assert {path: path.read_bytes() for path in root.rglob(INDEX_NAME)} == before


def test_a_second_tape_of_the_same_name_is_refused_and_leaves_the_first(root, seed):
    with pytest.raises(JournalError, match=r"expected no tape at .*one yet, found one"):
        place(root, "one", lambda path: write_market_tape(path, 100, seed))

    assert names(catalog.tapes(root)) == ["one", "three", "two"]
    assert not list(root.glob(".*"))


def test_a_folder_that_is_not_there_says_how_to_make_it(tmp_path):
    with pytest.raises(JournalError, match=r"expected the catalog's folder .*openbell tape import FILE --root"):
        catalog.find(tmp_path / "none")


def test_a_date_that_is_none(root):
    with pytest.raises(ConfigError, match="expected a date as 2020-01-30, found 'today'"):
        catalog.find(root, date="today")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("nasdaq_20200130.itch.gz", "nasdaq_20200130"),
        ("S013020-v50.txt.gz", "S013020-v50"),
        ("01302020.NASDAQ_ITCH50.gz", "01302020.NASDAQ_ITCH50"),
        ("es.mbo.dbn.zst", "es.mbo"),
        (".gz", ".gz"),
    ],
)
def test_names_lose_what_says_the_format(tmp_path, file, name):
    assert name_for(tmp_path / file) == name
