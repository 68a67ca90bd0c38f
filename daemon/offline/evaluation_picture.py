"""Error rates and mistakes as pictures: the detection error trade-off, the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from daemon.offline.drawing import BLUE, PALE_BLUE, RED, picture

COLOURS = (PALE_BLUE, BLUE, RED)
LEAST_PERCENT = 0.01  # a logarithmic axis has no 0
DARK = 0.5  # part of a row from which its field is so dark that its number must be white


def draw(measured: dict[str, Any], file: Path) -> None:
    """Write the DET curves, beside whose template is nearest to whose beats.

    Args:
        measured: by ``daemon.offline.evaluation_figures``.
        file: where to write.

    Raises:
        OSError: the file cannot be written.
    """
    names = measured["enrolled"]
    inches = max(5.0, 3 + 0.35 * len(names))
    with picture(file, 6 + inches, inches) as figure:
        curves, matrix = figure.subplots(1, 2, width_ratios=(6, inches))
        draw_det(curves, measured["by_beats"])
        curves.legend(frameon=False)
        draw_confusion(matrix, list(measured["by_beats"].values())[-1]["confusion"], names)
        matrix.set_title(f"Whose template is nearest, {list(measured['by_beats'])[-1]} beats")


def draw_det(axes: Any, by_beats: dict[str, Any]) -> None:
    """Draw a curve for each number of beats and, if it was measured, one across days."""
    for (beats, of), colour in zip(by_beats.items(), COLOURS, strict=True):
        axes.plot(*_visible(of["det"]), color=colour, label=f"beats: {beats}")
        if of.get("det_across_days"):
            days = _visible(of["det_across_days"])
            axes.plot(*days, "--", color=colour, label=f"beats: {beats}, across days")
    axes.plot([LEAST_PERCENT, 100], [LEAST_PERCENT, 100], color="0.8", linewidth=0.8)
    axes.set(
        title="Detection error trade-off",
        xlabel="false match rate, %",
        ylabel="false non-match rate, %",
        xscale="log",
        yscale="log",
    )


def _visible(det: dict[str, list[float]]) -> tuple[list[float], list[float]]:
    """Return both rates, without the ends where one of them is 0."""
    pairs = zip(det["fmr"], det["fnmr"], strict=True)
    seen = [pair for pair in pairs if min(pair) >= LEAST_PERCENT]
    return [fmr for fmr, _ in seen], [fnmr for _, fnmr in seen]


def draw_confusion(axes: Any, confusion: list[list[int]], names: Sequence[str]) -> None:
    """Draw each row of a confusion matrix by shade, with its numbers."""
    counts = np.array(confusion)
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(parts, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if parts[row, column] > DARK else "black"
            axes.annotate(str(count), (column, row), color=colour, ha="center", va="center")
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="taken for", ylabel="heart of")
