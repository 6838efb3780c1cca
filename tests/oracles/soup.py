"""SoupBinTCP with plain slices: the slow twin of native/wire/soupbintcp.h."""


def packet(kind: str, payload: bytes = b"") -> bytes:
    return (1 + len(payload)).to_bytes(2, "big") + kind.encode() + payload


def packets(stream: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """The whole packets of a stream, and the bytes that are left."""
    found = []
    while len(stream) >= 2 and len(stream) >= 2 + int.from_bytes(stream[:2], "big"):
        end = 2 + int.from_bytes(stream[:2], "big")
        found.append((chr(stream[2]), stream[3:end]))
        stream = stream[end:]
    return found, stream


def login_request(user: str, password: str, session: str, next_seq: int) -> bytes:
    return packet("L", f"{user:<6}{password:<10}{session:>10}{next_seq:>20}".encode())


def login_accepted(session: str, next_seq: int) -> bytes:
    return packet("A", f"{session:>10}{next_seq:>20}".encode())
