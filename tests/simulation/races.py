"""A venue that tells the truth in the worst order: lost acks, fills around them, busts, corrections, storms of rejects.

The faults are the exchange's own (`openbell exchange fault`): its filters stand between what the venue did and what
the account's log says, so that live, replay and a drop copy agree with each other.
"""

from collections import Counter
from pathlib import Path

from tests.simulation.venue import Client, Venue
from tests.simulation.world import STRATEGY, World

from openbell import _native as native
from openbell.exchange.diversions import LAYOUTS, Diversions, FillFirst, FillLast, Filter, Lose
from openbell.journal import open_journal
from openbell.posttrade.blotter import Blotter

LAYOUT = LAYOUTS["ouch42"]
BUST_REASON = "E"
FAULTS_A_STEP = 0.01
GOOD, BUSTED = 0, 1
"""States of the venue's fills."""


class LoseAck(Lose):
    """A report that is told by no replay either; `token` is whose."""

    token = ""

    def apply(self, messages: list[bytes]) -> list[bytes]:
        kept = super().apply(messages)
        for message in [m for m in messages if m not in kept]:
            self.token = message[LAYOUT.order].decode()
        return kept


class RacingVenue(Venue):
    """Draws faults from the seed until it is told to stop; `counts` says how often each was begun."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.diversions = Diversions(self.core, self.clock.now_ns)
        self.counts: Counter[str] = Counter()
        self.is_racing = True
        self._cut_before = b""
        self._filters: list[Filter] = []

    def step(self) -> None:
        if self.is_racing and self.rng.random() < FAULTS_A_STEP:
            self._misbehave(self.clock.now_ns())
        self.diversions.settle()
        super().step()
        self.diversions.settle()

    def calm_down(self) -> None:
        """No further fault; what filters hold is told."""
        self.is_racing, self._cut_before = False, b""
        self.core.reject_next(self.account, 0, self.clock.now_ns())
        for one in self._filters:
            self.diversions.remove(self.account, one)

    def untold(self) -> set[int]:
        """Orders of which an ack was lost for good: what became of them only a drop copy or the venue can say."""
        tokens = [one.token for one in self._filters if isinstance(one, LoseAck) and one.token]
        return {native.ouch_token_decode(token)[0] for token in tokens}

    def _misbehave(self, now: int) -> None:
        match self.rng.choice(["bust", "correct", "rejects", "early fill", "late fill", "lost ack", "cut"]):
            case "bust" if match := self._drawn_fill():
                assert self.core.bust(match[0], BUST_REASON, now) == native.Amended.DONE
                self.counts["bust"] += 1
            case "correct" if match := self._drawn_fill():
                number, px, qty = match
                px, qty = px + self.rng.choice([-100, 0, 100]), self.rng.randint(1, qty)
                self.counts["correct"] += self.core.correct(number, px, qty, BUST_REASON, now) == native.Amended.DONE
            case "rejects":
                self.core.reject_next(self.account, self.rng.randint(1, 10), now)
                self.counts["rejects"] += 1
            case "early fill":
                self._divert("early fill", FillFirst(LAYOUT))
            case "late fill":
                self._divert("late fill", FillLast(LAYOUT, self._is_open))
            case "lost ack":
                self._divert("lost ack", LoseAck(self.rng.choice([b"A", b"U", b"C"])))
            case "cut":
                self._cut_before = self.rng.choice([b"A", b"U", b"C", b"E"])
                self.counts["cut"] += 1

    def _drawn_fill(self) -> tuple[int, int, int] | None:
        """(match number, price, quantity) of a fill of the account that stands."""
        stand = [(row[0], row[4], row[5]) for row in self.core.fills(self.account) if row[8] == GOOD]
        return self.rng.choice(stand) if stand else None

    def _divert(self, name: str, one: Filter) -> None:
        self._filters.append(one)
        self.diversions.add(self.account, one)
        self.counts[name] += 1

    def _is_open(self, token: bytes) -> bool:
        return any(row[8] > 0 for row in self.core.orders(self.account) if row[0] == token.decode().strip())

    def _report(self, client: Client, now: int) -> None:
        """As ever, unless the connection is to end right before a report of some kind, or in the middle of it."""
        if not self._cut_before:
            return super()._report(client, now)
        data, _ = self.core.reports(self.account).sequenced(client.next_seq, 4096)
        packets, _, _ = native.soup_packets(data, 1024)
        kinds = [payload[:1] for _, payload in packets]
        if self._cut_before not in kinds:
            return super()._report(client, now)
        before = kinds.index(self._cut_before)
        whole = sum(3 + len(payload) for _, payload in packets[:before])
        client.to_send += data[: whole + self.rng.randint(0, 2 + len(packets[before][1]))]
        client.stream.send_max = 1 << 18
        client.stream.send(client.to_send)
        self._cut_before = b""
        return self._lose_client()


class RacingWorld(World):
    """A node at such a venue."""

    venue_of = RacingVenue
    venue: RacingVenue

    def heal(self) -> None:
        self.venue.calm_down()
        super().heal()

    def wind_down(self) -> None:
        """Ctrl-C, and every cancel confirmed that the venue will ever confirm."""
        self.node.begin_stop()
        self._until(lambda: self.open_ids() <= self.venue.untold())

    def open_ids(self) -> set[int]:
        """Orders that the node holds for open."""
        return {order.cl_ord_id for order in self.engine.live_orders()}

    def blotter(self) -> Blotter:
        """The trades of its journal, read by post-trade's own code."""
        return Blotter().take_all(open_journal(self.journal_dir, self.hot_dir))


def compare_books(world: RacingWorld) -> None:
    """Node, journal and venue hold the same: position, cash to the last unit, every execution as it stands."""
    assert world.account() == world.venue.holding()
    blotter = world.blotter()
    ours = sorted((t.key.exec_id, t.px, t.qty) for t in blotter.of(0, STRATEGY) if not t.is_busted)
    fills = world.venue.core.fills(world.venue.account)
    assert ours == sorted((row[0], row[4], row[5]) for row in fills if row[8] != BUSTED)
    assert blotter.position(0) == world.account()[0]
    assert not blotter.disowned


def compare_orders(world: RacingWorld) -> None:
    """Nothing is open anywhere, but for orders of which the venue kept something to itself."""
    at_venue = {native.ouch_token_decode(token)[0] for token, _, _ in world.venue.open_orders()}
    assert (at_venue | world.open_ids()) <= world.venue.untold()


def run_session(seed: str, directory: Path, steps: int) -> Counter[str]:
    """One session from open to close; what was done to it.

    Raises:
        AssertionError: the two ledgers differ, or something was left open.
    """
    world = RacingWorld(seed, directory)
    world.run(steps)
    world.heal()
    compare_books(world)
    world.wind_down()
    world.close()
    compare_books(world)
    compare_orders(world)
    return world.venue.counts
