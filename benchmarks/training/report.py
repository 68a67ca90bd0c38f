"""What a training prints and draws: how well the new model knows people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from rich.table import Table

from daemon.offline.drawing import picture
from daemon.offline.evaluation_picture import draw_confusion as draw_matrix
from daemon.tables import filled, interval

GROUP_HEADINGS = ("", "precision %", "recall %", "F1 %", "specificity %")
NO_STRANGERS = "How strangers fare is not known: give it some with --strangers"
KIND_FIGURES = {
    "S Se / +P": ("S_sensitivity", "S_predictivity"),
    "V Se / +P": ("V_sensitivity", "V_predictivity"),
    "F Se / +P": ("F_sensitivity", "F_predictivity"),
    "specificity": ("specificity",),
    "accuracy": ("accuracy",),
    "abnormal F1": ("abnormal_f1",),
    "AUC": ("abnormal_auc",),
}
HEADINGS = (
    "beats",
    "EER %",
    "FMR % at FNMR 5 %",
    "rank-1 %",
    "EER % across days",
    "FMR / FNMR % at the set threshold",
)


def embedder_table(metrics: dict[str, Any]) -> Table:
    """Return how people fared that a network for people yet to be enrolled never saw."""
    rows = []
    for beats, figures in metrics["by_beats"].items():
        days = figures["across_days"]
        rows.append(
            (
                beats,
                interval(figures["eer"]),
                f"{figures['fmr_at_fnmr_5']:.2f}",
                f"{figures['rank_1']:.1f} of {figures['rank_1_of']}",
                f"{interval(days['eer'])}, {days['persons']} persons" if days else "not measured",
                "{fmr:.2f} / {fnmr:.2f}".format(**figures["at_thresholds_of_other_folds"]),
            )
        )
    return filled("People it never saw", HEADINGS, rows, metrics["protocol"])


def classifier_tables(metrics: dict[str, Any]) -> list[Table]:
    """Return whose beats a network for a fixed group takes for whose, and for nobody's."""
    counts = metrics["confusion"]
    confusion = filled(
        f"Test beats: {metrics['accuracy']:.2f} % right",
        ("heart of \\ taken for", "", *(str(number + 1) for number in range(len(counts)))),
        (
            (name, str(number), *map(str, row))
            for number, (name, row) in enumerate(
                zip(metrics["persons"], counts, strict=False), start=1
            )
        ),
        metrics["protocol"],
    )
    persons = filled(
        "Each person",
        GROUP_HEADINGS,
        (
            (name, *(f"{part:.1f}" for part in figures.values()))
            for name, figures in metrics["persons"].items()
        ),
    )
    return [confusion, persons, _open_set(metrics["open_set"])]


def _open_set(open_set: dict[str, Any]) -> Table:
    """Return how often the model says `unknown`, of members and of strangers."""
    rows = (
        (
            beats,
            f"{figures['fnir']:.2f}",
            "not measured" if figures["fpir"] is None else f"{figures['fpir']:.2f}",
        )
        for beats, figures in open_set["by_beats"].items()
    )
    return filled(
        f"{open_set['strangers']} strangers" if open_set["strangers"] else NO_STRANGERS,
        ("beats", "members missed, FNIR %", "strangers accepted, FPIR %"),
        rows,
        open_set["protocol"],
    )


def kind_table(metrics: dict[str, Any]) -> Table:
    """Return how the networks of beat kinds compare on each data set."""
    compared = metrics["by_architecture"]
    rows = (
        (group, name, *(_of_seeds(of[group], wanted) for wanted in KIND_FIGURES.values()))
        for group in next(iter(compared.values()))
        for name, of in compared.items()
    )
    title = "percent, the networks of all seeds together"
    headings = ("data", "network", *KIND_FIGURES)
    return filled(title, headings, rows, metrics["protocol"], words=2)


def _of_seeds(figures: dict[str, list[float]], names: Sequence[str]) -> str:
    return " / ".join(f"{figures[name][0]:.1f}" if name in figures else "-" for name in names)


def draw_confusion(metrics: dict[str, Any], file: Path) -> None:
    """Write the confusion matrix: each row's beats by shade, and their number."""
    counts = np.array(metrics["confusion"])
    names = list(metrics["persons"])[: len(counts)]
    inches = 3 + 0.5 * len(counts)
    with picture(file, inches, inches) as figure:
        axes = figure.subplots()
        draw_matrix(axes, metrics["confusion"], names)
        axes.set_title(f"{metrics['accuracy']:.2f} % of {counts.sum()} beats are right")
        figure.supxlabel(fill(metrics["protocol"], 50), fontsize="x-small")
