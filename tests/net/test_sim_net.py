"""The simulated network keeps the promises of the real one, and breaks them only by a seed."""

from openbell._native import SimClock, SimDatagrams, SimListener, SimNet, SimStream, StreamState

HERE, THERE = ("10.0.0.1", 1000), ("10.0.0.2", 2000)
GROUP = ("239.1.1.1", 3000)


def payloads(port: SimDatagrams, count: int = 64) -> list[bytes]:
    return [payload for payload, _, _ in port.receive(count)]


def test_datagrams_reach_the_address_they_are_sent_to():
    net = SimNet(SimClock(5))
    here, there = SimDatagrams(net, HERE), SimDatagrams(net, THERE)

    here.send_to(THERE, b"to you")
    here.send_to(("10.0.0.3", 1), b"to nobody")

    assert there.receive() == [(b"to you", 5, HERE)]
    assert payloads(here) == payloads(there) == []


def test_a_group_reaches_everyone_who_joined():
    net = SimNet(SimClock())
    publisher = SimDatagrams(net, HERE)
    a, b = SimDatagrams(net, ("10.0.0.3", 1), GROUP), SimDatagrams(net, ("10.0.0.4", 1), GROUP)

    publisher.send_to(GROUP, b"news")

    assert payloads(a) == payloads(b) == [b"news"]


def test_delay_holds_a_datagram_back_until_its_time():
    clock = SimClock()
    net = SimNet(clock)
    net.faults.delay_ns = 100
    here, there = SimDatagrams(net, HERE), SimDatagrams(net, THERE)
    here.send_to(THERE, b"x")

    clock.advance(99)
    assert there.receive() == []
    clock.advance(1)

    assert there.receive() == [(b"x", 100, HERE)]


def lossy_run(seed: int) -> tuple[list[bytes], int]:
    clock = SimClock()
    net = SimNet(clock, seed)
    net.faults.loss_ppm, net.faults.duplicate_ppm, net.faults.jitter_ns = 200_000, 100_000, 1_000
    here, there = SimDatagrams(net, HERE), SimDatagrams(net, THERE)
    for i in range(1_000):
        here.send_to(THERE, i.to_bytes(2, "big"))
        clock.advance(100)
    clock.advance(1_000)
    return payloads(there, 1024) + payloads(there, 1024), net.lost


def test_the_seed_decides_loss_duplicates_and_order():
    received, lost = lossy_run(seed=7)

    assert (received, lost) == lossy_run(seed=7)
    assert received != lossy_run(seed=8)[0]
    assert 150 < lost < 250
    assert len(set(received)) == 1_000 - lost < len(received)
    assert received != sorted(received)


def stream_pair(net: SimNet) -> tuple[SimStream, SimStream]:
    listener = SimListener(net, THERE)
    client = SimStream(net, THERE)
    client.connect()
    server = listener.accept()
    assert server is not None
    return client, server


def test_a_stream_goes_both_ways_and_ends_after_its_last_bytes():
    client, server = stream_pair(SimNet(SimClock()))

    assert client.send(b"ping") == 4
    assert server.receive() == b"ping"
    server.send(b"bye")
    server.shutdown()

    assert client.receive() == b"bye"
    assert (client.receive(), client.state, client.error) == (b"", StreamState.DOWN, "")


def test_nobody_listening_refuses():
    client = SimStream(SimNet(SimClock()), THERE)

    client.connect()

    assert client.state == StreamState.DOWN
    assert "10.0.0.2:2000" in client.error and "nothing listens there" in client.error


def test_a_small_pipe_takes_a_part():
    client, server = stream_pair(SimNet(SimClock()))
    client.send_max = 3

    assert client.send(b"hello") == 3
    assert client.send(b"lo") == 0
    assert server.receive() == b"hel"
    assert client.send(b"lo") == 2


def test_a_cut_loses_what_was_under_way():
    client, server = stream_pair(SimNet(SimClock()))
    client.send(b"lost")
    server.send(b"lost too")

    client.cut()

    assert (server.receive(), server.state) == (b"", StreamState.DOWN)
    assert (client.receive(), client.state) == (b"", StreamState.DOWN)


def test_a_connection_takes_a_round_trip_of_the_delay():
    clock = SimClock()
    net = SimNet(clock)
    net.faults.delay_ns = 50
    client, server = stream_pair(net)

    assert client.state == StreamState.CONNECTING
    clock.advance(100)
    assert client.state == StreamState.UP
    client.send(b"x")
    assert server.receive() == b""
    clock.advance(50)
    assert server.receive() == b"x"
