"""The desk's view of a real node, and its client's errors."""

import fcntl
import os
import socket
import threading

import pytest
from tests.cli.world import World, far_strategy, wait_for

from openbell import events
from openbell.errors import ConfigError, NetError
from openbell.journal import JournalWriter, Ring
from openbell.journal.assets import Asset
from openbell.node.acknowledge import running_of
from openbell.node.card import NodeCard, read_card
from openbell.node.config import NodeConfig, load_node
from openbell.node.record import CapacityRecord, RunRecord
from openbell.node.snapshots import NoBeginError
from openbell.ops.control import __main__ as process
from openbell.ops.control import world as seam
from openbell.ops.control.client import ask
from openbell.ops.control.desk import ControlDesk
from openbell.ops.control.proposals import RefusedError
from openbell.ops.control.replacing import Replacing
from openbell.ops.control.tuning import Tuning
from openbell.ops.control.world import LiveWorld, Target, Terms
from openbell.ops.find import read_page
from openbell.types import ArmState, KillLevel


def test_a_running_node_is_seen_and_told(tmp_path):
    with World(tmp_path) as world:
        world.write_node(strategy=far_strategy(world.home), strategy_class="Far")
        world.run("--live")
        world.wait_for_orders()
        view = LiveWorld(read_card(world.hot))
        assert view.find_instrument("OBEL") is None
        assert view.armed(Target()).state == ArmState.OFF  # nothing is known before the first look
        assert view.changed_parameters() == []
        assert (view.unacknowledged(), view.in_doubt(), view.limits_version()) == ("", [], 0)
        wait_for(view.poll, "the journal")
        assert set(view.instruments()) == {"OBEL", "RING"}
        assert view.armed(Target()).state == ArmState.FULL
        assert view.changed_parameters() == []
        assert view.engine_now_ns() >= view.engine.now_ns
        number = view.find_instrument("OBEL")
        assert view.terms(number) == Terms(Asset("OBEL", "USD", 4, 0, 1), tick=100, lot=1)
        assert (view.compared_ns(), view.limits_version(), view.unacknowledged()) == (0, 1, "")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(seam, "is_unacknowledged", lambda _: True)
            assert view.unacknowledged() == running_of(view.engine.started).name

        assert view.push(events.adjustment(view.strategies["maker"], number, qty=-7, px=500_000))
        wait_for(lambda: view.position(view.strategies["maker"], number) == -7, "the adjustment")
        assert view.push(events.arm(ArmState.LIMITED, strategy=view.strategies["maker"]))
        maker = Target(strategy=view.strategies["maker"])
        wait_for(lambda: view.poll() and view.armed(maker).state == ArmState.LIMITED, "the arming")
        assert view.waiting() == 0
        before = view.kill_generation()
        view.set_kill(KillLevel.HARD, 7)
        assert view.kill_generation() == before + 1
        wait_for(lambda: view.poll() and view.armed(Target()).state == ArmState.CANCEL_ONLY, "the kill")
        assert view.armed(Target()).killed == KillLevel.HARD
        assert view.ask_scoped() == 1


@pytest.fixture
def hot(tmp_path):
    path = tmp_path / "hot"
    writer = JournalWriter(journal_dir=str(tmp_path / "journal"), hot_dir=str(path))
    yield path
    writer.close()


def test_a_producer_that_holds_the_ring_does_not_stop_others_for_ever(hot, monkeypatch):
    monkeypatch.setattr(seam, "LOCK_WITHIN_S", 0.01)
    Ring.create(str(hot / "operator.ring"), 2)
    with (hot / "operator.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not seam.push_record(hot, events.checkpoint())
    assert [seam.push_record(hot, events.checkpoint()) for _ in range(3)] == [True, True, False]


def test_a_journal_that_this_core_cannot_follow_yet_is_waited_for(hot, monkeypatch):
    def follow(_: NodeCard) -> None:
        raise NoBeginError("the first frames are gone")

    monkeypatch.setattr(seam, "follow", follow)
    card = NodeCard("node", "paper", "memory", "", str(hot.parent / "journal"), str(hot), 0, 1, 1, 1, {"maker": 0})

    assert read_page(hot).epoch
    assert not LiveWorld(card).poll()


def test_before_its_first_epoch_no_strategy_is_shown_or_replaced(hot):
    card = NodeCard("node", "paper", "memory", "", str(hot.parent / "journal"), str(hot), 0, 1, 1, 1, {"maker": 0})
    view, source = LiveWorld(card), hot.parent / "maker.py"
    source.touch()
    replacing = Replacing(view, hot.parent / "journal", hot, {"maker": (source, "Maker")}, view.run)

    with pytest.raises(RefusedError, match="has not begun its first epoch; ask again when it runs"):
        Tuning(view, {}, view.run).shown("maker")
    with pytest.raises(RefusedError, match="has not begun its first epoch; ask again when it runs"):
        replacing.look("maker", "", "")

    capacity = CapacityRecord(instruments_max=1, book_orders_max=1, orders_max=1, strategies_max=1, timers_max=1)
    RunRecord(kind="node", capacity=capacity, strategies=()).write(hot.parent / "journal")
    assert Tuning(view, {}, view.run).shown("") == {}


def answering(hot, answer: bytes):
    """A control process that says `answer` to whoever comes first."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(hot / "control.sock"))
    server.listen()

    def serve() -> None:
        with server, server.accept()[0] as peer:
            peer.recv(1_000)
            peer.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_the_client_tells_answers_refusals_and_silence_apart(hot):
    with pytest.raises(NetError, match="does the node run"):
        ask(hot, {"verb": "status"})
    for answer, wanted in [
        (b'{"ok": true, "x": 1}\n', None),
        (b'{"ok": false, "error": "no"}\n', RefusedError),
        (b'{"ok": tr', NetError),
    ]:
        (hot / "control.sock").unlink(missing_ok=True)
        thread = answering(hot, answer)
        if wanted is None:
            assert ask(hot, {"verb": "status"})["x"] == 1
        else:
            with pytest.raises(wanted):
                ask(hot, {"verb": "status"})
        thread.join()


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_who_may_not_connect_is_told_whose_socket_it_is(hot):
    hot.parent.chmod(0o711)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(hot / "control.sock"))
        (hot / "control.sock").chmod(0o600)
        server.listen()
        os.seteuid(64_001)
        try:
            with pytest.raises(NetError, match="permission denied"):
                ask(hot, {"verb": "status"})
        finally:
            os.seteuid(0)


def node_config(world: World, more: str) -> NodeConfig:
    world.node_file.write_text(world.node_file.read_text() + more)
    return load_node(world.node_file)


def test_the_file_says_who_may_and_how_many_it_takes(tmp_path):
    with World(tmp_path) as world:
        config = load_node(world.node_file)
        (owner,) = process.operators_of(config).values()
        assert (owner.person.uid, len(owner.roles)) == (os.getuid(), 4)
        assert process.identities_of(config) == 1
        absent = config.model_copy(update={"control": config.control.model_copy(update={"identities": None})})
        assert process.identities_of(absent) == 2
        paper = config.node.model_copy(update={"mode": "paper"})
        assert process.identities_of(absent.model_copy(update={"node": paper})) == 1

        grouped = config.control.model_copy(update={"group": "no-such-group"})
        config = config.model_copy(update={"control": grouped})
        with pytest.raises(ConfigError, match="expected a group of this host"):
            process.open_server(config, ControlDesk(None, {}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[[operators]]\nname = "a"\nuid = 1\nroles = ["admin"]\n', "roles"),
        ('[[operators]]\nname = "a"\nuid = 1\nroles = []\n', "roles"),
        ('[[operators]]\nname = "a"\nuid = -1\nroles = ["risk"]\n', "uid"),
        ('[[operators]]\nname = "a"\nuid = true\nroles = ["risk"]\n', "uid"),
        ('[[operators]]\nname = "a"\nuid = 1\nroles = ["risk"]\n' * 2, "second time"),
    ],
)
def test_a_file_that_names_nobody_or_twice_is_refused(tmp_path, more, said):
    with World(tmp_path) as world, pytest.raises(ConfigError, match=said):
        node_config(world, more)


def test_one_person_is_not_enough_where_an_order_may_leave_the_machine(tmp_path):
    with World(tmp_path) as world:
        text = world.node_file.read_text()
        where = world.ready["order_entry"]
        away = text.replace(f'connect = "{where}"', 'connect = "192.0.2.1:1"').replace('"plain:demo"', '"env:X"')
        world.node_file.write_text(away)
        with pytest.raises(ConfigError, match=r"identities: expected 2, because session .* trades at 192\.0\.2\.1"):
            load_node(world.node_file)
