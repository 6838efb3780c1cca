"""OUCH 5.0 with `struct`: the slow twin of native/wire/ouch50.h and ouch50_options.h.

`TABLE[type]` is the format of the fields before the options, their names, and whether the options may be absent.
"""

import struct

from oracles.itch import Fields, pack, unpack

ALWAYS, MAYBE, NEVER = "always", "maybe", "never"

TERMS = "cI8sQccQcccc14s"
TERM_NAMES = "side qty symbol px tif display order_id capacity iso cross state cl_ord_id"

Table = dict[str, tuple[str, str, str]]

INBOUND: Table = {
    "O": ("IcI8sQccccc14s", "user_ref side qty symbol px tif display capacity iso cross cl_ord_id", ALWAYS),
    "U": ("IIIQccc14s", "prev_user_ref user_ref qty px tif display iso cl_ord_id", ALWAYS),
    "X": ("II", "user_ref qty", MAYBE),
    "M": ("IcI", "user_ref side qty", MAYBE),
    "C": ("I4s8s", "user_ref firm symbol", ALWAYS),
    "D": ("I4s", "user_ref firm", ALWAYS),
    "E": ("I4s", "user_ref firm", ALWAYS),
    "Q": ("", "", MAYBE),
}
OUTBOUND: Table = {
    "S": ("Qc", "ts event", NEVER),
    "A": ("QI" + TERMS, "ts user_ref " + TERM_NAMES, ALWAYS),
    "U": ("QII" + TERMS, "ts prev_user_ref user_ref " + TERM_NAMES, ALWAYS),
    "C": ("QIIc", "ts user_ref qty reason", MAYBE),
    "D": ("QIIcIQcc", "ts user_ref qty reason qty_prevented px liquidity strategy", MAYBE),
    "E": ("QIIQcQ", "ts user_ref qty px liquidity match_id", ALWAYS),
    "B": ("QIQc14s", "ts user_ref match_id reason cl_ord_id", MAYBE),
    "J": ("QIH14s", "ts user_ref reason cl_ord_id", MAYBE),
    "P": ("QI", "ts user_ref", MAYBE),
    "I": ("QI", "ts user_ref", MAYBE),
    "T": ("QIQcQ", "ts user_ref px display order_id", MAYBE),
    "M": ("QIcI", "ts user_ref side qty", MAYBE),
    "R": ("QIc", "ts user_ref reason", ALWAYS),
    "X": ("QI4s8s", "ts user_ref firm symbol", ALWAYS),
    "G": ("QI4s", "ts user_ref firm", ALWAYS),
    "K": ("QI4s", "ts user_ref firm", ALWAYS),
    "Q": ("QI", "ts user_ref", MAYBE),
}
OPTIONS: dict[int, tuple[str, str]] = {
    1: ("Q", "secondary_order_id"),
    2: ("4s", "firm"),
    3: ("I", "qty_min"),
    4: ("c", "customer"),
    5: ("I", "max_floor"),
    6: ("c", "price_type"),
    7: ("i", "peg_offset"),
    9: ("Q", "discretion_px"),
    10: ("c", "discretion_price_type"),
    11: ("i", "discretion_peg_offset"),
    12: ("c", "post_only"),
    13: ("I", "random_reserves"),
    14: ("4s", "route"),
    15: ("I", "expire_s"),
    16: ("c", "trade_now"),
    17: ("c", "handling"),
    18: ("c", "bbo_weight"),
    22: ("I", "display_qty"),
    23: ("Q", "display_px"),
    24: ("H", "group_id"),
    25: ("c", "shares_located"),
    26: ("4s", "locate_broker"),
    27: ("c", "side"),
    28: ("B", "user_ref_index"),
}
TAGS = {name: tag for tag, (_, name) in OPTIONS.items()}

Message = dict[str, str | int | Fields]


class Undecodable(Exception):
    """The bytes are no message; the text says why, in the words of `ouch50_why_*`."""


def fixed_length(table: Table, kind: str) -> int:
    return 1 + struct.calcsize(">" + table[kind][0])


def encode(table: Table, message: Message) -> bytes:
    kind = str(message["type"])
    form, names, options = table[kind]
    fixed = kind.encode() + pack(struct.Struct(">" + form), [message[name] for name in names.split()])
    if options == NEVER or (options == MAYBE and "options" not in message):
        return fixed
    return fixed + encode_options(message.get("options", {}))


def encode_options(options: Fields) -> bytes:
    elements = b""
    for name, value in options.items():
        packed = pack(struct.Struct(">" + OPTIONS[TAGS[name]][0]), [value])
        elements += bytes([1 + len(packed), TAGS[name]]) + packed
    return len(elements).to_bytes(2, "big") + elements


def decode(table: Table, data: bytes) -> Message:
    if not data:
        raise Undecodable("empty")
    kind = data[:1].decode("latin1")
    if kind not in table:
        raise Undecodable("unknown type")
    form, names, options = table[kind]
    length = fixed_length(table, kind)
    if len(data) < length:
        raise Undecodable("too short")
    message: Message = {"type": kind}
    message |= dict(zip(names.split(), unpack(struct.Struct(">" + form), data, 1), strict=True))
    rest = data[length:]
    if options == NEVER and rest:
        raise Undecodable("too long")
    if options == ALWAYS or rest:
        message["options"] = decode_options(rest)
    return message


def decode_options(data: bytes) -> Fields:
    if len(data) < 2:
        raise Undecodable("too short")
    elements, options = data[2:], {}
    if int.from_bytes(data[:2], "big") != len(elements):
        raise Undecodable("options length")
    while elements:
        size = elements[0]
        if size == 0:
            raise Undecodable("option size")
        if len(elements) < 1 + size:
            raise Undecodable("options length")
        tag, value, elements = elements[1], elements[2 : 1 + size], elements[1 + size :]
        if tag not in OPTIONS:
            raise Undecodable("option unknown")
        form, name = struct.Struct(">" + OPTIONS[tag][0]), OPTIONS[tag][1]
        if form.size != len(value):
            raise Undecodable("option size")
        if name in options:
            raise Undecodable("option duplicate")
        (options[name],) = unpack(form, value, 0)
    return options


def why(table: Table, data: bytes) -> str:
    """Why `data` is no message; empty when it is one."""
    try:
        decode(table, data)
    except Undecodable as undecodable:
        return str(undecodable)
    return ""
