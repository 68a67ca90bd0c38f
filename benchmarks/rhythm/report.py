"""What was measured of a data set, as figures for JSON and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.rhythm import beats, episodes
from benchmarks.rhythm.bootstrap import rounded, with_intervals
from benchmarks.rhythm.records import Judged
from daemon.tables import filled
from model.rhythm import CAUTION
from model.training.kind_data import KINDS

FROM_S = (0.0, 300.0)  # from a cold start, and from where EC57 begins
BEAT_FIGURES = {
    **{
        f"{kind}_{what}": f"{kind} {said}"
        for kind in KINDS[:4]
        for what, said in (("sensitivity", "Se %"), ("predictivity", "+P %"), ("f1", "F1 %"))
    },
    "specificity": "specificity %",
    "accuracy": "accuracy %",
    "abnormal_f1": "abnormal F1 %",
    "abnormal_auc": "abnormal AUC %",
    "strip_sensitivity": "5 s Se %",
    "strip_predictivity": "5 s +P %",
    "strip_f1": "5 s F1 %",
    "strip_specificity": "5 s specificity %",
    "strip_auc": "5 s AUC %",
    "false_abnormal_per_hour": "false abnormal beats an hour",
}
IN_VIEWS = (
    "S_sensitivity",
    "S_predictivity",
    "V_sensitivity",
    "V_predictivity",
    "specificity",
    "accuracy",
    "abnormal_f1",
    "abnormal_auc",
    "strip_f1",
    "strip_auc",
    "false_abnormal_per_hour",
)
#: What the training measures too.
IN_SPLITS = tuple(
    key for key in IN_VIEWS if not key.startswith("strip") and key != "false_abnormal_per_hour"
)
EPISODE_FIGURES = {
    "sensitivity": "Se %",
    "predictivity": "+P %",
    "duration_sensitivity": "Se of time %",
    "duration_predictivity": "+P of time %",
    "false_per_hour": "false onsets an hour",
}
EXPERTS = (*KINDS, "none")
FOUND = (*KINDS, "missed")


def beat_figures(records: Sequence[Judged]) -> dict[str, Any]:
    """Return the figures of beats: each view of all records, and those of each record."""
    names = [record.name for record in records]
    views = []
    for from_s, escapes in product(FROM_S, beats.ESCAPES):
        rows = beats.together(beats.count(record.since(from_s), escapes) for record in records)
        leading = beats.dominating(names, rows["confusion"])
        for left_out in (None, *leading):
            kept = [place for place, name in enumerate(names) if name != left_out]
            chosen = {name: row[kept] for name, row in rows.items()}
            views.append(
                {
                    "from_s": from_s,
                    "escape_beats_as": escapes,
                    "without": left_out,
                    "holds_most_of": leading.get(left_out, []) if left_out else [],
                    "hours": rounded(chosen["hours"].sum()),
                    "confusion": chosen["confusion"].sum(axis=0).astype(int).tolist(),
                    "strips": chosen["strips"].sum(axis=0).astype(int).tolist(),
                    "figures": with_intervals(chosen, beats.figures),
                }
            )
    counted = [beats.count(record, "N") for record in records]
    by_record = [
        {
            "record": name,
            "confusion": counts["confusion"].astype(int).tolist(),
            "figures": {key: rounded(value) for key, value in beats.figures(counts).items()},
        }
        for name, counts in zip(names, counted, strict=True)
    ]
    return {"views": views, "by_record": by_record}


def episode_figures(records: Sequence[Judged]) -> dict[str, Any]:
    """Return the figures of episodes, from a cold start and later, and the counts of records."""
    views = []
    for from_s in FROM_S:
        rows = beats.together(episodes.count(record.since(from_s)) for record in records)
        found = with_intervals(rows, episodes.figures)
        views.append(
            {
                "from_s": from_s,
                "hours": rounded(rows["hours"].sum()),
                "episodes": {
                    name: _counted(rows[name].sum(axis=0))
                    | {key: found[f"{name}_{key}"] for key in EPISODE_FIGURES}
                    for name in episodes.NAMES
                },
            }
        )
    by_record = [
        {"record": record.name}
        | {name: _counted(counts[name]) for name in episodes.NAMES if counts[name].any()}
        for record in records
        for counts in [episodes.count(record)]
    ]
    return {"views": views, "by_record": by_record}


def _counted(counts: np.ndarray[Any, Any]) -> dict[str, float]:
    return {
        name: round(value, 4) if name.endswith("_h") else int(value)
        for name, value in zip(episodes.COUNTED, counts.tolist(), strict=True)
    }


def beat_tables(
    name: str, measured: dict[str, Any], of_strangers: dict[str, float] | None
) -> Iterator[Table]:
    """Yield the tables of one data set's beats; ``of_strangers`` if it was learnt from."""
    first = measured["views"][0]
    yield filled(
        f"{name}: beats by experts (rows) and as found, {first['hours']} hours",
        ("", *FOUND),
        confusion_rows(first),
        "escape beats (e, j) as N; from a cold start",
    )
    yield filled(f"{name}: the same in figures, 95 % intervals", ("", ""), figure_rows(first))
    yield filled(f"{name}: by what counts", view_headings(), view_rows(measured), words=3)
    yield filled(f"{name}: by record", record_headings(), record_rows(measured))
    if of_strangers is not None:
        yield filled(
            f"{name}: what it does to the figures to have learnt from the same patients",
            ("patients", *(BEAT_FIGURES[key] for key in IN_SPLITS)),
            (
                (
                    "intra-patient: learnt from",
                    *(_cell(first["figures"][key]["value"]) for key in IN_SPLITS),
                ),
                ("inter-patient: never seen", *map(_cell, map(of_strangers.get, IN_SPLITS))),
            ),
            "intra-patient figures say nothing of another wearer; the others are those of the "
            "training, by folds of patients, of the network alone",
            words=3,
        )


def confusion_rows(view: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a confusion matrix."""
    for kind, row in zip(EXPERTS, view["confusion"], strict=True):
        yield (kind, *map(str, row))


def figure_rows(view: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every figure with its interval."""
    for key, said in BEAT_FIGURES.items():
        yield said, _with_interval(view["figures"][key])


def view_headings() -> tuple[str, ...]:
    """Return what ``view_rows`` has."""
    return ("from", "e, j as", "without", *(BEAT_FIGURES[key] for key in IN_VIEWS))


def view_rows(measured: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield each view's most telling figures."""
    for view in measured["views"]:
        without = view["without"] or "-"
        if view["holds_most_of"]:
            without += f" (most {', '.join(view['holds_most_of'])})"
        figures = (_cell(view["figures"][key]["value"]) for key in IN_VIEWS)
        yield (f"{view['from_s']:.0f} s", view["escape_beats_as"], without, *figures)


def record_headings() -> tuple[str, ...]:
    """Return what ``record_rows`` has."""
    return ("record", *(BEAT_FIGURES[key] for key in IN_VIEWS))


def record_rows(measured: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield each record's most telling figures, from a cold start and with e and j as N."""
    for row in measured["by_record"]:
        yield (row["record"], *(_cell(row["figures"][key]) for key in IN_VIEWS))


def rhythm_tables(name: str, measured: dict[str, Any]) -> Iterator[Table]:
    """Yield the tables of one data set's episodes, or of the challenge's records."""
    if "fibrillation" in measured:
        rows = challenge_rows(measured["fibrillation"])
        yield filled(f"{name}: one record a person", CHALLENGE_HEADINGS, rows, CAUTION)
        return
    for view in measured["episodes"]["views"]:
        title = f"{name}: episodes from {view['from_s']:.0f} s on, {view['hours']} hours"
        yield filled(title, episode_headings(), episode_rows(view), CAUTION)


def episode_headings() -> tuple[str, ...]:
    """Return what ``episode_rows`` has."""
    return ("", "met of marked", "right of found", *EPISODE_FIGURES.values())


def episode_rows(view: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each rhythm."""
    for name, of in view["episodes"].items():
        figures = (_with_interval(of[key], 1) for key in EPISODE_FIGURES)
        counts = (f"{of['met']} of {of['marked']}", f"{of['right']} of {of['found']}")
        yield (name.replace("_", " "), *counts, *figures)


def challenge_rows(measured: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    """Return a row for each part of the challenge's people."""
    for part, rates in measured.items():
        yield (part.replace("_", " "), *(_rate_cell(rate) for rate in rates.values()))


CHALLENGE_HEADINGS = (
    "people",
    "Se: A called fibrillation %",
    "Sp: N not called so %",
    "O called so %",
)


def _rate_cell(rate: dict[str, Any] | None) -> str:
    if rate is None:
        return "-"
    low, high = rate["interval_95"]
    return f"{rate['percent']:.1f} ({low:.1f} to {high:.1f}) of {rate['records']}"


def _with_interval(figure: dict[str, Any], decimals: int = 2) -> str:
    said = _cell(figure["value"], decimals)
    if figure["value"] is None or figure["interval_95"] is None:
        return said
    low, high = figure["interval_95"]
    return f"{said} ({low:.{decimals}f} to {high:.{decimals}f})"


def _cell(value: float | None, decimals: int = 2) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
