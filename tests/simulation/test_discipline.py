"""What a strategy reaches for while it is simulated follows from the seed, or is refused."""

import ctypes
import datetime
import gc
import os
import random
import secrets
import select
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from random import SystemRandom
from time import clock_gettime, monotonic, process_time, time_ns
from types import ModuleType

import numpy as np
import pytest
from tests.simulation import discipline
from tests.simulation.discipline import RefusedError, disciplined, elsewhere, fix_hashes, seed_all

urandom, stat, now, nap = os.urandom, os.stat, datetime.datetime.now, time.sleep
NOW_NS = 1_750_000_000_123_456_789
FOLLOWS = {
    "time": lambda: (time.time(), time.time_ns(), time.monotonic(), time.perf_counter_ns()),
    "clock_gettime": lambda: (time.clock_gettime(time.CLOCK_REALTIME), time.clock_gettime_ns(time.CLOCK_BOOTTIME)),
    "process_time": lambda: (time.process_time(), time.process_time_ns(), time.thread_time()),
    "calendar": lambda: (time.gmtime(), time.localtime(), time.ctime(), time.asctime(), time.strftime("%H:%M:%S")),
    "random": lambda: (random.random(), random.choice("abc")),
    "random.Random()": lambda: random.Random().random(),
    "seed()": lambda: (random.seed(), random.random()),
    "SystemRandom": lambda: (SystemRandom().random(), SystemRandom().getrandbits(70)),
    "secrets": lambda: (secrets.token_hex(8), secrets.randbelow(1 << 60), secrets.choice("abc")),
    "os.urandom": lambda: os.urandom(9),
    "os.getrandom": lambda: os.getrandom(9),
    "uuid4": lambda: uuid.uuid4(),
    "numpy": lambda: np.random.random(),
    "numpy.default_rng": lambda: np.random.default_rng().random(),
}
REFUSED = {
    "datetime.now": lambda: datetime.datetime.now(),
    "datetime.utcnow": lambda: datetime.datetime.utcnow(),
    "date.today": lambda: datetime.date.today(),
    "datetime.now, kept": lambda: now(datetime.UTC),
    "time_ns, imported": lambda: time_ns(),
    "monotonic, imported": lambda: monotonic(),
    "clock_gettime, imported": lambda: clock_gettime(0),
    "process_time, imported": lambda: process_time(),
    "urandom, kept": lambda: urandom(8),
    "uuid1": lambda: uuid.uuid1(),
    "sleep": lambda: vars(time)["sleep"](0),
    "sleep, kept": lambda: nap(0),
    "select": lambda: select.select([], [], [], 0),
    "open": lambda: open("/etc/hostname"),  # noqa: SIM115, PTH123
    "open a source": lambda: Path(__file__).read_text(),
    "open for writing": lambda: open("x.py", "w"),  # noqa: SIM115, PTH123
    "os.open": lambda: os.open("x.pyc", os.O_CREAT | os.O_WRONLY),
    "os.listdir": lambda: os.listdir("."),  # noqa: PTH208
    "os.scandir": lambda: os.scandir("."),
    "os.remove": lambda: os.remove("no such file"),  # noqa: PTH107
    "os.mkdir": lambda: os.mkdir("/no/such/folder"),  # noqa: PTH102
    "os.rename": lambda: os.rename("no", "such"),  # noqa: PTH104
    "os.stat, kept": lambda: stat("."),
    "exists": lambda: Path("/etc").exists(),
    "getpid": lambda: os.getpid(),
    "system": lambda: os.system("true"),
    "fork": lambda: os.fork(),
    "subprocess": lambda: subprocess.run(["true"], check=True),
    "socket": lambda: socket.socket(),
    "thread": lambda: threading.Thread(target=print).start(),
}


def said(what, seed=7):
    """What a strategy sees under a seed."""
    seed_all("7")
    with disciplined(NOW_NS, random.Random(seed)):
        return what()


@pytest.mark.parametrize("name", FOLLOWS)
def test_it_follows_from_the_seed(name):
    first = said(FOLLOWS[name])
    with elsewhere():
        again = said(FOLLOWS[name])

    assert repr(first) == repr(again)


@pytest.mark.parametrize("name", ["random.Random()", "SystemRandom", "secrets", "os.getrandom", "uuid4"])
def test_another_seed_is_another_chance(name):
    assert said(FOLLOWS[name], 7) != said(FOLLOWS[name], 8)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name):
    with pytest.raises(RefusedError, match="a simulated strategy has its ctx, and nothing of the host"):
        said(REFUSED[name])
    assert not discipline.is_on()


def test_afterwards_the_host_is_as_it_was():
    before = [time.time, time.sleep, os.urandom, random.Random.seed, uuid.uuid1, sys.getprofile()]
    said(FOLLOWS["time"])

    assert [time.time, time.sleep, os.urandom, random.Random.seed, uuid.uuid1, sys.getprofile()] == before
    assert datetime.datetime.now().year > 2000 and os.getpid() and time.time() != NOW_NS * 1e-9


def test_modules_are_imported_all_the_same(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)

    def imports():
        import colorsys

        return colorsys.rgb_to_hsv(1, 0, 0)

    assert said(imports) == (0.0, 1.0, 1)


def test_what_the_compiler_frees_is_no_strategys():
    module = ModuleType("llvmlite.binding.ffi")
    exec("import ctypes\n\ndef free():\n    return ctypes.CDLL(None).getpid\n", vars(module))

    assert said(module.free)
    with pytest.raises(RefusedError, match="ctypes"):
        said(lambda: ctypes.CDLL(None).getpid)


def test_who_measures_garbage_collections_is_no_strategy():
    measured, clock = [], time.perf_counter

    def measure(phase, info):
        assert phase in ("start", "stop") and info
        measured.append(clock())

    gc.callbacks.append(measure)
    try:
        said(gc.collect)
    finally:
        gc.callbacks.remove(measure)
    assert len(measured) == 2


@pytest.mark.parametrize("seed", ["", "random", "5"])
def test_a_run_has_the_same_hashes_of_strings_whatever_the_host_says(monkeypatch, seed):
    monkeypatch.setenv("PYTHONHASHSEED", seed)
    begun = []
    monkeypatch.setattr(os, "execve", lambda *arguments: begun.append(arguments))

    fix_hashes()
    ((_, words, environment),) = begun
    assert words[1:] == sys.orig_argv[1:] and environment["PYTHONHASHSEED"] == "0"

    monkeypatch.setenv("PYTHONHASHSEED", "0")
    fix_hashes()
    assert len(begun) == 1
