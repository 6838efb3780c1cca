"""The flow as a whole: the same seed the same bytes, prices that stay sane, what a file may say; tapes."""

import asyncio

import pytest
from tests.exchange.harness import Client, Receiver, brief, config, exchange, run

from openbell._native import VenueCore, itch_decode
from openbell.errors import ConfigError
from openbell.exchange.config import ListedSettings, load_exchange
from openbell.exchange.flow import AgentFlow
from openbell.exchange.flow_config import AgentFlowSettings
from openbell.exchange.tapes import play_tape, tape_messages
from openbell.types import Side

SECOND_NS = 1_000_000_000
LISTED = config().instruments


def steady(seed=1, **traders):
    return settings("steady", seed=seed, agents={"traders": traders})


def settings(preset, **more):
    return AgentFlowSettings.model_validate({"kind": "agents", "preset": preset, **more})


def played(flow_settings, until_ns, step_ns, listed=LISTED):
    """A venue after the flow has run, and the flow."""
    venue = VenueCore([(i.symbol, i.tick_px, i.round_lot) for i in listed], 0, 100_000, 1, 10_000_000)
    account = venue.add_account(internal=True)
    venue.open_day(0)
    flow = AgentFlow(venue, account, listed, flow_settings, 0)
    for now_ns in range(0, until_ns + 1, step_ns):
        flow.advance(now_ns, 1_000_000)
    return venue, flow


def messages_of(venue):
    return [venue.itch_message(n) for n in range(1, venue.itch_next)]


@pytest.mark.parametrize("preset", ["large-tick", "small-tick", "steady", "zero-intelligence"])
def test_one_seed_gives_one_flow_however_time_is_stepped(preset):
    until_ns = SECOND_NS if preset == "steady" else 100 * SECOND_NS
    coarse = played(settings(preset, seed=7), until_ns, until_ns)
    fine = played(settings(preset, seed=7), until_ns, until_ns // 100)
    other = played(settings(preset, seed=8), until_ns, until_ns)

    assert messages_of(coarse[0]) == messages_of(fine[0])
    assert messages_of(coarse[0]) != messages_of(other[0])
    assert coarse[1].events == fine[1].events > 100


def test_an_agent_more_changes_no_other_agents_draws():
    alone = played(settings("steady"), SECOND_NS, SECOND_NS)
    idle = {"idle": {"kind": "metaorders", "pause_s": 1e6, "slice_s": 1.0}}
    together = played(settings("steady", agents=idle), SECOND_NS, SECOND_NS)

    assert messages_of(alone[0]) == messages_of(together[0])


def test_twice_the_speed_is_the_same_flow_in_half_the_time():
    usual = played(settings("large-tick"), 100 * SECOND_NS, SECOND_NS)
    fast = played(settings("large-tick", speed=2.0), 50 * SECOND_NS, SECOND_NS)

    def told(venue, speed):
        return [m | {"ts": m["ts"] * speed // 2} for m in map(itch_decode, messages_of(venue))]

    assert told(usual[0], 1) == told(fast[0], 2)


def test_the_rate_and_the_depth_are_what_the_file_says():
    venue, flow = played(steady(events_per_s=500.0, orders_target=100), 60 * SECOND_NS, SECOND_NS)

    assert flow.events == pytest.approx(60 * 500 * len(LISTED), rel=0.05)
    assert 100 < venue.open_orders < 300


@pytest.mark.parametrize("seed", range(3))
def test_steady_prices_stay_near_their_beginning_and_both_sides_are_quoted(seed):
    venue, flow = played(steady(seed), 0, 1)
    for second in range(1, 300):
        flow.advance(second * SECOND_NS, 1_000_000)
        for n, listed in enumerate(LISTED):
            (bid, bid_qty), (ask, ask_qty) = venue.touch(n, Side.BUY), venue.touch(n, Side.SELL)
            assert bid_qty and ask_qty
            assert bid < ask <= bid + 40 * listed.tick_px
            assert abs(bid - listed.start_px) < 60 * listed.tick_px
    kinds = [itch_decode(m)["type"] for m in messages_of(venue)]
    assert {kind: kinds.count(kind) > 1000 for kind in "AED"} == {"A": True, "E": True, "D": True}


@pytest.mark.parametrize("preset", ["large-tick", "small-tick", "steady", "zero-intelligence"])
def test_a_price_near_zero_stays_above_it(preset):
    listed = [ListedSettings.model_validate({"symbol": "LOW", "px": "0.03"}, strict=False)]
    venue, _ = played(settings(preset), 100 * SECOND_NS, SECOND_NS, listed)

    added = [itch_decode(m) for m in messages_of(venue) if m[:1] == b"A"]
    assert len(added) > 50
    assert all(m["px"] > 0 for m in added)


# ---- files -------------------------------------------------------------------------------------------------

FILE = """
[[instruments]]
symbol = "OBEL"
[flow]
kind = "agents"
"""


def loaded(tmp_path, more):
    path = tmp_path / "exchange.toml"
    path.write_text(FILE + more + "\n")
    return load_exchange(path).flow


def test_what_a_file_says_stands_on_the_preset(tmp_path):
    flow = loaded(tmp_path, 'preset = "large-tick"\nagents.makers.count = 5\nagents.noise = {kind = "around-value"}')
    preset = settings("large-tick")

    assert flow.agents["makers"].count == 5
    assert flow.agents["makers"].model_copy(update={"count": 2}) == preset.agents["makers"]
    assert {name: agent.kind for name, agent in flow.agents.items()} == {
        **{name: agent.kind for name, agent in preset.agents.items()},
        "noise": "around-value",
    }


def test_an_agent_of_another_kind_replaces_the_whole_one(tmp_path):
    flow = loaded(tmp_path, 'preset = "steady"\n[flow.agents.traders]\nkind = "momentum"\nlooks_per_min = 6.0')

    assert flow.agents["traders"].kind == "momentum"


@pytest.mark.parametrize(
    ("more", "line", "message"),
    [
        ('preset = "large-tick"\nagents.makers.lot = 5', 7, "lots"),
        ('preset = "large-tick"\nagents.makers.lots = 0', 7, "expected at least 1, found 0"),
        ('preset = "large-tick"\n[flow.agents.new]\nkind = "oracle"', 7, "expected kind to be one of around-value"),
        ('preset = "large-tick"\nprofile = [[0.0, 1.0], [0.5, 1.0]]', 7, "from 0.0 to 1.0"),
        ('preset = "largetick"', 6, "large-tick, small-tick, steady, zero-intelligence"),
        ("agents = {}", 6, "at least 1"),
        ('preset = "large-tick"\nfundamental.excitation = [[60.0, 1.2]]', 7, "branching ratio"),
        ('preset = "large-tick"\nagents.crowd.market_per_min = 0.1', 7, "no more children of a kind"),
    ],
)
def test_a_wrong_flow_is_refused_at_its_line(tmp_path, more, line, message):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, more)

    assert f"exchange.toml:{line}: " in str(caught.value)
    assert message in str(caught.value)


# ---- tapes -------------------------------------------------------------------------------------------------

SAMPLE = "itch50/nasdaq_20191230_first1000.itch"


def framed(path):
    """The messages of the file, cut by hand."""
    data, at, messages = path.read_bytes(), 0, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        messages.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return messages


def test_a_tape_is_passed_through_as_it_is_and_orders_rest_unseen(shared_data):
    async def conversation():
        path = shared_data / SAMPLE
        receiver = Receiver()
        flow = {"kind": "itch", "path": str(path), "speed": 0.0, "start": "first_login"}
        async with exchange(flow=flow, feed={"send_to": [receiver.address], "linger_ms": 0}) as server:
            client = await Client.login(server, user="NODE2")
            await client.replay()
            client.enter("A1", "B", px=50_0000)
            client.enter("A2", "S", px=49_0000)
            client.enter("A3", "S", px=49_0000, tif=0)
            client.cancel("A1")

            assert [brief(r) for r in await client.reports(5)] == [
                ("A", "A1", 100, 50_0000), ("A", "A2", 100, 49_0000), ("A", "A3", 100, 49_0000), ("C", "A3", 100, "I"),
                ("C", "A1", 100, "U"),
            ]  # fmt: skip
            expected = framed(path)
            assert await receiver.follow_until(server, lambda m: len(m) >= len(expected)) == expected
            await server.flow_done.wait()
            assert server.answer({"verb": "status"})["flow"] == {
                "kind": "itch",
                "messages": len(expected),
                "done": True,
            }
        receiver.close()

    run(conversation)


def test_a_tape_at_a_speed_takes_its_time_divided_by_the_speed(shared_data):
    """The clock of the loop is simulated: sleeping moves it."""

    class SimulatedLoop(asyncio.SelectorEventLoop):
        now = 0.0

        def time(self):
            return self.now

        def _run_once(self):
            if self._scheduled and not self._ready:
                self.now = self._scheduled[0].when()
            super()._run_once()

    settings = config(flow={"kind": "itch", "path": str(shared_data / SAMPLE), "speed": 4.0}).flow
    messages = list(tape_messages(settings, "OBEL"))
    venue = VenueCore([("OBEL", 100, 100)], 0, 1, 1, 10_000, False)
    sent = []

    async def play():
        loop = asyncio.get_running_loop()
        count = await play_tape(
            settings, iter(messages), venue.publish, lambda: sent.append((loop.time(), venue.itch_next))
        )
        assert count == len(messages)

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(play())

    span_s = (messages[-1][0] - messages[0][0]) / SECOND_NS
    assert sent[-1][0] == pytest.approx(span_s / 4, abs=0.001)
    for at_s, next_seq in sent:
        last_ns = messages[next_seq - 2][0] if next_seq > 1 else messages[0][0]
        assert (last_ns - messages[0][0]) / SECOND_NS / 4 <= at_s + 0.001


def test_a_damaged_tape_ends_the_exchange_with_its_position(tmp_path):
    async def conversation():
        path = tmp_path / "cut.itch"
        path.write_bytes(b"\x00\x0cS" + b"\x00" * 10 + b"O" + b"\x00\x24A")
        async with exchange(flow={"kind": "itch", "path": str(path), "speed": 0.0}) as server:
            with pytest.raises(Exception, match="expected a whole ITCH message at byte 14, found 1 of 36"):
                await server.serve()

    run(conversation)


def test_a_missing_tape_is_named(tmp_path):
    async def conversation():
        async with exchange(flow={"kind": "itch", "path": str(tmp_path / "none.itch")}) as server:
            with pytest.raises(Exception, match=r"none\.itch: expected a file of ITCH messages"):
                await server.serve()

    run(conversation)
