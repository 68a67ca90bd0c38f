"""The library that draws: found out about before the work, and not after minutes of it."""

from __future__ import annotations

from daemon.offline.errors import DrawingExtraMissing


def require_matplotlib() -> None:
    """Find out whether pictures can be drawn.

    Raises:
        DrawingExtraMissing: they cannot.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise DrawingExtraMissing(
            f"Pictures need {error.name}, which is not installed: pip install 'qrsd[benchmark]'"
        ) from error
