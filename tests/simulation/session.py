"""One seed, from open to close, before its judges."""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.day import OPEN_NS, Day, Violation
from tests.simulation.discipline import elsewhere
from tests.simulation.faults import FAULTS, acts, load, races
from tests.simulation.model import Model
from tests.simulation.plan import RACES, STEPS, Plan, draw, draw_races
from tests.simulation.process import QTY_MAX, RESTLESS, ROGUE, Node, capacity, same_core
from tests.simulation.strategies import MISCHIEF
from tests.simulation.tap import WireTap

from openbell import _native as native
from openbell.node.recovery import recover_engine
from openbell.node.snapshots import Snapshot, usable_snapshots
from openbell.types import ArmState

MEMORY = Path("/dev/shm")
SECOND_RUN = "a second run on what could be another host ends otherwise"


@dataclass
class Outcome:
    """What became of a seed. `wrong` is empty, or says what was broken, with the place."""

    seed: str
    wrong: str = ""
    state_hash: int = 0
    cpu_s: float = 0.0
    facts: dict[str, int] = field(default_factory=dict)
    cells: dict[tuple[str, str], int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def ended(self) -> tuple[str, str, dict[str, int], dict[tuple[str, str], int]]:
        """What has to follow from the seed."""
        return self.wrong, f"state {self.state_hash:x}", self.facts, self.cells


def plan_of(seed: str, steps: int = STEPS) -> Plan:
    """The plan that follows from a seed."""
    load()
    weights = {name: one.weight for name, one in FAULTS.items()}
    needs = {name: one.needs for name, one in FAULTS.items() if one.needs}
    plan = draw(seed, weights, needs, steps)
    return draw_races(plan, races()) if seed.startswith(RACES) else plan


def play(plan: Plan) -> Outcome:
    """Run a plan in a folder of its own; never raises."""
    folder = Path(tempfile.mkdtemp(prefix="openbell-sim-", dir=MEMORY if MEMORY.is_dir() else None))
    began = time.thread_time()
    outcome = Outcome(plan.seed)
    try:
        _play(plan, folder, outcome)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = "" if isinstance(error, Violation) else f" at {Path(last.filename).name}:{last.lineno}"
        outcome.wrong = f"{type(error).__name__}: {error}{where}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    outcome.cpu_s = time.thread_time() - began
    return outcome


def play_twice(plan: Plan) -> Outcome:
    """Run a plan, and again on what could be another host: both must end the same."""
    outcome = play(plan)
    with elsewhere():
        again = play(plan)
    if not outcome.wrong and outcome.ended() != again.ended():
        outcome.wrong = f"{SECOND_RUN}: with {again.ended()}, the first with {outcome.ended()}"
    return outcome


def _play(plan: Plan, folder: Path, outcome: Outcome) -> None:
    day = Day(plan, acts(), folder)
    try:
        day.run()
        outcome.cells, outcome.counts = dict(day.cells), dict(day.counts)
        day.heal()
        if day.has_lost_tail:
            judge_after_lost_tail(day)
        else:
            judge_books(day)
            day.wind_down()
            model = model_of(day)
            judge_ledger(day, model)
            judge_journal(day, model)
        expect("callbacks that could see the host's clock and chance", MISCHIEF.strays, 0)
        outcome.state_hash = day.node.engine.state_hash
    finally:
        outcome.facts = {
            "epochs": day.node.epochs,
            "frames": day.node.engine.seq,
            "simulated ms": (day.clock.now_ns() - OPEN_NS) // 1_000_000,
            "orders": sum(len(tap.opened) for tap in day.taps),
            "cancels": sum(tap.cancels for tap in day.taps),
            "fills": sum(len(market.fills()) for market in day.traded),
        }
        outcome.cells, outcome.counts = dict(day.cells), dict(day.counts)
        day.clock.set_on_relax(_nothing)


def _nothing() -> None:
    """A world keeps its clock, and the clock must not keep its world."""


# ---- judges


def judge_books(day: Day) -> None:
    """After the faults: orders and market as the venue has them."""
    engine, untold = day.node.engine, day.market_untold()
    for number, market in enumerate(filter(None, (day.market, day.far))):
        for at_venue, instrument in enumerate(day.node.books(number, market.at.symbols)):
            expect("touch of " + market.at.symbols[at_venue], engine.touch(instrument), market.touch(at_venue))
    ours = [
        (native.ouch_token(o.cl_ord_id, o.version), o.px, o.leaves_qty)
        for o in engine.live_orders()
        if o.cl_ord_id not in untold
    ]
    at_venues = [row for market in day.traded for row in market.open_orders()]
    theirs = [row for row in at_venues if native.ouch_token_decode(row[0])[0] not in untold]
    expect("open orders", sorted(ours), sorted(theirs))
    judge_taps(day)


def model_of(day: Day) -> Model:
    """Of all that the journal says."""
    node = day.node
    reader = native.JournalReader(str(node.journal_dir), str(node.hot_dir), True)
    return Model(messages_max=day.plan.messages_max, beyond=frozenset(day.market.beyond)).take_all(reader)


def due(day: Day, model: Model) -> dict[int, tuple[int, int]]:
    """Position and cash by instrument: what the venues hold, and what people have booked besides."""
    found = {}
    for number, market in enumerate(day.traded):
        for at_venue, instrument in enumerate(day.node.books(number, market.at.symbols)):
            there, by_hand = market.holdings()[at_venue], model.by_hand(instrument)
            found[instrument] = there[0] + by_hand[0], there[1] + by_hand[1]
    return found


def judge_ledger(day: Day, model: Model) -> None:
    """At the end of the day: flat of orders, and position and cash to the last unit."""
    engine = day.node.engine
    for instrument, expected in due(day, model).items():
        expect(f"position and cash of instrument {instrument}", held(day, instrument), expected)
    left = {native.ouch_token_decode(token)[0] for market in day.traded for token, _, _ in market.open_orders()}
    if not left <= day.market_untold():
        raise Violation(f"orders open at the venue after the close: {left - day.market_untold()}")
    engine.audit()
    judge_taps(day)


def held(day: Day, instrument: int) -> tuple[int, int]:
    """Position and cash, of all strategies."""
    rows = [day.node.engine.position(s, instrument) for s in (RESTLESS, ROGUE)]
    return sum(p["qty"] for p in rows), sum(p["cash"] for p in rows)


def judge_taps(day: Day) -> None:
    """What the wires have said."""
    wrong = [one for tap in day.taps for one in tap.wrong]
    if wrong:
        raise Violation(f"the wire: {wrong[0]} ({len(wrong)} in all)")


def judge_after_lost_tail(day: Day) -> None:
    """A host died, and `memory` had not written its last frames: either the venue has told all of it, or nobody trades.

    A person has to look before books are believed that are not the venue's.
    """
    engine = day.node.engine
    theirs = due(day, model_of(day))
    ours = {instrument: held(day, instrument) for instrument in theirs}
    untold = day.market_untold()
    orders = sorted({o.cl_ord_id for o in engine.live_orders()} - untold)
    rows = [row for market in day.traded for row in market.open_orders()]
    at_venue = sorted({native.ouch_token_decode(row[0])[0] for row in rows} - untold)
    state = engine.arming()[0]
    if (ours != theirs or orders != at_venue) and state > ArmState.CANCEL_ONLY:
        raise Violation(f"{state.name} with {ours}, {orders}; the venue has {theirs}, {at_venue}: nobody has looked")
    engine.audit()
    judge_taps(day)
    day.close()
    judge_replay(day.node)


def judge_journal(day: Day, model: Model) -> None:
    """The journal alone: a plain model of it, what left against it, and its replay."""
    if model.wrong:
        raise Violation(f"the model: {model.wrong[0]} ({len(model.wrong)} in all)")
    for instrument, expected in due(day, model).items():
        expect("the model's position and cash", model.position(instrument), expected)
    for number, market in enumerate(day.traded):
        instruments = day.node.books(number, market.at.symbols)
        fills = [(exec_id, f.px, f.qty) for (_, exec_id), f in model.fills.items() if f.instrument in instruments]
        expect("executions that stand", sorted(fills), market.fills())
    for tap in day.taps:
        judge_wire(tap, model, is_durable=day.plan.is_durable)
    judge_replay(day.node)


def judge_replay(node: Node) -> None:
    """Every decision again, from the first frame and from every snapshot."""
    replayed = native.Engine(capacity())
    report = native.replay_journal(replayed, str(node.journal_dir), str(node.hot_dir))
    expect("replay", (report.core_differs_at, report.what), (0, ""))
    expect("hash of the replay", replayed.state_hash, node.engine.state_hash)
    recovered, how = recover_engine(capacity(), node.journal_dir, node.hot_dir)
    same_core(how)
    expect("hash of the recovery from a snapshot", recovered.state_hash, replayed.state_hash)
    for snapshot in usable_snapshots(node.journal_dir, node.hot_dir):
        judge_snapshot(node, snapshot, replayed.state_hash)


def judge_snapshot(node: Node, snapshot: Snapshot, state_hash: int) -> None:
    """From each that is left, the rest of the day is decided as it was."""
    engine = native.Engine(capacity())
    engine.load(snapshot.state)
    if engine.seq == snapshot.seq and engine.state_hash == snapshot.state_hash:  # else a bit of its header flipped
        report = native.recover(engine, str(node.journal_dir), str(node.hot_dir))
        expect(f"replay from the snapshot at {snapshot.seq}", (report.core_differs_at, report.what), (0, ""))
        expect(f"hash of the replay from the snapshot at {snapshot.seq}", engine.state_hash, state_hash)


def judge_wire(tap: WireTap, model: Model, *, is_durable: bool) -> None:
    """Everything that left was approved as it left, and was on the disk before where that was promised."""
    for one in tap.opened:
        said = model.commands.get((one.cl_ord_id, one.version))
        if said is None or said.px != one.px or one.qty not in (said.qty, said.leaves):
            raise Violation(f"{one} left, the journal says {said}")
        if said.leaves > QTY_MAX:
            raise Violation(f"{one} left for {said.leaves} lots, the perimeter lets {QTY_MAX} pass")
        if is_durable and one.durable_seq < said.seq:
            raise Violation(f"{one} left before frame {said.seq} was durable")


def expect(what: str, found: object, expected: object) -> None:
    """Raise unless both are the same."""
    if found != expected:
        raise Violation(f"{what}: expected {expected}, found {found}")
