"""From a node's configuration to the parts of the engine: capacities, limits, strategies, sockets."""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openbell
from openbell import _native as native
from openbell import events
from openbell.config import Settings
from openbell.config_types import native_units
from openbell.journal import Source
from openbell.node.breakers import breaker_records
from openbell.node.config import FeedSettings, NodeConfig, SnapshotSettings
from openbell.node.edge import edge_config, policies_of
from openbell.node.limit_lines import MONEY_DECIMALS, conversions_of, digest_of, lines_of, record_of
from openbell.node.record import CapacityRecord, LimitsRecord, RunRecord, StrategyRecord, build_host
from openbell.types import ArmState

DAYS_AHEAD = 32
"""A process that runs for longer takes the last of these days for the venue's."""
INSTRUMENTS_MAX_LEAST = 64
STRATEGIES_MAX_LEAST = 16
LIMITS_MAX_LEAST = 1_024


def capacity_of(config: NodeConfig) -> native.EngineCapacity:
    """The size of every table; the same in the trading process, in recovery and in every follower.

    A symbol is an instrument of its own on every feed, with limits of its own.
    """
    capacity, feeds = native.EngineCapacity(), len(config.feeds)
    capacity.instruments_max = max(INSTRUMENTS_MAX_LEAST, len(config.instruments) * feeds)
    capacity.strategies_max = max(STRATEGIES_MAX_LEAST, *(i + 1 for i in config.strategy_ids().values()), 1)
    capacity.book_orders_max = config.node.book_orders_max
    capacity.limits_max = max(LIMITS_MAX_LEAST, len(config.limits.strategy_instruments) * feeds)
    capacity.checks = policies_of(config.checks, capacity.checks)
    return capacity


def midnight(feed: FeedSettings, days: int = 0) -> datetime.datetime:
    """The venue's midnight, from which its messages count, or the one so many days later."""
    zone = ZoneInfo(feed.zone)
    day = (feed.date or datetime.datetime.now(zone).date()) + datetime.timedelta(days)
    return datetime.datetime.combine(day, datetime.time(), zone)


def midnight_ns(feed: FeedSettings, days: int = 0) -> int:
    """The same as UTC ns."""
    return int(midnight(feed, days).timestamp()) * 1_000_000_000


def trading_day_record(config: NodeConfig, days: int = 0) -> bytes:
    """The day of the first feed."""
    start = midnight(config.feeds[0], days)
    offset = start.utcoffset() or datetime.timedelta()
    return events.trading_day(start.date(), config.feeds[0].zone, int(offset.total_seconds()))


def presets(config: NodeConfig) -> native.Presets:
    """What the engine is given as an epoch begins: the worth of currencies, limits, fees, breakers."""
    given, ids = native.Presets(), config.strategy_ids()
    for conversion in conversions_of(config.limits):
        given.add_conversion(conversion)
    for line in lines_of(config.limits):
        given.add_limit(record_of(line, config.limits, ids), line.symbol)
    for fee in config.fees:
        given.add_control(fee.record())
    for breaker in breaker_records(config.breakers, ids):
        given.add_control(breaker.record, breaker.symbol)
    for record in routes_of(config):
        given.add_control(record)
    return given


def routes_of(config: NodeConfig) -> Iterator[bytes]:
    """By which session orders leave, for every feed; nothing where one session trades all of them."""
    if config.node.mode != "live" or (len(config.sessions) == 1 and not config.sessions[0].feeds):
        return
    traded = {feed.name: number for number, one in enumerate(config.sessions) for feed in config.feeds_of(one)}
    for number, feed in enumerate(config.feeds):
        session = Source.ORDER_ENTRY + traded[feed.name] if feed.name in traded else 0
        yield events.route(Source.FEED + number, session)


def gate_limits(config: NodeConfig) -> native.GateLimits:
    """The perimeter: as wide as the widest limit of the account, no wider."""
    gate = native.GateLimits()
    gate.order_qty_max = max(one.order_qty_max_lots for one in config.limits.instruments)
    gate.order_notional_max = max(
        native_units(one.order_notional_max, MONEY_DECIMALS) for one in config.limits.instruments
    )
    gate.orders_per_second_max = config.node.orders_per_second_max
    for number, session in enumerate(config.sessions):
        gate.set_messages(session.messages_per_second_max, session.messages_for_cancels, number)
    return gate


def run_record(config: NodeConfig) -> RunRecord:
    """What a replay of this node's journal needs, for `node.json` beside it; credentials are left out."""
    ids = config.strategy_ids()
    return RunRecord(
        kind="node",
        capacity=CapacityRecord.of(capacity_of(config)),
        strategies=tuple(
            StrategyRecord.of(
                id=ids[settings.name],
                name=settings.name,
                file=settings.file,
                class_name=settings.class_name,
                params=settings.params,
                symbols=settings.instruments,
                speed=settings.speed,
                process=settings.process or "trading",
            )
            for settings in config.strategies
        ),
        hot_dir=str(config.node.hot_dir),
        settings=_plain(config),
        limits=LimitsRecord.of(config.limits),
    )


def _plain(settings: Settings) -> dict[str, Any]:
    """The effective configuration as JSON holds it, for people; a secret only says where it is kept."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    plain: dict[str, Any] = json.loads(json.dumps(values, default=_plain_value))
    return plain


def _plain_value(value: object) -> Any:
    return _plain(value) if isinstance(value, Settings) else str(value)


def build_strategies(config: NodeConfig) -> native.StrategyHost:
    """Every strategy of the trading thread, loaded, with its parameters, in the order of their ids."""
    return build_host(tuple(one for one in run_record(config).strategies if one.process == "trading"))


def digest(*parts: bytes) -> bytes:
    """16 bytes over `parts`."""
    return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest()


@functools.cache
def binary_hash() -> bytes:
    """16 bytes that change when the native core does."""
    return digest(Path(str(native.__file__)).read_bytes(), openbell.__version__.encode())


def running_now(config: NodeConfig, record: RunRecord) -> dict[str, bytes]:
    """The hashes of what runs: of the core, the strategies, the limits and the whole configuration."""
    return {
        "binary": binary_hash(),
        "strategies": digest(*(one.identity() for one in record.strategies)),
        "limits": digest_of(config.limits),
        "config": digest(repr(config).encode()),  # a secret's repr says nothing of it
    }


def started_record(
    config: NodeConfig, record: RunRecord, epoch: int, now_ns: int, *, is_acknowledged: bool = True
) -> bytes:
    """The record that opens an epoch: who runs what, under which limits."""
    return events.started(
        node=config.node.id,
        epoch=epoch,
        now_ns=now_ns,
        seed=secrets.randbits(63) if config.node.seed is None else config.node.seed,
        is_acknowledged=is_acknowledged,
        **running_now(config, record),
    )


def arm_state(name: str) -> ArmState:
    """`cancel_only` -> ArmState.CANCEL_ONLY."""
    return ArmState[name.upper()]


def live_config(config: NodeConfig) -> native.LiveConfig:
    """Everything the trading process needs, in native form."""
    live = native.LiveConfig()
    live.journal_dir = str(config.node.journal_dir)
    live.hot_dir = str(config.node.hot_dir)
    live.segment_bytes = config.node.segment_mib << 20
    live.node = config.node.id
    live.durability = native.Durability[config.node.durability.upper()]
    live.is_busy = config.node.wait == "busy"
    live.capacity = capacity_of(config)
    live.gate = gate_limits(config)
    live.presets = presets(config)
    for index, feed in enumerate(config.feeds):
        native_feed = feed_config(feed, [i.symbol for i in config.instruments])
        native_feed.checks = edge_config(feed, config.checks, config.instruments)
        for day in range(1, 1 if feed.date else DAYS_AHEAD):
            native_feed.add_day(midnight_ns(feed, day), b"" if index else trading_day_record(config, day))
        live.feeds = [*live.feeds, native_feed]
    ids = config.strategy_ids()
    for one in (strategy for strategy in config.strategies if strategy.process == "own"):
        age_ns, lag_ns = one.age_max_ms * 1_000_000, one.lag_max_ms * 1_000_000
        live.add_process(ids[one.name], age_ns, one.age_max_frames, lag_ns)
    live.is_paper = config.node.mode == "paper"
    live.paper = native.VenueLatency(0, config.paper.latency_ns, config.paper.latency_ns)
    if config.node.mode == "live":
        for session in config.sessions:
            live.add_session(
                host=session.connect.host,
                port=session.connect.port,
                user=session.user,
                password=session.password.read(),
                firm=session.firm,
                midnight_ns=midnight_ns(config.feeds_of(session)[0]),
                reconnect_ns=session.reconnect_ms * 1_000_000,
                reconnect_max_ns=session.reconnect_max_ms * 1_000_000,
            )
    return live


def feed_config(feed: FeedSettings, symbols: list[str]) -> native.LiveFeedConfig:
    """One feed; without `symbols` everything on it."""
    out = native.LiveFeedConfig()
    out.name = feed.name
    for address, interface in feed.lines:
        out.add_line(
            host="" if address.is_multicast else address.host,
            port=address.port,
            group=address.host if address.is_multicast else "",
            interface=interface,
            receive_buffer_bytes=feed.receive_buffer_kib << 10,
        )
    for sender in feed.senders:
        out.add_sender(sender)
    out.mold.wait_ns = feed.gap_wait_us * 1_000
    out.mold.retry_ns = feed.retry_ms * 1_000_000
    out.mold.tries_max = feed.tries_max
    out.mold.server_keeps = feed.retransmit_keeps
    out.stale_ns = feed.stale_ms * 1_000_000
    out.checks = edge_config(feed)
    out.session = feed.session
    out.midnight_ns = midnight_ns(feed)
    out.symbols = symbols
    if feed.retransmit is not None:
        out.set_retransmit(feed.retransmit.host, feed.retransmit.port)
    if feed.snapshots is not None:
        _add_snapshots(out, feed.snapshots)
    return out


def _add_snapshots(feed: native.LiveFeedConfig, server: SnapshotSettings) -> None:
    feed.set_snapshots(server.connect.host, server.connect.port, server.user, server.password.read())
    feed.snapshot_retry_ns = server.retry_ms * 1_000_000
    feed.snapshot_tries_max = server.tries_max
    feed.buffer_bytes = server.buffer_mib << 20
