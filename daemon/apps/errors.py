"""What can end the demonstration early."""

from __future__ import annotations

from daemon.errors import DaemonError


class NothingToShow(DaemonError, FileNotFoundError):
    """The folder has no recordings that the demonstration could play."""


class ServiceStopped(DaemonError, ChildProcessError):
    """The service that the demonstration had started ended too early, or fell silent."""

    def __init__(self, message: str, status: int | None) -> None:
        super().__init__(message)
        self.status = status  # what it ended with; None if it still runs
