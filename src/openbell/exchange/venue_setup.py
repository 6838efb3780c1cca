"""The venue that a configuration describes: its instruments with their rules, its day, bands and fees."""

from datetime import UTC, date, datetime

from openbell._native import VenueCore
from openbell.config_types import native_units
from openbell.exchange.config import ExchangeConfig
from openbell.exchange.flow_config import passes_through

SECOND_NS = 1_000_000_000
INDEX_DECIMALS = 8


def make_venue(config: ExchangeConfig, midnight_ns: int) -> VenueCore:
    """Return a venue with the rules that hold on the day of `midnight_ns`, without accounts and before its first input.

    Raises:
        ConfigError: no table of a tier of bands is effective on that day.
    """
    day = day_of(config, midnight_ns)
    venue = VenueCore(
        [listed.rules for listed in config.instruments],
        midnight_ns,
        config.limits.orders_max,
        config.limits.tokens_max,
        config.limits.messages_max,
        matches=not passes_through(config.flow),
        memory_dir=str(config.limits.memory_dir or ""),
    )
    venue.set_fees(config.fees.native(day))
    venue.set_schedule(None, config.schedule.native())
    for number, listed in enumerate(config.instruments):
        if listed.bands_tier:
            venue.set_bands(number, config.bands.native(listed.bands_tier, day))
    if config.index_close is not None:
        venue.set_breaker(native_units(config.index_close, INDEX_DECIMALS))
    return venue


def day_of(config: ExchangeConfig, midnight_ns: int) -> date:
    """Return the date, in the exchange's zone, that begins at `midnight_ns`."""
    return datetime.fromtimestamp(midnight_ns // SECOND_NS + config.utc_offset_s, UTC).date()
