"""What a command shows again and again: in place on a terminal, below each other elsewhere."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class Screen:
    """Shows the newest of something."""

    def __init__(self, console: "Console") -> None:
        from rich.live import Live

        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        if console.is_terminal:
            self._live.start()

    def show(self, shown: "RenderableType") -> None:
        """Instead of what was shown before."""
        if self._console.is_terminal:
            self._live.update(shown, refresh=True)
        else:
            self._console.print(shown)
