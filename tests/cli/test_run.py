"""`openbell run` over real sockets: who may trade, how it ends, what it says."""

import json
import signal

import pytest
from tests.cli.world import WAIT_S, World, openbell, stuck_strategy, wait_for


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
    assert f"limits {world.home}" in err
    assert "limits version 1, owner desk, money in USD" in err
    assert "limits of OBEL: order_notional_max 150,000" in err
    assert "armed full at start; durability memory" in err


def test_a_second_ctrl_c_ends_at_once_and_says_what_is_open(world):
    """The strategy never returns, so that the first one cannot be answered."""
    strategy = stuck_strategy(world.home)
    world.write_node(strategy=strategy, strategy_class="Stuck")
    text = world.node_file.read_text()  # its time budget must not end it first
    world.node_file.write_text(text.replace("[node]\n", "[node]\ncallback_budget_ms = 10000\n", 1))
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
    limits = world.home / "limits.toml"
    limits.write_text(limits.read_text().replace("collar_bps = 500", "collar_pct = 5", 1))

    done = openbell("run", world.node_file, "--live", check=2)
    assert "nothing was started" in done.stderr
    assert "collar_pct" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_strategy_that_raises_is_halted_said_and_released_by_a_person(world):
    path = world.home / "raises.py"
    path.write_text(
        "from openbell import Strategy\n\n\n"
        "class Raises(Strategy):\n"
        "    def on_book(self, ctx, book):\n"
        "        if len(ctx.orders()) == 4:\n"
        "            raise ValueError('no idea')\n"
        "        if book.bid_px and book.ask_px:\n"
        "            far = 100 * book.tick\n"
        "            ctx.quote(book.instrument, book.bid_px - far, 100, book.ask_px + far, 100)\n"
    )
    world.write_node(strategy=path, strategy_class="Raises")
    node = world.run("--live")
    wait_for(lambda: world.status_or_none(lambda s: s["halted"] == ["maker"]), "the halt")
    wait_for(lambda: not world.open_orders(), "its quotes to be pulled")

    done = openbell("arm", world.hot, "cancel_only", "--all", "--release", "--why", "looked", check=0)
    assert "releases: halted" in done.stdout
    node.send_signal(signal.SIGINT)
    _, err = node.communicate(timeout=WAIT_S)
    assert node.returncode == 0
    assert "strategy maker halted, its quotes are pulled: ValueError: no idea (raises.py:7)" in err
    assert "armed cancel_only" in err
