"""The observer of the service, which is told of every edge of DRDY and every message."""

from __future__ import annotations

from typing import Protocol

from daemon.wire.messages import Message


class Observer(Protocol):
    """Is told what happens in the service; ``daemon.service.metrics`` counts it."""

    def edge(self, jitter_s: float) -> None:
        """Take the jitter of an edge of DRDY: its distance from the line through those before."""

    def message(self, message: Message) -> None:
        """Take a message that is being published."""


class NullObserver:
    """Counts nothing: metrics are off."""

    def edge(self, jitter_s: float) -> None:
        """Ignore it."""

    def message(self, message: Message) -> None:
        """Ignore it."""
