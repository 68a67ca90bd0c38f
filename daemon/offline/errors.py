"""The error of recordings that a command cannot work with."""

from __future__ import annotations

from daemon.errors import DaemonError


class TooFewBeats(DaemonError, ValueError):
    """A recording does not have the good beats that a command needs."""


class TooFewPeople(DaemonError, ValueError):
    """There are too few people to tell apart."""


class WorkerKilled(DaemonError, RuntimeError):
    """A process that shares the work was killed."""
