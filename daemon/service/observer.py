"""Who looks at the service from outside, besides its subscribers."""

from __future__ import annotations

from typing import Protocol

from daemon.wire.messages import Message


class Observer(Protocol):
    """Is told what happens, and has no say in it."""

    def edge(self, jitter_s: float) -> None:
        """Take by how many seconds an edge of DRDY was off the line through those before."""
        ...

    def message(self, message: Message) -> None:
        """Take what is being published."""
        ...


class NullObserver:
    """Does not look."""

    def edge(self, jitter_s: float) -> None:
        """Do not look at it."""

    def message(self, message: Message) -> None:
        """Do not look at it."""
