"""What a terminal shows, from plain snapshots."""

from dataclasses import replace

import pytest
from rich.console import Console

from openbell.ops.view import LatencyRow, NodeView, OwnOrder, Row, SessionRow, micros, money, px_text, render

OBEL = Row(
    symbol="OBEL",
    px_decimals=4,
    bid_px=500_100,
    bid_qty=300,
    ask_px=500_200,
    ask_qty=1_200,
    is_valid=True,
    trading="TRADING",
    own_bids=((500_100, 100),),
    own_asks=(),
    position=-300,
    cash=150_000_000,
    realized=0,
    pnl=-45_500,
    fills=7,
)
HOME, AWAY = SessionRow("home", True, False), SessionRow("away", True, False)
VIEW = NodeView(
    name="example",
    mode="live",
    journal="run/example",
    is_alive=True,
    epoch=3,
    seq=12_345,
    behind=0,
    arm="FULL",
    kill="NONE",
    warden_acted=False,
    is_session_up=True,
    is_stopping=False,
    halted=(),
    durability="local",
    durable_lag=4,
    age_ms=8.0,
    rows=(OBEL,),
    orders=(OwnOrder(1 << 60, 0, 1, "BUY", "NEW", 500_100, 100, 0),),
    counters={"frames_in": 5_000, "sent": 42, "refusals": 1, "gate_refused": 2, "feed_packets": 900},
    events_per_s=1_234.5,
    latency=(LatencyRow("sent", 42, 4_321, 19_999, 250_000),),
)


def shown(view: NodeView, width: int = 80) -> list[str]:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(render(view))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_everything_fits_eighty_columns():
    lines = shown(VIEW)

    assert lines[0] == " example   live  epoch 3  armed FULL  session up"
    assert "OBEL 100@50.01 300@50.01 1,200@50.02       -     -300     7 -4.55" in lines
    assert "orders sent 42, open 1, refused 3" in lines
    assert "journal seq 12,345, 4 frames not yet on disk (durability local)" in lines
    assert any(line.startswith("tick to order") and "4.3 µs" in line and "250 µs" in line for line in lines)
    assert all(len(line) <= 80 and "…" not in line for line in lines)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kill": "HARD"}, "KILLED (hard)"),
        ({"is_alive": False}, "not running"),
        ({"is_stopping": True}, "stopping"),
        ({"is_session_up": False}, "session DOWN"),
        ({"is_session_up": False, "sessions": (HOME, replace(AWAY, is_up=False))}, "session away DOWN"),
        ({"sessions": (HOME, replace(AWAY, is_doubted=True))}, "session up  in doubt: away"),
        ({"halted": ("maker",)}, "halted: maker"),
        ({"age_ms": 2_500.0}, "no sign for 2.5 s"),
        ({"warden_acted": True}, "the warden shut the order sockets"),
        ({"rows": (replace(OBEL, is_valid=False),)}, "OBEL GAP"),
        ({"rows": (replace(OBEL, trading="HALTED"),)}, "OBEL HALTED"),
        ({"rows": (replace(OBEL, bid_qty=0),)}, " - "),
        ({"latency": ()}, "nothing measured yet"),
        ({"behind": 500}, "view 500 behind"),
    ],
)
def test_what_is_wrong_is_said(change, words):
    assert words in "\n".join(shown(replace(VIEW, **change), width=120))


def test_machines_get_integers_and_ids_as_text():
    data = VIEW.as_dict()

    assert data["pnl"] == -45_500
    assert data["orders"] == [
        {
            "cl_ord_id": str(1 << 60),
            "strategy": 1,
            "side": "BUY",
            "state": "NEW",
            "px": 500_100,
            "leaves_qty": 100,
            "cum_qty": 0,
            "symbol": "OBEL",
        }
    ]


@pytest.mark.parametrize(
    ("px", "decimals", "text"),
    [
        (501_200, 4, "50.12"),
        (501_234, 4, "50.1234"),
        (500_000, 4, "50.00"),
        (7, 0, "7"),
        (12_345_678_900, 4, "1,234,567.89"),
    ],
)
def test_prices_lose_only_zeros_that_say_nothing(px, decimals, text):
    assert px_text(px, decimals) == text


def test_money_is_signed_and_time_has_three_digits():
    assert (money(-1_234_567, 4), money(0, 4), money(12_345_678_900, 4)) == ("-123.46", "+0.00", "+1,234,567.89")
    assert (micros(999), micros(99_949), micros(1_234_000)) == ("1.0 µs", "99.9 µs", "1,234 µs")
