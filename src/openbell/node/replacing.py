"""Looks at a new version of a strategy before the one that runs is stopped, in a process of its own.

    python -m openbell.node.replacing < question > answer

It imports what somebody else wrote, and compiles it where the strategy is compiled: neither the trading process nor the
control process waits for that, and what hangs here hangs nobody. What passes is kept beside the journal.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from openbell.config import Settings
from openbell.errors import OpenbellError, StrategyError
from openbell.node.lifeline import end_with_parent
from openbell.node.record import StrategyRecord, keep_source
from openbell.node.versions import Version
from openbell.strategy.carry import Carried, Carry, carry
from openbell.strategy.loader import load_strategy, source_hash


class Question(Settings):
    """What runs, where the next version is, and what is configured; `changed` are bits of parameters by their word."""

    journal_dir: str
    running: StrategyRecord
    configured_file: str
    file: str
    class_name: str | None
    changed: dict[int, int]


class Answer(Settings):
    """A version that may replace what runs, and what it carries over."""

    version: Version
    carries: tuple[Carry, ...]
    says: tuple[str, ...]


def look_at(question: Question) -> Answer:
    """The version, kept beside the journal.

    Raises:
        StrategyError: it cannot be loaded or compiled, is what runs, does not take the parameters of the node's file,
            or its declared state does not fit what runs.
    """
    running, file, journal_dir = question.running, Path(question.file), Path(question.journal_dir)
    if not running.leaves:
        raise StrategyError(
            f"{running.name}: expected a record of its declared state, found none: the node was started by an earlier "
            "version of openbell; restart it with the new class"
        )
    new = StrategyRecord.of(
        id=running.id,
        name=running.name,
        file=file,
        class_name=question.class_name,
        params=running.params,
        symbols=running.symbols,
        speed=running.speed,
        process=running.process,
    )
    if (new.source_hash, new.object_hash) == (running.source_hash, running.object_hash) and (
        new.leaves == running.leaves
    ):
        raise StrategyError(
            f"{running.name}: expected another version than the one that runs, found the same in {file}"
        )
    kept = new.model_copy(update={"file": str(keep_source(journal_dir, new))})
    instance = load_strategy(kept.file, kept.class_name)(**kept.params)
    carried: Carried = carry(running.leaves, instance, question.changed)
    version = Version(strategy=kept, instead_of=source_hash(question.configured_file).hex())
    version.write(journal_dir)
    return Answer(version=version, carries=carried.carries, says=carried.says)


def main() -> int:
    """One question on the input, one answer on the output."""
    end_with_parent()
    question = Question.model_validate_json(sys.stdin.read())
    with_prints = sys.stdout
    sys.stdout = sys.stderr  # what the class prints while it is imported is no answer
    try:
        answer = look_at(question).model_dump_json()
    except (OpenbellError, OSError) as error:
        answer = json.dumps({"error": str(error)})
    print(answer, file=with_prints)
    return 0


if __name__ == "__main__":
    sys.exit(main())
