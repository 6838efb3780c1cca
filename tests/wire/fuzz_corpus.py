"""Write the corpora of the fuzz targets: `python tests/wire/fuzz_corpus.py`. A test compares.

`native/fuzz/corpus/<target>/` holds one small file per case, made by the codecs' own encoders. A file whose name
begins with `found_` is kept as it is: it once was a finding.
"""

from pathlib import Path
from typing import Any

from openbell import _native as native

FOLDER = Path(__file__).resolve().parents[2] / "native/fuzz/corpus"
Corpus = dict[str, bytes]

OPTIONS = {
    "firm": "LIME",
    "qty_min": 100,
    "max_floor": 100,
    "price_type": "M",
    "peg_offset": -100,
    "post_only": "P",
    "expire_s": 3600,
    "group_id": 7,
    "user_ref_index": 1,
}
DEEP_OPTIONS = {
    "secondary_order_id": 2**40,
    "discretion_px": 1_000_000,
    "discretion_price_type": "P",
    "discretion_peg_offset": 100,
    "random_reserves": 200,
    "route": "SCAN",
    "display_qty": 100,
    "display_px": 1_000_000,
    "locate_broker": "LOCB",
    "side": "T",
}
MARKET_PX = 0x7FFF_FFFF
CHAR_OPTIONS = {"customer": "R", "trade_now": "Y", "handling": "Q", "bbo_weight": "0", "shares_located": "Y"}


def corpora() -> dict[str, Corpus]:
    """The files of every target, by name."""
    return {
        "ouch": ouch(),
        "ouch50": ouch50(),
        "itch": itch(),
        "soup": soup(),
        "mold": mold(),
        "glimpse": glimpse(),
        "venue42": venue42(),
        "venue50": venue50(),
    }


def ouch() -> Corpus:
    order = {"token": "00000000001001", "qty": 100, "symbol": "ALC", "px": 1_000_000}
    files = {
        "in_O_customer": native.ouch_encode_inbound({"type": "O", "customer": "R"} | order),
        "in_O": native.ouch_encode_inbound({"type": "O"} | order),
    }
    for kind in "UXMN":
        files[f"in_{kind}"] = native.ouch_encode_inbound({"type": kind})
    for kind in "SAUCDEGFBJPINTM":
        files[f"out_{kind}"] = native.ouch_encode_outbound({"type": kind})
    files["out_D_strategy"] = native.ouch_encode_outbound({"type": "D", "strategy": "x"})
    return files


def ouch50() -> Corpus:
    order = {"type": "O", "user_ref": 1, "qty": 100, "symbol": "ALC", "px": 1_000_000, "cl_ord_id": "A1"}
    files = {
        "in_O_options": native.ouch50_encode_inbound(order | {"options": OPTIONS}),
        "in_O_deep_options": native.ouch50_encode_inbound(order | {"options": DEEP_OPTIONS}),
        "in_O_char_options": native.ouch50_encode_inbound(order | {"options": CHAR_OPTIONS}),
        "in_X_options": native.ouch50_encode_inbound({"type": "X", "options": {"user_ref_index": 1}}),
        "in_Q_empty_options": native.ouch50_encode_inbound({"type": "Q", "options": {}}),
        "out_A_options": native.ouch50_encode_outbound({"type": "A", "options": {"firm": "MLRO", "bbo_weight": "0"}}),
        "out_J_options": native.ouch50_encode_outbound({"type": "J", "options": {"user_ref_index": 1}}),
    }
    for kind in "OUXMCDEQ":
        files[f"in_{kind}"] = native.ouch50_encode_inbound({"type": kind})
    for kind in "SAUCDEBJPITMRXGKQ":
        files[f"out_{kind}"] = native.ouch50_encode_outbound({"type": kind})
    return files


def itch() -> Corpus:
    """Streams in Nasdaq's framing; all but the first few begin with a Stock Directory, so that records come."""
    messages = {kind: native.itch_encode({"type": kind, "locate": 7}) for kind in native.itch_lengths()}
    directory = native.itch_encode({"type": "R", "locate": 7, "symbol": "ALC"})
    files = {f"one_{kind}": framed(directory, message) for kind, message in messages.items()}
    files["every"] = framed(*messages.values())
    files["unassigned"] = framed(messages["A"], messages["E"], messages["D"])
    files["end_of_snapshot"] = framed(native.glimpse_end(1_048_577))
    return files


def framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


def soup() -> Corpus:
    """| pieces (1) | size of a piece less 1 | stream |, as native/fuzz/soup.cpp reads it."""
    login = native.soup_login_request("user", "secret", "S1", 1)
    accepted = native.soup_login_accepted("S1", 1)
    order = native.soup_packet("U", native.ouch_encode_inbound({"type": "O"}))
    order50 = native.soup_packet("U", native.ouch50_encode_inbound({"type": "O", "options": OPTIONS}))
    report = native.soup_packet("S", native.ouch_encode_outbound({"type": "A"}))
    report50 = native.soup_packet("S", native.ouch50_encode_outbound({"type": "A"}))
    beat, server_beat = native.soup_packet("R", b""), native.soup_packet("H", b"")
    client = login + order + order50 + beat
    return {
        "client_whole": b"\0" + client,
        "client_bytes": b"\1\0" + client,
        "client_pieces": b"\3\x01\x07\x30" + client,
        "server_whole": b"\0" + accepted + report + report50 + server_beat,
        "server_pieces": b"\2\x02\x10" + accepted + report + report50 + server_beat,
        "login_cut": b"\0" + login[:-1],
        "login_newer": b"\0" + native.soup_packet("L", login[3:] + b"15000"),
        "login_rejected": b"\0" + native.soup_packet("J", b"A"),
        "debug": b"\1\1" + native.soup_packet("+", b"hello"),
        "logout": b"\0" + beat + native.soup_packet("O", b""),
        "end_of_session": b"\0" + server_beat + native.soup_packet("Z", b""),
        "length_zero": b"\0" + beat + b"\0\0",
        "length_max": b"\0" + beat + b"\xff\xffU",
        "payload_max": b"\1\x40" + native.soup_packet("U", bytes(200)),
        "payload_too_long": b"\1\x40" + native.soup_packet("U", bytes(201)),
    }


def glimpse() -> Corpus:
    """| pieces (1) | size of a piece less 1 | stream |, as native/fuzz/glimpse.cpp reads it."""
    accepted = native.soup_login_accepted("S1", 1)
    directory = native.itch_encode({"type": "R", "locate": 1, "symbol": "OBEL"})
    order = native.itch_encode({"type": "A", "locate": 1, "order_id": 7, "side": "B", "qty": 100, "px": 10_000})
    beat, debug = native.soup_packet("H", b""), native.soup_packet("+", b"hello")
    snapshot = native.soup_packet("S", directory) + native.soup_packet("S", order)
    end, too_old = (native.soup_packet("S", native.glimpse_end(seq)) for seq in (42, 41))
    return {
        "whole": b"\1\xff" + accepted + snapshot + end,
        "pieces": b"\2\0\x10" + debug + beat + accepted + snapshot + end + beat,
        "unusable": b"\1\xff" + accepted + snapshot + too_old,
        "cut": b"\1\x07" + accepted + snapshot + end[:-1],
        "end_without_number": b"\1\xff" + accepted + native.soup_packet("S", b"G" + bytes(20)),
        "refused": b"\1\xff" + native.soup_packet("J", b"A"),
        "end_of_session": b"\1\xff" + accepted + native.soup_packet("Z", b""),
        "accepted_twice": b"\1\xff" + accepted + accepted,
        "before_login": b"\1\xff" + snapshot + accepted,
        "length_zero": b"\1\xff" + accepted + b"\0\0",
    }


def mold() -> Corpus:
    """Datagrams as | line (1) | size (1) | datagram |, as native/fuzz/mold.cpp reads them."""
    session = "000010059B"

    def packet(seq: int, *messages: bytes) -> bytes:
        [datagram] = native.mold_pack(session, seq, list(messages))
        return datagram

    first, second, third = packet(1, b"a", b"bb"), packet(3, b"c"), packet(4, b"", b"d")
    beat, end = native.mold_heartbeat(session, 6), native.mold_end_of_session(session, 6)
    return {
        "in_order": on_lines((0, first), (0, second), (0, third)),
        "both_lines": on_lines((0, first), (1, first), (1, second), (0, second)),
        "overtaken": on_lines((0, first), (0, third), (0, second)),
        "filled_by_other_line": on_lines((0, first), (0, third), (1, second)),
        "filled_by_request": on_lines((0, first), (0, third), *[(0, beat)] * 9, (2, second)),
        "lost": on_lines((0, first), *[(0, beat)] * 30, (0, packet(6, b"e"))),
        "gap_by_heartbeat": on_lines((0, first), (0, beat), (1, second), (1, third)),
        "end": on_lines((0, first), (0, second), (0, third), (0, end)),
        "overlap": on_lines((0, first), (1, packet(2, b"bb", b"c", b""))),
        "other_session": on_lines((0, first), (0, native.mold_pack("OTHER", 1, [b"x"])[0])),
        "many_held": on_lines((0, first), *[(0, packet(seq, b"h")) for seq in range(10, 20)]),
        "malformed": on_lines((0, first[:-1]), (0, first + b"x"), (0, first[:19])),
        "far_ahead": on_lines((0, first), (0, packet(2**63, b"x"))),
    }


def on_lines(*datagrams: tuple[int, bytes]) -> bytes:
    return b"".join(bytes([line, len(datagram)]) + datagram for line, datagram in datagrams)


def venue42() -> Corpus:
    """What clients and operators do at a venue, as native/fuzz/crowd.h and venue42.cpp read it."""

    def enter(token: str, side: str, qty: int, px: int, **more: Any) -> bytes:
        order = {"token": token, "side": side, "qty": qty, "symbol": "OBEL", "px": px}
        return native.ouch_encode_inbound({"type": "O"} | order | more)

    def replace(prev: str, token: str, qty: int, px: int) -> bytes:
        return native.ouch_encode_inbound({"type": "U", "prev_token": prev, "token": token, "qty": qty, "px": px})

    def cancel(token: str, qty: int = 0) -> bytes:
        return native.ouch_encode_inbound({"type": "X", "token": token, "qty": qty})

    rest, sweep = enter("A", "B", 300, 499_000), enter("B", "B", 800, 501_000, tif=0)
    return {
        "messages": said(0, rest, enter("A", "S", 100, 500_000), sweep, cancel("A", 100), cancel("A")),
        "replaces": said(1, rest, replace("A", "B", 200, 499_000), replace("B", "C", 900, 500_100), cancel("B")),
        "modifies": said(2, rest, *(native.ouch_encode_inbound({"type": kind, "token": "A"}) for kind in "MN")),
        "market": said(0, enter("A", "B", 700, MARKET_PX, tif=0), enter("B", "S", 700, MARKET_PX)),
        "nobody_understands": said(0, b"", b"O", rest[:-5], rest + b"x", native.ouch50_encode_inbound({"type": "O"})),
        "seconds": said(0, enter("A", "B", 100, 499_000, tif=2)) + operated(0, value=150),
        "session_lost": said(0, rest) + operated(6, client=0) + said(0, cancel("A")),
        **on_any_venue(6),
    }


def venue50() -> Corpus:
    """The same as `venue42` in OUCH 5.0, as native/fuzz/venue50.cpp reads it."""

    def enter(ref: int, side: str, qty: int, px: int, **more: Any) -> bytes:
        order = {"user_ref": ref, "side": side, "qty": qty, "symbol": "OBEL", "px": px}
        return native.ouch50_encode_inbound({"type": "O"} | order | more)

    def about(kind: str, **fields: Any) -> bytes:
        return native.ouch50_encode_inbound({"type": kind} | fields)

    rest, sweep = enter(1, "B", 300, 499_000), enter(2, "B", 800, 501_000, tif="3")
    iceberg = enter(3, "S", 900, 500_200, options={"max_floor": 100, "group_id": 7})
    replaces = (about("U", prev_user_ref=n, user_ref=n + 1, qty=200, px=499_000 + n, tif="0") for n in (1, 2))
    of_group = {"side": "S", "group_id": 7}
    return {
        "messages": said(0, rest, enter(1, "S", 100, 500_000), sweep, about("X", user_ref=1, qty=100)),
        "replaces": said(1, rest, *replaces, about("X", user_ref=3), about("X", user_ref=1)),
        "modifies": said(2, rest, about("M", user_ref=1, side="B", qty=100), about("M", user_ref=1, side="S", qty=50)),
        "options": said(0, enter(1, "B", 500, 500_000, options=OPTIONS), enter(2, "S", 500, 1, options=DEEP_OPTIONS)),
        "mass_cancel": said(0, rest, iceberg, sweep, about("C", symbol="OBEL"), about("C", options=of_group)),
        "iceberg": said(0, iceberg) + said(1, enter(1, "B", 750, 500_200), enter(2, "B", 750, 500_200)),
        "disabled": said(0, about("D", user_ref=1), rest, about("E", user_ref=2), sweep, about("Q")),
        "nobody_understands": said(0, b"", b"O", rest[:-5], rest + b"x", native.ouch_encode_inbound({"type": "O"})),
        "seconds": said(0, enter(1, "B", 100, 499_000, tif="6", options={"expire_s": 2})) + operated(0, value=150),
        "session_lost": said(0, rest) + operated(6, client=0) + said(0, about("X", user_ref=1)),
        **on_any_venue(5),
    }


def on_any_venue(words: int) -> Corpus:
    """Messages that the target composes, each of so many bytes after the first, and what operators do."""

    def composed(client: int, first: int, count: int) -> bytes:
        luck = [[(37 * n + 11 * at) % 256 for at in range(words)] for n in range(first, first + count)]
        return b"".join(bytes([client, n, *luck[n - first]]) for n in range(first, first + count))

    halt, call, pause, trade = (operated(what) for what in (2, 3, 4, 5))
    submitted = (operated(7) + bytes([look, look ^ 0x5A, 70 + look % 9, 8 + look % 5]) for look in range(0, 256, 5))
    return {
        "composed": composed(0, 0, 64) + composed(1, 64, 64),
        "composed_wrong": b"".join(bytes([8, n]) + bytes([50 + n] * words) + bytes([n, 0x7F]) for n in range(64)),
        "self_trade": composed(2, 0, 128),
        "halt": composed(0, 4, 8) + halt + composed(1, 4, 8) + call + composed(0, 12, 16) + trade,
        "pause": composed(0, 4, 8) + pause + composed(1, 4, 24) + halt + trade + composed(2, 8, 8),
        "amended": composed(0, 4, 48) + b"".join(operated(1) + bytes([n // 2, 40 + n, 9 + n]) for n in range(24)),
        "internal": b"".join(submitted) + composed(0, 4, 24),
    }


def said(client: int, *messages: bytes) -> bytes:
    return b"".join(bytes([client | 4, len(message)]) + message for message in messages)


def operated(what: int, *, client: int = 0, value: int | None = None) -> bytes:
    return bytes([3 | what << 2 | client << 6]) + (b"" if value is None else bytes([value]))


def main() -> None:
    for target, files in corpora().items():
        folder = FOLDER / target
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name not in files and not path.name.startswith("found_"):
                path.unlink()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        print(f"{target}: {len(files)} files, {sum(map(len, files.values()))} bytes")


if __name__ == "__main__":
    main()
