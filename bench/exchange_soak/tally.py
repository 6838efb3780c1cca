"""What a client's reports add up to: its own account of its orders, to lay beside the venue's."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.exchange_soak.languages import ACCEPTED, CANCELED, EXECUTED, REJECTED, REPLACED, SYSTEM
from bench.exchange_soak.scripts import Script
from bench.exchange_soak.sessions import PAYLOAD_BYTES_MAX, LostError
from openbell._native import soup_packets


@dataclass
class Tally:
    """Position, cash (1e-4) and every order: what is open of it and what its chain of replaces has traded."""

    reports: int = 0
    fills: int = 0
    position: int = 0
    cash: int = 0
    orders: dict[int, tuple[int, int]] = field(default_factory=dict)


def tally(script: Script, heard: Path) -> Tally:
    """Return what the reports in the file `heard` add up to.

    Raises:
        LostError: they contradict each other.
    """
    sums, says = Tally(), script.language
    orders, number_in, sides = sums.orders, says.number_in, script.sides
    for report in reports_in(heard):
        sums.reports += 1
        match report[0]:
            case code if code == ACCEPTED:
                _begin(orders, number_in(report[says.name]), _number(report[says.accepted_qty]), 0, heard)
            case code if code == REPLACED:
                _, traded = _known(orders, replaced := number_in(report[says.replaced]), heard)
                orders[replaced] = (0, traded)
                _begin(orders, number_in(report[says.replaced_by]), _number(report[says.replaced_qty]), traded, heard)
            case code if code == EXECUTED:
                number, qty = number_in(report[says.name]), _number(report[says.qty])
                leaves, traded = _known(orders, number, heard)
                orders[number] = (leaves - qty, traded + qty)
                bought = qty if sides[number] == ord("B") else -qty
                sums.fills += 1
                sums.position += bought
                sums.cash -= bought * _number(report[says.px])
            case code if code == CANCELED:
                number = number_in(report[says.name])
                leaves, traded = _known(orders, number, heard)
                orders[number] = (leaves - _number(report[says.qty]), traded)
            case code if code == REJECTED:
                _begin(orders, number_in(report[says.name]), 0, 0, heard)
            case code if code == SYSTEM:
                pass
            case _:
                raise LostError(f"{heard.name}: expected no report of type {chr(report[0])!r}")
    return sums


def reports_in(heard: Path) -> Iterator[bytes]:
    """Yield the reports of a file of sequenced packets."""
    packets, used, is_broken = soup_packets(data := heard.read_bytes(), PAYLOAD_BYTES_MAX)
    if is_broken or used != len(data):
        raise LostError(f"{heard.name}: expected whole packets, found {len(data) - used} bytes of another kind")
    return (payload for _, payload in packets)


def _begin(orders: dict[int, tuple[int, int]], number: int, leaves: int, traded: int, heard: Path) -> None:
    if number in orders:
        raise LostError(f"{heard.name}: expected every order to be answered once, found {number} again")
    orders[number] = (leaves, traded)


def _known(orders: dict[int, tuple[int, int]], number: int, heard: Path) -> tuple[int, int]:
    if number not in orders:
        raise LostError(f"{heard.name}: expected reports of orders that were accepted, found one of {number}")
    return orders[number]


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
