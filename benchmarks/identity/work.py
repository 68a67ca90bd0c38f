"""The work in its order: in processes of its own, or in those of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

from benchmarks.identity.chain import Embedded, Judged, embed_fold, judge_fold
from benchmarks.identity.plan import FoldJob
from daemon.offline.analysis import Workers
from daemon.offline.pieces import worker_processes
from model.calibration import Calibration
from model.error_rates import pool_trials
from model.training.calibrate import fit_logistic
from model.training.searches import calibrate_for_galleries, halve

Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """All that is known of one fold."""

    embedded: Embedded  # before calibration
    calibration: Calibration  # from the other folds of the same seed
    #: slope and intercept from the score of two beats to a log-likelihood ratio, from the other
    #: folds as well
    pair_line: tuple[float, float]
    judged: Judged  # enrolled and probed


#: Told of a stage and its number of steps; returns what to call after each step.
Stage = Callable[[str, int], Callable[[], None]]


def evaluate(jobs: Sequence[FoldJob], workers: Workers, stage: Stage) -> list[Fold]:
    """Train, run and judge every fold's network.

    Args:
        jobs: the folds.
        workers: who does it.
        stage: told of each stage.
    """
    embedded = embed_folds(jobs, workers, stage)
    others = [_others(embedded, each) for each in embedded]
    calibrations = [_calibration(*of_one) for of_one in zip(embedded, others, strict=True)]
    with _executor(workers) as executor:
        judging = executor.map(judge_fold, embedded, calibrations)
        judged = _told(judging, stage("Enrolling and probing", len(jobs)))
    lines = [_pair_line(each) for each in others]
    return [Fold(*of_one) for of_one in zip(embedded, calibrations, lines, judged, strict=True)]


def embed_folds(jobs: Sequence[FoldJob], workers: Workers, stage: Stage) -> list[Embedded]:
    """Train and run every fold's network, and judge nobody yet."""
    with _executor(workers) as executor:
        return _told(executor.map(embed_fold, jobs), stage("Training", len(jobs)))


@contextmanager
def _executor(workers: Workers) -> Iterator[Executor]:
    if isinstance(workers, Executor):
        yield workers
        return
    # fork alone is not safe beside the progress bar's thread
    with worker_processes(workers, get_context("forkserver")) as pool:
        yield pool


def _told(outcomes: Iterable[Outcome], step: Callable[[], None]) -> list[Outcome]:
    """Wait for all outcomes, and tell of each."""
    told = []
    for outcome in outcomes:
        told.append(outcome)
        step()
    return told


def _others(embedded: Sequence[Embedded], own: Embedded) -> list[Embedded]:
    return [each for each in embedded if each.job.seed == own.job.seed and each is not own]


def _calibration(own: Embedded, others: Sequence[Embedded]) -> Calibration:
    """Calibrate as the shipped model is, on people whom no network of theirs knows."""
    device = []
    for each in others:
        device.append((halve(each.job.unseen, each.embeddings), each.cohort))
    trials = [pool_trials(of_one) for of_one in zip(*(each.trials for each in others), strict=True)]
    others_devices = [[setting] for setting in own.setters]
    return calibrate_for_galleries(trials, [device, *others_devices], own.job.seed)


def _pair_line(others: Sequence[Embedded]) -> tuple[float, float]:
    pairs = pool_trials([each.pairs for each in others])
    return fit_logistic(pairs.scores, pairs.mated)
