"""Faults of the network and of clocks."""

import random

from tests.simulation import market as m
from tests.simulation.day import Day
from tests.simulation.faults import fault

CERTAIN = 1_000_000
HOUR_NS = 3_600_000_000_000


def _set(day: Day, net: str, steps: int, **values: int) -> None:
    """Faults of a network, for so many steps."""
    for name, value in values.items():
        setattr(day.nets[net].faults, name, value)
    day.later(steps, lambda: [setattr(day.nets[net].faults, name, 0) for name in values])


@fault("loss", "F17", weight=2)
def loss(day: Day, rng: random.Random) -> None:
    _set(day, rng.choice("AB"), rng.randint(20, 200), loss_ppm=rng.randint(1_000, 300_000))


@fault("duplicates", "F17")
def duplicates(day: Day, rng: random.Random) -> None:
    _set(day, rng.choice("AB"), rng.randint(20, 200), duplicate_ppm=rng.randint(1_000, 300_000))


@fault("overtaking", "F17")
def overtaking(day: Day, rng: random.Random) -> None:
    _set(day, rng.choice("AB"), rng.randint(20, 200), jitter_ns=rng.choice([100_000, 2_000_000]))


@fault("gap on all lines", "F17", weight=2)
def gap_on_all_lines(day: Day, rng: random.Random) -> None:
    steps = rng.choice([1, 3, 20])
    for line in "AB":
        _set(day, line, steps, loss_ppm=CERTAIN)


@fault("line down", "F17")
def line_down(day: Day, rng: random.Random) -> None:
    _set(day, rng.choice("AB"), rng.randint(50, 300), loss_ppm=CERTAIN)


@fault("requests are lost", "F17")
def requests_are_lost(day: Day, rng: random.Random) -> None:
    _set(day, "requests", rng.randint(20, 200), loss_ppm=rng.choice([300_000, CERTAIN]))


@fault("burst", "F21")
def burst(day: Day, rng: random.Random) -> None:
    """A lot of market data at once."""
    day.market.burst = rng.choice([20, 100])


@fault("feed is silent", "F19")
def feed_is_silent(day: Day, rng: random.Random) -> None:
    day.market.wrong.silent_until_ns = day.clock.now_ns() + rng.choice([5_000_000, 50_000_000])


@fault("feed is silent for long", "F19", weight=0.5)
def feed_is_silent_for_long(day: Day, rng: random.Random) -> None:
    """Longer than books are believed without a word."""
    day.market.wrong.silent_until_ns = day.clock.now_ns() + 600_000_000
    day.clock.advance(550_000_000)


@fault("garbage", "F37")
def garbage(day: Day, rng: random.Random) -> None:
    """Bytes that are nothing, cut packets, packets of another session, from the sender's own address."""
    beginning = m.SESSION.encode()
    packets = [
        rng.randbytes(rng.randint(0, 60)),
        beginning + rng.randbytes(9),
        day.market.publisher.heartbeat()[: rng.randint(0, 19)],
        b"ANOTHERDAY" + (1).to_bytes(8, "big") + (1).to_bytes(2, "big") + (3).to_bytes(2, "big") + b"SxO",
        beginning + (1 << 62).to_bytes(8, "big") + (9).to_bytes(2, "big") + b"\x00\x01",
    ]
    for _ in range(rng.randint(1, 5)):
        packet = rng.choice(packets[:4])
        day.market.feeds["A"].send_to(rng.choice([m.HOME.line_a, m.HOME.line_b, m.HOME.requests]), packet)


@fault("cut", "F18", weight=2)
def cut(day: Day, rng: random.Random) -> None:
    """At any byte, in both directions."""
    day.venue(rng)[1].cut()


@fault("half-open", "F19")
def half_open(day: Day, rng: random.Random) -> None:
    """The venue's host is gone and nobody is told; sometimes for as long as it takes to see that."""
    market, stream = day.venue(rng)
    market.vanish()
    if rng.random() < 0.5:
        day.later(rng.randint(1, 100), lambda: day.clock.advance(16_000_000_000))
    else:
        day.later(rng.randint(20, 100), stream.cut)


@fault("one-way out", "F20")
def one_way_out(day: Day, rng: random.Random) -> None:
    """What the node sends arrives later."""
    day.venue(rng)[1].hold_out_until_ns = day.clock.now_ns() + rng.choice([2_000_000, 50_000_000])


@fault("one-way in", "F20")
def one_way_in(day: Day, rng: random.Random) -> None:
    """What the venue says arrives later, all at once."""
    day.venue(rng)[1].hold_in_until_ns = day.clock.now_ns() + rng.choice([2_000_000, 50_000_000])


@fault("clog, then burst", "F21")
def clog_then_burst(day: Day, rng: random.Random) -> None:
    one_way_out(day, rng)
    one_way_in(day, rng)


@fault("small pieces", "F22")
def small_pieces(day: Day, rng: random.Random) -> None:
    """A few bytes at a time, both ways."""
    market, stream = day.venue(rng)
    stream.send_max = rng.choice([1, 7, 50])
    market.wrong.read_bytes = rng.choice([1, 5])
    if market.client is not None:
        market.client.stream.send_max = rng.choice([1, 7, 50])
    day.later(rng.randint(20, 200), lambda: _whole_pieces(day))


def _whole_pieces(day: Day) -> None:
    for market, stream in zip(day.traded, day.node.streams, strict=True):
        stream.send_max = 1 << 18
        market.wrong.read_bytes = m.READ_BYTES
        if market.client is not None:
            market.client.stream.send_max = 1 << 18


@fault("send buffer full", "F24")
def send_buffer_full(day: Day, rng: random.Random) -> None:
    """Nothing more is taken, or only the beginning of a packet."""
    day.venue(rng)[1].send_max = rng.choice([0, 0, 20])
    day.later(rng.randint(5, 60), lambda: _whole_pieces(day))


@fault("stamps are off", "F25")
def stamps_are_off(day: Day, rng: random.Random) -> None:
    """The kernel's wall clock was set."""
    offset = rng.choice([-HOUR_NS, HOUR_NS, -1_000_000, 1_000_000, 1_000_000_000])
    for net in day.nets.values():
        net.faults.stamp_ns = offset


@fault("clock drifts", "F26")
def clock_drifts(day: Day, rng: random.Random) -> None:
    """The kernel's wall clock, by 500 ppm of what passes."""
    _drift(day, rng.choice([-500, 500]), rng.randint(50, 400), 0)


@fault("time source is lost", "F27")
def time_source_is_lost(day: Day, rng: random.Random) -> None:
    """The kernel's wall clock drifts by itself, and is set right at once when the source is back."""
    _drift(
        day, rng.choice([-50, 50]), rng.randint(50, 400), rng.choice([-20_000_000, -1_000_000, 1_000_000, 20_000_000])
    )


def _drift(day: Day, ppm: int, steps: int, drifted_ns: int) -> None:
    """The stamps of all networks are off by ever more, for so many steps, and then right."""
    began = day.clock.now_ns()

    def tick(left: int) -> None:
        offset = drifted_ns + (day.clock.now_ns() - began) * ppm // 1_000_000 if left else 0
        for net in day.nets.values():
            net.faults.stamp_ns = offset
        if left:
            day.later(1, lambda: tick(left - 1))

    tick(steps)


@fault("venue's clock is off", "F28")
def venues_clock_is_off(day: Day, rng: random.Random) -> None:
    day.market.core.shift_clock(rng.choice([-10_000_000_000, 10_000_000_000, 0]), day.clock.now_ns())
