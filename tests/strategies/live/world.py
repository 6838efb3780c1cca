"""The exchange and the node of examples/references, at ports and in folders of their own."""

import tomllib
from pathlib import Path
from typing import Any

from tests.cli.world import World
from tests.strategies.references import FOLDER

EXAMPLES = FOLDER.parent / "examples" / "references"
LIVE: list[dict[str, Any]] = tomllib.loads((EXAMPLES / "node.toml").read_text())["strategies"]
"""Every reference as the node has it."""


class Floor(World):
    """A World with all of them."""

    def __init__(self, home: Path, seed: int, speed: str) -> None:
        super().__init__(home)
        self.seed, self.speed = seed, speed

    def spawn(self, *arguments: Any) -> Any:
        """As World does it; the exchange gets its file first."""
        if arguments[0] == "exchange":
            own = {
                "../../run/references-exchange.json": "exchange.json",
                "seed = 1": f"seed = {self.seed}",
                ":26410": f":{self.feed}",
                ":26411": ":0",
                ":26412": ":0",
                ":26413": ":0",
            }
            Path(arguments[1]).write_text(changed("exchange.toml", own))
        return super().spawn(*arguments)

    def write_node(self, **_: Any) -> None:
        """The node's file and its limits."""
        own = {
            "127.0.0.1:26410": f"127.0.0.1:{self.feed}",
            "127.0.0.1:26411": self.ready["retransmit"],
            "127.0.0.1:26412": self.ready["order_entry"],
            "127.0.0.1:26413": self.ready["control"],
            'journal_dir = "../../run/references"': 'journal_dir = "journal"\nrun_dir = "hot"',
            "../../strategies": str(FOLDER),
            'speed = "interpreted"': f'speed = "{self.speed}"',
        }
        self.node_file.write_text(changed("node.toml", own))
        self.node_file.with_name("limits.toml").write_text(changed("limits.toml", {}))

    def others(self) -> tuple[str, ...]:
        """Whom the node's books are compared with."""
        venue = ("--venue", self.ready["control"], "--account", "NODE1")
        return (*venue, "--drop-copy", self.ready["order_entry"], "--user", "COPY", "--password", "plain:demo")


def changed(name: str, own: dict[str, str]) -> str:
    """An example with other words; each of them must be there."""
    text = (EXAMPLES / name).read_text()
    for before, after in own.items():
        assert before in text, f"{name}: expected {before!r}"
        text = text.replace(before, after)
    return text
