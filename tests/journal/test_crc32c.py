import random

from openbell._native import crc32c, crc32c_table
from oracles import journal as oracle


def test_known_vectors():
    # RFC 3720, appendix B.4.
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"") == 0


def test_hardware_and_table_agree_at_every_length():
    rng = random.Random(7)
    data = rng.randbytes(20_000)
    for length in [*range(400), 3071, 3072, 3073, 4096, 9000, 20_000]:
        start = rng.randrange(len(data) - length + 1)
        piece = data[start : start + length]
        assert crc32c(piece) == crc32c_table(piece), length


def test_table_agrees_with_the_bitwise_oracle():
    data = random.Random(1).randbytes(500)
    assert crc32c_table(data) == oracle.crc32c(data)
