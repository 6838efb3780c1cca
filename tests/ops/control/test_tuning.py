"""Signals and parameters at the desk: what is refused, and what the node is then told."""

import struct
from pathlib import Path

import numpy as np
import pytest
from tests.ops.control.desks import ANN, OPS, STRANGER, TOM, VIC, Desk

from openbell.node.record import CapacityRecord, RunRecord, StrategyRecord
from openbell.node.signals import SignalSettings, check_signals
from openbell.ops.control.permissions import Act
from openbell.ops.control.tuning import Tuning
from openbell.strategy.loader import load_strategy, source_hash
from openbell.types import NO_INSTRUMENT, NO_STRATEGY, RECORDS, Type

SOURCE = """
from openbell.strategy import Strategy, param

class Maker(Strategy):
    quotes: int = 0
    size: int = param(5, ge=1, le=100, unit="lots", doc="shown on each side")
    edge: float = param(0.5, ge=0)
    is_on: bool = param(True)
"""
SIGNALS = (
    SignalSettings(name="alpha", id=3, low=-1.0, high=1.0),
    SignalSettings(name="fair", id=4, low=0.0, high=500.0, strategy="maker"),
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    file = tmp_path / "maker.py"
    file.write_text(SOURCE)
    maker = StrategyRecord(
        id=0, name="maker", file=str(file), class_name="Maker", params={"size": 7}, symbols=("OBEL",),
        source_hash=source_hash(str(file)).hex(),
    )  # fmt: skip
    sizes = {"instruments_max": 1, "book_orders_max": 1, "orders_max": 1, "strategies_max": 2, "timers_max": 1}
    run = RunRecord(kind="node", capacity=CapacityRecord(**sizes), strategies=(maker,))
    desk = Desk(owners={"maker": "tom"})
    desk.node.changed = []
    desk.node.changed_parameters = lambda: desk.node.changed
    desk.desk.tuning = Tuning(desk.node, {one.name: one for one in SIGNALS}, lambda: run)
    return desk


def signals(desk: Desk) -> list[tuple[int, float, int, int, int, int]]:
    rows = [np.frombuffer(r, RECORDS["Signal"])[0] for r in desk.node.records if r[0] == Type.SIGNAL]
    names = ("signal_id", "value", "strategy", "instrument", "uid", "ts_event")
    return [tuple(row[name].item() for name in names) for row in rows]


def test_a_signal_goes_to_whom_the_file_names(desk: Desk):
    assert desk.ask(TOM, "signal", name="alpha", value=0.5)["ok"]
    assert desk.ask(ANN, "signal", name="fair", value=100, instrument="OBEL")["ok"]
    assert signals(desk) == [(3, 0.5, NO_STRATEGY, NO_INSTRUMENT, TOM, 1_000), (4, 100.0, 0, 0, ANN, 1_000)]
    assert desk.log() == []  # the signals say it themselves


def test_a_signal_about_a_symbol_of_several_venues_is_refused_by_their_names(desk: Desk):
    desk.node.symbols = {"OBEL@home": 0, "OBEL@away": 1}
    answer = desk.ask(ANN, "signal", name="fair", value=100, instrument="OBEL")
    assert answer["error"].endswith("it has OBEL@away, OBEL@home; did you mean 'OBEL@home'?")
    assert desk.ask(ANN, "signal", name="fair", value=100, instrument="OBEL@away")["ok"]
    assert [row[3] for row in signals(desk)] == [1]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"verb": "signal", "name": "beta", "value": 1}', "it has alpha, fair"),
        (b'{"verb": "signal", "name": "alpha", "value": 1.5}', "-1 <= value <= 1"),
        (b'{"verb": "signal", "name": "alpha", "value": NaN}', "expected"),
        (b'{"verb": "signal", "name": "alpha", "value": "x"}', "expected"),
        (b'{"verb": "signal", "name": "alpha", "value": 0, "instrument": "NONE"}', "expected one of the node's"),
    ],
)
def test_what_is_no_signal_is_refused(desk: Desk, line: bytes, expected: str):
    answer = desk.say(TOM, line)
    assert not answer["ok"] and expected in answer["error"]
    assert signals(desk) == []


def test_not_a_number_is_refused_by_its_bounds_too(desk: Desk):
    from openbell.ops.control.proposals import RefusedError

    with pytest.raises(RefusedError, match="found nan"):
        desk.desk.tuning.signal("alpha", float("nan"), "", TOM, 1)


@pytest.mark.parametrize("who", [VIC, OPS, STRANGER])
def test_not_everybody_may_send_or_tune(desk: Desk, who: int):
    assert not desk.ask(who, "signal", name="alpha", value=0)["ok"]
    assert not desk.ask(who, "params", strategy="maker", values={"size": 8})["ok"]


def test_a_full_ring_loses_a_signal_and_says_so(desk: Desk):
    desk.node.room = 0
    assert "it is lost" in desk.ask(TOM, "signal", name="alpha", value=0)["error"]


def test_parameters_change_together_and_the_journal_says_who_did_it(desk: Desk):
    answer = desk.ask(TOM, "params", strategy="maker", values={"size": 9, "edge": 1}, why="wider")
    assert answer["done"] == "maker.size: 7 -> 9; maker.edge: 0.5 -> 1.0"
    rows = desk.told(Type.PARAMETERS)
    assert [(int(r["strategy"]), bytes(r["text"]).rstrip(b"\0"), int(r["flags"])) for r in rows] == [
        (0, b"size", 1),
        (0, b"edge", 0),
    ]
    assert desk.log() == [(TOM, Act.TUNE, 1)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"size": 0}, "1 <= size <= 100"),
        ({"size": 1.5}, "expected int"),
        ({"edge": True}, "expected float"),
        ({"quotes": 1}, "it has size, edge, is_on"),
        ({"size": 8, "edge": -1}, "0.0 <= edge"),
        ({f"p{n}": n for n in range(65)}, "expected at most 64 at once, found 65"),
    ],
)
def test_a_value_outside_the_bounds_of_the_class_changes_nothing(desk: Desk, values: dict, expected: str):
    answer = desk.ask(TOM, "params", strategy="maker", values=values)
    assert not answer["ok"]
    assert expected.replace(".0 <=", " <=") in answer["error"].replace(".0 <=", " <=")
    assert desk.told(Type.PARAMETERS) == []


def test_a_full_ring_loses_a_change_and_says_so(desk: Desk):
    desk.node.room = 0
    answer = desk.ask(TOM, "params", strategy="maker", values={"size": 8})
    assert "maker.size: 7 -> 8 is lost" in answer["error"]


def test_what_is_not_there_has_no_parameters(desk: Desk):
    assert (
        "expected a strategy of the node, found 'nobody'; it has maker"
        in desk.ask(VIC, "params", strategy="nobody")["error"]
    )
    assert "it only records" in Desk().ask(VIC, "params")["error"]
    assert "it only records" in Desk().ask(ANN, "strategy", act="replace", strategy="maker", why="x")["error"]


def test_a_strategy_of_somebody_else_is_not_tuned(desk: Desk):
    desk.desk.owners["maker"] = "bob"
    assert "expected its owner bob" in desk.ask(TOM, "params", strategy="maker", values={"size": 8})["error"]
    assert desk.ask(ANN, "params", strategy="maker", values={"size": 8})["ok"]


def test_a_file_that_changed_since_the_start_has_no_bounds_to_trust(desk: Desk):
    run = desk.desk.tuning.run()
    Path(run.strategies[0].file).write_text(SOURCE + "# another")
    assert "found it changed" in desk.ask(TOM, "params", strategy="maker", values={"size": 8})["error"]


def test_shown_are_the_values_in_force_beside_those_of_the_file(desk: Desk):
    maker = desk.desk.tuning.run().strategies[0]
    word = {cell.name: cell.offset for cell in load_strategy(maker.file, maker.class_name).layout().cells}
    desk.node.changed = [
        (0, word["size"], 9),
        (0, word["edge"], int.from_bytes(struct.pack("<d", 0.75), "little")),
        (1, word["is_on"], 0),
    ]
    found = desk.ask(VIC, "params")["params"]["maker"]
    assert {name: (one["value"], one["configured"]) for name, one in found.items()} == {
        "size": (9, 7),
        "edge": (0.75, 0.5),
        "is_on": (True, True),
    }
    assert found["size"]["doc"] == "shown on each side"


def test_signals_of_a_file_that_contradict_are_found():
    wrong = (
        *SIGNALS,
        SignalSettings(name="alpha", id=3, low=2.0, high=1.0, strategy="nobody"),
    )
    said = [".".join(map(str, p.path)) for p in check_signals(wrong, ["maker"])]
    assert said == ["signals.2.name", "signals.2.id", "signals.2.high", "signals.2.strategy"]
