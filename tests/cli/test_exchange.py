"""`openbell exchange` as a process of its own."""

import json
import re
import signal
import subprocess
import sys

import pytest

from openbell.errors import ConfigError
from openbell.exchange.config import load_exchange

SMALL = """
[[instruments]]
symbol = "OBEL"

[[accounts]]
name = "NODE1"
password = "plain:demo"

[feed]
linger_ms = 0
"""


def openbell(*arguments):
    return [sys.executable, "-m", "openbell", "exchange", *map(str, arguments)]


def test_it_says_where_it_listens_answers_and_ends(tmp_path):
    path = tmp_path / "exchange.toml"
    path.write_text(SMALL)
    with subprocess.Popen(openbell(path), stdout=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline())
        asked = subprocess.run(
            openbell("ledger", "NODE1", "--control", ready["control"]), capture_output=True, text=True, check=True
        )
        shown = subprocess.run(
            openbell("status", "--control", ready["control"]), capture_output=True, text=True, check=True
        )
        told = subprocess.run(
            openbell("status", "--json", "--find", "obel", "--control", ready["control"]),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        added = subprocess.run(
            openbell("receivers", "add", "A", "127.0.0.1:9", "--control", ready["control"]),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        subprocess.run(openbell("shutdown", "--control", ready["control"]), check=True, capture_output=True)
        assert process.wait(timeout=10) == 0

    assert "order entry" in shown.stdout
    assert [*json.loads(told.stdout)["instruments"]] == ["OBEL"]
    assert json.loads(added.stdout)["receivers"] == {"A": ["127.0.0.1:9"]}
    assert json.loads(asked.stdout)["positions"] == {"OBEL": {"position": 0, "cash": 0}}


def test_a_trade_that_never_was_is_neither_busted_nor_corrected(tmp_path):
    path = tmp_path / "exchange.toml"
    path.write_text(SMALL)

    def run(*arguments):
        return subprocess.run(openbell(*arguments), capture_output=True, text=True, check=False)

    with subprocess.Popen(openbell(path), stdout=subprocess.PIPE, text=True) as process:
        control = ("--control", json.loads(process.stdout.readline())["control"])
        results = [run("bust", 7, *control), run("correct", 7, "50.01", 100, *control)]
        fine = run("correct", 7, "50.00001", 100, *control)
        run("shutdown", *control)
        assert process.wait(timeout=10) == 0

    assert all(result.returncode != 0 and "a trade of today, found none" in result.stderr for result in results)
    assert "at most 4 decimals, found 50.00001" in fine.stderr


def test_faults_are_begun_cleared_and_listed_from_the_command_line(tmp_path):
    path = tmp_path / "exchange.toml"
    path.write_text(SMALL)

    def run(*arguments):
        return subprocess.run(openbell(*arguments), capture_output=True, text=True, check=False)

    with subprocess.Popen(openbell(path), stdout=subprocess.PIPE, text=True) as process:
        control = ("--control", json.loads(process.stdout.readline())["control"])
        begun = run("fault", "loss", "A", "p=0.5", *control)
        wrong = run("fault", "loss", "A", "p=5", *control)
        cleared = run("fault", "clear", "loss", *control)
        run("fault", "kill", *control)
        assert process.wait(timeout=10) == 128 + signal.SIGKILL

    assert [fault["p"] for fault in json.loads(begun.stdout)["faults"]] == [0.5]
    assert "p: expected at most 1" in wrong.stderr
    assert json.loads(cleared.stdout) == {"cleared": 1, "faults": []}
    assert "fill-before-ack" in run("fault", "list").stdout


def test_sigint_ends_it_in_good_order(tmp_path):
    path = tmp_path / "exchange.toml"
    path.write_text(SMALL)
    with subprocess.Popen(openbell(path), stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0


def test_nobody_at_the_control_address_is_said_so():
    result = subprocess.run(openbell("status", "--control", "127.0.0.1:1"), capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert "expected an exchange at 127.0.0.1:1" in result.stderr


def test_the_example_is_a_valid_file(repo):
    example = load_exchange(repo / "examples" / "exchange.toml")

    assert [i.symbol for i in example.instruments] == ["OBEL", "RING"]
    assert example.instruments[0].start_px == 50_0000


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('[[instruments]]\nsymbol = "OBEL"', "'OBEL' stands here for the second time"),
        ('[[instruments]]\nsymbol = "A"\ntick = "0.03"', 'expected a multiple of the tick "0.03"'),
        ('[[instruments]]\nsymbol = "A"\ntick = "0.00001"', "at most 4 decimals"),
        (
            '[journal]\ndir = "j"\n[flow]\nkind = "itch"\npath = "x"',
            "expected none beside a tape that is passed through",
        ),
        ('[control]\nlisten = "0.0.0.0:0"', "expected a loopback address"),
        ('[order_entry]\nlisten = "0.0.0.0:0"', '"plain:" is for loopback only'),
        ('[flow]\nkind = "agents"\npreset = "steady"\nrate = 5', "rate"),
        ('[flow]\nkind = "agents"\npreset = "calm"', "one of large-tick, small-tick, steady, zero-intelligence"),
        ('[flow]\nkind = "agents"\npreset = "steady"\nagents.traders.events = 5.0', "events_per_s"),
        ("[order_entry]\nheartbeat = 5", "heartbeat_ms"),
        ('send_to = ["127.0.0.1:1"]\n[[feed.lines]]\nname = "A"', "expected either send_to or"),
        ('[[drop_copies]]\nname = "NODE1"\npassword = "plain:x"\naccounts = ["NODE1"]', "is an account"),
        ('[[drop_copies]]\nname = "COPY"\npassword = "plain:x"\naccounts = ["NODE2"]', "expected names of accounts"),
    ],
)
def test_a_wrong_file_is_refused_at_its_line(tmp_path, more, message):
    path = tmp_path / "exchange.toml"
    path.write_text(SMALL + more + "\n")

    with pytest.raises(ConfigError, match="nothing was started") as caught:
        load_exchange(path)
    assert message in str(caught.value)
    assert re.search(r"exchange\.toml:\d+: ", str(caught.value))
