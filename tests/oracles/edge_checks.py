"""What native/feed/edge_checks.h does with the records of a message: slow, with dicts and no limits on memory.

`judge` takes rows as `oracles.itch_feed` makes them and returns what is journalled in their place.
"""

from dataclasses import dataclass, field

from openbell.types import Check, CheckPolicy, Type

BUY, WHOLE, AT_ORDER_PX, DROPPED, INVALIDATES = 1, 2, 4, 32, 64
WINDOW, QUARANTINED_PER_WINDOW, MARKS_PER_WINDOW = 65_536, 64, 1_024
PX_MAX = 2**32 - 1
TICK_FROM_PX = 10_000
EDGE = (Check.PX_BAND, Check.PX_TICK, Check.QTY_BAND, Check.QTY_LOT, Check.CLOCK_BACK)

Row = tuple[int, ...]
KIND, FLAGS, TRACKING, INSTRUMENT, TS, ORDER_ID, PX, QTY, REF = range(9)
Aside = tuple[int, int, int, int, int, bytes]
"""flags, check, instrument, ts_event, count, the message"""


@dataclass(frozen=True)
class Limits:
    px_low: int = 0
    px_high: int = PX_MAX
    band_bps: int = 0
    tick: int = 1
    lot: int = 1
    qty_max: int = 0
    keep_low: int = 0
    keep_high: int = PX_MAX


@dataclass
class EdgeChecks:
    policies: list[CheckPolicy]
    limits: dict[str, Limits] = field(default_factory=dict)
    clock_back_ns: int = 0
    left_out_max: int = 1 << 16
    types: str = ""

    def __post_init__(self) -> None:
        self.of: dict[int, Limits] = {}
        self.reference: dict[int, int] = {}
        self.left_out: dict[tuple[int, int], tuple[int, int | None]] = {}  # (instrument, ref) -> qty, BUY, 0 or None
        self.last_ts: int | None = None
        self.is_snapshot = False
        self.asides: list[Aside] = []
        self.written: dict[int, int] = {}
        self.told: dict[int, int] = {}
        self.counters: dict[str, int] = dict.fromkeys(
            ("quarantined", "unwritten", "untold", "filtered", "follow_ups", "no_room"), 0
        )
        self.failed = [0] * len(self.policies)

    def assign(self, instrument: int, symbol: str) -> None:
        self.of[instrument] = limits = self.limits.get(symbol, Limits())
        if not limits.px_low <= self.reference.get(instrument, limits.px_low) <= limits.px_high:
            del self.reference[instrument]

    def begin_snapshot(self) -> None:
        self.is_snapshot = True
        self.left_out.clear()

    def end_snapshot(self) -> None:
        self.is_snapshot = False

    def policy(self, check: Check) -> CheckPolicy:
        policy = CheckPolicy(self.policies[check])
        return CheckPolicy.MARK if check is Check.CLOCK_BACK and policy is CheckPolicy.DROP else policy

    # ---- what is looked at

    def band(self, instrument: int) -> tuple[int, int]:
        limits, reference = self.of[instrument], self.reference.get(instrument)
        low, high = limits.px_low, limits.px_high
        if reference is not None:
            width = reference * limits.band_bps // 10_000
            low, high = max(low, reference - width), min(high, reference + width)
        return low, high

    def looks_bad(self, row: Row) -> set[Check]:
        kind, px, qty = row[KIND], row[PX], row[QTY]
        is_order = kind in (Type.BOOK_ADD, Type.BOOK_MODIFY)
        is_print = kind == Type.TRADE and (qty > 0 or chr(self.letter) == "P")
        is_priced = kind == Type.BOOK_EXECUTE and not row[FLAGS] & AT_ORDER_PX
        takes = kind == Type.BOOK_EXECUTE or (kind == Type.BOOK_CANCEL and not row[FLAGS] & WHOLE)
        bad = set()
        if self.is_back(row[TS]):
            bad.add(Check.CLOCK_BACK)
        if not (is_order or is_print or takes):
            return bad
        limits = self.of[row[INSTRUMENT]]
        low, high = self.band(row[INSTRUMENT])
        if (is_order or is_print or is_priced) and not low <= px <= high:
            bad.add(Check.PX_BAND)
        if is_order and px >= TICK_FROM_PX and px % limits.tick:
            bad.add(Check.PX_TICK)
        if is_order and qty % limits.lot:
            bad.add(Check.QTY_LOT)
        if qty == 0 or ((is_order or is_print) and limits.qty_max and qty > limits.qty_max):
            bad.add(Check.QTY_BAND)
        return bad

    def is_back(self, ts: int) -> bool:
        if self.is_snapshot:
            return False
        is_back = self.last_ts is not None and ts < self.last_ts - self.clock_back_ns
        self.last_ts = ts
        return is_back

    def follow(self, row: Row, bad: set[Check]) -> None:
        is_print = row[KIND] == Type.TRADE or (row[KIND] == Type.BOOK_EXECUTE and not row[FLAGS] & AT_ORDER_PX)
        if not is_print or not row[PX] or not row[QTY] or not self.of[row[INSTRUMENT]].band_bps:
            return
        if row[INSTRUMENT] not in self.reference:
            if Check.PX_BAND not in bad:
                self.reference[row[INSTRUMENT]] = row[PX]
            return
        low, high = self.band(row[INSTRUMENT])
        self.reference[row[INSTRUMENT]] = min(max(row[PX], low), high)

    # ---- what follows

    def judge(self, number: int, message: bytes, rows: list[Row]) -> list[Row]:
        """Message `number` of the feed says `rows`; what becomes of them."""
        self.letter = message[0]
        found = rows[0]
        kind = found[KIND]
        bad = self.looks_bad(found)
        replaces, adds = kind == Type.BOOK_MODIFY, kind == Type.BOOK_ADD
        takes = kind in (Type.BOOK_EXECUTE, Type.BOOK_CANCEL)
        key = (found[INSTRUMENT], found[ORDER_ID])
        was_left_out = (takes or replaces) and key in self.left_out
        side: int | None = found[FLAGS] & BUY if adds else None
        if was_left_out:
            self.counters["follow_ups"] += 1
            qty, side = self.left_out.pop(key)
            if takes:
                is_whole = kind == Type.BOOK_CANCEL and found[FLAGS] & WHOLE
                if not is_whole and found[QTY] < qty:
                    self.left_out[key] = (qty - found[QTY], side)
                return self.tell(number, found, [], *self.decide(bad & {Check.CLOCK_BACK}))
        self.follow(found, bad)
        rest = [cancel(found)] if replaces and not was_left_out else []
        if (adds or replaces) and not self.is_kept(found) and self.leave_out(found, side):
            self.counters["filtered"] += 1
            return self.tell(number, found, rest, *self.decide(bad & {Check.CLOCK_BACK}))
        check, policy = self.decide(bad)
        if check and policy is CheckPolicy.DROP:
            can_drop = self.leave_out(found, side) if adds or replaces else not takes or found[QTY] == 0
            if can_drop:
                self.put_aside(number, message, check, found[INSTRUMENT], found[TS], DROPPED)
                return rest
            policy = CheckPolicy.HALT if adds or replaces else CheckPolicy.MARK
        if was_left_out and side is None:
            self.leave_out(found, None)
            self.failed[Check.UNKNOWN_ORDER] += 1
            return self.tell(number, found, [], Check.UNKNOWN_ORDER, CheckPolicy.HALT)
        if was_left_out:
            rows = [(int(Type.BOOK_ADD), side or 0, *found[TRACKING:ORDER_ID], found[REF], found[PX], found[QTY], 0)]
        return self.tell(number, found, rows, check, policy)

    def judge_malformed(self, number: int, message: bytes, instrument: int, ts: int) -> list[Row]:
        self.failed[Check.MALFORMED] += 1
        policy = self.policy(Check.MALFORMED)
        flags = DROPPED | INVALIDATES * (policy is CheckPolicy.HALT)
        self.put_aside(number, message, Check.MALFORMED, instrument, ts, flags)
        if policy is CheckPolicy.DROP:
            return []
        return self.tell(number, (0, 0, 0, instrument, ts, 0, 0, 0, 0), [], Check.MALFORMED, policy)

    def decide(self, bad: set[Check]) -> tuple[Check | None, CheckPolicy]:
        for check in bad:
            self.failed[check] += 1
        for policy in (CheckPolicy.HALT, CheckPolicy.DROP, CheckPolicy.MARK):
            for check in EDGE:
                if check in bad and self.policy(check) is policy:
                    return check, policy
        return None, CheckPolicy.MARK

    def tell(self, number: int, found: Row, rows: list[Row], check: Check | None, policy: CheckPolicy) -> list[Row]:
        if check is None:
            return rows
        window = number // WINDOW
        if policy is CheckPolicy.MARK:
            self.told[window] = self.told.get(window, 0) + 1
            if self.told[window] > MARKS_PER_WINDOW:
                self.counters["untold"] += 1
                return rows
        flags = DROPPED * (not rows) | INVALIDATES * (policy is CheckPolicy.HALT)
        return [*rows, (int(Type.FEED_CHECK), flags, *found[TRACKING:REF], int(check))]

    def put_aside(self, number: int, message: bytes, check: Check, instrument: int, ts: int, flags: int) -> None:
        self.counters["quarantined"] += 1
        window = number // WINDOW
        self.written[window] = self.written.get(window, 0) + 1
        if self.written[window] > QUARANTINED_PER_WINDOW:
            self.counters["unwritten"] += 1
            return
        self.asides.append((flags, int(check), instrument, ts, self.counters["quarantined"], message[:104]))

    def is_kept(self, row: Row) -> bool:
        limits = self.of[row[INSTRUMENT]]
        return limits.keep_low <= row[PX] <= limits.keep_high

    def leave_out(self, row: Row, side: int | None) -> bool:
        key = (row[INSTRUMENT], row[REF] if row[KIND] == Type.BOOK_MODIFY else row[ORDER_ID])
        if key not in self.left_out and len(self.left_out) == self.left_out_max:
            self.counters["no_room"] += 1
            return False
        self.left_out[key] = (row[QTY], side)
        return True


def cancel(row: Row) -> Row:
    """The end of the order that `row` replaces."""
    return (int(Type.BOOK_CANCEL), WHOLE, *row[TRACKING:PX], 0, 0, 0)
