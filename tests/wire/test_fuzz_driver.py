"""native/fuzz/driver.cpp: a finding is found, named, kept and repeated."""

import shutil
import subprocess
from pathlib import Path

import pytest

TARGET = """
#include <cstdint>
#include <cstdlib>

// Falls over "bell", one branch per letter.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 0 && data[0] == 'b')
        if (size > 1 && data[1] == 'e')
            if (size > 2 && data[2] == 'l')
                if (size > 3 && data[3] == 'l') std::abort();
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver with a target that has a defect."""
    if not shutil.which("g++"):
        pytest.skip("no g++: the driver stands in for libFuzzer with g++ only")
    native = Path(__file__).resolve().parents[2] / "native"
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "bell.cpp").write_text(TARGET)
    build = ["g++", "-std=c++20", f"-I{native}", "-o"]
    subprocess.run([*build, folder / "driver.o", "-c", native / "fuzz/driver.cpp"], check=True)
    counted = ["-fsanitize-coverage=trace-pc", "-no-pie"]
    subprocess.run([*build, folder / "bell", *counted, folder / "bell.cpp", folder / "driver.o"], check=True)
    (folder / "corpus").mkdir()
    (folder / "corpus/one").write_bytes(b"quiet")
    return folder / "bell"


def fuzz(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], capture_output=True, text=True)


def test_a_corpus_without_findings_ends_well(program: Path):
    done = fuzz(program, program.parent / "corpus", "--runs", "1000", "--seed", "5")

    assert done.returncode == 0
    assert "bell: seed 5, 1 inputs of the corpus" in done.stdout and "bell: 1000 runs, " in done.stdout


def test_a_finding_is_kept_and_its_seed_finds_it_again(program: Path):
    corpus, finding = program.parent / "corpus", program.parent / "bell.finding"
    first = fuzz(program, corpus, "--runs", "5000000", "--seed", "7")
    found = finding.read_bytes()
    again = fuzz(program, corpus, "--runs", "5000000", "--seed", "7")

    assert first.returncode == again.returncode == 1
    assert found.startswith(b"bell") and finding.read_bytes() == found
    assert "of seed 7; its input is in" in first.stderr and first.stderr == again.stderr
    assert fuzz(program, finding).returncode == 1


@pytest.mark.parametrize("arguments", [[], ["nowhere"], ["--runs"], ["--runs", "many"]])
def test_wrong_arguments_are_named(program: Path, arguments: list[str]):
    done = fuzz(program, *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith("expected FILE|FOLDER... [--runs N] [--seed S], found ")
