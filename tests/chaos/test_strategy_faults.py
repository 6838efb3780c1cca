"""A strategy that raises is halted and its orders are pulled; the node goes on and stays safe."""

from chaos.world import World, wait_for
from openbell.journal import open_journal
from openbell.types import Type

RAISES = '''
from openbell import Strategy, param


class Raises(Strategy):
    """Quotes a while, then divides by zero."""

    books: int = 0

    def on_book(self, ctx, book):
        self.books += 1
        if self.books == 200:
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=300)
            self.books //= 0
        if book.bid_px and book.ask_px:
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=100, ask_px=book.ask_px, ask_qty=100)
'''


HANGS = '''
from openbell import Strategy


class Hangs(Strategy):
    """Quotes a while, then never returns."""

    books: int = 0

    def on_book(self, ctx, book):
        self.books += 1
        if book.bid_px and book.ask_px:
            ctx.quote(book.instrument, bid_px=book.bid_px, bid_qty=100, ask_px=book.ask_px, ask_qty=100)
        while self.books == 200:
            pass
'''


def test_a_strategy_that_hangs_is_ended_by_its_budget_and_its_orders_are_pulled(tmp_path, hot, seed):
    file = tmp_path / "hangs.py"
    file.write_text(HANGS)
    with World(
        tmp_path / "world", hot, cancel_on_disconnect=True, seed=seed % 2**31, strategy=file, strategy_class="Hangs"
    ) as world:
        world.start()
        wait_for(lambda: world.alive() and world.follow().is_halted(1), "the strategy to be halted")
        wait_for(lambda: world.alive() and not world.venue_view()["orders"], "its orders to be pulled")
        seen = world.committed_seq()
        wait_for(lambda: world.alive() and world.committed_seq() > seen + 500, "the node to go on hearing the market")
        assert not world.venue_view()["orders"]
        why, _ = story(world)
        assert why.startswith("CallbackTimeoutError: over the budget of 100 ms (hangs.py:1")


HANGS_AT_START = '''
from openbell import Strategy


class HangsAtStart(Strategy):
    """Never gets as far as a book."""

    def on_start(self, ctx):
        while True:
            pass
'''


def test_a_strategy_that_hangs_in_on_start_does_not_keep_the_node_from_starting(tmp_path, hot, seed):
    file = tmp_path / "hangs.py"
    file.write_text(HANGS_AT_START)
    with World(
        tmp_path / "world",
        hot,
        cancel_on_disconnect=True,
        seed=seed % 2**31,
        strategy=file,
        strategy_class="HangsAtStart",
    ) as world:
        world.start()
        wait_for(lambda: world.alive() and world.follow().is_halted(1), "the strategy to be halted")
        seen = world.committed_seq()
        wait_for(lambda: world.alive() and world.committed_seq() > seen + 100, "the node to hear the market")
        assert story(world)[0].startswith("CallbackTimeoutError: over the budget of 100 ms (hangs.py:")


def test_a_strategy_that_raises_is_halted_and_its_orders_are_pulled(tmp_path, hot, seed):
    file = tmp_path / "raises.py"
    file.write_text(RAISES)
    with World(
        tmp_path / "world", hot, cancel_on_disconnect=True, seed=seed % 2**31, strategy=file, strategy_class="Raises"
    ) as world:
        world.start()
        wait_for(lambda: world.alive() and world.follow().is_halted(1), "the strategy to be halted")
        wait_for(lambda: world.alive() and not world.venue_view()["orders"], "its orders to be pulled")
        wait_for(lambda: world.alive() and world.node_view() == world.venue_view(), "node and venue to agree")

        seen = world.committed_seq()
        wait_for(lambda: world.alive() and world.committed_seq() > seen + 500, "the node to go on hearing the market")
        assert not world.venue_view()["orders"]
        why, quantities = story(world)
        assert "ZeroDivisionError" in why
        assert "raises.py:14" in why
        assert 300 not in quantities, "what a failed callback asked for is not done"


def story(world: World) -> tuple[str, set[int]]:
    """Why the strategy was halted, and the quantities of every order that was sent."""
    why, quantities = "", set()
    for frame in open_journal(world.directory / "journal", world.hot):
        if not frame.is_decision:
            continue
        for i in range(len(frame.raw)):
            record = frame.record(i)
            if record["type"] == Type.STRATEGY_HALTED:
                why = bytes(record["text"]).rstrip(b"\0").decode()
            elif record["type"] == Type.NEW_ORDER:
                quantities.add(int(record["qty"]))
    return why, quantities
