"""Pictures: the colours that all of them share, and a figure that is written to a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from daemon.offline.errors import DrawingExtraMissing

RED, BLUE, PALE_BLUE = "#c1272d", "#4a6fa5", "#a8bbd6"


def require_matplotlib() -> None:
    """Find out before minutes of work whether pictures can be drawn.

    Raises:
        DrawingExtraMissing: they cannot.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise DrawingExtraMissing(
            f"Pictures need {error.name}, which is not installed: "
            ".venv/bin/pip install '.[benchmark]'"
        ) from error


@contextmanager
def picture(file: Path, width: float, height: float) -> Iterator[Any]:
    """Yield a matplotlib figure of so many inches, and write it to the file afterwards.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    yield figure
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=120)
