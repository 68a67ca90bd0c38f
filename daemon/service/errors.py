"""The error that ends a running service."""

from __future__ import annotations

from daemon.errors import DaemonError


class AcquisitionFailed(DaemonError, OSError):
    """The acquisition process failed for good.

    Args:
        message: what the acquisition process said last.
        cause: class of the error that it reported; None if it ended without a word.
    """

    def __init__(self, message: str, cause: str | None) -> None:
        super().__init__(message)
        self.cause = cause
