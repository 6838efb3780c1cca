"""What is read at a start, after a few changes: read, or refused by an error of ours. More: `make fuzz-readers`."""

import random

import pytest
from tests.journal.crash.readers import run_apart, targets

from openbell.errors import OpenbellError

RUNS = 150


@pytest.fixture(scope="module")
def readers(tmp_path_factory) -> dict:
    return targets(tmp_path_factory.mktemp("readers"))


@pytest.mark.parametrize("name", ["state", "snapshot", "record", "node.toml", "limits.toml"])
def test_it_is_read_as_it_is_and_refused_by_a_typed_error_when_changed(name: str, readers, seed: int):
    example, change, read = readers[name]
    rng = random.Random(f"{name} {seed}")
    read(example)

    refused = 0
    for _ in range(RUNS):
        try:
            read(change(example, rng))
        except OpenbellError:
            refused += 1

    assert refused > RUNS // 4


def test_a_reader_that_fails_otherwise_is_a_finding(capfd):
    def broken(data: bytes) -> None:
        raise IndexError(len(data))

    found = run_apart("broken", b"x", lambda data, rng: data + rng.randbytes(1), broken, "7/broken/0", 10)

    assert found.startswith("FINDING: broken, seed '7/broken/0', run 0: ended with")
    assert "IndexError: 2" in capfd.readouterr().err
