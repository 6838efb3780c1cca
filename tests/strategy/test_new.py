"""What `openbell strategy new` writes, used as it is: the class is typed, the configuration runs."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.cli.world import ENV, REPO, WAIT_S, wait_for

from configurations import free_udp_port
from openbell.journal import open_journal
from openbell.strategy.template import write_strategy
from openbell.types import Type


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of somebody who begins."""
    write_strategy("fast_maker", tmp_path / "strategies")
    return tmp_path / "strategies"


def changed(file: Path, own: dict[str, str]) -> None:
    """The file with other words; each of them must be there."""
    text = file.read_text()
    for before, after in own.items():
        assert before in text, f"{file.name}: expected {before!r}"
        text = text.replace(before, after)
    file.write_text(text)


def test_its_configuration_runs_with_the_exchange_beside_it(folder: Path):
    feed = free_udp_port()
    ports = {":26400": f":{feed}", ":26401": ":0"}  # of our own: those written may be taken
    changed(folder / "fast_maker.toml", ports)
    changed(folder / "exchange.toml", ports | {":26402": ":0", ":26403": ":0"})
    command = [sys.executable, "-m", "openbell"]
    ready = folder.parent / "run/exchange.json"
    with subprocess.Popen(
        [*command, "exchange", folder / "exchange.toml"], env=ENV, stdout=subprocess.PIPE
    ) as exchange:
        try:
            wait_for(ready.is_file, "the exchange")
            own = {
                "127.0.0.1:0": json.loads(ready.read_text())["retransmit"],
                "[[feeds]]": f'run_dir = "{folder.parent}/hot"\n\n[[feeds]]',  # nobody else's shared memory
            }
            changed(folder / "fast_maker.toml", own)
            done = subprocess.run(
                [*command, "run", folder / "fast_maker.toml", "--for", "3", "--json"],
                env=ENV,
                capture_output=True,
                text=True,
                timeout=2 * WAIT_S,
            )
        finally:
            exchange.terminate()

    assert done.returncode == 0, done.stderr
    journal = open_journal(folder.parent / "run/fast_maker", folder.parent / "hot")
    said = Counter(int(kind) for frame in journal if frame.is_decision for kind in frame.raw[:, 0])
    assert said[Type.NEW_ORDER] > 0 and said[Type.STRATEGY_HALTED] == 0, done.stdout


def test_a_misspelt_verb_is_seen_before_it_runs(folder: Path):
    text = (folder / "fast_maker.py").read_text()
    assert text.count("ctx.quote(") == 2
    (folder / "fast_maker.py").write_text(text.replace("ctx.quote(", "ctx.qoute(", 1))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder / "cache", folder / "fast_maker.py"]

    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"MYPYPATH": str(REPO / "src")}, cwd=folder
    )

    said = done.stdout.splitlines()
    assert 'error: "Context" has no attribute "qoute"; maybe "quote"?  [attr-defined]' in said[0]
    assert said[1:] == ["Found 1 error in 1 file (checked 1 source file)"]
