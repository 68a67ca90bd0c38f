"""The parent of all errors of the service, its clients and its commands, and one that all share."""

from __future__ import annotations


class DaemonError(Exception):
    """The service, or a client of it, cannot go on."""

    code: str = "service_failed"


class ResultsNotWritable(DaemonError, OSError):
    """A command cannot write its results where it was told to."""
