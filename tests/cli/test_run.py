"""`openbell run` over real sockets: who may trade, how it ends, what it says."""

import json
import signal

import pytest
from tests.cli.world import WAIT_S, World, openbell, wait_for


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as made:
        yield made


def test_a_live_node_needs_the_word(world):
    done = openbell("run", world.node_file, check=2)

    assert "sends real orders (NODE1 at 127.0.0.1:" in done.stderr
    assert "nothing was started; add --live, or try it with --mode paper" in done.stderr
    assert not world.journal.exists()


@pytest.mark.parametrize(
    ("mode", "options", "message"),
    [
        ("paper", ["--live"], 'expected mode = "live" for --live, found "paper"'),
        ("paper", ["--mode", "live"], "an override only makes a node safer"),
        ("shadow", ["--mode", "paper"], 'the file says "shadow"'),
    ],
)
def test_the_command_line_never_makes_a_node_less_safe(world, mode, options, message):
    world.write_node(mode=mode)

    assert message in openbell("run", world.node_file, *options, check=2).stderr
    assert not world.journal.exists()


def test_ctrl_c_cancels_all_and_sums_up(world):
    node = world.run("--live", "--json")
    world.wait_for_orders()
    node.send_signal(signal.SIGINT)
    out, err = node.communicate(timeout=WAIT_S)

    assert node.returncode == 0, err
    summary, ledger = json.loads(out), world.ledger()
    assert summary["orders_open"] == 0 == len(world.open_orders())
    assert {s: (p["position"], p["cash"]) for s, p in summary["positions"].items()} == {
        s: (p["position"], p["cash"]) for s, p in ledger["positions"].items()
    }
    assert summary["journal"] == str(world.journal)
    assert "LIVE: tested sends real orders" in err
    assert "collar 500 bps, 20 open orders (owner desk, " in err
    assert f"{world.node_file}:" in err
    assert "armed full at start; durability memory" in err


def test_a_second_ctrl_c_ends_at_once_and_says_what_is_open(world):
    """The strategy never returns, so that the first one cannot be answered."""
    strategy = stuck_strategy(world.home)
    world.write_node(strategy=strategy, strategy_class="Stuck")
    node = world.run("--live")
    wait_for((world.home / "stuck").exists, "the strategy to hang")
    node.send_signal(signal.SIGINT)
    node.send_signal(signal.SIGTERM)  # as a second Ctrl-C, and never merged with the first
    out, err = node.communicate(timeout=WAIT_S)

    assert node.returncode == 3, err
    assert "orders open: 4  NOT CONFIRMED CANCELED: ask the venue" in out
    assert "ended before it could cancel" in err


def test_an_override_to_paper_trades_beside_the_live_journal(world):
    done = openbell("run", world.node_file, "--mode", "paper", "--for", 1, "--json", check=0)

    assert json.loads(done.stdout)["journal"] == f"{world.journal}-paper"
    assert "paper: tested-paper sends nothing to any venue" in done.stderr
    assert not world.journal.exists()
    assert world.ledger()["orders"] == []


def test_a_journal_keeps_its_mode(world):
    world.write_node(mode="paper")
    openbell("run", world.node_file, "--for", 0.1, check=0)
    world.write_node(mode="live")

    done = openbell("run", world.node_file, "--live", check=2)
    assert "a live session must not inherit paper positions" in done.stderr


def test_a_file_with_errors_starts_nothing(world):
    text = world.node_file.read_text().replace("collar_bps = 500", "collar_pct = 5", 1)
    world.node_file.write_text(text)

    done = openbell("run", world.node_file, "--live", check=2)
    assert "nothing was started" in done.stderr
    assert "collar_pct" in done.stderr
    assert "Traceback" not in done.stderr


def stuck_strategy(home):
    """A strategy that never returns once its four quotes rest at the exchange."""
    path = home / "stuck.py"
    path.write_text(
        f"""from pathlib import Path
from openbell import Strategy
from openbell.types import OrderState

class Stuck(Strategy):
    def on_book(self, ctx, book):
        if book.bid_px and book.ask_px and not any(o.instrument == book.instrument for o in ctx.orders()):
            far = 100 * book.tick
            ctx.quote(book.instrument, bid_px=book.bid_px - far, bid_qty=100, ask_px=book.ask_px + far, ask_qty=100)
        if sum(o.state == OrderState.NEW for o in ctx.orders()) == 4:
            Path({str(home / "stuck")!r}).touch()
            while True:
                pass
"""
    )
    return path
