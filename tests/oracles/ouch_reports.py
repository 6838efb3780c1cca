"""What each OUCH 4.2 message about an order means to us, as a table: the slow twin of native/venue/ouch_reports.cpp."""

from typing import Any

from openbell.types import NO_INSTRUMENT, Reason, Side, Type
from oracles.ouch import BASE62

CANCEL_REASONS = {
    "U": Reason.USER_CANCEL,
    "I": Reason.IOC_REMAINDER,
    "Q": Reason.SELF_MATCH,
} | dict.fromkeys("TSDZCHE", Reason.SESSION_CANCEL)

Report = dict[str, Any]


def reports_of(message: dict[str, Any], midnight_ns: int) -> list[Report]:
    """The reports of one decoded message; only fields that are not zero."""
    kind = message["type"]
    common: Report = {"instrument": NO_INSTRUMENT, "ts_event": midnight_ns + message["ts"]}
    if kind in "SPTMN":
        return []
    common |= key_of(message["token"])
    if kind in "AU":
        return [nonzero(r) for r in terms(message, common)]
    return [nonzero(common | said(kind, message))]


def said(kind: str, m: dict[str, Any]) -> Report:
    execution = {"last_px": m.get("px"), "last_qty": m.get("qty"), "exec_id": m.get("match_id")}
    match kind:
        case "C":
            reason = CANCEL_REASONS.get(m["reason"], Reason.VENUE_REJECT)
            return {"type": Type.CANCELED, "last_qty": m["qty"], "reason": reason, "venue_reason": ord(m["reason"])}
        case "D":
            ours = {"reason": Reason.SELF_MATCH, "venue_reason": ord(m["reason"])}
            return {"type": Type.CANCELED, "last_qty": m["qty"]} | ours
        case "E" | "G":
            return {"type": Type.FILLED, "liquidity": ord(m["liquidity"])} | execution
        case "F":
            ours = {"liquidity": ord(m["liquidity"]), "venue_reason": ord(m["reason"])}
            return {"type": Type.CORRECTED} | ours | execution
        case "B":
            return {"type": Type.BUSTED, "exec_id": m["match_id"], "venue_reason": ord(m["reason"])}
        case "J":
            return {"type": Type.REJECTED, "reason": Reason.VENUE_REJECT, "venue_reason": ord(m["reason"])}
        case "I":
            return {"type": Type.CANCEL_REJECTED, "reason": Reason.VENUE_REJECT}
    raise AssertionError(kind)


def terms(m: dict[str, Any], common: Report) -> list[Report]:
    first = common | {
        "type": Type.ACCEPTED if m["type"] == "A" else Type.REPLACED,
        "side": Side.BUY if m["side"] == "B" else Side.SELL,
        "order_id": m["order_id"],
        "px": m["px"],
        "leaves_qty": m["qty"],
    }
    if m["type"] == "U":
        prev = key_of(m["prev_token"])
        if prev.get("cl_ord_id") == common.get("cl_ord_id"):
            first["prev_version"] = prev.get("version", 0)
        else:
            first |= {"cl_ord_id": 0, "version": 0}
    if m["state"] != "D":
        return [first]
    second = {k: first[k] for k in common | {"order_id": 0}} | {
        "type": Type.CANCELED,
        "last_qty": m["qty"],
        "reason": Reason.IOC_REMAINDER if m["tif"] == 0 else Reason.VENUE_REJECT,
        "venue_reason": ord("D"),
    }
    return [first, second]


def key_of(token: str) -> Report:
    """Our id and version; nothing for a token that we cannot have made."""
    if len(token) != 14 or any(c not in BASE62 for c in token):
        return {}
    cl_ord_id, version = number(token[:11]), number(token[11:])
    return {"cl_ord_id": cl_ord_id, "version": version} if 0 < cl_ord_id < 2**64 else {}


def number(digits: str) -> int:
    value = 0
    for c in digits:
        value = value * 62 + BASE62.index(c)
    return value


def nonzero(report: Report) -> Report:
    return {k: int(v) for k, v in report.items() if v}
