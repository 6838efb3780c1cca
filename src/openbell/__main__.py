"""`openbell`, and `python -m openbell`: a kill has left before the command line is imported."""

import os
import sys
from pathlib import Path

KILL_SENDER = Path(__file__).with_name("openbell-kill")
SENT = "OPENBELL_KILL_SENT"
"""What the sender did, for the verb that reports it: at_ns, closed_ns, was killed, answered_ns or -1, last seq."""


def send_kill(arguments: list[str]) -> None:
    """Run the sender; what it did not understand or could not do, the verb says in more words."""
    read_end, write_end = os.pipe()
    with Path(os.devnull).open("wb") as nowhere:
        actions = [(os.POSIX_SPAWN_DUP2, write_end, 1), (os.POSIX_SPAWN_DUP2, nowhere.fileno(), 2)]
        command = [str(KILL_SENDER), "--numbers", *arguments]
        try:
            pid = os.posix_spawn(KILL_SENDER, command, os.environ, file_actions=actions)
        except OSError:  # of another machine: the verb itself sends
            return
        finally:
            os.close(write_end)
    with os.fdopen(read_end, "rb") as said:
        os.environ[SENT] = said.read().decode()
    os.waitpid(pid, 0)


def run() -> None:
    """The command line."""
    if sys.argv[1:2] == ["kill"] and KILL_SENDER.is_file():
        send_kill(sys.argv[2:])
    from openbell.cli import main

    main()


if __name__ == "__main__":
    run()
