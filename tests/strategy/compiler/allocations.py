"""A strategy that gathers orders and lists them; run as a program, what C++ allocates in each turn of its backtest."""

import json
import sys
from pathlib import Path

from openbell import BookView, Context, Strategy
from openbell.types import Side

EVERY = 16  # books: the list grows as long as the tape lasts


class Gathers(Strategy):
    """Leaves one more order far away now and then, and looks at all of them."""

    seen: int
    books: int

    def on_book(self, ctx: Context, book: BookView) -> None:
        """One more order, and all of them counted."""
        for order in ctx.orders():
            self.seen += order.qty
        self.books += 1
        if self.books % EVERY == 0 and book.bid_px > 100 * book.tick:
            ctx.order(book.instrument, Side.BUY, book.bid_px - 50 * book.tick, 1)


def count(tape: Path, out: Path, turn: int) -> dict[str, object]:
    """Allocations by `operator new` in each turn."""
    from journal.crash.shim import Shim
    from openbell.backtest import run

    shim, seen = Shim(), []
    run.EVENTS_PER_TURN = turn
    settings = run.BacktestSettings(tape=tape, strategy_file=Path(__file__), speed="compiled", out=out)
    shim.arm_allocation(1 << 40)  # it counts up to there
    result = run.run_backtest(settings, progress=lambda *_: seen.append(shim.allocations))
    return {
        "asked": sum(row.orders for row in result.instruments),
        "allocations": [after - before for before, after in zip([0, *seen], seen, strict=False)],
    }


if __name__ == "__main__":
    print(json.dumps(count(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
