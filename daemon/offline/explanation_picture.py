"""Which part of the beat carried a decision, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from daemon.offline.drawing import BLUE, RED, picture
from model.explanation import MASK_MS, REGIONS, TIME_MS, Explanation

SUPPORTING, PALE, OPPOSING = RED, "#eef1f6", BLUE
FINEST = 1e-9  # a colour scale needs two ends, even where nothing matters


def draw(explanation: Explanation, title: str, file: Path) -> None:
    """Write the mean beat coloured by importance, above the importance itself."""
    with picture(file, 9, 6) as figure:
        beat, importance = figure.subplots(2, sharex=True, height_ratios=(3, 2))
        for axes in (beat, importance):
            _shade_regions(axes)
        _draw_beat(figure, beat, explanation)
        _name_regions(beat, explanation)
        _draw_importance(importance, explanation)
        figure.suptitle(title)


def _shade_regions(axes: Any) -> None:
    for region in REGIONS[::2]:
        axes.axvspan(region.from_ms, region.to_ms, color=PALE, linewidth=0)


def _name_regions(axes: Any, explanation: Explanation) -> None:
    for region in REGIONS:
        axes.annotate(
            f"{region.name}\n{explanation.share(region):.0%}",
            ((region.from_ms + region.to_ms) / 2, 1),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="top",
        )


def _draw_beat(figure: Any, axes: Any, explanation: Explanation) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap

    points = np.column_stack([TIME_MS, explanation.beat])
    reach = max(float(np.abs(explanation.importance).max()), FINEST)
    line = LineCollection(
        np.stack([points[:-1], points[1:]], axis=1).tolist(),
        array=explanation.importance[1:],
        cmap=LinearSegmentedColormap.from_list("importance", [OPPOSING, "0.75", SUPPORTING]),
        clim=(-reach, reach),
        linewidth=3,
        capstyle="round",
    )
    axes.add_collection(line)
    axes.set(
        xlim=(TIME_MS[0], TIME_MS[-1]),
        ylim=(explanation.beat.min() - 0.5, explanation.beat.max() * 1.35),
        ylabel="mean beat, z-score",
    )
    figure.colorbar(line, ax=axes, label="score lost")


def _draw_importance(axes: Any, explanation: Explanation) -> None:
    importance = explanation.importance
    for colour, part in ((SUPPORTING, importance.clip(min=0)), (OPPOSING, importance.clip(max=0))):
        axes.fill_between(TIME_MS, part, color=colour, alpha=0.7, linewidth=0)
    axes.axhline(0, color="0.5", linewidth=0.8)
    axes.set(xlabel="from the R peak, ms", ylabel=f"score lost\nwith {MASK_MS:.0f} ms hidden")
