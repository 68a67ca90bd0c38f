"""What can be wrong with a page."""

from __future__ import annotations

from typing import Any

from daemon.errors import DaemonError, import_extra


class PageUnusable(DaemonError, ValueError):
    """A page cannot be read, or not well enough to be believed."""


def opencv() -> Any:
    """Return OpenCV, which comes with an extra.

    Raises:
        ExtraMissing: it is not installed.
    """
    return import_extra("cv2", "paper", "Reading paper")
