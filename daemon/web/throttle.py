"""How often somebody may fail with a token: less and less, in bounded memory.

Nobody guesses 32 random bytes, and who has them is let in whatever others did; this is so that
trying costs the server little, and the journal few lines. Both limits are buckets that leak: each
failure adds a drop, and who finds the bucket full is put off until one has leaked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

OF_AN_ADDRESS = 5  # failures at once
LEAK_S = 30.0  # until one of an address's is forgotten
OF_ALL = 60  # failures at once, of all addresses
ALL_LEAK_S = 1.0
MOST_ADDRESSES = 1024  # that are remembered
HOST_BITS = 64  # of an IPv6 address: who has one has all with the same first half


class Throttle:
    """Counts the failed attempts of each address, and of all.

    Args:
        now: a clock that never goes back, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._empty_s: dict[str, float] = {}  # when an address's bucket will be empty; oldest first
        self._all_empty_s = 0.0

    def failed(self, address: str) -> float:
        """Count a failed attempt, unless the bucket is full.

        Returns:
            How long to wait until another one is counted; 0 if this one was.
        """
        source, now = source_of(address), self._now()
        of_source, of_all = max(self._empty_s.get(source, 0.0), now), max(self._all_empty_s, now)
        wait_s = max(
            of_source - now - (OF_AN_ADDRESS - 1) * LEAK_S,
            of_all - now - (OF_ALL - 1) * ALL_LEAK_S,
        )
        if wait_s > 0:
            return wait_s
        self._all_empty_s = of_all + ALL_LEAK_S
        self._empty_s.pop(source, None)
        self._empty_s[source] = of_source + LEAK_S  # the newest is last
        if len(self._empty_s) > MOST_ADDRESSES:
            del self._empty_s[next(iter(self._empty_s))]
        return 0.0


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
