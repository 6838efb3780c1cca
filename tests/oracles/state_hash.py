"""The hash of states and decisions, as native/state.h folds it."""

U64 = 2**64 - 1


def hash_bytes(data: bytes, seed: int) -> int:
    """The fold of native/state.h: 64 x 64 -> 128 bits, halves added without carry."""
    mix = 0x9E37_79B9_7F4A_7C15

    def fold(a: int, b: int) -> int:
        product = a * b
        return (product & U64) ^ (product >> 64)

    value = seed ^ mix
    whole = len(data) // 8 * 8
    for i in range(0, whole, 8):
        value = fold(value ^ int.from_bytes(data[i : i + 8], "little"), mix | 1)
    tail = int.from_bytes(data[whole:], "little")
    return fold(value ^ tail, (len(data) * 2 + 1) ^ mix)
