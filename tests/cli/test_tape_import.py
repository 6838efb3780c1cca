"""`openbell tape import`, as a person types it."""

import pytest

from openbell.cli.tape_import import app
from openbell.errors import ConfigError
from openbell.journal import open_journal

AAPL = "itch50/nasdaq_20200130_AAPL_first4000.itch"


def run(*arguments):
    app([str(a) for a in arguments], result_action="return_value")


def test_import_says_what_it_wrote_and_that_times_are_not_measured(shared_data, tmp_path, capsys):
    run(shared_data / AAPL, "--out", tmp_path / "tape", "--symbols", "AAPL")

    said = capsys.readouterr().out
    frames = len(list(open_journal(tmp_path / "tape")))
    assert f"{tmp_path}/tape: {frames:_} frames" in said and "from 4_000 messages" in said
    assert "times of receipt are not known" in said


def test_a_date_can_be_given(shared_data, tmp_path):
    (tmp_path / "day.itch").write_bytes((shared_data / AAPL).read_bytes())
    with pytest.raises(ConfigError, match="give it with --date"):
        run(tmp_path / "day.itch", "--out", tmp_path / "tape")

    run(tmp_path / "day.itch", "--out", tmp_path / "tape", "--date", "2020-01-30")

    first = next(iter(open_journal(tmp_path / "tape")))
    assert first.ts_recv // 86_400_000_000_000 == 18_291  # 2020-01-30 UTC
