"""How often somebody may try a token: less and less who fails, in bounded memory.

Nobody guesses 32 random bytes; this is so that trying costs the server little, and that the journal
shows it. Both limits are buckets that leak: each failure adds a drop, and who finds the bucket full
waits until one has leaked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

OF_AN_ADDRESS = 5  # failures at once
LEAK_S = 30.0  # until one of an address's is forgotten
OF_ALL = 60  # failures at once, of all addresses that never had a valid token
ALL_LEAK_S = 1.0
MOST_ADDRESSES = 1024  # that are remembered
HOST_BITS = 64  # of an IPv6 address: who has one has all with the same first half

Value = TypeVar("Value")


class Throttle:
    """Counts the failed attempts of each address, and of all.

    Args:
        now: a clock that never goes back, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._empty_s: dict[str, float] = {}  # when an address's bucket will be empty; oldest first
        self._all_empty_s = 0.0
        self._known: dict[str, None] = {}  # addresses that had a valid token, the oldest first

    def wait_s(self, address: str) -> float:
        """Return how long an address has to wait before its next attempt; 0 if it need not."""
        source = source_of(address)
        wait = self._empty_s.get(source, 0.0) - (OF_AN_ADDRESS - 1) * LEAK_S - self._now()
        if source not in self._known:  # a flood from elsewhere locks nobody out who was in before
            wait = max(wait, self._all_empty_s - (OF_ALL - 1) * ALL_LEAK_S - self._now())
        return max(0.0, wait)

    def failed(self, address: str) -> None:
        """Count a failed attempt."""
        source, now = source_of(address), self._now()
        self._all_empty_s = max(self._all_empty_s, now) + ALL_LEAK_S
        _remember(self._empty_s, source, max(self._empty_s.get(source, 0.0), now) + LEAK_S)

    def succeeded(self, address: str) -> None:
        """Note that an address had a valid token."""
        _remember(self._known, source_of(address), None)


def _remember(kept: dict[str, Value], source: str, value: Value) -> None:
    """Put what is known of an address last, and forget the oldest of too many."""
    kept.pop(source, None)
    kept[source] = value
    if len(kept) > MOST_ADDRESSES:
        del kept[next(iter(kept))]


def source_of(address: str) -> str:
    """Return whom an address belongs to: itself, or the network of an IPv6 address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and not found.is_loopback:
        mapped = found.ipv4_mapped
        return str(mapped or IPv6Address(int(found) >> HOST_BITS << HOST_BITS))
    return str(found)
