"""A control desk over a node that is a few dictionaries: identities are given, records are kept, time is a number."""

import json
from typing import Any

import numpy as np

from openbell.journal.assets import Asset
from openbell.ops.control.desk import ControlDesk, Limits, Operator
from openbell.ops.control.permissions import Role
from openbell.ops.control.proposals import Person
from openbell.ops.control.world import Armed, Target, Terms
from openbell.types import RECORDS, ArmState, KillLevel, Type

ANN, BOB, VIC, TOM, OPS = 100, 101, 102, 103, 104
NAMES = {ANN: "ann", BOB: "bob", VIC: "vic", TOM: "tom", OPS: "ops"}
ROLES = {ANN: Role.RISK, BOB: Role.RISK, VIC: Role.VIEWER, TOM: Role.TRADER, OPS: Role.OPERATOR}
STRANGER = 999
OBEL = Asset("OBEL", "USD", px_decimals=4, qty_decimals=0, multiplier=1)
COIN = Asset("COIN", "EUR", px_decimals=2, qty_decimals=3, multiplier=1)
CALM = Armed(ArmState.LIMITED, ArmState.LIMITED, KillLevel.NONE, False, 0)


class FakeNode:
    """What a desk sees of a node."""

    def __init__(self) -> None:
        self.strategies = {"maker": 0, "taker": 1}
        self.symbols = {"OBEL": 0}
        self.scopes: dict[Target, Armed] = {}
        self.room = 1_000
        self.running = ""
        self.limits_held = 0
        self.doubts: list[str] = []
        self.breaks: list[str] = []
        self.held: dict[tuple[int, int], int] = {}
        self.compared = 0
        self.records: list[bytes] = []
        self.generation = 0
        self.tickets = 0
        self.kills: list[tuple[KillLevel, int]] = []

    def instruments(self) -> dict[str, int]:
        return self.symbols

    def find_instrument(self, symbol: str) -> int | None:
        return self.symbols.get(symbol)

    def terms(self, instrument: int) -> Terms:
        return [Terms(OBEL, 100, 1), Terms(COIN, 1, 100)][instrument]

    def position(self, strategy: int, instrument: int) -> int:
        return self.held.get((strategy, instrument), 0)

    def compared_ns(self) -> int:
        return self.compared

    def armed(self, target: Target) -> Armed:
        return self.scopes.get(Target(target.strategy, target.instrument), CALM)

    def unacknowledged(self) -> str:
        return self.running

    def limits_version(self) -> int:
        return self.limits_held

    def in_doubt(self) -> list[str]:
        return self.doubts

    def open_breaks(self) -> list[str]:
        return self.breaks

    def engine_now_ns(self) -> int:
        return 1_000

    def set_kill(self, level: KillLevel, uid: int) -> None:
        self.kills.append((level, uid))
        self.generation += 1

    def ask_scoped(self) -> int:
        self.tickets += 1
        return self.tickets

    def kill_generation(self) -> int:
        return self.generation

    def waiting(self) -> int:
        return len(self.records)

    def push(self, record: bytes) -> bool:
        if len(self.records) >= self.room:
            return False
        self.records.append(record)
        return True


class Desk:
    """The desk and its node; `ask` is one request of one person."""

    def __init__(
        self, *, identities: int = 2, owners: dict[str, str] | None = None, limits: Limits | None = None
    ) -> None:
        self.node = FakeNode()
        self.now_ns = 0
        ids = iter(f"p-{n}" for n in range(10_000))
        people = {uid: Operator(Person(uid, NAMES[uid]), frozenset({role})) for uid, role in ROLES.items()}
        self.desk = ControlDesk(self.node, people, identities, owners or {}, limits=limits, new_id=lambda: next(ids))

    def ask(self, uid: int, verb: str, /, **fields: Any) -> dict[str, Any]:
        return self.say(uid, json.dumps({"verb": verb, **fields}).encode())

    def say(self, uid: int, line: bytes) -> dict[str, Any]:
        return self.desk.answer(line, uid, self.now_ns)

    def told(self, *kinds: Type) -> list[Any]:
        """The control records that went to the node, of these kinds."""
        rows = [np.frombuffer(r, RECORDS["Control"])[0] for r in self.node.records if r[0] != Type.SIGNAL]
        return [row for row in rows if row["type"] in kinds]

    def log(self) -> list[tuple[int, int, int]]:
        """(uid, act, outcome) of every Operator record."""
        return [tuple(int(row["values"][i]) for i in (0, 2, 3)) for row in self.told(Type.OPERATOR)]
