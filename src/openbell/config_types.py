"""Values that configuration files hold as text: decimals, addresses, secrets and paths.

Each is a pydantic type for a field of `Settings`; a wrong one is an error that says what the text should be.
"""

import ipaddress
import os
import re
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainValidator, ValidationInfo

from openbell.errors import ConfigError

_DECIMAL = re.compile(r"^[0-9]{1,15}(\.[0-9]{1,9})?$")
_HOST = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$")
_PORT_MAX = 65_535
_SECRET_BYTES_MAX = 4096
_NAME_BYTES_MAX, _PATH_BYTES_MAX = 255, 4095
"""What Linux opens."""

NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,31}$"
"""Of nodes, feeds, sessions, strategies, people."""


@dataclass(frozen=True)
class Address:
    """A host and a port; port 0 lets the system choose where we listen."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """True if nothing sent here leaves this machine."""
        return self.host == "localhost" or (_is_ip(self.host) and ipaddress.ip_address(self.host).is_loopback)

    @property
    def is_multicast(self) -> bool:
        """True if the host is a multicast group to join."""
        return _is_ip(self.host) and ipaddress.ip_address(self.host).is_multicast

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Secret:
    """Where a credential is kept, never the credential: `env:NAME`, `file:PATH`, or `plain:...` for demos."""

    scheme: str
    where: str

    @property
    def is_plain(self) -> bool:
        """True if the credential itself stands in the file."""
        return self.scheme == "plain"

    def read(self) -> str:
        """Return the credential.

        Raises:
            ConfigError: the variable or the file that should hold it is missing or empty.
        """
        value = self._read()
        if not value:
            raise ConfigError(f"expected a credential in {self}, found none; set it and start again")
        return value

    def _read(self) -> str:
        if self.scheme == "plain":
            return self.where
        if self.scheme == "env":
            return os.environ.get(self.where, "")
        try:
            with Path(self.where).expanduser().open("rb") as file:
                return file.read(_SECRET_BYTES_MAX).decode().strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def __repr__(self) -> str:
        return f"{self.scheme}:{'***' if self.is_plain else self.where}"

    __str__ = __repr__


def native_units(value: Decimal, decimals: int) -> int:
    """Return `value` in units of 10^-`decimals`, rounded down: a limit never grows by rounding."""
    return int(value.scaleb(decimals).to_integral_value(rounding=ROUND_FLOOR))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_ipv4(text: str) -> bool:
    """True for a numeric IPv4 address."""
    return _is_ip(text) and ipaddress.ip_address(text).version == 4


def _decimal(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _DECIMAL.match(value):
        raise ValueError('a decimal in quotes such as "250000.00", not negative (floats are not exact)')
    return Decimal(value)


def read_address(value: object) -> Address:
    """Return `value`, "host:port", as an address.

    Raises:
        ValueError: it is none; the message says what one looks like.
    """
    if isinstance(value, Address):
        return value
    expected = ValueError('"host:port" such as "127.0.0.1:26400", port 0 to 65535')
    if not isinstance(value, str):
        raise expected
    host, _, port = value.rpartition(":")
    if not _HOST.match(host) or not port.isascii() or not port.isdigit() or int(port) > _PORT_MAX:
        raise expected
    return Address(host, int(port))


def read_secret(value: object) -> Secret:
    """Return `value`, "env:NAME" or "file:PATH", as a credential's place.

    Raises:
        ValueError: it is none; the message says what one looks like, and not what was found.
    """
    if isinstance(value, Secret):
        return value
    scheme, colon, where = value.partition(":") if isinstance(value, str) else ("", "", "")
    if scheme not in ("env", "file", "plain") or not colon or not where:
        raise ValueError('where the credential is kept: "env:NAME" or "file:PATH"')
    return Secret(scheme, where)


def _near_file(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("a file name in quotes")
    folder: Path = (info.context or {}).get("folder", Path())
    try:
        path = (folder / Path(value).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # nobody's home, a circle of links, a zero byte
        raise ValueError(f"a file name that leads somewhere ({error})") from None
    if len(os.fsencode(path)) > _PATH_BYTES_MAX or any(len(os.fsencode(part)) > _NAME_BYTES_MAX for part in path.parts):
        raise ValueError(f"a file name of at most {_NAME_BYTES_MAX} bytes, {_PATH_BYTES_MAX} with its folders")
    return path


Speed = Literal["interpreted", "compiled"]
"""How a strategy runs: as Python, or as machine code; see docs/strategies.md."""
Place = Literal["trading", "own"]
"""Where: in the trading thread, or in a process of its own."""

DecimalText = Annotated[Decimal, PlainValidator(_decimal)]
AddressText = Annotated[Address, PlainValidator(read_address)]
SecretText = Annotated[Secret, PlainValidator(read_secret)]
NearPath = Annotated[Path, PlainValidator(_near_file)]
"""A path; a relative one starts at the folder of the configuration file."""


def _durability(value: object) -> object:
    if value == "quorum":
        raise ValueError(
            '"memory" or "local"; "quorum" (other hosts hold a decision before it leaves) is not built yet: '
            "docs/durability.md says what it takes"
        )
    return value


DurabilityName = Annotated[Literal["memory", "local"], BeforeValidator(_durability)]
"""What a decision waits for before it leaves."""
