"""What the desk does to replace a strategy's class while it runs: a child looks at the new version, then it is told.

The child may take as long as a compilation takes; whoever asks is told to ask again, and kills are answered meanwhile.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from openbell import events
from openbell._native import OperatorVerb, StrategyLife
from openbell.node.assemble import digest
from openbell.node.lifeline import environment_of_child
from openbell.node.loading import ask_to_load, loaded
from openbell.node.record import RunRecord, StrategyRecord
from openbell.node.replacing import Answer, Question
from openbell.ops.control.proposals import RefusedError

LOOK_WITHIN_S = 130.0
"""A compilation may take 120 s."""
LOAD_WITHIN_S = 15.0
"""In the trading process, a slice at every tick."""
RUNNING = (StrategyLife.RUNS,)
UNWINDING = (StrategyLife.FLATTENING, StrategyLife.FLATTENING_HALTED)


class ReplacedNode(Protocol):
    """What replacing asks of a node."""

    strategies: dict[str, int]

    def changed_parameters(self) -> list[tuple[int, int, int]]: ...
    def life_of(self, strategy: int) -> StrategyLife: ...
    def version_of(self, strategy: int) -> int: ...


@dataclass(frozen=True)
class Replacement:
    """A version that was looked at: in words what it changes, and the records that put it in force."""

    says: tuple[str, ...]
    is_current: Callable[[], bool]  # what runs is still what it was compared with
    records: Callable[[events.By], tuple[bytes, ...]]


@dataclass
class _Look:
    asked: tuple[object, ...]
    child: subprocess.Popen[bytes]
    said: IO[bytes]
    running: StrategyRecord
    changed: dict[int, int]
    give_up: float
    answer: Answer | None = None
    load_until: float = 0.0


class Replacing:
    """Looks at one new version at a time. `configured`: (file, class) of each strategy in the node's file."""

    def __init__(
        self,
        node: ReplacedNode,
        journal_dir: Path,
        hot_dir: Path,
        configured: dict[str, tuple[Path, str]],
        run: Callable[[], RunRecord],
    ) -> None:
        self.node, self.configured, self.run = node, configured, run
        self.journal_dir, self.hot_dir = journal_dir, hot_dir
        self._look: _Look | None = None

    def look(self, strategy: str, file: str, class_name: str) -> Replacement | None:
        """The replacement, or None while it is being looked at: ask again.

        Raises:
            RefusedError: it may not replace what runs, and why.
        """
        path, wanted = self._named(strategy, file, class_name)
        asked = (strategy, path, wanted, *_stamp(path))
        if self._look is not None and self._look.asked != asked:
            if self._look.child.poll() is None and time.monotonic() < self._look.give_up:
                raise RefusedError(
                    f"replace {strategy}: another version is being looked at ({self._look.asked[0]}); ask again"
                )
            if self._look.answer is None:  # otherwise its words were read
                _ended(self._look)
            self._look = None
        if self._look is None:
            self._look = self._begin(asked, strategy, path, wanted)
        if self._look.child.poll() is None and time.monotonic() < self._look.give_up:
            return None
        if self._look.answer is None:
            self._look.answer = self._answer_of(self._look)
        if not self._is_loaded(self._look):
            return None
        look, self._look = self._look, None
        assert look.answer
        return self._replacement(strategy, look, look.answer)

    def _is_loaded(self, look: _Look) -> bool:
        """Whether the trading process has it; one of a process of its own is loaded there, when it begins again."""
        assert look.answer
        new = look.answer.version.strategy
        if new.process == "own":
            return True
        number = look.answer.version.number
        if look.load_until == 0:
            look.load_until = time.monotonic() + LOAD_WITHIN_S
            try:
                ask_to_load(self.hot_dir, new.id, number)
            except OSError as error:
                self._look = None
                raise RefusedError(
                    f"replace {new.name}: expected a trading process to load it, found: {error.strerror}; does it run?"
                ) from None
        said = loaded(self.hot_dir, new.id, number)
        if said is None and time.monotonic() > look.load_until:
            said = f"replace {new.name}: expected the trading process to load it in {LOAD_WITHIN_S:.0f} s, found not"
        if said:
            self._look = None
            raise RefusedError(said)
        return said is not None

    def _named(self, strategy: str, file: str, class_name: str) -> tuple[Path, str | None]:
        known, its_class = self.configured[strategy]
        return (Path(file), class_name or None) if file else (known, class_name or its_class)

    def _begin(self, asked: tuple[object, ...], strategy: str, path: Path, class_name: str | None) -> _Look:
        running, number = self._running(strategy), self.node.strategies[strategy]
        if self.node.life_of(number) in UNWINDING:
            raise RefusedError(f"replace {strategy}: expected it not to be flattening, found that; wait, or stop it")
        changed = self._changed(number)
        question = Question(
            journal_dir=str(self.journal_dir),
            running=running,
            configured_file=str(self.configured[strategy][0]),
            file=str(path),
            class_name=class_name,
            changed=changed,
        )
        said = tempfile.TemporaryFile()  # noqa: SIM115  closed when it has been read
        command = [sys.executable, "-m", "openbell.node.replacing"]
        with tempfile.TemporaryFile() as text:  # no pipe: nobody here waits for a child that imports
            text.write(question.model_dump_json().encode())
            text.seek(0)
            child = subprocess.Popen(command, stdin=text, stdout=said, env=environment_of_child())
        return _Look(asked, child, said, running, changed, time.monotonic() + LOOK_WITHIN_S)

    def _answer_of(self, look: _Look) -> Answer:
        """What its child said."""
        answer = _ended(look)
        if "error" in answer:
            self._look = None
            raise RefusedError(str(answer["error"]))
        return Answer.model_validate_json(json.dumps(answer))

    def _replacement(self, strategy: str, look: _Look, answer: Answer) -> Replacement:
        number, new = self.node.strategies[strategy], answer.version.strategy
        before = self.node.version_of(number)

        def is_current() -> bool:
            return self.node.version_of(number) == before and self._changed(number) == look.changed

        says = f"{strategy}: source {look.running.source_hash[:12]} -> {new.source_hash[:12]} ({look.asked[1]})"
        return Replacement((says, *answer.says), is_current, lambda by: self._records(number, answer, by))

    def _records(self, number: int, answer: Answer, by: events.By) -> tuple[bytes, ...]:
        """What is carried changes nothing until the version comes; between stop and start nothing is waited for."""
        version, runs = answer.version, self.node.life_of(number) in RUNNING
        after = [version.strategy if one.id == number else one for one in self.run().strategies]
        last = max((leaf.offset + leaf.words for leaf in version.strategy.leaves if not leaf.is_parameter), default=1)
        carries = (
            events.carry(number, one.new, one.old, one.words, one.bits, is_first=n == 0)
            for n, one in enumerate(answer.carries)
        )
        replaced = events.replaced(
            number,
            version.number,
            state_bytes=8 * last,
            strategies=digest(*(one.identity() for one in after)),
            source=version.strategy.source_hash,
        )
        stop = (events.lifecycle(OperatorVerb.STRATEGY_STOP, number, by=by),) if runs else ()
        start = (events.lifecycle(OperatorVerb.STRATEGY_START, number, by=by),) if runs else ()
        return (*carries, *stop, replaced, *start)

    def _running(self, strategy: str) -> StrategyRecord:
        return next(one for one in self.run().strategies if one.name == strategy)

    def _changed(self, strategy: int) -> dict[int, int]:
        return {word: bits for who, word, bits in self.node.changed_parameters() if who == strategy}


def _stamp(path: Path) -> tuple[int, int]:
    """Tells one text of a file from the next."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _ended(look: _Look) -> dict[str, object]:
    """The last words of a child, which ends here if it has not."""
    with look.said:
        if look.child.poll() is None:
            look.child.kill()
            look.child.wait()
            return {"error": f"replace: expected {look.asked[1]} to load within {LOOK_WITHIN_S:.0f} s, found it at it"}
        look.said.seek(0)
        text = look.said.read()
    try:
        answer: dict[str, object] = json.loads(text)
    except ValueError:
        return {
            "error": f"replace: expected {look.asked[1]} to load, found that it ended the process that tried, with "
            f"code {look.child.returncode}; what it said is in the node's log"
        }
    return answer
