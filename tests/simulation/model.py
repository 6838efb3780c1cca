"""The reference: a plain reader of one journal that recomputes orders, positions, cash and limits, and nothing else.

It knows the records' layout (`RECORDS`) and no code of the node. What it holds for open is what certainly is, so a
limit that it sees exceeded was exceeded.
"""

from __future__ import annotations

import struct
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from openbell import _native as native
from openbell.types import ArmState, KillLevel, LimitKind, LimitScope, Type

ORDER = struct.Struct("<BBBBIqQqqqqqqIHHQQIBBHqIIq")
REPORT = struct.Struct("<BBBBIqQQQqqqqqIIHBBHHQQQQ")
CONTROL = struct.Struct("<BBHIqIHHqqqq72s")
LIMIT = struct.Struct("<BBHIqqqqBBHI16s16s")
IN, OUT = 1, 2
BUY, SELL = 1, 2
NONE = 0xFFFFFFFF
NO_STRATEGY = 0xFFFF
SECOND = 1_000_000_000
ORDER_ENTRY = 64
"""Sources from here on are order sessions, those below feeds."""
OF_NODE = NO_STRATEGY, NONE
AFTER_KILL = 1
ROUTE_PARAMETER = 4
CONTROLS = (
    Type.ADJUSTMENT,
    Type.PARAMETERS,
    Type.ARM,
    Type.KILL,
    Type.CONNECTED,
    Type.DISCONNECTED,
    Type.RESOLVED,
    Type.OPERATOR,
    Type.GAP,
)
END_OF_SESSION = 4
COMMANDS = (Type.NEW_ORDER, Type.REPLACE_ORDER, Type.CANCEL_ORDER)


def strategy_of(number: int) -> int:
    """Whose order it is: 10 bits above the counter's 30."""
    return number >> 30 & 0x3FF


class Command(NamedTuple):
    """What a decision let leave, and the frame it stands in."""

    seq: int
    px: int
    qty: int
    leaves: int


class Fill(NamedTuple):
    """An execution as it stands."""

    instrument: int
    side: int
    px: int
    qty: int


class Adjusted(NamedTuple):
    """Lots that a person booked, signed."""

    strategy: int
    instrument: int
    qty: int
    px: int


@dataclass
class Held:
    """One order, by what was said of it."""

    instrument: int
    side: int
    qty: int
    """What the newest version left that the venue has told of."""
    version: int = 0
    cum: int = 0
    gone: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Executed or cancelled, by version."""
    told: set[int] = field(default_factory=set)
    """Versions that the venue has confirmed."""
    is_over: bool = False

    def leaves(self) -> int:
        """What certainly is open at the venue."""
        gone = sum(qty for version, qty in self.gone.items() if version >= self.version)
        return max(0, self.qty - gone) if self.version and not self.is_over else 0


@dataclass
class Model:
    """`take` reads one frame; `wrong` says what must never be."""

    commands: dict[tuple[int, int], Command] = field(default_factory=dict)
    orders: dict[int, Held] = field(default_factory=dict)
    fills: dict[tuple[int, int], Fill] = field(default_factory=dict)
    busted: set[tuple[int, int]] = field(default_factory=set)
    adjusted: list[Adjusted] = field(default_factory=list)
    limits: dict[tuple[int, int], int] = field(default_factory=dict)
    """(kind, instrument) -> value, of the scope instrument."""
    wrong: list[str] = field(default_factory=list)
    held: set[int] = field(default_factory=set)
    """Instruments of which the venue confirmed more than was asked, or a worse price: none opens before a release."""
    beyond: frozenset[int] = frozenset()
    """Orders that the venue took for more than they were."""
    messages_max: int = 0
    """What the venue takes in any second, cancels included; 0: any number."""
    seq: int = 0
    epoch: int = 0
    epochs: set[int] = field(default_factory=set)
    killed: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    """(strategy, instrument) -> level; `OF_NODE` is the node."""
    armed: int = 0
    is_doubted: bool = False
    """The venue has told of orders with a hole: nothing opens before a release."""
    sessions: dict[int, bytes] = field(default_factory=dict)
    """Name of the last login, by source; these and the next are by source too."""
    ended: set[int] = field(default_factory=set)
    up: set[int] = field(default_factory=set)
    routes: dict[int, int] = field(default_factory=dict)
    """Feed -> session."""
    feed_of: dict[int, int] = field(default_factory=dict)
    """Instrument -> feed."""
    ts_seq: int = 0
    _broken: dict[int, bool] = field(default_factory=lambda: defaultdict(bool))
    _sent_at: dict[int, deque[int]] = field(default_factory=lambda: defaultdict(deque))
    """When messages left, of the last second, by session."""

    def take_all(self, reader: native.JournalReader) -> Model:
        """Every frame of the journal."""
        while frame := reader.next():
            kind, seq, epoch, source, _, _, _, ts_seq, _, records = frame
            if seq != self.seq + 1:
                self.wrong.append(f"frame {seq} follows {self.seq}")
            if ts_seq and ts_seq < self.ts_seq:
                self.wrong.append(f"frame {seq}: time goes back from {self.ts_seq} to {ts_seq}")
            self.seq, self.ts_seq = seq, max(self.ts_seq, ts_seq)
            if epoch < self.epoch:
                self.wrong.append(f"frame {seq} is of epoch {epoch} after {self.epoch}")
            self.epoch = epoch
            if records.shape[1] == 128:
                rows = [row.tobytes() for row in records]
                if kind == IN:
                    self._take_in(seq, source, rows)
                else:
                    self._take_out(seq, rows)
        return self

    # ---- what came in

    def _take_in(self, seq: int, source: int, rows: list[bytes]) -> None:
        for row in rows:
            kind = row[0]
            if Type.ACCEPTED <= kind <= Type.NOT_SENT:
                self._report(seq, REPORT.unpack(row))
            elif kind == Type.STARTED:
                self._start(seq)
            elif kind == Type.INSTRUMENT:
                self.feed_of[int.from_bytes(row[4:8], "little")] = source
            elif kind == Type.LIMIT:
                _, flags, _, instrument, _, value, _, _, of, scope, *_ = LIMIT.unpack_from(row)
                if scope == LimitScope.INSTRUMENT:
                    self.limits[of, instrument] = NONE if flags & 1 else value
            elif kind in CONTROLS:
                self._control(kind, CONTROL.unpack(row))

    def _start(self, seq: int) -> None:
        if self.epoch in self.epochs:
            self.wrong.append(f"frame {seq}: epoch {self.epoch} begins a second time")
        self.epochs.add(self.epoch)
        self.armed = ArmState.OFF
        self.up.clear()
        self.routes.clear()

    def _session_of(self, instrument: int) -> int:
        return self.routes.get(self.feed_of.get(instrument, 0), ORDER_ENTRY)

    def _control(self, kind: int, c: tuple[int, ...]) -> None:
        _, flags, strategy, instrument, _, code, source, *_ = c
        scope = strategy, instrument
        if kind == Type.ADJUSTMENT:
            self.adjusted.append(Adjusted(strategy, instrument, c[8], c[9]))
        elif kind == Type.PARAMETERS:
            if source == ROUTE_PARAMETER:
                self.routes[code] = c[8]
        elif kind == Type.RESOLVED:
            self.up.add(source)
        elif kind in (Type.CONNECTED, Type.DISCONNECTED, Type.GAP) and source >= ORDER_ENTRY:
            self.up -= {source} if kind != Type.GAP else set()
            self._session(source, kind, code, c[-1].rstrip(b"\0"))
        elif kind == Type.ARM:
            if scope == OF_NODE:
                self.armed = code
            if flags & AFTER_KILL:
                self.killed[scope] = KillLevel.NONE
                self.is_doubted &= scope != OF_NODE
                self.held -= {instrument} if strategy == NO_STRATEGY else set()
        elif kind == Type.KILL:
            self.killed[scope] = max(self.killed[scope], code)

    def _session(self, source: int, kind: int, code: int, name: bytes) -> None:
        if kind == Type.DISCONNECTED:
            self.ended |= {source} if code == END_OF_SESSION else set()
            return
        is_other = kind == Type.CONNECTED and self.sessions.get(source, b"") not in (b"", name)
        self.is_doubted |= kind == Type.GAP or (is_other and source not in self.ended)
        if kind == Type.CONNECTED:
            self.sessions[source] = name
            self.ended.discard(source)

    def _report(self, seq: int, r: tuple[int, ...]) -> None:
        kind, _, _, _, _, _, number, _, exec_id, px, qty, _, left, ts_sent, version, _, _, _, command, *_ = r
        order = self.orders.get(number)
        if kind == Type.SENT:
            self._count_message(seq, self._session_of(r[4]), ts_sent)
        if kind == Type.BUSTED or kind == Type.CORRECTED:
            self._amend(kind, (number, exec_id), px, qty)
        if order is None:
            return
        if kind in (Type.FILLED, Type.CANCELED, Type.EXPIRED) and version > order.version:
            order.version, order.qty = version, 0  # its Replaced may be lost: nothing of it certainly is open
        if kind == Type.FILLED:
            self._fill(seq, order, (number, exec_id), px, qty, version)
        elif kind in (Type.ACCEPTED, Type.REPLACED):
            self._confirm(order, (number, version), left, r[11])
        elif kind in (Type.CANCELED, Type.EXPIRED):
            order.gone[version] += qty
        elif (kind == Type.REJECTED and version == 1) or (kind == Type.NOT_SENT and command == Type.NEW_ORDER):
            order.is_over = True

    def _confirm(self, order: Held, key: tuple[int, int], left: int, px: int) -> None:
        _, version = key
        asked = self.commands.get(key)
        if asked is not None and version not in order.told and version >= order.version:
            is_worse = px > asked.px if order.side == BUY else 0 < px < asked.px
            self.held |= {order.instrument} if left > asked.qty or is_worse else set()
        order.told.add(version)
        order.version, order.qty = version, left

    def _count_message(self, seq: int, session: int, at_ns: int) -> None:
        sent_at = self._sent_at[session]
        sent_at.append(at_ns)
        while sent_at[0] <= at_ns - SECOND:
            sent_at.popleft()
        if self.messages_max and len(sent_at) > self.messages_max:
            self.wrong.append(f"frame {seq}: {len(sent_at)} messages in a second, the venue takes {self.messages_max}")

    def _fill(self, seq: int, order: Held, key: tuple[int, int], px: int, qty: int, version: int) -> None:
        if key in self.fills or key in self.busted:
            return
        self.fills[key] = Fill(order.instrument, order.side, px, qty)
        order.cum += qty
        order.gone[version] += qty
        most = max(c.qty for (number, _), c in self.commands.items() if number == key[0])
        if order.cum > most and key[0] not in self.beyond:
            self.wrong.append(f"frame {seq}: order {key[0]} has filled {order.cum} of {most}")

    def _amend(self, kind: int, key: tuple[int, int], px: int, qty: int) -> None:
        fill = self.fills.get(key)
        if fill is None:
            if kind == Type.CORRECTED and key not in self.busted and (order := self.orders.get(key[0])):
                self.fills[key] = Fill(order.instrument, order.side, px, qty)
            elif kind == Type.BUSTED:
                self.busted.add(key)
            return
        if kind == Type.BUSTED:
            del self.fills[key]
            self.busted.add(key)
        else:
            self.fills[key] = fill._replace(px=px, qty=qty)

    # ---- what was decided

    def _take_out(self, seq: int, rows: list[bytes]) -> None:
        before = b""
        for row in rows:
            if row[0] in COMMANDS:
                o = ORDER.unpack(row)
                if row[0] != Type.CANCEL_ORDER:
                    self._open(seq, o, before)
                elif o[6] not in self.orders:
                    self.wrong.append(f"frame {seq}: a cancel of an order that never was, {o[6]}")
            before = row

    def _open(self, seq: int, o: tuple[int, ...], before: bytes) -> None:
        kind, _, side, _, instrument, _, number, px, qty, *_ = o
        version, leaves = o[13], o[22]
        where = f"frame {seq}: order {number} version {version}"
        if before[:1] != bytes([Type.APPROVED]) or before[1:104] != ORDER.pack(*o)[1:104]:
            self.wrong.append(f"{where} has no approval before it")
        if (number, version) in self.commands or (kind == Type.NEW_ORDER and number in self.orders):
            self.wrong.append(f"{where} is asked for a second time")
        self._check_stopped(where, instrument, side, number, leaves)
        self.commands[number, version] = Command(seq, px, qty, leaves)
        if kind == Type.NEW_ORDER:
            self.orders[number] = Held(instrument, side, qty)
        self._check_limits(where, instrument, side, number, leaves)

    def _check_stopped(self, where: str, instrument: int, side: int, number: int, leaves: int) -> None:
        strategy = strategy_of(number)
        of_account = max(self.killed[OF_NODE], self.killed[NO_STRATEGY, instrument])
        of_strategy = self.killed[strategy, NONE]
        if max(of_account, of_strategy) >= KillLevel.HARD or self.armed <= ArmState.CANCEL_ONLY:
            self.wrong.append(f"{where} although killed {of_account} (strategy {of_strategy}), armed {self.armed}")
        session = self._session_of(instrument)
        if session not in self.up or self.is_doubted:
            self.wrong.append(f"{where} although session {session} is not in {self.up}, or doubted {self.is_doubted}")
        if instrument in self.held:
            self.wrong.append(f"{where} although the venue has confirmed what was not asked, and nobody has looked")
        if self.armed == ArmState.REDUCE_ONLY or of_account == KillLevel.SOFT:
            self._check_reduces(where, self._worst(instrument, side, number), leaves)
        if of_strategy == KillLevel.SOFT:
            self._check_reduces(where, self._worst(instrument, side, number, strategy), leaves)

    def _check_reduces(self, where: str, worst: int, leaves: int) -> None:
        if worst + leaves > 0:
            self.wrong.append(f"{where} for {leaves} where only a position may be reduced, and {-worst} are left of it")

    def _worst(self, instrument: int, side: int, number: int, strategy: int | None = None) -> int:
        """Held on this side, with every other order filled that certainly is open: of the account, or of a strategy."""
        others = sum(
            o.leaves()
            for n, o in self.orders.items()
            if n != number and (o.instrument, o.side) == (instrument, side) and strategy in (None, strategy_of(n))
        )
        lots = self.position(instrument, strategy)[0]
        return (lots if side == BUY else -lots) + others

    def _check_limits(self, where: str, instrument: int, side: int, number: int, leaves: int) -> None:
        if leaves > self.limits.get((LimitKind.ORDER_QTY, instrument), 0):
            self.wrong.append(f"{where} for {leaves} lots, above the limit")
        position = self.position(instrument)[0]
        kind = LimitKind.POSITION_LONG if side == BUY else LimitKind.POSITION_SHORT
        worst = self._worst(instrument, side, number) + leaves
        held = position if side == BUY else -position
        most = self.limits.get((kind, instrument), 0)
        if worst > most and worst > 0 and held + leaves > 0:
            self.wrong.append(f"{where} could lead to a position of {worst}, the limit is {most}")

    # ---- what it comes to

    def position(self, instrument: int, strategy: int | None = None) -> tuple[int, int]:
        """(lots, cash) of all executions that stand, and by hand; of one strategy, or of all."""
        mine = [
            f
            for (number, _), f in self.fills.items()
            if f.instrument == instrument and strategy in (None, strategy_of(number))
        ]
        by_hand = self.by_hand(instrument, strategy)
        lots = sum(f.qty if f.side == BUY else -f.qty for f in mine)
        cash = sum(-f.qty * f.px if f.side == BUY else f.qty * f.px for f in mine)
        return lots + by_hand[0], cash + by_hand[1]

    def by_hand(self, instrument: int, strategy: int | None = None) -> tuple[int, int]:
        """(lots, cash) that people booked."""
        mine = [a for a in self.adjusted if a.instrument == instrument and strategy in (None, a.strategy)]
        return sum(a.qty for a in mine), sum(-a.qty * a.px for a in mine)
