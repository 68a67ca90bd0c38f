"""What is told of every edge and message: the metrics, if they are on."""

from __future__ import annotations

from typing import Protocol

from daemon.wire.messages import Message


class Observer(Protocol):
    """Takes what happens in the service."""

    def edge(self, jitter_s: float) -> None:
        """Take by how many seconds an edge of DRDY was off the line through those before."""
        ...

    def message(self, message: Message) -> None:
        """Take what is being published."""
        ...


class NullObserver:
    """Takes nothing."""

    def edge(self, jitter_s: float) -> None:
        """Ignore it."""

    def message(self, message: Message) -> None:
        """Ignore it."""
