"""The library that stands between this process and its disk (native/faults/disk_faults.cpp), built and loaded."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
SOURCE = REPO / "native/faults/disk_faults.cpp"
LIBRARY = REPO / "build/faults/disk_faults.so"
FLAGS = ["-std=c++20", "-O1", "-g", "-fPIC", "-shared", f"-I{REPO / 'native'}", "-Wall", "-Wextra"]

SHORT = -1
"""A write of half the bytes."""
DIE = -2
"""The end of the process, as by kill -9, before the call."""


def environment() -> dict[str, str]:
    """The environment of a process whose calls are to be seen; builds the library when its source is newer."""
    if not LIBRARY.exists() or LIBRARY.stat().st_mtime < SOURCE.stat().st_mtime:
        LIBRARY.parent.mkdir(parents=True, exist_ok=True)
        fresh = LIBRARY.with_suffix(f".{os.getpid()}")
        subprocess.run(["g++", *FLAGS, str(SOURCE), "-o", str(fresh), "-ldl"], check=True)
        fresh.rename(LIBRARY)
    return os.environ | {"LD_PRELOAD": str(LIBRARY), "PYTHONDONTWRITEBYTECODE": "1"}


def reason_to_skip() -> str:
    """Why the library cannot be used here; empty when it can."""
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        return "the address sanitizer has taken the place of the allocator"
    return "" if shutil.which("g++") else "no g++ to build native/faults with"


def be_seen(module: str) -> None:
    """Go on as a process whose calls are seen: this one, started again as `module` with the same arguments."""
    if os.environ.get("LD_PRELOAD") != str(LIBRARY):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment())


class Shim:
    """What a test asks of the library. In a process that was started with `environment`."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(str(LIBRARY))
        self._library.faults_met.restype = ctypes.c_char_p
        for name in ("faults_calls", "faults_allocations", "faults_threads"):
            getattr(self._library, name).restype = ctypes.c_long

    @contextmanager
    def watching(self, *folders: Path, control: Path | None = None) -> Iterator[None]:
        """Calls on files below `folders` count; promises are read from the control page `control`."""
        for folder in folders:
            self._library.faults_watch(os.fsencode(folder))
        if control:
            self._library.faults_control(os.fsencode(control))
        try:
            yield
        finally:
            self.disarm()
            self._library.faults_forget()

    @contextmanager
    def recording(self, trace: Path) -> Iterator[None]:
        """Append what changes the disk to the file `trace`."""
        if error := self._library.faults_record(os.fsencode(trace)):
            raise OSError(error, os.strerror(error), trace)
        try:
            yield
        finally:
            self._library.faults_stop()

    def note(self, text: str) -> None:
        """An entry of the trace that changes nothing but says what was promised by now."""
        self._library.faults_note(text.encode())

    def arm(self, n: int, fault: int, *, lasting: bool = False) -> None:
        """Let the `n`-th call from now on meet `fault`, an errno, SHORT or DIE; `lasting`: every later one too."""
        self._library.faults_arm(ctypes.c_long(n), fault, int(lasting))

    def arm_allocation(self, n: int) -> None:
        """Let the `n`-th allocation of native code from now on fail."""
        self._library.faults_arm_allocation(ctypes.c_long(n))

    def arm_thread(self, n: int) -> None:
        """Let the `n`-th start of a thread from now on fail."""
        self._library.faults_arm_thread(ctypes.c_long(n))

    def disarm(self) -> None:
        """Let nothing fail."""
        self.arm(0, 0)
        self.arm_allocation(0)
        self.arm_thread(0)

    @property
    def calls(self) -> int:
        """Calls since `arm`."""
        return int(self._library.faults_calls())

    @property
    def allocations(self) -> int:
        """Allocations since `arm_allocation`."""
        return int(self._library.faults_allocations())

    @property
    def threads(self) -> int:
        """Starts of threads since `arm_thread`."""
        return int(self._library.faults_threads())

    @property
    def met(self) -> str:
        """The call that met the fault; empty when none did."""
        return str(self._library.faults_met().decode())
