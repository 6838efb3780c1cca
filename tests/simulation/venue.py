"""A venue on a simulated network: the exchange's own core, its feed and order entry, under one clock and seed."""

import random

from openbell import _native as native
from openbell.types import Side, Tif

FEED_OUT = ("10.0.0.1", 9001)
DOOR = ("10.0.0.1", 9000)
NODE_FEED = ("10.0.0.2", 7000)
NODE_REQUESTS = ("10.0.0.2", 7001)
SESSION = "SIM0000001"
TICK, MID, TICKS_WIDE = 100, 500_000, 20
HEARTBEAT_NS = 1_000_000_000
FEED_HEARTBEAT_NS = 20_000_000
FLOW_ORDERS_MAX = 60
HEARTBEAT = native.soup_packet("H", b"")
SIDES = (Side.BUY, Side.SELL)


class Client:
    """One connection of the node, and where it stands in the account's log of reports."""

    def __init__(self, stream: native.SimStream) -> None:
        self.stream = stream
        self.received, self.to_send = b"", b""
        self.next_seq = 0
        self.is_live = self.caught_up = False
        self.last_sent = 0


class Venue:
    """Everything the node's counterparty is; `step` does what there is to do at this moment."""

    def __init__(self, clock: native.SimClock, net: native.SimNet, rng: random.Random, midnight_ns: int) -> None:
        self.clock, self.net, self.rng = clock, net, rng
        self.core = native.VenueCore([("OBEL", TICK, 1)], midnight_ns, 1 << 12, 1 << 14, 1 << 17)
        self.account = self.core.add_account(internal=False)
        self.flow = self.core.add_account(internal=True)
        self.publisher = native.Publisher(self.core, SESSION)
        self.feed = native.SimDatagrams(net, FEED_OUT)
        self.listener: native.SimListener | None = native.SimListener(net, DOOR)
        self.client: Client | None = None
        self.cancel_on_disconnect = rng.random() < 0.5
        self.resting: list[int] = []
        self.is_flowing = True
        self.last_feed = 0
        self.core.open_day(clock.now_ns())

    # ---- faults

    def stop(self) -> None:
        """The order-entry process dies: its door is shut and every connection with it; the ledger survives."""
        self.listener = None
        self._lose_client()

    def restart(self) -> None:
        self.listener = native.SimListener(self.net, DOOR)

    def _lose_client(self) -> None:
        if self.client is not None:
            self.client.stream.cut()
            was_live, self.client = self.client.is_live, None
            if was_live and self.cancel_on_disconnect:
                self.core.cancel_all(self.account, self.clock.now_ns())

    # ---- a moment

    def step(self) -> None:
        now = self.clock.now_ns()
        self.core.advance(now)
        if self.is_flowing and self.rng.random() < 0.5:
            self._trade(now)
        if self.listener is not None and (stream := self.listener.accept()):
            self._lose_client()
            stream.send_max = self.rng.choice([7, 4096, 1 << 18])
            self.client = Client(stream)
        if self.client is not None:
            self._serve(self.client, now)
        self._publish(now)

    def _trade(self, now: int) -> None:
        if self.resting and (len(self.resting) >= FLOW_ORDERS_MAX or self.rng.random() < 0.3):
            self.core.cancel(self.resting.pop(self.rng.randrange(len(self.resting))), now)
            return
        side = self.rng.choice(SIDES)
        away = self.rng.randint(-3, TICKS_WIDE) * TICK
        px = MID - away if side == Side.BUY else MID + TICK + away
        order = self.core.submit(self.flow, 0, side, px, self.rng.randint(1, 50), Tif.DAY, now)
        if order:
            self.resting.append(order)

    def _publish(self, now: int) -> None:
        sent = False
        while packet := self.publisher.next_packet():
            sent = self.feed.send_to(NODE_FEED, packet)
        if not sent and now - self.last_feed >= FEED_HEARTBEAT_NS:
            sent = self.feed.send_to(NODE_FEED, self.publisher.heartbeat())
        self.last_feed = now if sent else self.last_feed
        for request, _, asker in self.feed.receive():
            if answer := self.publisher.answer(request):
                self.feed.send_to(asker, answer)

    # ---- order entry

    def _serve(self, client: Client, now: int) -> None:
        while data := client.stream.receive(self.rng.randint(1, 200)):
            client.received += data
        packets, used, broken = native.soup_packets(client.received, 1024)
        assert not broken
        client.received = client.received[used:]
        for kind, payload in packets:
            if kind == "L" and not client.is_live:
                self._log_in(client, payload)
            elif kind == "U" and client.is_live:
                assert self.core.receive(self.account, payload, now)
        if client.stream.state == native.StreamState.DOWN:
            self._lose_client()
            return
        if client.is_live:
            self._report(client, now)
        client.to_send = client.to_send[client.stream.send(client.to_send) :]

    def _log_in(self, client: Client, payload: bytes) -> None:
        _, _, session, next_seq = native.soup_parse_login_request(payload)
        assert session in ("", SESSION)
        end = self.core.reports(self.account).next_seq
        client.next_seq = next_seq if 0 < next_seq < end else end
        client.is_live = True
        client.to_send += native.soup_login_accepted(SESSION, client.next_seq)

    def _report(self, client: Client, now: int) -> None:
        end = self.core.reports(self.account).next_seq
        while client.next_seq < end:
            data, client.next_seq = self.core.reports(self.account).sequenced(client.next_seq, 4096)
            client.to_send += data
            client.last_sent = now
        if not client.caught_up or now - client.last_sent >= HEARTBEAT_NS:
            client.caught_up, client.last_sent = True, now
            client.to_send += HEARTBEAT

    # ---- what the venue says of the node

    def holding(self) -> tuple[int, int]:
        """(position, cash) of the account."""
        return self.core.holdings(self.account)[0]

    def touch(self) -> tuple[int, int, int, int]:
        """(bid px, qty, ask px, qty) of its book."""
        return (*self.core.touch(0, Side.BUY), *self.core.touch(0, Side.SELL))

    def open_orders(self) -> list[tuple[str, int, int]]:
        """(token, px, open quantity) of the account's resting orders."""
        rows = self.core.orders(self.account)
        return sorted((token, px, leaves) for token, _, _, _, _, px, _, _, leaves, _ in rows if leaves > 0)
