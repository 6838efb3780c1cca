"""Object code is compiled once, by another process, and found again; nothing stale or damaged is ever loaded."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from openbell.errors import StrategyError
from openbell.strategy.compiler import cache, load
from openbell.strategy.compiler.load import compile_strategy
from openbell.strategy.loader import load_strategy

MAKER = Path(__file__).resolve().parents[3] / "strategies" / "market_maker.py"
WARM_S = 1.5
START = """
import json, sys, time
from pathlib import Path
began = time.perf_counter()
from openbell.strategy.loader import load_strategy
from openbell.strategy.compiler.load import compile_strategy
compiled = compile_strategy(load_strategy(Path(sys.argv[1])))
print(json.dumps([compiled.was_cached, "numba" in sys.modules, time.perf_counter() - began, compiled.object_hash]))
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBELL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(load, "_loaded", {})
    return tmp_path / "cache" / "compiled"


def compile_again(monkeypatch, file=MAKER):
    monkeypatch.setattr(load, "_loaded", {})
    return compile_strategy(load_strategy(file))


def start():
    done = subprocess.run([sys.executable, "-c", START, str(MAKER)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_second_start_compiles_nothing_and_imports_no_numba():
    was_cached, imported, _, first = start()
    assert (was_cached, imported) == (False, False), "numba works in a child"

    was_cached, imported, seconds, second = start()

    assert (was_cached, imported, second) == (True, False, first)
    assert seconds < WARM_S


def test_a_damaged_file_is_compiled_again(own_cache, monkeypatch):
    first = compile_again(monkeypatch)
    (file,) = own_cache.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], whole[:20]):
        file.write_bytes(damaged)

        again = compile_again(monkeypatch)

        assert (again.was_cached, again.object_hash) == (False, first.object_hash)
        assert file.read_bytes() == whole
    assert compile_again(monkeypatch).was_cached


def test_what_a_helper_of_another_file_says_is_in_the_key(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    helper, strategy = tmp_path / "terms_of_trade.py", tmp_path / "trader.py"
    strategy.write_text(
        "from openbell import Strategy\nfrom terms_of_trade import LIMIT, fee\n\n\n"
        "class Trader(Strategy):\n    n: int\n\n"
        "    def on_book(self, ctx, book):\n        self.n = fee(book.bid_px) + LIMIT\n"
    )
    hashes = []
    for text in ("LIMIT = 5\n", "LIMIT = 6\n"):
        for body in ("px + 1", "px + 2"):
            helper.write_text(f"{text}\n\ndef fee(px):\n    return {body}\n")
            sys.modules.pop("terms_of_trade", None)
            hashes.append(compile_again(monkeypatch, strategy).object_hash)

    assert len(set(hashes)) == 4


def test_a_folder_that_cannot_be_written_costs_time_and_no_more(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OPENBELL_CACHE", str(tmp_path / "file"))

    assert not compile_again(monkeypatch).was_cached
    assert not compile_again(monkeypatch).was_cached


def test_the_cache_is_bounded_and_forgets_the_oldest(own_cache, monkeypatch):
    monkeypatch.setattr(cache, "FILES_MAX", 3)
    for number in range(5):
        cache.write(f"{number:040}", bytes([number + 1]))
        stamp = time.time() - 100 + number

        os.utime(own_cache / f"{number:040}", (stamp, stamp))

    cache.write(f"{9:040}", b"new")
    assert len(list(own_cache.iterdir())) == 3
    assert cache.read(f"{0:040}") is None


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    assert cache.folder() == tmp_path / "cache" / "compiled"
    monkeypatch.delenv("OPENBELL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg" / "openbell" / "compiled"


@pytest.mark.parametrize("package", ["numba", "llvmlite"])
def test_without_the_extra_the_error_says_how_to_install_it(package, monkeypatch):
    find = load.importlib.util.find_spec
    monkeypatch.setattr(load.importlib.util, "find_spec", lambda name: None if name == package else find(name))

    with pytest.raises(StrategyError) as caught:
        compile_again(monkeypatch)

    assert str(caught.value) == (
        f"compiled strategies: expected the package {package}, found none; install it with "
        'pip install "openbell[compiled]", or run with speed = "interpreted"'
    )


def test_a_fault_of_the_compiler_says_that_it_is_ours():
    program = load.lower(load_strategy(MAKER))
    broken = type(program)(**{**vars(program), "text": program.text.replace("rt, ", "rt, rt, ", 1)})

    with pytest.raises(StrategyError, match="this is a fault of openbell: please report it"):
        load.build_in_child(broken, "Trial")
