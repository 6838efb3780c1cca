"""What native/feed/itch_feed.h emits, message by message: slow, from the dicts of `oracles.itch`, one row a record.

A row is (type, flags, tracking, instrument, ts_event, order_id, px, qty, ref), as `RECORDS["Market"]` has them;
a `Prices` record reads (.., code, px[0], px[1], px[2]) in the last four.
"""

from dataclasses import dataclass, field

from openbell import _native as native
from openbell.types import NO_INSTRUMENT, CheckPolicy, TradingState, Type
from oracles import itch
from oracles.edge_checks import EdgeChecks

BUY, WHOLE, AT_ORDER_PX, PRINTABLE = 1, 2, 4, 8
HERE = ELIGIBLE = 1
INT64_MAX = 2**63 - 1
STATES = {"H": TradingState.HALTED, "P": TradingState.PAUSED, "Q": TradingState.QUOTE_ONLY, "T": TradingState.TRADING}
PHASES = {"Q": TradingState.TRADING, "M": TradingState.CLOSED}
OF_MARKET = "SVW"

Row = tuple[int, ...]
Tail = tuple[int, int, int, int, int, int]  # type, flags, order_id, px, qty, ref


def default_checks() -> EdgeChecks:
    """As a feed has them that is not configured."""
    return EdgeChecks([CheckPolicy(policy) for policy in native.EdgeConfig().policies])


def chars(text: str, width: int = 0) -> int:
    """Letters as an integer, the first one lowest; padded with spaces to `width`."""
    return int.from_bytes(text.ljust(width).encode("latin1"), "little")


@dataclass
class ItchFeed:
    """Every symbol is subscribed; ids are given in the order of the directory."""

    midnight_ns: int = 0
    checks: EdgeChecks = field(default_factory=default_checks)
    ids: dict[int, int] = field(default_factory=dict)  # by locate
    symbols: dict[int, str] = field(default_factory=dict)  # by locate
    counters: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("messages", "markets", "instruments", "unsubscribed", "unknown", "malformed"), 0
        )
    )

    def push(self, message: bytes) -> list[Row]:
        self.counters["messages"] += 1
        if message and chr(message[0]) in self.checks.types:
            self.checks.counters["filtered"] += 1
            return []
        m = itch.decode(message)
        if m is None and message and chr(message[0]) not in itch.FORMATS:
            self.counters["unknown"] += 1
            return []
        if m is None:
            return self.malformed(message)
        if m["type"] == "R":
            self.counters["instruments"] += 1
            self.ids.setdefault(m["locate"], len(self.ids))
            self.symbols[m["locate"]] = m["symbol"].strip()
            self.checks.assign(self.ids[m["locate"]], self.symbols[m["locate"]])
            return []
        instrument = NO_INSTRUMENT if m["type"] in OF_MARKET else self.instrument_of(m)
        if instrument is None:
            self.counters["unsubscribed"] += 1
            return []
        tails = self.tails(m)
        if tails is None:
            return self.malformed(message)
        ts = self.midnight_ns + m["ts"]
        rows = [(int(kind), flags, m["tracking"], instrument, ts, *rest) for kind, flags, *rest in tails]
        return self.counted(self.checks.judge(self.counters["messages"], message, rows))

    def counted(self, rows: list[Row]) -> list[Row]:
        self.counters["markets"] += len(rows)
        return rows

    def malformed(self, message: bytes) -> list[Row]:
        self.counters["malformed"] += 1
        instrument: int | None = NO_INSTRUMENT
        if len(message) >= 3 and chr(message[0]) not in OF_MARKET:
            instrument = self.ids.get(int.from_bytes(message[1:3]))
            if instrument is None:
                return []
        ts = self.midnight_ns + int.from_bytes(message[5:11]) if len(message) >= 11 else 0
        return self.counted(self.checks.judge_malformed(self.counters["messages"], message, instrument, ts))

    def instrument_of(self, m: itch.Fields) -> int | None:
        if m["type"] == "K" and m["locate"] == 0:
            for locate in sorted(self.symbols):
                if self.symbols[locate] == m["symbol"].strip():
                    return self.ids[locate]
        return self.ids.get(m["locate"])

    def time(self, ns: int) -> int:
        return self.midnight_ns + ns if ns else 0

    def tails(self, m: itch.Fields) -> list[Tail] | None:
        """The records of a message; None when one of its values is beyond int64."""
        match m["type"]:
            case "A":
                return [(Type.BOOK_ADD, BUY * (m["side"] == "B"), m["order_id"], m["px"], m["qty"], 0)]
            case "F":
                mpid = chars(m["mpid"], 4)
                return [(Type.BOOK_ADD, BUY * (m["side"] == "B"), m["order_id"], m["px"], m["qty"], mpid)]
            case "E":
                return [(Type.BOOK_EXECUTE, AT_ORDER_PX | PRINTABLE, m["order_id"], 0, m["qty"], m["match_id"])]
            case "C":
                flags = PRINTABLE * (m["printable"] == "Y")
                return [(Type.BOOK_EXECUTE, flags, m["order_id"], m["px"], m["qty"], m["match_id"])]
            case "X":
                return [(Type.BOOK_CANCEL, 0, m["order_id"], 0, m["qty"], 0)]
            case "D":
                return [(Type.BOOK_CANCEL, WHOLE, m["order_id"], 0, 0, 0)]
            case "U":
                return [(Type.BOOK_MODIFY, 0, m["order_id"], m["px"], m["qty"], m["new_order_id"])]
            case "P":
                flags = PRINTABLE | BUY * (m["side"] == "B")
                return [(Type.TRADE, flags, m["order_id"], m["px"], m["qty"], m["match_id"])]
            case "Q":
                if m["qty"] > INT64_MAX:
                    return None
                return [(Type.TRADE, PRINTABLE, chars(m["cross"]), m["px"], m["qty"], m["match_id"])]
            case "B":
                return [(Type.TRADE_BUST, 0, 0, 0, 0, m["match_id"])]
            case "H":
                state = STATES.get(m["state"], TradingState.UNKNOWN)
                return [(Type.STATUS, 0, chars(m["reason"], 4), 0, 0, int(state))]
            case "S":
                state = PHASES.get(m["event"], TradingState.UNKNOWN)
                return [(Type.STATUS, 0, chars(m["event"]), 0, 0, int(state))]
            case "h":
                state = STATES.get(m["action"], TradingState.UNKNOWN)
                return [
                    (Type.VENUE_HALT, HERE * (m["market"] == "Q"), chars(m["market"] + m["action"]), 0, 0, int(state))
                ]
            case "Y":
                return [(Type.SHORT_SALE, 0, chars(m["action"]), 0, 0, 0)]
            case "L":
                letters = m["mpid"].ljust(4) + m["primary"] + m["mode"] + m["state"]
                return [(Type.PARTICIPANT, 0, chars(letters), 0, 0, 0)]
            case "V":
                levels = (m["level1_px8"], m["level2_px8"], m["level3_px8"])
                return None if max(levels) > INT64_MAX else [(Type.BREAKER_LEVELS, 0, 0, *levels)]
            case "W":
                return [(Type.BREAKER, 0, chars(m["level"]), 0, 0, int(m["level"]) if m["level"] in "123" else 0)]
            case "K":
                release = self.time(m["release_s"] * 1_000_000_000)
                return [(Type.IPO_QUOTING, 0, chars(m["qualifier"]), m["px"], 0, release)]
            case "J":
                px = (m["reference_px"], m["lower_px"], m["upper_px"])
                return [(Type.AUCTION_COLLAR, 0, m["extensions"], *px)]
            case "N":
                return [(Type.RETAIL_INTEREST, 0, chars(m["interest"]), 0, 0, 0)]
            case "I":
                if max(m["imbalance_qty"], m["paired_qty"]) > INT64_MAX:
                    return None
                letters = chars(m["direction"] + m["cross"] + m["variation"])
                qty = -m["imbalance_qty"] if m["direction"] == "S" else m["imbalance_qty"]
                return [
                    (Type.IMBALANCE, 0, letters, m["reference_px"], qty, m["paired_qty"]),
                    (Type.AUCTION_PRICES, 0, letters, m["far_px"], m["near_px"], m["reference_px"]),
                ]
            case "O":
                if m["near_ts"] > INT64_MAX:
                    return None
                eligible = ELIGIBLE * (m["open_eligible"] == "Y")
                near = self.time(m["near_ts"])
                return [
                    (Type.DIRECT_LISTING, eligible, near, m["min_px"], m["max_px"], m["near_px"]),
                    (Type.AUCTION_COLLAR, 0, 0, m["near_px"], m["lower_px"], m["upper_px"]),
                ]
        raise AssertionError(f"no row for type {m['type']!r}")
