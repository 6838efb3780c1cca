"""Starts the processes of a node, watches over them, and ends them in the right order.

trading process     the one that trades; restarted after a crash, within limits
archiver            makes the journal durable; outlives the trading process until all is on disk
standby             follows the journal where the file asks for one; it becomes the trading process when that has died
snapshots           follows the journal; its death changes nothing in trading
control             answers people on a Unix socket; the same
reconciliation      compares our books with others', where the file names some; the same
watchdog            stops a trading process that hangs, where the file asks for one; outlives the supervisor's own death
strategy NAME       calls a strategy with process = "own"; at its death its orders are cancelled and it is halted
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from openbell import _native as native
from openbell.errors import OpenbellError
from openbell.node.card import card_of, write_card
from openbell.node.config import load_node
from openbell.node.holdings import holdings_of
from openbell.node.lifeline import STOP_SIGNALS, environment_of_child
from openbell.node.names import Names
from openbell.node.reconciliation import round_ms
from openbell.node.reconciliation_page import begin_page
from openbell.node.recovery import expect_both_halves
from openbell.node.trading import DOUBTED, ORDERS_LEFT
from openbell.strategy.loader import load_strategy

RESTARTS_MAX = 5
"""Crashes of the trading process within `RESTART_WINDOW_S` before the supervisor gives up."""
RESTART_WINDOW_S = 60.0
ENDED_IN_ORDER = (0, ORDERS_LEFT, DOUBTED)
"""Exit codes of a trading process that closed its journal: nothing open, orders left open, or in doubt."""
ARCHIVER_DRAIN_S = 30.0
HELPERS_WITHIN_S = 10.0
"""For all of them to end, from when they are asked; then they are ended."""
STOP_WITHIN_S = 8.0
"""The trading process waits up to 5 s for its cancels; one that has not ended after this is ended."""
LOOK_EVERY_S = 0.1
WITHOUT = {
    "archiver": "nothing becomes durable and the node opens nothing; see what it said, look at the disk, start again",
    "snapshots": "the node trades on, and its next start takes longer; see what it said",
    "standby": "the next crash is a start from the journal; see what it said",
    "control": "nobody can ask the node anything but a kill, which needs no control process; see what it said",
    "reconciliation": "nobody compares our books with others'; see what it said",
    "watchdog": "nobody stops a node that hangs; see what it said",
}
"""What it means that a helper is gone for good."""


class NodeFailedError(OpenbellError):
    """The trading process ended with an error, or crashed too often."""


class Supervisor:
    """One node's processes. Use as a context: leaving it ends all of them."""

    def __init__(
        self,
        config_path: Path,
        *,
        for_s: float = 0.0,
        mode: str = "",
        log: Path | None = None,
        accepted_limits: int | None = None,
        acknowledged: str = "",
    ) -> None:
        self.config_path = config_path
        self.mode = mode
        self.log = log
        self.accepted_limits = accepted_limits
        self.acknowledged = acknowledged
        self.config = load_node(config_path, mode)
        self.for_s = for_s
        self.restarts: list[float] = []
        self._stops = 0
        self._stop_by = 0.0
        self._ends: dict[str, list[float]] = {}
        self._helpers: dict[str, subprocess.Popen[bytes]] = {}
        self._cells: dict[str, native.StrategyCell] = {}
        self._trading: subprocess.Popen[bytes] | None = None
        self._lock: native.FolderLock | None = None

    def __enter__(self) -> Supervisor:
        node, others = self.config.node, self.config.reconciliations().values()
        for other in others:
            if other.password:
                other.password.read()  # who has forgotten it hears of it now, not all day from who cannot log in
        node.hot_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = native.FolderLock(str(node.journal_dir), str(node.hot_dir))  # until the archiver has written all
        expect_both_halves(node.journal_dir, node.hot_dir)
        begin_page(node.hot_dir, time.time_ns(), round_ms(others) * 1_000_000)
        write_card(card_of(self.config, self.config_path))
        ids = self.config.strategy_ids()
        for one in (one for one in self.config.strategies if one.process == "own"):
            # What cannot be loaded is said now, not by its process.
            load_strategy(one.file, one.class_name)(**one.params)
            self._cells[f"strategy {one.name}"] = native.StrategyCell.open(str(node.hot_dir), ids[one.name])
        self._start_helpers()
        self._start_trading()
        return self

    def __exit__(self, *_: object) -> None:
        if self._trading and self._trading.poll() is None:
            self.stop()
            try:
                self._trading.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._trading.kill()
                self._trading.wait()
        self._end_helpers()
        if self._lock:
            self._lock.release()

    def _start_helpers(self) -> None:
        node = self.config.node
        keeps = self.config.retention.arguments()
        commands = {
            "archiver": ["openbell.journal.archiver", str(node.hot_dir), str(node.journal_dir), *keeps],
            "snapshots": ["openbell.node.snapshots", str(self.config_path), self.mode],
            "control": ["openbell.ops.control", str(self.config_path), self.mode],
        }
        if node.standby:
            commands["standby"] = ["openbell.node.standby", str(self.config_path), *self._mode_option()]
        for one in self.config.strategies:
            if one.process == "own":
                module = "openbell.node.strategy_process"
                commands[f"strategy {one.name}"] = [module, str(self.config_path), self.mode, one.name]
        if self.config.reconciliations():
            commands["reconciliation"] = ["openbell.posttrade.watch", str(self.config_path), self.mode]
        if self.config.watchdog.with_node and self.config.node.mode == "live":
            commands["watchdog"] = ["openbell.ops.watchdog", str(self.config_path), self.mode]
        for name, (module, *arguments) in commands.items():
            running = self._helpers.get(name)
            if running is None or (running.poll() is not None and self._may_start_again(name, running.returncode)):
                # The summary of a standby that has taken over is the node's.
                self._helpers[name] = self._start(
                    module, *arguments, stdout=subprocess.PIPE if name == "standby" else None
                )
        self._end_condemned()

    def _mode_option(self) -> tuple[str, ...]:
        return ("--mode", self.mode)

    def _end_condemned(self) -> None:
        """A strategy's process that the trading thread found hanging is ended, and started again by the next look."""
        for name, cell in self._cells.items():
            if cell.is_condemned and self._helpers[name].pid == cell.pid:
                self._helpers[name].kill()

    def _may_start_again(self, name: str, code: int) -> bool:
        """One that ends as often as the trading process may crash is left as it is, and that is said once."""
        ends, now = self._ends.setdefault(name, []), time.monotonic()
        if len(ends) > RESTARTS_MAX:
            return False
        ends[:] = [at for at in ends if now - at < RESTART_WINDOW_S] + [now]
        if len(ends) > RESTARTS_MAX:
            print(
                f"{name}: ended {len(ends)} times within {RESTART_WINDOW_S:.0f} s, last with code {code}; not started "
                f"again: {WITHOUT.get(name, 'it is not called')}",
                file=sys.stderr,
                flush=True,
            )
        return len(ends) <= RESTARTS_MAX

    def _start_trading(self) -> None:
        # Held back until the child can hear them, so that Ctrl-C in its first moments is not lost or a traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        self._trading = self._start(
            "openbell.node.trading",
            str(self.config_path),
            *("--for", str(self.for_s)),
            *("--mode", self.mode),
            *(("--accept-limits", str(self.accepted_limits)) if self.accepted_limits is not None else ()),
            *(("--acknowledge", self.acknowledged) if self.acknowledged else ()),
            stdout=subprocess.PIPE,
        )
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if self._stops:
            self._trading.send_signal(signal.SIGINT)

    def _start(self, module: str, *arguments: str, stdout: int | None = None) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches the supervisor, which decides the order of the ends.
        command = [sys.executable, "-m", module, *arguments]
        if self.log is None:
            return subprocess.Popen(command, stdout=stdout, start_new_session=True, env=environment_of_child())
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, stdout=stdout or log, stderr=log, start_new_session=True, env=environment_of_child()
            )

    @property
    def trading_pid(self) -> int:
        """Process id of the trading process."""
        assert self._trading is not None
        return self._trading.pid

    def stop_on_signals(self) -> None:
        """Let SIGINT and SIGTERM of this process, from before the start on, mean `stop`."""
        for number in STOP_SIGNALS:
            signal.signal(number, self.stop)

    def stop(self, *_: int | FrameType | None) -> None:
        """Ask the trading process to cancel everything and end; a second call ends it as it is."""
        self._stops += 1
        self._stop_by = time.monotonic() + STOP_WITHIN_S
        if self._trading and self._trading.poll() is None:
            self._dismiss_standby()
            if self._stops == 1:
                self._trading.send_signal(signal.SIGINT)
            else:
                self._trading.kill()  # its sockets close: cancel-on-disconnect is what remains

    def _dismiss_standby(self) -> None:
        """Before the node ends for good: what still stands by would take that for its hour.

        It looks for this signal last before it takes over; if that was a moment ago, it stops as a node does.
        """
        if standby := self._helpers.get("standby"):
            standby.terminate()

    def wait(self) -> dict[str, Any]:
        """Until the trading process has ended by itself; its summary.

        Raises:
            NodeFailedError: it ended with an error, or crashed more often than is allowed.
        """
        while True:
            assert self._trading is not None
            try:
                out, _ = self._trading.communicate(timeout=LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                if not self._stops:
                    self._start_helpers()
                elif time.monotonic() > self._stop_by:
                    print(f"trading process: no answer within {STOP_WITHIN_S:.0f} s; ended", file=sys.stderr)
                    self._trading.kill()
                continue
            code = self._trading.returncode
            if code in ENDED_IN_ORDER:
                summary: dict[str, Any] = json.loads(out)
                return summary
            if self._stops and code < 0:
                return self._left_behind()
            if code >= 0:
                self._dismiss_standby()
                raise NodeFailedError(f"trading process: expected an orderly end, found exit code {code}; see above")
            self._restart_after(code)

    def _left_behind(self) -> dict[str, Any]:
        """The summary of a trading process that could not write its own: what its journal says."""
        from openbell.node.assemble import capacity_of
        from openbell.node.recovery import recover_engine

        node = self.config.node
        engine, recovered = recover_engine(capacity_of(self.config), node.journal_dir, node.hot_dir)
        names = Names(self.config.feed_names()).of(engine)
        return {
            "epoch": engine.epoch,
            "last_seq": engine.seq,
            "orders_open": len(engine.live_orders()),
            "recovered": str(recovered),
            "positions": holdings_of(engine, self.config.strategy_ids().values(), names),
            "refusals": engine.refusals,
            "state_hash": f"{engine.state_hash:016x}",
            "is_doubted": not engine.is_reconciled,
            "was_ended": True,
        }

    def _restart_after(self, code: int) -> None:
        now = time.monotonic()
        self.restarts = [t for t in self.restarts if now - t < RESTART_WINDOW_S] + [now]
        if len(self.restarts) > RESTARTS_MAX:
            self._dismiss_standby()
            raise NodeFailedError(
                f"trading process: crashed {len(self.restarts)} times within {RESTART_WINDOW_S:.0f} s, last by signal "
                f"{-code}; not restarted again: look at the journal in {self.config.node.journal_dir}"
            )
        standby = self._helpers.get("standby")
        if standby is not None and standby.poll() is None:
            print(f"trading process ended by signal {-code}; the standby takes over", file=sys.stderr, flush=True)
            self._trading = self._helpers.pop("standby")
            return
        print(f"trading process ended by signal {-code}; restarting", file=sys.stderr, flush=True)
        self._start_trading()

    def _end_helpers(self) -> None:
        is_closed = self._trading is not None and self._trading.returncode in ENDED_IN_ORDER
        if is_closed and (archiver := self._helpers.get("archiver")):  # ends by itself when everything is durable
            _has_ended(archiver, ARCHIVER_DRAIN_S)
        for name, process in self._helpers.items():
            if process.stdout is not None:  # of a standby that has not become the node
                process.stdout.close()
            process.terminate()
            if name in self._cells:
                process.kill()  # it may stand still, and has nothing to put in order
        give_up = time.monotonic() + HELPERS_WITHIN_S
        for name, process in self._helpers.items():
            if not _has_ended(process, max(0.0, give_up - time.monotonic())):
                print(f"{name}: no answer within {HELPERS_WITHIN_S:.0f} s; ended", file=sys.stderr, flush=True)
                process.kill()
                process.wait()


def _has_ended(process: subprocess.Popen[bytes], within_s: float) -> bool:
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def run_node(config_path: Path, *, for_s: float = 0.0, mode: str = "") -> dict[str, Any]:
    """Run a node until Ctrl-C or for `for_s` seconds; the summary of its trading process."""
    supervisor = Supervisor(config_path, for_s=for_s, mode=mode)
    supervisor.stop_on_signals()
    with supervisor:
        return supervisor.wait()
