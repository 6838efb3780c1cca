"""The corpora of the fuzz targets, through the bindings: what is read is what the oracles read, and written again."""

from pathlib import Path

import pytest
from tests.wire import fuzz_corpus

from openbell import _native as native
from oracles import itch, mold, ouch50, soup

OF_OTHERS = {"journal"}
"""Corpora that are no messages: a journal's segments."""


def files_of(target: str) -> list[Path]:
    return sorted((fuzz_corpus.FOLDER / target).iterdir())


@pytest.mark.parametrize("target", fuzz_corpus.corpora())
def test_a_corpus_is_what_the_encoders_make(target: str):
    written = {p.name: p.read_bytes() for p in files_of(target) if not p.name.startswith("found_")}

    assert written == fuzz_corpus.corpora()[target], "run: python tests/wire/fuzz_corpus.py"


def test_every_target_has_a_corpus_and_every_corpus_a_target(repo: Path):
    targets = {path.stem for path in (repo / "native/fuzz").glob("*.cpp")} - {"driver"}

    assert targets == {path.name for path in fuzz_corpus.FOLDER.iterdir()} == {*fuzz_corpus.corpora(), *OF_OTHERS}


@pytest.mark.parametrize("path", files_of("ouch"), ids=lambda path: path.name)
def test_ouch42(path: Path):
    message = path.read_bytes()
    inbound, outbound = native.ouch_decode_inbound(message), native.ouch_decode_outbound(message)

    assert inbound or outbound
    assert inbound is None or native.ouch_encode_inbound(inbound) == message
    assert outbound is None or message.startswith(native.ouch_encode_outbound(outbound))


@pytest.mark.parametrize("path", files_of("ouch50"), ids=lambda path: path.name)
def test_ouch50(path: Path):
    message = path.read_bytes()
    inbound, outbound = native.ouch50_decode_inbound(message), native.ouch50_decode_outbound(message)

    assert native.ouch50_why_inbound(message) == ouch50.why(ouch50.INBOUND, message)
    assert native.ouch50_why_outbound(message) == ouch50.why(ouch50.OUTBOUND, message)
    assert inbound is None or native.ouch50_encode_inbound(inbound) == message
    assert outbound is None or native.ouch50_encode_outbound(outbound) == message


@pytest.mark.parametrize("path", files_of("itch"), ids=lambda path: path.name)
def test_itch(path: Path):
    for message in itch.read_file(path.read_bytes()):
        assert native.itch_decode(message) == itch.decode(message)


@pytest.mark.parametrize("path", files_of("soup"), ids=lambda path: path.name)
def test_soupbintcp(path: Path):
    stream = path.read_bytes()[1 + path.read_bytes()[0] :]
    found = []
    while native.soup_parse(stream)[0] == "complete":
        _, kind, payload, used = native.soup_parse(stream)
        found.append((kind, payload))
        stream = stream[used:]

    whole = path.read_bytes()[1 + path.read_bytes()[0] :]
    assert native.soup_parse(stream)[0] == "broken" or (found, stream) == soup.packets(whole)
    assert b"".join(native.soup_packet(kind, payload) for kind, payload in found) + stream == whole


@pytest.mark.parametrize("path", files_of("mold"), ids=lambda path: path.name)
def test_moldudp64(path: Path):
    rest = path.read_bytes()
    while rest:
        datagram, rest = rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
        assert native.mold_parse(datagram) == mold.parse(datagram)
