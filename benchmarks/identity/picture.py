"""The figures as pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from daemon.offline.drawing import BLUE, RED, picture
from daemon.offline.evaluation_picture import COLOURS, draw_det


def draw(figures: dict[str, Any], folder: Path) -> None:
    """Write det.png, calibration.png, scores.png and, if it was measured, angles.png."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "det.png", draw_det, figures["by_beats"])
    _write(folder / "calibration.png", _draw_calibration, figures["by_beats"])
    _write(folder / "scores.png", _draw_scores, figures["by_beats"])
    if figures["by_angle"]:
        _write(folder / "angles.png", _draw_angles, figures["by_angle"])


def _write(file: Path, draw_on: Callable[[Any, Any], None], figures: Any) -> None:
    with picture(file, 7, 5) as figure:
        axes = figure.subplots()
        draw_on(axes, figures)
        axes.legend(frameon=False)


def _draw_calibration(axes: Any, by_beats: dict[str, Any]) -> None:
    for (beats, of), colour in zip(by_beats.items(), COLOURS, strict=True):
        calibration = of["calibration"]
        label = f"beats: {beats}, Cllr {calibration['cllr_bits']:.3f} bits"
        axes.plot(calibration["stated"], calibration["observed"], "o-", color=colour, label=label)
    axes.plot([0, 1], [0, 1], color="0.8", linewidth=0.8)
    axes.set(
        title="Calibration on persons of other folds",
        xlabel="stated probability of the same person",
        ylabel="part that was",
    )


def _draw_scores(axes: Any, by_beats: dict[str, Any]) -> None:
    beats, of = list(by_beats.items())[-1]
    histogram = of["histogram"]
    for name, colour, label in (
        ("non_mated", BLUE, "two persons"),
        ("mated", RED, "the same person"),
    ):
        axes.stairs(
            histogram[name], histogram["edges"], fill=True, alpha=0.6, color=colour, label=label
        )
    axes.set(title=f"Scores of {beats} beats", xlabel="corrected cosine", ylabel="density")


def _draw_angles(axes: Any, by_angle: dict[str, Any]) -> None:
    for (fittings, figures), colour in zip(by_angle.items(), (BLUE, RED), strict=True):
        angles = [int(angle) for angle in figures]
        rates = [of["eer"] for of in figures.values()]
        middles = [of["percent"] for of in rates]
        axes.plot(angles, middles, "o-", color=colour, label=f"fittings enrolled: {fittings}")
        low, high = zip(*(of["interval_95"] for of in rates), strict=True)
        axes.fill_between(angles, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(
        title="Electrodes turned away since the enrolment",
        xlabel="angle, degrees",
        ylabel="equal error rate, %",
    )
