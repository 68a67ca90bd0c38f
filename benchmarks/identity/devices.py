"""People whom other devices recorded: how a fold's network and thresholds do there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from benchmarks.identity.chain import GROUP, Embedded
from benchmarks.identity.work import Fold
from benchmarks.training.half_hours import parts
from benchmarks.training.one_each import analyse_all, gather_one_each
from daemon.offline.analysis import Workers
from daemon.recordings.recording import Recording
from dsp.front_end import RATE_HZ
from model.error_rates import Trials, equal_error_rate, join_trials, mean_rate, rate
from model.scores import corrected_cosine
from model.training.datasets import Beats
from model.training.searches import accepted, search

BEATS = 10
MINUTE = int(60 * RATE_HZ)
LATER = 15 * MINUTE


def gather_tested(folder: Path, bars: Progress, mains_hz: int, jobs: Workers = None) -> Beats:
    """Return the beats of people of a device who are there to be tested.

    Of a folder as of ``benchmarks.training.one_each`` these are the ones who neither train nor set
    thresholds. Of WFDB records of half an hour it is everybody, by a minute at the start and
    another a quarter of an hour later.

    Raises:
        RecordingError: there are none, or one cannot be read.
    """
    if minutes := two_minutes(folder):
        return analyse_all(minutes, mains_hz, bars, jobs)
    return gather_one_each(folder, bars, mains_hz, "test", jobs)


def two_minutes(folder: Path) -> list[Recording]:
    """Return two minutes, a quarter of an hour apart, of each WFDB record."""
    return parts(folder, (0, LATER), MINUTE)


def figures_by_device(folds: Sequence[Fold], names: Sequence[str]) -> dict[str, Any]:
    """Return EER and what six enrolled and the strangers meet, for each device's people."""
    return {name: _on_device(folds, name) for name in names}


def _on_device(folds: Sequence[Fold], name: str) -> dict[str, Any]:
    pairs, strangers, known = [], [], []
    for fold in folds:
        people, cohort = fold.embedded.tested[name], fold.embedded.cohort
        pairs.append(trials_on_device(fold.embedded, name))
        found = search(people, cohort, GROUP, BEATS, fold.embedded.job.seed)
        passed = accepted(fold.calibration, found, GROUP, BEATS)
        strangers.append((passed[~found.is_enrolled], found.probe_of[~found.is_enrolled]))
        right = passed & found.is_right
        known.append((right[found.is_enrolled], found.probe_of[found.is_enrolled]))
    return {
        "persons": len(folds[0].embedded.tested[name].names),
        "eer": rate(join_trials(pairs), equal_error_rate),
        "strangers_accepted": _mean(strangers),
        "enrolled_recognised": _mean(known),
    }


def trials_on_device(embedded: Embedded, name: str) -> Trials:
    """Return every template of a device's people with every probe of theirs, of BEATS beats."""
    people = embedded.tested[name]
    scores = corrected_cosine(people.templates, people.probe(BEATS), embedded.cohort)
    return Trials.of_all(scores, *map(np.arange, scores.shape))


def _mean(folds: Sequence[tuple[NDArray[np.bool_], NDArray[np.int64]]]) -> dict[str, Any]:
    values, persons = (np.concatenate(column).tolist() for column in zip(*folds, strict=True))
    return mean_rate(values, persons)
