"""Whose beats a fixed group's network takes for whose, as a picture."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from daemon.offline.drawing import picture

DARK = 0.5  # part of a row from which its field is so dark that its number must be white


def draw(metrics: dict[str, Any], file: Path) -> None:
    """Write the confusion matrix: each row's beats by shade, and their number.

    Args:
        metrics: of a classifier's passport.
        file: where to write.
    """
    counts = np.array(metrics["confusion"])
    names = list(metrics["persons"])[: len(counts)]
    parts = counts / counts.sum(axis=1, keepdims=True)
    inches = 3 + 0.5 * len(counts)
    with picture(file, inches, inches) as figure:
        axes = figure.subplots()
        axes.imshow(parts, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if parts[row, column] > DARK else "black"
                axes.annotate(str(count), (column, row), color=colour, ha="center", va="center")
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="taken for", ylabel="heart of")
        axes.set_title(f"{metrics['accuracy']:.2f} % of {counts.sum()} beats are right")
        figure.supxlabel(fill(metrics["protocol"], 50), fontsize="x-small")
