"""Everybody attacked, side by side on every core."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.attacks.figures import figures
from benchmarks.attacks.trial import attack, thresholds_were_set_on
from benchmarks.report import stage_bars
from daemon.offline.analysis import side_by_side
from daemon.recordings.errors import RecordingNotFound
from daemon.recordings.person_folders import find_records
from model.options import IdentifierOptions


def attack_all(
    data: Sequence[Path], options: IdentifierOptions, mains_hz: int, jobs: int
) -> dict[str, Any]:
    """Attack each person of the data and return the figures."""
    paths: dict[str, list[str]] = {}
    for record in find_records(data):
        if not thresholds_were_set_on(record.person):
            paths.setdefault(record.person, []).append(record.path)
    if not paths:
        raise RecordingNotFound(
            "all of these people are left out, since the check's thresholds were set on them: "
            "give others"
        )
    work = partial(attack, paths=paths, mains_hz=mains_hz, options=options)
    with stage_bars() as bars:
        outcomes = side_by_side(work, list(paths), jobs)
        tracked = bars.track(outcomes, total=len(paths), description="Attacking")
        measured = figures(dict(zip(paths, tracked, strict=True)))
    return {**measured, "min_beats": options.min_beats, "data": [place.name for place in data]}
