"""TotalView-ITCH 5.0 with `struct`, one line per message: the slow twin of native/wire/itch50.h.

`FORMATS[type]` is the format after the common head and the names of its fields. Text keeps no padding.
"""

import struct

HEAD = struct.Struct(">cHH6s")

FORMATS: dict[str, tuple[str, str]] = {
    "S": ("c", "event"),
    "R": (
        "8sccIcc2scccccIc",
        "symbol market financial_status round_lot round_lots_only classification sub_type authenticity"
        " short_sale_threshold ipo luld_tier etp etp_leverage inverse",
    ),
    "H": ("8scc4s", "symbol state reserved reason"),
    "Y": ("8sc", "symbol action"),
    "L": ("4s8sccc", "mpid symbol primary mode state"),
    "V": ("QQQ", "level1_px8 level2_px8 level3_px8"),
    "W": ("c", "level"),
    "K": ("8sIcI", "symbol release_s qualifier px"),
    "J": ("8sIIII", "symbol reference_px upper_px lower_px extensions"),
    "h": ("8scc", "symbol market action"),
    "A": ("QcI8sI", "order_id side qty symbol px"),
    "F": ("QcI8sI4s", "order_id side qty symbol px mpid"),
    "E": ("QIQ", "order_id qty match_id"),
    "C": ("QIQcI", "order_id qty match_id printable px"),
    "X": ("QI", "order_id qty"),
    "D": ("Q", "order_id"),
    "U": ("QQII", "order_id new_order_id qty px"),
    "P": ("QcI8sIQ", "order_id side qty symbol px match_id"),
    "Q": ("Q8sIQc", "qty symbol px match_id cross"),
    "B": ("Q", "match_id"),
    "I": (
        "QQc8sIIIcc",
        "paired_qty imbalance_qty direction symbol far_px near_px reference_px cross variation",
    ),
    "N": ("8sc", "symbol interest"),
    "O": ("8scIIIQII", "symbol open_eligible min_px max_px near_px near_ts lower_px upper_px"),
}

Fields = dict[str, str | int]


def layout(kind: str) -> tuple[struct.Struct, list[str]]:
    form, names = FORMATS[kind]
    return struct.Struct(">" + form), names.split()


def length(kind: str) -> int:
    return HEAD.size + layout(kind)[0].size


def encode(fields: Fields) -> bytes:
    form, names = layout(str(fields["type"]))
    head = HEAD.pack(
        str(fields["type"]).encode(), fields["locate"], fields["tracking"], int(fields["ts"]).to_bytes(6, "big")
    )
    return head + pack(form, [fields[name] for name in names])


def decode(message: bytes) -> Fields | None:
    kind = message[:1].decode("latin1")
    if kind not in FORMATS or len(message) < length(kind):
        return None
    form, names = layout(kind)
    _, locate, tracking, ts = HEAD.unpack_from(message)
    fields: Fields = {"type": kind, "locate": locate, "tracking": tracking, "ts": int.from_bytes(ts, "big")}
    return fields | dict(zip(names, unpack(form, message, HEAD.size), strict=True))


def pack(form: struct.Struct, values: list[str | int]) -> bytes:
    """`values`, text padded on the right with spaces to the width of its field."""
    widths = text_widths(form)
    return form.pack(
        *(v.encode("latin1").ljust(w) if isinstance(v, str) else v for v, w in zip(values, widths, strict=True))
    )


def unpack(form: struct.Struct, message: bytes, at: int) -> list[str | int]:
    values = form.unpack_from(message, at)
    return [
        (v.decode("latin1") if len(v) == 1 else v.decode("latin1").rstrip(" ")) if isinstance(v, bytes) else v
        for v in values
    ]


def text_widths(form: struct.Struct) -> list[int]:
    """Bytes of each text field, 0 for a number."""
    widths, digits = [], ""
    for c in form.format[1:]:
        if c.isdigit():
            digits += c
            continue
        widths.append(int(digits or 1) if c in "cs" else 0)
        digits = ""
    return widths


def read_file(data: bytes) -> list[bytes]:
    """The messages of a file in Nasdaq's framing: 2-byte big-endian length, then the message."""
    messages, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">H", data, at)
        messages.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return messages
