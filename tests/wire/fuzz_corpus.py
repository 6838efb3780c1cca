"""Write the corpora of the fuzz targets: `python tests/wire/fuzz_corpus.py`. A test compares.

`native/fuzz/corpus/<target>/` holds one small file per case, made by the codecs' own encoders. A file whose name
begins with `found_` is kept as it is: it once was a finding.
"""

from pathlib import Path

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
CHAR_OPTIONS = {"customer": "R", "trade_now": "Y", "handling": "Q", "bbo_weight": "0", "shares_located": "Y"}


def corpora() -> dict[str, Corpus]:
    """The files of every target, by name."""
    return {"ouch": ouch(), "ouch50": ouch50(), "itch": itch(), "soup": soup(), "mold": mold()}


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
