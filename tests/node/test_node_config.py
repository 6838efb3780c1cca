"""The node's file: the example is right, and every way to get it wrong is told."""

import re
from pathlib import Path

import pytest

from openbell import _native as native
from openbell import events
from openbell.errors import ConfigError
from openbell.node.assemble import capacity_of, gate_limits, routes_of
from openbell.node.config import NodeConfig, load_node
from openbell.node.limits import PairLimits
from openbell.types import Reason, Type
from oracles.order_records import record

LISTEN = 'listen = "127.0.0.1:26400"'
RING = 'symbol = "RING"\ntick = "0.01"'
LIMITED = "messages_per_second_max = "
FREE = f"{LIMITED}0"
SNAPSHOTS = """
[feeds.snapshots]
connect = "venue.example:1"
user = "SNAP"
password = "plain:secret"
"""


@pytest.fixture
def example(repo: Path) -> str:
    return (repo / "examples/node.toml").read_text()


@pytest.fixture
def node_file(tmp_path: Path, repo: Path) -> Path:
    """Where the example is laid; the strategy file it names exists."""
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies/market_maker.py").write_text("class MarketMaker: ...\n")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples/limits.toml").write_text((repo / "examples/limits.toml").read_text())
    return tmp_path / "examples/node.toml"


def load(node_file: Path, text: str) -> NodeConfig:
    node_file.write_text(text)
    return load_node(node_file)


def test_the_example_is_right(node_file: Path, example: str):
    config = load(node_file, example)

    assert config.node.hot_dir == Path("/dev/shm/openbell/example")
    assert config.node.journal_dir == node_file.parent.parent / "run/example"
    assert [instrument.symbol for instrument in config.instruments] == ["OBEL", "RING"]
    assert config.strategy_ids() == {"maker": 1}
    assert config.sessions[0].password.read() == "demo"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("id = 1  ", "id = 64  ", "node.id: expected at most 63, found 64"),
        ("id = 1  ", "id = -1  ", "node.id: expected at least 0, found -1"),
        ("id = 1  ", "id = true  ", "node.id: expected an integer, found true (a boolean)"),
        ('mode = "paper"', 'mode = "Live"', "node.mode: expected one of 'paper', 'live' or 'shadow', found 'Live'"),
        ('durability = "local"', 'durability = "disk"', "node.durability: expected one of 'memory' or 'local'"),
        ('durability = "local"', 'durability = "quorum"', "is not built yet"),
        ("segment_mib = 64", "segment_kib = 64", "write 'segment_mib', in MiB"),
        ("latency_ns = 50000", "latency_us = 50", "paper.latency_us: unknown key; the unit is part of the key"),
        ("latency_ns = 50000", "latency_ns = -1", "paper.latency_ns: expected at least 0, found -1"),
        ('instruments = ["OBEL", "RING"]', 'instruments = ["TSLA"]', "'TSLA' is not among [[instruments]]"),
        ('limits = "limits.toml"', 'limits = "limit.toml"', "limit.toml: expected a configuration file, found none"),
        ('limits = "limits.toml"', "", "node.limits: expected this key, found none (the file of limits"),
        ('instruments = ["OBEL", "RING"]', "instruments = []", "expected at least 1 items"),
        ("market_maker.py", "market_taker.py", "expected a Python file, found none at"),
        ('listen = "127.0.0.1:26400"', 'listen = "127.0.0.1"', 'expected "host:port"'),
        ('kind = "itch_moldudp64"', 'kind = "itch"', "expected one of 'itch_moldudp64', found 'itch'"),
        ('connect = "127.0.0.1:26402"', 'connect = "venue.example:1"', '"plain:" is for loopback demos'),
        ('password = "plain:demo" ', 'password = "demo" ', 'expected where the credential is kept: "env:NAME"'),
        ('user = "NODE1"', 'user = "OPENBELL"', "sessions[0].user: expected"),
        (FREE, f"{LIMITED}1", "messages_per_second_max: expected 0 or at least 2, found 1: one is kept for a cancel"),
        (FREE, f"{LIMITED}9\ncancels_reserved = 9", "cancels_reserved: expected less than messages_per_second_max, 9"),
        (FREE, f"{LIMITED}9\ncancels_reserved = 0", "sessions[0].cancels_reserved: expected at least 1, found 0"),
        (FREE, f"{FREE}\ncancels_reserved = 1", "cancels_reserved: expected less than messages_per_second_max, 0"),
        ("[paper]", "[papre]", "papre: unknown key; did you mean 'paper'?"),
        ('act = "login"', 'act = "pray"', "watchdog.act: expected one of 'login' or 'end', found 'pray'"),
        ('act = "login"', 'drop_copy = "COPY"', "watchdog.drop_copy_password: expected"),
        ("[[feeds]]", "[feeds]", "feeds: expected an array, found a table of 7 keys"),
        (
            LISTEN,
            f'{LISTEN}\nlisten_b = "127.0.0.1:26400"',
            "listen_b: 127.0.0.1:26400 is line A; line B needs",
        ),
        (LISTEN, f'{LISTEN}\nlisten_b = "127.0.0.1"', 'feeds[0].listen_b: expected "host:port"'),
        (LISTEN, f'{LISTEN}\nsenders = ["nasdaq"]', "feeds[0].senders: expected IPv4 addresses such as"),
        (LISTEN, f"{LISTEN}\nreceive_buffer_kib = 1", "feeds[0].receive_buffer_kib: expected at least 4, found 1"),
        ("[[sessions]]", SNAPSHOTS + "[[sessions]]", 'feeds[0].snapshots.password: "plain:" is for loopback demos'),
        ('tick = "0.01"', "tick = 0.01", "instruments[0].tick: expected a decimal in quotes"),
        (RING, 'symbol = "RING"\ntick = "0.00"', 'instruments[1].tick: expected a multiple of "0.0001" above zero'),
        (
            RING,
            'symbol = "RING"\npx_low = "2"\npx_high = "1"',
            'instruments[1].px_high: expected at least px_low = "2"',
        ),
        (RING, 'symbol = "RING"\npx_low = "0.00001"', "instruments[1].px_low: expected at most 4 decimals"),
        (
            RING,
            'symbol = "RING"\nkeep_px_high = "500000"',
            "instruments[1].keep_px_high: expected at most 4 decimals and",
        ),
        (RING, 'symbol = "RING"\nqty_max = 5', "write 'qty_max_shares', in shares"),
        ('clock_back = "mark"', 'clock_back = "drop"', "checks.clock_back: expected one of 'mark' or 'halt'"),
        ("stale_ms = 5000 ", "stale_ms = -1 ", "feeds[0].stale_ms: expected at least 0, found -1"),
        ('"participant"', '"book_add"', "books and trading states need every other message"),
        ('"participant"', '"trade"', 'feeds[0].leave_out: px_band_bps of [[instruments]] follows "trade"'),
    ],
)
def test_a_wrong_file_is_refused(node_file: Path, example: str, old: str, new: str, expected: str):
    assert old in example

    with pytest.raises(ConfigError) as caught:
        load(node_file, example.replace(old, new, 1))

    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ("0", 0),
        ("2", 1),
        ("9", 1),
        ("10", 2),
        ("100", 20),
        ("10\ncancels_reserved = 1", 1),
        ("3\ncancels_reserved = 2", 2),
    ],
)
def test_a_share_of_what_a_venue_takes_is_kept_for_cancels(node_file: Path, example: str, lines: str, kept: int):
    config = load(node_file, example.replace(FREE, LIMITED + lines))
    most = config.sessions[0].messages_per_second_max
    gate = native.Gate(gate_limits(config))
    cancel = record("Order", type=Type.CANCEL_ORDER)

    answers = [gate.check(*order_and_approval(number), 1, 0)[0] for number in range(1, most + 2)]

    refused = [Reason.GATE_MESSAGE_RATE] * (kept + 1) if most else [Reason.NONE]
    assert answers == [Reason.NONE] * (most - kept) + refused
    for _ in range(kept):
        gate.check(cancel, None, 1, 0)
    assert gate.counters["cancels_over_rate"] == 0  # they leave in this second


def order_and_approval(number: int) -> tuple[bytes, bytes]:
    """A small new order of epoch 1, and what lets it leave."""
    terms = {"cl_ord_id": 1 << 40 | number, "px": 100, "qty": 1, "leaves_qty": 1, "side": 1, "version": 1}
    return record("Order", type=Type.NEW_ORDER, **terms), record("Order", type=Type.APPROVED, **terms)


def test_a_missing_table_is_told(node_file: Path):
    with pytest.raises(ConfigError, match="node: expected this key, found none"):
        load(node_file, "")


def test_live_needs_a_session(node_file: Path, example: str):
    start, end = example.index("[[sessions]]"), example.index("[[instruments]]")
    text = (example[:start] + example[end:]).replace('mode = "paper"', 'mode = "live"')

    with pytest.raises(ConfigError, match=r'8: node.mode: expected a \[\[sessions\]\] table for mode "live"'):
        load(node_file, text)


ACT = 'act = "login" '
WORD = "unreconciled = true\n"
DOG_PASSWORD = 'password = "env:DOG"\n'
DOG_COPY = 'drop_copy = "COPY"\ndrop_copy_password = "env:COPY"\n'
AWAY = """
[[feeds]]
name = "away"
kind = "itch_moldudp64"
listen = "127.0.0.1:26500"
[[sessions]]
name = "away-ouch"
feeds = ["away"]
kind = "ouch42_soupbintcp"
connect = "127.0.0.1:26502"
user = "NODE1"
password = "plain:demo"
messages_per_second_max = 10
unreconciled = true
"""


def with_two_sessions(example: str) -> str:
    """The example at another venue too."""
    home = example.replace('mode = "paper"', 'mode = "live"').replace(
        'user = "NODE1"', 'user = "NODE1"\nfeeds = ["nasdaq"]'
    )
    return home + AWAY


def test_each_of_several_sessions_trades_its_feeds(node_file: Path, example: str):
    config = load(node_file, with_two_sessions(example))

    assert [[feed.name for feed in config.feeds_of(one)] for one in config.sessions] == [["nasdaq"], ["away"]]
    assert list(routes_of(config)) == [events.route(16, 64), events.route(17, 65)]


def test_a_feed_that_no_session_names_is_only_listened_to(node_file: Path, example: str):
    alone = with_two_sessions(example).replace(AWAY[AWAY.index("[[sessions]]") :], "")

    assert list(routes_of(load(node_file, alone))) == [events.route(16, 64), events.route(17, 0)]
    assert list(routes_of(load(node_file, alone.replace('feeds = ["nasdaq"]', "")))) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('feeds = ["nasdaq"]', "", "sessions[0].feeds: expected some of nasdaq, away, found none: of several sessions"),
        ('feeds = ["away"]', 'feeds = ["abroad"]', "sessions[1].feeds: expected some of nasdaq, away, found 'abroad'"),
        ('feeds = ["away"]', 'feeds = ["nasdaq"]', "'nasdaq' is traded by session 'nasdaq-ouch' already"),
        (
            'connect = "127.0.0.1:26502"\nuser = "NODE1"',
            'connect = "127.0.0.1:26402"\nuser = "node1"',
            "sessions[1].user: expected an account of its own, found that of session 'nasdaq-ouch' at 127.0.0.1:26402",
        ),
        ('"away-ouch"', '"nasdaq-ouch"', "'nasdaq-ouch' stands here for the second time"),
        ("[[sessions]]", '[reconciliation]\naccount = "A"\nvenue = "127.0.0.1:1"\n[[sessions]]', "[sessions.reconc"),
        (ACT, f"{DOG_PASSWORD}{ACT}", "watchdog.password: expected none for 2 sessions: each venue has a"),
        (ACT, f"{DOG_COPY}{ACT}", "watchdog.drop_copy: expected none for 2 sessions: the watchdog of a"),
        (ACT, f"{DOG_COPY}{ACT}", "watchdog.drop_copy_password: expected none for 2 sessions"),
        (WORD, "", "sessions[1]: expected [sessions.reconciliation] of session 'away-ouch'"),
    ],
)
def test_sessions_that_do_not_fit_together_are_refused(
    node_file: Path, example: str, old: str, new: str, expected: str
):
    with pytest.raises(ConfigError, match=re.escape(expected)):
        load(node_file, with_two_sessions(example).replace(old, new, 1))


def test_the_name_of_a_session_that_is_reconciled_fits_the_record_of_a_break(node_file: Path, example: str):
    tables = '\n[sessions.reconciliation]\naccount = "A"\nvenue = "127.0.0.1:1"\n'
    text = with_two_sessions(example).replace("away-ouch", "a" * 21)
    load(node_file, text)
    text = text.replace(WORD, "")
    with pytest.raises(ConfigError, match=r"sessions\[1\].name: expected at most 20 characters, found 21"):
        load(node_file, text + tables)


def test_the_tables_of_the_document_can_be_pasted(node_file: Path, example: str, repo: Path):
    tables = (repo / "docs/venues.md").read_text().split("```")[1].removeprefix("toml")
    before, after = example[: example.index("[[feeds]]")], example[example.index("[[instruments]]") :]

    config = load(node_file, before.replace('mode = "paper"', 'mode = "live"') + tables + after)

    assert [one.name for one in config.sessions] == ["home-orders", "away-orders"]
    assert [str(one.venue) for one in config.reconciliations().values()] == ["127.0.0.1:26403", "127.0.0.1:26503"]
    assert list(routes_of(config)) == [events.route(16, 64), events.route(17, 65)]


def test_a_watchdog_may_have_a_login_of_its_own_where_there_is_one_session(node_file: Path, example: str):
    load(node_file, example.replace(ACT, f"{DOG_PASSWORD}{DOG_COPY}{ACT}"))

    assert load(node_file, with_two_sessions(example)).watchdog.with_node


WATCHED, APART = "with_node = true ", "with_node = false "


@pytest.mark.parametrize("mode", ["live", "paper", "shadow"])
def test_a_live_node_says_who_watches_it_and_who_compares_its_books(node_file: Path, example: str, mode: str):
    text = example.replace('mode = "paper"', f'mode = "{mode}"')
    unwatched = text[: text.index("[watchdog]")] + text[text.index("# Circuit breakers") :]
    bare = re.sub(r"^(\[sessions.reconciliation\]|account = |venue = ).*\n", "", unwatched, flags=re.MULTILINE)

    config = load(node_file, text)
    assert list(config.reconciliations()) == ([0] if mode == "live" else [])
    load(node_file, text.replace(WATCHED, APART))
    if mode != "live":
        load(node_file, bare)  # nothing leaves it
        return
    with pytest.raises(ConfigError) as told:
        load(node_file, bare)

    assert "2 errors" in str(told.value)
    assert re.search(
        r":\d+: watchdog.with_node: expected true \(openbell run starts the watchdog\) or", str(told.value)
    )
    assert "sessions[0]: expected [sessions.reconciliation] of session 'nasdaq-ouch'" in str(told.value)
    said = bare.replace(FREE, f"{FREE}\n{WORD}") + f"\n[watchdog]\n{APART}\n"
    assert load(node_file, said).reconciliations() == {}


@pytest.mark.parametrize("of_one", ["[sessions.reconciliation]", "[reconciliation]"])
def test_a_session_is_not_compared_and_uncompared(node_file: Path, example: str, of_one: str):
    text = example.replace("[sessions.reconciliation]", of_one).replace('mode = "paper"', 'mode = "live"')
    assert list(load(node_file, text).reconciliations()) == [0]

    with pytest.raises(ConfigError, match=r"sessions\[0\].unreconciled: a reconciliation compares its books; take"):
        load(node_file, text.replace(FREE, f"{FREE}\n{WORD}"))


@pytest.mark.parametrize(("feeds", "expected"), [(1, (100, 1_024)), (2, (200, 1_200))])
def test_a_symbol_has_room_on_every_feed(node_file: Path, example: str, feeds: int, expected: tuple[int, int]):
    config = load(node_file, with_two_sessions(example))
    pairs = (PairLimits(strategy="maker", symbol="OBEL"),) * 600
    config.take_limits(config.limits.model_copy(update={"strategy_instruments": pairs}))
    many = {"instruments": config.instruments[:1] * 100, "feeds": config.feeds[:feeds]}

    capacity = capacity_of(config.model_copy(update=many))

    assert (capacity.instruments_max, capacity.limits_max) == expected


def test_each_session_is_reconciled_with_its_venue(node_file: Path, example: str):
    tables = '\n[sessions.reconciliation]\naccount = "A"\nvenue = "127.0.0.1:1"\n'

    config = load(node_file, with_two_sessions(example).replace(WORD, "") + tables)

    assert list(config.reconciliations()) == [0, 1]
    assert load_node(node_file, "shadow").reconciliations() == {}


def test_strategies_without_an_id_get_the_lowest_free_one(node_file: Path, example: str):
    table = example[example.index("[[strategies]]") : example.index("[paper]")]
    others = [table.replace('"maker"', f'"{name}"').replace("id = 1\n", "") for name in ("b", "c")]

    config = load(node_file, example.replace(table, others[0] + table + others[1]))

    assert config.strategy_ids() == {"b": 0, "maker": 1, "c": 2}


@pytest.mark.parametrize(
    ("mode", "speed", "place"),
    [("live", "interpreted", "own"), ("live", "compiled", "trading"), ("paper", "interpreted", "trading")],
)
def test_an_interpreted_strategy_of_a_live_node_has_a_process_of_its_own_unless_the_file_says_otherwise(
    node_file: Path, example: str, mode: str, speed: str, place: str
):
    line = next(line for line in example.splitlines() if line.startswith("process = "))
    text = example.replace('mode = "paper"', f'mode = "{mode}"')

    assert load(node_file, text.replace(line, f'speed = "{speed}"')).strategies[0].process == place
    for written in ("own", "trading"):
        said = text.replace(line, f'process = "{written}"\nspeed = "{speed}"')
        assert load(node_file, said).strategies[0].process == written


def test_a_feed_may_have_two_lines(node_file: Path, example: str):
    more = f'{LISTEN}\nlisten_b = "239.1.1.2:26410"\ninterface_b = "10.0.0.6"'

    (feed,) = load(node_file, example.replace(LISTEN, more)).feeds

    assert [(str(address), interface) for address, interface in feed.lines] == [
        ("127.0.0.1:26400", "127.0.0.1"),
        ("239.1.1.2:26410", "10.0.0.6"),
    ]
    (only,) = load(node_file, example).feeds[0].lines
    assert str(only[0]) == "127.0.0.1:26400"
