"""MoldUDP64 with plain slices, and a receiver that remembers everything: the twin of wire and feed."""

import struct

HEADER = struct.Struct(">10sQH")
END_OF_SESSION = 0xFFFF


def packet(session: str, seq: int, messages: list[bytes]) -> bytes:
    blocks = b"".join(len(m).to_bytes(2, "big") + m for m in messages)
    return HEADER.pack(session.encode().ljust(10), seq, len(messages)) + blocks


def notice(session: str, seq: int, count: int = 0) -> bytes:
    """A heartbeat, or with `END_OF_SESSION` the end."""
    return HEADER.pack(session.encode().ljust(10), seq, count)


def parse(datagram: bytes) -> tuple[str, int, int, list[bytes]] | None:
    if len(datagram) < HEADER.size:
        return None
    session, seq, count = HEADER.unpack_from(datagram)
    messages, at = [], HEADER.size
    for _ in range(0 if count == END_OF_SESSION else count):
        size = int.from_bytes(datagram[at : at + 2], "big")
        if at + 2 + size > len(datagram):
            return None
        messages.append(datagram[at + 2 : at + 2 + size])
        at += 2 + size
    return (session.decode("latin1"), seq, count, messages) if at == len(datagram) else None


class Server:
    """Every message of a session, and the answer to a request: one packet from the number asked for."""

    def __init__(self, session: str, messages: list[bytes], packet_bytes_max: int = 1400) -> None:
        self.session = session
        self.messages = messages
        self.limit = packet_bytes_max

    def answer(self, request: bytes) -> bytes | None:
        session, seq, count = HEADER.unpack(request)
        wanted = self.messages[seq - 1 : seq - 1 + count]
        if session.decode().strip() != self.session or seq < 1 or not wanted:
            return None
        size = HEADER.size
        fit = 0
        for message in wanted:
            size += 2 + len(message)
            if size > self.limit:
                break
            fit += 1
        return packet(self.session, seq, wanted[:fit])
