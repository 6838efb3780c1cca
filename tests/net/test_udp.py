"""UDP over loopback: batches, addresses, counting of what was lost. Loopback delivers within the send call."""

import socket

import pytest

from openbell._native import Poller, UdpSocket
from openbell.errors import NetError

SECOND_NS = 1_000_000_000


def pair(**config: object) -> tuple[UdpSocket, UdpSocket]:
    return UdpSocket("127.0.0.1", **config), UdpSocket("127.0.0.1")


def payloads(receiver: UdpSocket, count: int = 64) -> list[bytes]:
    return [payload for payload, _, _ in receiver.receive(count)]


def test_a_batch_arrives_in_the_order_sent():
    receiver, sender = pair(batch=8)
    sent = [f"datagram {i}".encode() for i in range(20)]

    assert all(sender.send_to(receiver.local, payload) for payload in sent)

    assert payloads(receiver) == sent[:8]
    assert payloads(receiver, 4) == sent[8:12]
    assert payloads(receiver) == sent[12:]
    assert payloads(receiver) == []


def test_an_answer_goes_back_through_the_same_socket():
    client, server = pair()

    client.send_to(server.local, b"request")
    [(request, _, sender)] = server.receive()
    server.send_to(sender, b"answer")

    assert (request, sender) == (b"request", client.local)
    assert payloads(client) == [b"answer"]


def test_the_kernel_stamps_the_time_of_arrival_only_when_asked():
    receiver, sender = pair(timestamps=True)
    silent, _ = pair(timestamps=False)
    for target in (receiver, silent):
        sender.send_to(target.local, b"first")
        sender.send_to(target.local, b"second")

    (_, first, _), (_, second, _) = receiver.receive()

    assert 0 < first <= second < first + SECOND_NS
    assert [ts for _, ts, _ in silent.receive()] == [0, 0]


def test_an_empty_datagram_is_a_datagram():
    receiver, sender = pair()

    sender.send_to(receiver.local, b"")

    assert payloads(receiver) == [b""]


def test_a_datagram_longer_than_the_buffer_is_dropped_and_counted():
    receiver, sender = pair(datagram_bytes=10)

    for payload in (b"0123456789", b"0123456789A", b"after"):
        sender.send_to(receiver.local, payload)

    assert payloads(receiver) == [b"0123456789", b"after"]
    assert (receiver.oversized, receiver.dropped) == (1, 1)


def test_an_overflow_of_the_receive_buffer_is_counted():
    receiver, sender = pair(receive_buffer_bytes=4096)
    sent = 200

    for i in range(sent):
        sender.send_to(receiver.local, i.to_bytes(4, "big") + bytes(500))
    first = payloads(receiver, 1024)
    sender.send_to(receiver.local, b"the count comes with the next datagram")
    later = payloads(receiver, 1024)

    got = len(first) + len(later)
    assert 0 < got < sent
    assert receiver.overflows == sent + 1 - got


def test_the_granted_receive_buffer_is_readable():
    small, large = UdpSocket(receive_buffer_bytes=8192), UdpSocket(receive_buffer_bytes=65536)

    assert 0 < small.receive_buffer_bytes < large.receive_buffer_bytes


def test_a_multicast_group_is_received_on_the_interface_joined():
    group = "239.255.77.1"
    receiver = UdpSocket(group=group, interface="127.0.0.1")
    sender = UdpSocket("127.0.0.1", interface="127.0.0.1")
    port = receiver.local[1]
    other = UdpSocket(group="239.255.77.2", port=port, interface="127.0.0.1")

    if not sender.send_to((group, port), b"to the group"):
        pytest.skip("this host routes no multicast over loopback")

    assert payloads(receiver) == [b"to the group"]
    assert payloads(other) == []


def test_a_poller_reports_the_socket_that_has_data():
    first, sender = pair()
    second, _ = pair()
    poller = Poller()
    poller.add(first.fileno())
    poller.add(second.fileno())

    assert poller.wait(0) == 0
    sender.send_to(second.local, b"x")

    assert poller.wait(SECOND_NS) == 1
    assert (poller.is_readable(first.fileno()), poller.is_readable(second.fileno())) == (False, True)


def test_a_poller_can_be_woken():
    poller = Poller()
    poller.wake()

    assert (poller.wait(-1), poller.was_woken) == (0, True)
    assert (poller.wait(0), poller.was_woken) == (0, False)


def test_a_taken_port_says_how_to_find_who_has_it():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        with pytest.raises(NetError, match=rf"receive UDP on 127\.0\.0\.1:{port}, got Address already in use.*ss -anp"):
            UdpSocket("127.0.0.1", port)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"host": "203.0.113.9"}, r"203\.0\.113\.9:0, got Cannot assign.*`ip addr`"),
        ({"host": "no such host"}, "IPv4 address or a known host name, got 'no such host'"),
        ({"group": "10.0.0.1"}, r"multicast group \(224.*got 10\.0\.0\.1.*set `host`"),
        ({"group": "239.1.1.1", "interface": "203.0.113.9"}, r"interface 203\.0\.113\.9"),
        ({"batch": 0}, "batch of 1 to 1024 datagrams, got 0"),
        ({"datagram_bytes": 70_000}, "got 70000; change `datagram_bytes`"),
    ],
)
def test_a_wrong_configuration_is_named(config: dict[str, object], message: str):
    with pytest.raises(NetError, match=message):
        UdpSocket(**config)
