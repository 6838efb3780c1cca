"""A what-if for people: how many decisions differ, of which sorts, and what each said then and would say now."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from openbell.types import IntentKind, Side, Tif, Type

if TYPE_CHECKING:
    from openbell.journal.assets import Asset
    from openbell.node.otherwise import Change
    from openbell.node.what_if import WhatIf

UNKNOWN = (
    "not known: what would have followed. Every decision is judged against what really happened until then; the fills "
    "of orders that never were, and what they would have changed, nobody knows"
)
SHOWN_ELSEWHERE = (
    "record", "kind", "side", "tif", "strategy", "instrument", "px", "qty", "bid_px", "bid_qty", "ask_px", "ask_qty",
    "cl_ord_id", "leaves_qty", "intent_seq", "limits_version", "account",
)  # fmt: skip
OF_REFUSAL = ("reason", "limit", "observed", "scope")


def lines_of(found: WhatIf, show: int) -> list[str]:
    """All of it, with at most `show` differences one by one."""
    head = f"what if {found.change}: {found.looked_at:,} looked at, {found.differs:,} differ"
    out = [head, *(f"  {times:>8,}  {effect}" for effect, times in found.totals.items())]
    for change in found.changes[: max(0, show)]:
        out += _change(change, found)
    if len(found.changes) > show:
        out.append(f"{len(found.changes) - max(0, show):,} more: --show {len(found.changes)}, or --json")
    return [*out, *([found.note] if found.note else []), UNKNOWN]


def _change(change: Change, found: WhatIf) -> list[str]:
    asset = found.assets.get(change.instrument)
    strategy = found.strategies.get(change.strategy, f"strategy {change.strategy}")
    where = f" {found.symbols[change.instrument]}" if asset else ""
    return [
        f"seq {change.seq:,}  {_clock(change.ts_ns)}  {strategy}{where}: {change.kind} {change.effect}",
        f"  then  {_said(change.then, asset)}",
        f"  now   {_said(change.now, asset)}",
    ]


def _said(said: dict[str, Any] | None, asset: Asset | None) -> str:
    """`QUOTE buy 7 @ 50.01, sell 1 @ 50.03`, and whatever else is set."""
    if said is None:
        return "nothing"
    record, words = said["record"], []
    if record == Type.INTENT.name:
        kind = IntentKind(said.get("kind", 0))
        words += [kind.name, *_intent(kind, said, asset)]
    elif "cl_ord_id" in said:
        words += [record, Side(said["side"]).name.lower(), _lots(said, "qty", "px", asset)]
        words.append(f"id {said['cl_ord_id']:#x}")
        if record == Type.REFUSED.name:
            from openbell.posttrade.history import refusal_text

            words.append(refusal_text({name: said.get(name, 0) for name in (*OF_REFUSAL, "kind")}))
    else:
        words.append(record)
    hidden = (*SHOWN_ELSEWHERE, *OF_REFUSAL) if "cl_ord_id" in said else SHOWN_ELSEWHERE
    return " ".join([*words, *(f"{name} {value}" for name, value in said.items() if name not in hidden)])


def _intent(kind: IntentKind, said: dict[str, Any], asset: Asset | None) -> list[str]:
    if kind == IntentKind.QUOTE:
        sides = (("buy", "bid_qty", "bid_px"), ("sell", "ask_qty", "ask_px"))
        return [", ".join(f"{side} {_lots(said, qty, px, asset)}" for side, qty, px in sides if qty in said)]
    words = [Side(said["side"]).name.lower()] if said.get("side") and kind == IntentKind.ORDER else []
    if "px" in said or "qty" in said or kind == IntentKind.TARGET:
        words.append(_lots(said, "qty", "px", asset))
    if kind == IntentKind.ORDER:
        words.append(Tif(said.get("tif", 0)).name)
    return words + ([f"id {said['cl_ord_id']:#x}"] if "cl_ord_id" in said else [])


def _lots(said: dict[str, Any], qty: str, px: str, asset: Asset | None) -> str:
    """`7 @ 50.01`; a price of an unknown instrument stays an integer, one of 0 is none."""
    from openbell.ops.view import px_text

    price = said.get(px, 0)
    shown = px_text(price, asset.px_decimals) if asset and price else f"{price:,}" if price else "market"
    return f"{said.get(qty, 0):,} @ {shown}"


def _clock(ts_ns: int) -> str:
    moment = datetime.datetime.fromtimestamp(ts_ns // 1_000_000_000, datetime.UTC)
    return f"{moment:%H:%M:%S}.{ts_ns % 1_000_000_000 // 1_000:06d}"
