"""`openbell arm`, `approve`, `limits`: what people tell a running node, and agree on, by its control socket."""

import json
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from openbell.errors import OpenbellError

TAKEN_WITHIN_S = 2.0
LOOK_EVERY_S = 0.002
EPILOGUE = "Exit codes: 0 done, or proposed to another person; 2 refused, or there is no such node."
LIMITS_EPILOGUE = f"{EPILOGUE} With --against: 1 when a limit becomes looser."

arm_app = cyclopts.App(name="arm", help="How far the node, a strategy or an instrument may go.", help_epilogue=EPILOGUE)
approve_app = cyclopts.App(name="approve", help="What another person proposed: look, approve.", help_epilogue=EPILOGUE)
limits_app = cyclopts.App(
    name="limits", help="The limits in force; with a file, propose others.", help_epilogue=LIMITS_EPILOGUE
)

State = Literal["off", "shadow", "cancel_only", "reduce_only", "limited", "full"]


class NotTakenError(OpenbellError):
    """The trading thread has not taken a command."""


@arm_app.default
def arm(
    node: str,
    state: State,
    /,
    *,
    strategy: str = "",
    instrument: str = "",
    all: bool = False,
    release: bool = False,
    minutes: int = 0,
    acknowledge: str = "",
    settle: bool = False,
    why: str = "",
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Arm one strategy, one instrument or all of NODE to STATE.

    Parameters
    ----------
    node
        Its name, its .toml file or its hot directory.
    state
        off, shadow, cancel_only: nothing new leaves; reduce_only: only what reduces; limited: small orders; full.
    strategy
        One strategy, by its name.
    instrument
        One instrument, by its symbol; of several venues by OBEL@home, with the name of the feed.
    all
        The node; the lowest state of the three holds for an order.
    release
        After a kill, a doubt or a halt of this scope: another person has to approve it.
    minutes
        Break-glass: for so many minutes, at most 15, over a doubt; another person has to approve it.
    acknowledge
        What runs, as the node has printed it at its start, where that is not what ran before; with --release.
    settle
        With --all --release: the venue was asked, and nothing that is in doubt ever reached it.
    why
        For the journal, and for that other person.
    as_json
        One JSON object.
    """
    hot_dir = _find(node)
    request: dict[str, Any] = {"verb": "arm", "state": state, "release": release, "minutes": minutes, "why": why}
    request |= {
        "strategy": strategy,
        "instrument": instrument,
        "all": all,
        "acknowledge": acknowledge,
        "settle": settle,
    }
    return say(hot_dir, asked(hot_dir, request), as_json)


@approve_app.default
def approve(
    node: str,
    proposal: str = "",
    /,
    *,
    deny: bool = False,
    why: str = "",
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Show what is proposed at NODE; with an id carry it out, if somebody else proposed it.

    Parameters
    ----------
    node
        Its name, its .toml file or its hot directory.
    proposal
        The id of one.
    deny
        End it unused.
    why
        With --deny, for the journal.
    as_json
        One JSON object.
    """
    hot_dir = _find(node)
    if not proposal:
        return say(hot_dir, asked(hot_dir, {"verb": "proposals"}), as_json)
    verb = {"verb": "deny", "why": why} if deny else {"verb": "approve"}
    return say(hot_dir, asked(hot_dir, {**verb, "proposal": proposal}), as_json)


@limits_app.default
def limits(
    node: str,
    file: Path | None = None,
    /,
    *,
    against: Path | None = None,
    why: str = "",
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Show the limits in force at NODE; with FILE, compare, tighten at once, or propose what loosens.

    Without a node: `openbell limits limits.toml` reads and checks a file, `--against` says what it would change.

    Parameters
    ----------
    node
        Its name, its .toml file or its hot directory; or a file of limits.
    file
        Other limits, all of them.
    against
        A file of limits that NODE, also one, is compared with.
    why
        For the journal, and for the other person.
    as_json
        One JSON object.
    """
    from openbell.errors import ConfigError

    if against is not None or _is_of_limits(Path(node)):
        return _compare(Path(node), against, as_json)
    hot_dir = _find(node)
    request: dict[str, Any] = {"verb": "limits", "why": why}
    if file is not None:
        try:
            request["file"] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: expected a readable file of limits, found: {error}") from None
    return say(hot_dir, asked(hot_dir, request), as_json)


def _is_of_limits(path: Path) -> bool:
    """A .toml file without a `[node]`."""
    return path.suffix == ".toml" and path.is_file() and "[node]" not in path.read_text(errors="replace").splitlines()


def _compare(file: Path, against: Path | None, as_json: bool) -> int:
    """Print every limit of `file`, or what differs from `against`; 1 when something becomes looser."""
    from openbell.node.limit_lines import changes, compared_lines, spoken_lines
    from openbell.node.limits import load_limits

    limits = load_limits(file)
    if against is None:
        said, is_looser = spoken_lines(limits), False
    else:
        found = changes(compared_lines(load_limits(against)), compared_lines(limits))
        said, is_looser = [str(change) for change in found], any(change.is_loosening for change in found)
        said = said or ["no limit differs"]
    if as_json:
        print(json.dumps({"version": limits.version, "owner": limits.owner, "limits": said, "is_looser": is_looser}))
    else:
        print("\n".join(said))
    return 1 if is_looser else 0


def _find(node: str) -> Path:
    from openbell.ops.find import find_hot_dir

    return find_hot_dir(node)


def asked(hot_dir: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The answer; what was done is in the journal when this returns."""
    from openbell.ops.control.client import ask

    answer = ask(hot_dir, request)
    give_up = time.monotonic() + TAKEN_WITHIN_S
    while "done" in answer and ask(hot_dir, {"verb": "waiting"})["waiting"]:
        if time.monotonic() > give_up:
            raise NotTakenError(
                f"{hot_dir.name}: the trading thread has not taken it within {TAKEN_WITHIN_S:.0f} s; is it stuck? "
                "openbell status shows it; it is taken when the thread goes on"
            )
        time.sleep(LOOK_EVERY_S)
    if "adjusted" in answer:
        from openbell.cli.adjust import outcome

        answer["outcome"] = outcome(hot_dir, answer["adjusted"])
    return answer


def say(hot_dir: Path, answer: dict[str, Any], as_json: bool) -> int:
    """Print what the control process answered; 0."""
    if as_json:
        print(json.dumps(answer))
        return 0
    if "done" in answer:
        print(f"{hot_dir.name}: {answer['done']}; the journal says so")
    if "denied" in answer:
        print(f"{hot_dir.name}: {answer['denied']} is denied")
    for line in (*answer.get("limits", ()), *answer.get("outcome", ())):
        print(line)
    proposals = answer.get("proposals", [answer["proposal"]] if "proposal" in answer else [])
    for proposal in proposals:
        _print_proposal(proposal)
    if "proposals" in answer and not proposals:
        print(f"{hot_dir.name}: nothing is proposed")
    if "next" in answer:
        print(f"next: {answer['next']}")
    return 0


def _print_proposal(proposal: dict[str, Any]) -> None:
    left = int(proposal["expires_in_s"])
    print(f"{proposal['id']}  by {proposal['proposer']}, {left // 60}:{left % 60:02} left: {proposal['why']}")
    for line in proposal["says"]:
        print(f"    {line}")
