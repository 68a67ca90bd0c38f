"""What ends the service, or keeps it from starting."""

from __future__ import annotations

from daemon.errors import DaemonError


class AcquisitionFailed(DaemonError, OSError):
    """No samples come any more.

    Args:
        message: what the acquisition process said last.
        exit_code: what it ended with.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class MetricsExtraMissing(DaemonError, ImportError):
    """Metrics need a library that the rest of the service does not."""

    exit_code = 78
