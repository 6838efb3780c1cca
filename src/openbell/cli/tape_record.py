"""`openbell tape record`: a live feed as a tape."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
from cyclopts import Parameter

from openbell.errors import ConfigError

if TYPE_CHECKING:
    from openbell._native import EdgeConfig
    from openbell.node.config import FeedSettings
    from openbell.node.recorder import Heard

app = cyclopts.App(name="record", help="Record a live feed.")


@app.default
def record_feed(
    config: Path | None = None,
    /,
    *,
    feed: str | None = None,
    listen: str | None = None,
    listen_b: str | None = None,
    interface: str = "127.0.0.1",
    retransmit: str | None = None,
    session: str = "",
    day: Annotated[date | None, Parameter(name="--date")] = None,
    zone: str = "America/New_York",
    symbols: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    out: Path | None = None,
    root: Path = Path("tapes"),
    for_s: Annotated[float, Parameter(name="--for")] = 0.0,
) -> None:
    """Record a MoldUDP64 feed of ITCH 5.0 until Ctrl-C: a feed of a node's CONFIG, or the one at --listen.

    Nothing is sent to any venue and no strategy runs. What the feed has lost is asked for as a node does.

    Parameters
    ----------
    config
        A node's file; its feed is heard as the node hears it, request server and snapshots included.
    feed
        Name of the feed in CONFIG, where it has several.
    listen
        Without CONFIG: "host:port" or a multicast group.
    listen_b
        A second line that carries the same packets.
    interface
        IPv4 address of the interface for multicast.
    retransmit
        "host:port" of the request server.
    session
        The MoldUDP64 session; without it the first that is heard.
    day
        The venue's day, YYYY-MM-DD. Default: today.
    zone
        Time zone of the venue's midnight, without CONFIG.
    symbols
        Only these. Default: the instruments of CONFIG, or all.
    out
        Directory of the new tape, instead of a place in the catalog.
    root
        Folder of the catalog: the tape becomes ROOT/xnas/DAY/FEED-TIME.
    for_s
        Stop by itself after so many seconds; 0: never.
    """
    from rich.console import Console

    from openbell import _native as native
    from openbell.backtest.tape import write_index
    from openbell.node.recorder import Recording, record

    settings, of_config, checks = _feed(config, feed, listen, listen_b, interface, retransmit, session, day, zone)
    where = out or root / _place(settings)
    native.install_stop_handler()
    console = Console(stderr=True, highlight=False)
    console.print(f"recording {settings.name} at {settings.listen} to {where}; Ctrl-C ends it", markup=False)
    with console.status("waiting for the feed") as status:
        heard = record(
            Recording(settings, where, symbols or of_config, checks=checks),
            for_s=for_s,
            told=lambda h: status.update(_line(h)),
        )
    if heard.packets == 0:
        raise ConfigError(
            f"expected packets of a feed at {settings.listen}, found none in {heard.seconds:.0f} s; check address, "
            f"interface and that the feed is sending; {where} holds no market data"
        )
    facts = write_index(where)
    print(
        f"{where}: {facts.frames:_} frames, {facts.records:_} records of {len(facts.instruments):_} instruments in "
        f"{heard.seconds:.1f} s; {facts.gaps:_} gaps, {facts.missing:_} messages lost, {heard.faults:_} records that "
        "contradict their book; with times of receipt"
    )


def _feed(
    config: Path | None,
    feed: str | None,
    listen: str | None,
    listen_b: str | None,
    interface: str,
    retransmit: str | None,
    session: str,
    day: date | None,
    zone: str,
) -> "tuple[FeedSettings, tuple[str, ...], EdgeConfig | None]":
    """The feed to record, the symbols that its node subscribes to, and what that checks."""
    from pydantic import ValidationError

    from openbell.node.config import FeedSettings, load_node
    from openbell.node.edge import edge_config, feed_of

    if (config is None) == (listen is None):
        raise ConfigError(
            "expected a node's file or --listen HOST:PORT, one of them; see `openbell tape record --help`"
        )
    if config is not None:
        node = load_node(config)
        settings = feed_of(node, feed, config)
        checks = edge_config(settings, node.checks, node.instruments)
        return settings, tuple(one.symbol for one in node.instruments), checks
    try:
        return (
            FeedSettings.model_validate(
                {
                    "name": feed or "feed",
                    "kind": "itch_moldudp64",
                    "listen": listen,
                    "listen_b": listen_b,
                    "interface": interface,
                    "retransmit": retransmit,
                    "session": session,
                    "date": day,
                    "zone": zone,
                }
            ),
            (),
            None,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"--{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _place(feed: "FeedSettings") -> Path:
    from datetime import UTC, datetime

    from openbell.node.assemble import midnight

    return Path("xnas") / midnight(feed).date().isoformat() / f"{feed.name}-{datetime.now(UTC):%H%M%S}"


def _line(heard: "Heard") -> str:
    return (
        f"{heard.seconds:,.0f} s, {heard.frames:,} frames of {heard.instruments:,} instruments, {heard.gaps:,} gaps, "
        f"{heard.lost:,} lost"
    )
