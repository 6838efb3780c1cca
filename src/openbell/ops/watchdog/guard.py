"""The watchdog's loop: look every few milliseconds, stop the node when the judge says so, write down what was done.

A stop is: the kill cell first, so that a node which wakes up opens nothing; then, by configuration, a login to its
account (the venue drops the old session and cancels its orders) or the end of its process (the sockets close, the venue
cancels on disconnect). A login that the venue does not complete within a second is followed by the end of the process.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openbell import _native as native
from openbell.errors import NetError, OpenbellError
from openbell.journal import Source
from openbell.node.assemble import midnight_ns
from openbell.node.card import NodeCard
from openbell.node.config import NodeConfig
from openbell.ops.control.world import LiveWorld
from openbell.ops.find import JournalPage, read_page
from openbell.ops.watchdog.diary import Diary
from openbell.ops.watchdog.judge import Judge, Patience, Signs
from openbell.ops.watchdog.venue import Account, DropCopy, TakeOver
from openbell.types import KillLevel

TURN_S = 0.01
LOGIN_WITHIN_S = 0.4
"""For the logins of all sessions together; then the process is ended, and all of it fits in two seconds."""
HOLD_S = 30.0
"""How long the node's account is kept after a login, if nobody takes it back."""
GRACE_AFTER_KILL_S = 0.5
"""Reports of orders that were on their way when a kill was asked for."""
RETRY_S = 1.0
"""Until the drop copy, or the journal, is tried again."""
LOG_NAME = "watchdog.jsonl"


@dataclass
class Stop:
    """What was done about one reason; `leaves` is what was open of which orders, by the journal.

    `closed` are those the venue has confirmed.
    """

    reason: str
    seen_s: float
    done: list[str] = field(default_factory=list)
    leaves: dict[int, int] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    took_ms: float = 0.0

    def line(self, name: str) -> str:
        """For people."""
        left = len(self.leaves.keys() - self.closed)
        said = f"{name}: {self.reason}: {', '.join(self.done)} after {self.took_ms:.0f} ms; "
        said += f"{len(self.leaves)} orders were open by the journal, {len(self.leaves) - left} confirmed closed"
        return said + (f"; NOT CONFIRMED: {left}, ask the venue" if left else "")


class Guard:
    """Watches over one node. `say` hears a line for each thing that happened."""

    def __init__(self, config: NodeConfig, card: NodeCard, say: Callable[[str], None]) -> None:
        self.config, self.card, self.say = config, card, say
        self.settings = config.watchdog
        self.hot_dir = Path(card.hot_dir)
        self.accounts = [Account.of(session, self.settings) for session in config.sessions]
        self.diary = Diary(Path(card.journal_dir) / LOG_NAME, say)
        self.world = LiveWorld(card)
        self.judge = Judge(Patience(self.settings.silence_ms / 1000, self.settings.kill_ms / 1000))
        self.cell = native.KillCell.open(str(self.hot_dir / "kill"))
        self.beats = native.Counters.open(str(self.hot_dir / "watchdog")).counter("beats")
        self.copy: DropCopy | None = None
        self._copy_retry_s = self._world_retry_s = 0.0
        self._killed_since: float | None = None
        self._accepted_at_kill = self._accepted_before = 0
        self._held: list[TakeOver] = []
        self._held_until_s = 0.0

    def run(self, is_over: Callable[[], bool]) -> None:
        """Until `is_over` says so."""
        self.note("began", mode=self.config.node.mode, act=self.settings.act)
        is_told = False
        while not is_over():
            now_s = time.monotonic()
            self.beats.add()
            self._follow(now_s)
            self._hear_copy(now_s)
            self._hold(now_s)
            if reason := self.judge.judge(self.signs(now_s), now_s):
                self.stop(reason)
            if self.judge.has_beaten and not is_told:
                is_told = True
                self.say(f"{self.card.name}: its heart beats; {self.settings.act} after {self.settings.silence_ms} ms")
            time.sleep(TURN_S)
        self._hold(float("inf"))
        self._drop_copy()
        self.note("left")
        self.diary.close()

    def signs(self, now_s: float) -> Signs:
        """The node as it is now."""
        page = read_page(self.hot_dir)
        path = self.hot_dir / "counters"
        counters = dict(native.Counters.attach(str(path)).read()) if path.is_file() else {}
        level = self.cell.level
        return Signs(
            is_alive=page.is_alive,
            pid=page.writer_pid,
            beat=counters.get("now_ns", 0),
            is_kill_unanswered=level >= KillLevel.HARD and self.cell.acked < level,
            opened_after_kill=self._opened_after_kill(level, now_s),
        )

    def _opened_after_kill(self, level: KillLevel, now_s: float) -> int:
        if level < KillLevel.HARD:
            self._killed_since = None
            return 0
        if self._killed_since is None:
            self._killed_since = now_s
        accepted = self._accepted_before + (self.copy.accepted if self.copy else 0)
        if now_s - self._killed_since < GRACE_AFTER_KILL_S:
            self._accepted_at_kill = accepted
        return accepted - self._accepted_at_kill

    def _follow(self, now_s: float) -> None:
        """Know which orders are open. A journal that cannot be followed costs their names, never the stop."""
        if now_s < self._world_retry_s:
            return
        try:
            self.world.poll(TURN_S)
        except (OpenbellError, OSError) as error:
            self.note("journal", error=str(error))
            self.world, self._world_retry_s = LiveWorld(self.card), now_s + RETRY_S

    def _hear_copy(self, now_s: float) -> None:
        """Where the file names one, which it may for a node with one session."""
        if not self.settings.drop_copy or not self.accounts or now_s < self._copy_retry_s:
            return
        try:
            if self.copy is None:
                self.copy = DropCopy(self.accounts[0], self.settings.drop_copy)
            self.copy.link.poll(now_s)
        except NetError as error:
            self.note("drop copy", error=str(error))
            self._drop_copy()
            self._copy_retry_s = now_s + RETRY_S

    def _drop_copy(self) -> None:
        if self.copy is not None:
            self._accepted_before += self.copy.accepted
            self.copy.link.close()
        self.copy = None

    # ---- stopping

    def stop(self, reason: str) -> Stop:
        """Stop the node, and say what that did."""
        began = time.monotonic()
        stop = Stop(reason, began)
        self.cell.request(KillLevel.HARD, time.time_ns(), os.getuid())
        stop.done.append("its gate is closed")
        self.note("stopping", reason=reason)
        if engine := self.world.engine:
            stop.leaves = {order.cl_ord_id: order.leaves_qty for order in engine.live_orders()}
        self._hold(float("inf"))
        if self.settings.act == "login" and self.config.node.mode == "live":
            self._held, self._held_until_s = self._log_in(stop, began), began + HOLD_S
        if len(self._held) < len(self.accounts) and self.config.node.mode == "live":
            self._end_process(stop)
        stop.took_ms = (time.monotonic() - began) * 1000
        left = [str(order) for order in sorted(stop.leaves.keys() - stop.closed)]
        self.note("stopped", reason=reason, done=stop.done, open=len(stop.leaves), took_ms=stop.took_ms, left=left)
        self.say(stop.line(self.card.name))
        return stop

    def _log_in(self, stop: Stop, began_s: float) -> list[TakeOver]:
        """A complete login to the account of every session, where the venue lets us in in time; each has its share."""
        taken, share_s = [], LOGIN_WITHIN_S / len(self.accounts)
        for number, account in enumerate(self.accounts):
            give_up_s = began_s + share_s * (number + 1)
            try:
                over = self._take_over(number, max(give_up_s - time.monotonic(), 0.001))
            except NetError as error:
                stop.done.append(f"no login ({error})")
                continue
            over.leaves |= stop.leaves
            while not over.is_resolved and not over.is_over and time.monotonic() < give_up_s:
                over.turn(TURN_S)
            stop.closed |= over.closed
            if not over.is_resolved:
                over.close()
                stop.done.append(f"no login as {account.user}: the venue did not complete it")
                continue
            stop.done.append(f"logged in as {account.user}, which ended its session")
            taken.append(over)
        return taken

    def _take_over(self, number: int, within_s: float) -> TakeOver:
        """Of that session; it goes on where the journal ends.

        Raises:
            NetError: nobody answers there.
        """
        engine, source = self.world.engine, Source.ORDER_ENTRY + number
        name, seq = (engine.session(source)[0], engine.source_seq(source)) if engine else ("", 0)
        feeds = self.config.feeds_of(self.config.sessions[number])
        return TakeOver(self.accounts[number], name, seq + 1, midnight_ns(feeds[0]), within_s)

    def _end_process(self, stop: Stop) -> None:
        """What the system refuses is said: a person ends it then, and the watchdog goes on."""
        page = read_page(self.hot_dir)
        try:
            is_ended = self._kill(page)
        except ProcessLookupError:
            is_ended = False
        except OSError as error:
            pid = page.writer_pid
            stop.done.append(f"COULD NOT END process {pid} ({error}): end it as its user or root: kill -9 {pid}")
            return
        said = f"process {page.writer_pid} was ended: the venue cancels on disconnect"
        stop.done.append(said if is_ended else "its process has ended by itself")

    def _kill(self, page: JournalPage) -> bool:
        """By a descriptor of the process: its number cannot become somebody else's in between. False: it has gone.

        Raises:
            OSError: the system does not let us; ProcessLookupError: it has gone.
        """
        descriptor = os.pidfd_open(page.writer_pid)
        try:
            if read_page(self.hot_dir).writer_pid != page.writer_pid or not page.is_alive:
                return False
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            return True
        finally:
            os.close(descriptor)

    def _hold(self, now_s: float) -> None:
        """Keep the account until somebody takes it back: a node that woke up, and is killed, or a person."""
        for over in self._held:
            over.turn(0)
            if now_s > self._held_until_s:
                over.close()
        self._held = [over for over in self._held if not over.is_over]

    def note(self, what: str, **facts: Any) -> None:
        """One line of the watchdog's own journal."""
        self.diary.note(json.dumps({"ts_ns": time.time_ns(), "node": self.card.name, "what": what, **facts}))
