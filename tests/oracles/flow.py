"""What was sent and executed lately, slow and obvious: lists of times, counted anew each time."""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field

from openbell.types import NO_STRATEGY, LimitKind, LimitScope, Reason, Type
from oracles.limits import Key, Limits

Order = dict[str, int]
OPENING = (Type.NEW_ORDER, Type.REPLACE_ORDER)


def width_of(window_ns: int) -> int:
    """An eighth of a window."""
    return max(1, window_ns // 8)


def counted(times: list[int], now: int, window_ns: int) -> int:
    """How many of `times` lie in the eighth that goes on or in the eight before it."""
    width = width_of(window_ns)
    return sum(t // width >= now // width - 8 for t in times)


@dataclass
class Flow:
    """The same as the native Flow."""

    limits: Limits
    sent: dict[tuple[LimitKind, Key], tuple[int, list[int]]] = field(default_factory=dict)  # eighth, times
    seen: dict[Hashable, list[int]] = field(default_factory=lambda: defaultdict(list))
    today: dict[Key, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))  # orders, trades
    latched: dict[int, tuple[int, int, LimitScope]] = field(default_factory=dict)
    date: int = 0

    def claims(self, o: Order, now: int):
        """What must hold, as (reason, kind, observed by scope, allowed by scope)."""
        around = self.limits.around(o["account"], o["strategy"], o["instrument"])
        of = dict(around)

        def limit(scope: LimitScope, kind: LimitKind):
            return self.limits.get(of[scope], kind)

        def duplicates(scope: LimitScope) -> int:
            window_ns = limit(scope, LimitKind.DUPLICATES).window_ns
            return counted(self.seen[order_key(window_ns, o)], now, window_ns) + 1

        def rate(kind: LimitKind):
            def observed(scope: LimitScope) -> int:
                return counted(self.sent[kind, of[scope]][1], now, limit(scope, kind).window_ns) + 1

            return observed

        def ratio(scope: LimitScope) -> int:
            orders, trades = self.today[of[scope]]
            over = orders + 1 - limit(scope, LimitKind.ORDERS_PER_TRADE).reserve
            return max(0, -(-over // max(1, trades)))

        def unreserved(scope: LimitScope) -> int:
            messages = limit(scope, LimitKind.MESSAGE_RATE)
            return messages.value - messages.reserve

        yield Reason.DUPLICATE_ORDER, LimitKind.DUPLICATES, duplicates, None
        yield Reason.ORDER_RATE, LimitKind.ORDER_RATE, rate(LimitKind.ORDER_RATE), None
        yield Reason.MESSAGE_RATE, LimitKind.MESSAGE_RATE, rate(LimitKind.MESSAGE_RATE), unreserved
        yield Reason.REPEATS, LimitKind.REPEATS, None, None
        yield Reason.ORDERS_PER_TRADE, LimitKind.ORDERS_PER_TRADE, ratio, None

    def on_limit(self, r: Order, key: Key) -> None:
        kind = LimitKind(r["kind"])
        if kind in (LimitKind.ORDER_RATE, LimitKind.MESSAGE_RATE):
            width, times = self.sent.get((kind, key), (0, []))
            same = width == width_of(r["window_ns"])
            self.sent[kind, key] = (width_of(r["window_ns"]), times if same else [])

    def forget(self, is_gone) -> None:
        """Rows of nobody."""
        self.sent = {k: v for k, v in self.sent.items() if not is_gone(k[1])}
        for key in [k for k in self.today if is_gone(k)]:
            del self.today[key]

    def on_command(self, o: Order, now: int) -> None:
        equals = set()
        for _, key in self.limits.around(o["account"], o["strategy"], o["instrument"]):
            limits = self.limits.rows.get(key, {})
            if LimitKind.MESSAGE_RATE in limits:
                self.sent[LimitKind.MESSAGE_RATE, key][1].append(now)
            if o["type"] not in OPENING:
                continue
            if LimitKind.ORDER_RATE in limits:
                self.sent[LimitKind.ORDER_RATE, key][1].append(now)
            if LimitKind.ORDERS_PER_TRADE in limits:
                self.today[key][0] += 1
            if duplicates := limits.get(LimitKind.DUPLICATES):
                equals.add(order_key(duplicates.window_ns, o))
        for key in equals:  # once for each length of window, however many scopes have it
            self.seen[key].append(now)

    def on_withdrawn(self, o: Order, now: int) -> None:
        """What was counted at `now` is not sent after all."""
        equals = set()
        for _, key in self.limits.around(o["account"], o["strategy"], o["instrument"]):
            limits = self.limits.rows.get(key, {})
            for kind in {LimitKind.MESSAGE_RATE, LimitKind.ORDER_RATE} & limits.keys():
                self.sent[kind, key][1].remove(now)
            if LimitKind.ORDERS_PER_TRADE in limits:
                self.today[key][0] -= 1
            if duplicates := limits.get(LimitKind.DUPLICATES):
                equals.add(order_key(duplicates.window_ns, o))
        for key in equals:
            self.seen[key].remove(now)

    def on_fill(self, strategy: int, instrument: int, side: int, now: int) -> bool:
        is_new = False
        counted_already = set()
        for scope, key in self.limits.around(0, strategy, instrument):
            limits = self.limits.rows.get(key, {})
            if LimitKind.ORDERS_PER_TRADE in limits:
                self.today[key][1] += 1
            if repeats := limits.get(LimitKind.REPEATS):
                what = (LimitKind.REPEATS, repeats.window_ns, strategy, instrument, side)
                if what not in counted_already:
                    self.seen[what].append(now)
                counted_already.add(what)
                count = counted(self.seen[what], now, repeats.window_ns)
                if count > repeats.value and strategy not in self.latched:
                    self.latched[strategy] = (repeats.value, count, scope)
                    is_new = True
        return is_new

    def release(self, strategy: int) -> None:
        if strategy == NO_STRATEGY:
            self.latched.clear()
        self.latched.pop(strategy, None)

    def on_trading_day(self, date: int) -> None:
        if date != self.date:
            self.date = date
            self.today.clear()


def order_key(window_ns: int, o: Order) -> Hashable:
    """What makes two orders equal."""
    names = ("account", "strategy", "instrument", "side", "px", "leaves_qty")
    return (LimitKind.DUPLICATES, window_ns, *(o[n] for n in names))
