"""Confusion matrices of the kinds of beats, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.rhythm.report import EXPERTS, FOUND
from daemon.offline.drawing import picture
from daemon.offline.evaluation_picture import draw_confusion


def draw(data: dict[str, Any], file: Path) -> None:
    """Write a matrix for each data set, of all its records from a cold start.

    Raises:
        OSError: the file cannot be written.
    """
    with picture(file, 6 * len(data), 6) as figure:
        for axes, (name, of) in zip(
            figure.subplots(1, len(data), squeeze=False)[0], data.items(), strict=True
        ):
            draw_confusion(axes, of["beats"]["views"][0]["confusion"], EXPERTS)
            axes.set_xticks(range(len(FOUND)), FOUND, rotation=0)
            axes.set(title=name, xlabel="found", ylabel="by experts")
