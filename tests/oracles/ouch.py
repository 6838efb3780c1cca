"""OUCH 4.2 with `struct`: the slow twin of native/wire/ouch42.h."""

import struct

from oracles.itch import Fields, pack, unpack

TERMS = (
    "Q14scI8sII4scQccIcc",
    "ts token side qty symbol px tif firm display order_id capacity iso qty_min cross state",
)
EXECUTION = ("Q14sIIcQ", "ts token qty px liquidity match_id")

INBOUND: dict[str, tuple[str, str]] = {
    "O": ("14scI8sII4scccIcc", "token side qty symbol px tif firm display capacity iso qty_min cross customer"),
    "U": ("14s14sIIIccI", "prev_token token qty px tif display iso qty_min"),
    "X": ("14sI", "token qty"),
    "M": ("14scI", "token side qty"),
    "N": ("14s", "token"),
}
OUTBOUND: dict[str, tuple[str, str]] = {
    "S": ("Qc", "ts event"),
    "A": (TERMS[0] + "c", TERMS[1] + " bbo_weight"),
    "U": (TERMS[0] + "14sc", TERMS[1] + " prev_token bbo_weight"),
    "C": ("Q14sIc", "ts token qty reason"),
    "D": ("Q14sIcIIcc", "ts token qty reason qty_prevented px liquidity strategy"),
    "E": EXECUTION,
    "G": (EXECUTION[0] + "Ic", EXECUTION[1] + " reference_px reference_kind"),
    "F": (EXECUTION[0] + "c", EXECUTION[1] + " reason"),
    "B": ("Q14sQc", "ts token match_id reason"),
    "J": ("Q14sc", "ts token reason"),
    "P": ("Q14s", "ts token"),
    "I": ("Q14s", "ts token"),
    "N": ("Q14s", "ts token"),
    "T": ("Q14sIcQ", "ts token px display order_id"),
    "M": ("Q14scI", "ts token side qty"),
}

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def encode(formats: dict[str, tuple[str, str]], fields: Fields) -> bytes:
    form, names = formats[str(fields["type"])]
    return str(fields["type"]).encode() + pack(struct.Struct(">" + form), [fields[n] for n in names.split()])


def decode(formats: dict[str, tuple[str, str]], message: bytes) -> Fields:
    kind = message[:1].decode()
    form, names = formats[kind]
    values = unpack(struct.Struct(">" + form), message, 1)
    return {"type": kind} | dict(zip(names.split(), values, strict=True))


def token(cl_ord_id: int, version: int) -> str:
    return base62(cl_ord_id, 11) + base62(version, 3)


def base62(value: int, digits: int) -> str:
    return "".join(BASE62[value // 62**i % 62] for i in reversed(range(digits)))
