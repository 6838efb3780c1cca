"""Somebody else's SoupBinTCP client (the package nasdaq-protocols) trades on the exchange and resumes after a cut."""

import asyncio

import nasdaq_protocols.soup as soup
import pytest

from exchange.harness import enter, exchange, run
from openbell._native import ouch_decode_outbound, ouch_encode_inbound


class Peer:
    """A client of theirs with OUCH payloads of ours.

    Packets come by their callback: their own `receive_msg` swallows a cancellation, so that a test which waits for a
    packet in vain would never end. For the same reason their close does not drain.
    """

    def __init__(self) -> None:
        self.packets: asyncio.Queue[soup.SoupMessage] = asyncio.Queue()
        self.session: soup.SoupClientSession

    @classmethod
    async def login(cls, server, user="NODE1", password="secret", session="", seq=1) -> "Peer":
        host, port = server.ready.order_entry.split(":")
        peer = cls()
        peer.session = await soup.connect_async(
            (host, int(port)), user, password, session, seq,
            session_factory=lambda: soup.SoupClientSession(on_msg_coro=peer.packets.put, graceful_shutdown=False),
        )  # fmt: skip
        return peer

    def enter(self, token: str, side: str, qty: int, px: int) -> None:
        self.session.send_unseq_data(ouch_encode_inbound(enter(token, side, qty, px)))

    async def reports(self, count: int) -> list[tuple[str, str]]:
        """The next `count` reports as (type, token)."""
        out: list[tuple[str, str]] = []
        while len(out) < count:
            packet = await asyncio.wait_for(self.packets.get(), 10)
            if isinstance(packet, soup.SequencedData):
                report = ouch_decode_outbound(packet.data)
                out.append((report["type"], report.get("token", "").strip()))
        return out

    def cut(self) -> None:
        """The connection breaks without a word."""
        self.session._transport.abort()


def test_their_client_logs_in_trades_and_logs_out():
    async def test():
        async with exchange() as server:
            buyer, seller = await Peer.login(server), await Peer.login(server, "NODE2")
            assert await buyer.reports(1) == [("S", "")]
            buyer.enter("bid", "B", 100, 50_0000)
            assert await buyer.reports(1) == [("A", "bid")]
            assert await seller.reports(1) == [("S", "")]

            seller.enter("hit", "S", 40, 50_0000)

            assert await seller.reports(2) == [("A", "hit"), ("E", "hit")]
            assert await buyer.reports(1) == [("E", "bid")]
            held = server.answer({"verb": "status"})["holdings"]["NODE1"]
            assert held["OBEL"] == {"position": 40, "cash": -40 * 50_0000}
            for peer in (buyer, seller):
                peer.session.logout()

    run(test)


def test_their_client_resumes_by_sequence_after_a_cut():
    async def test():
        async with exchange() as server:
            keeper, other = await Peer.login(server, "NODE2"), await Peer.login(server)
            keeper.enter("k1", "S", 100, 51_0000)
            assert await keeper.reports(2) == [("S", ""), ("A", "k1")]
            last, name = keeper.session.sequence, keeper.session.session_id.session.strip()
            keeper.cut()
            assert name == "DAY1"

            other.enter("take", "B", 60, 51_0000)
            assert await other.reports(3) == [("S", ""), ("A", "take"), ("E", "take")]

            again = await Peer.login(server, "NODE2", session=name, seq=last + 1)
            assert await again.reports(1) == [("E", "k1")]
            assert server.answer({"verb": "status"})["accounts"]["NODE2"]["last_seq"] == again.session.sequence
            for peer in (again, other):
                peer.session.logout()

    run(test)


@pytest.mark.parametrize(("password", "session"), [("wrong", ""), ("secret", "DAY9")])
def test_their_client_understands_a_rejected_login(password, session):
    async def test():
        async with exchange() as server:
            with pytest.raises(ConnectionRefusedError):
                await Peer.login(server, password=password, session=session)

    run(test)
