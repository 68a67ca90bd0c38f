"""Pictures: the colours that all of them share, and a figure that is written to a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from daemon.errors import import_extra

RED, BLUE, PALE_BLUE = "#c1272d", "#4a6fa5", "#a8bbd6"


def require_matplotlib() -> None:
    """Raise ``ExtraMissing``, before minutes of work, if pictures cannot be drawn."""
    import_extra("matplotlib", "benchmark", "Drawing pictures")


@contextmanager
def picture(
    file: Path | BinaryIO, width: float, height: float, kind: str | None = None
) -> Iterator[Any]:
    """Yield a matplotlib figure of so many inches, and write it to the file afterwards.

    ``kind`` is that of the file, ``svg`` or the like; None for what its name says.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    yield figure
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=120, format=kind)
