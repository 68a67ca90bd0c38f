"""The work in its order, in processes of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from benchmarks.identity.chain import Embedded, Judged, embed_fold, judge_fold
from benchmarks.identity.plan import FoldJob
from model.calibration import Calibration
from model.error_rates import pool_trials
from model.training.calibrate import fit_logistic
from model.training.searches import calibrate_for_galleries, halve

POLL_S = 0.3
_steps: Any = None  # the counter that all training processes add to


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """All that is known of one fold."""

    embedded: Embedded  # before calibration
    calibration: Calibration  # from the other folds of the same seed
    #: slope and intercept from the score of two beats to a log-likelihood ratio, from the other
    #: folds as well
    pair_line: tuple[float, float]
    judged: Judged  # enrolled and probed


#: Told of a stage and its number of steps; returns what to call with the steps done so far.
Stage = Callable[[str, int], Callable[[int], None]]


def evaluate(jobs: Sequence[FoldJob], processes: int, stage: Stage) -> list[Fold]:
    """Train, run and judge every fold's network."""
    counter = get_context("forkserver").Value("q", 0)
    steps = sum(job.steps for job in jobs)
    with _pool(processes, counter) as pool:
        futures = [pool.submit(_train, job) for job in jobs]
        _watch(futures, stage("Training", steps), lambda: counter.value)
        trained = [future.result() for future in futures]
    with _pool(processes, counter) as pool:  # new ones, without TensorFlow
        futures = [
            pool.submit(embed_fold, job, each.model_path)
            for job, each in zip(jobs, trained, strict=True)
        ]
        _watch(futures, stage("Running the models", len(jobs)))
        embedded: list[Embedded] = [future.result() for future in futures]
        others = [_others(embedded, each) for each in embedded]
        calibrations = [_calibration(*of_one) for of_one in zip(embedded, others, strict=True)]
        futures = [
            pool.submit(judge_fold, one, calibration, each.embeddings, each.cohort)
            for one, calibration, each in zip(embedded, calibrations, trained, strict=True)
        ]
        _watch(futures, stage("Enrolling and probing", len(jobs)))
        judged: list[Judged] = [future.result() for future in futures]
    lines = [_pair_line(each) for each in others]
    return [Fold(*of_one) for of_one in zip(embedded, calibrations, lines, judged, strict=True)]


def _pool(processes: int, counter: Any) -> ProcessPoolExecutor:
    # fork alone is not safe beside the progress bar's thread
    context = get_context("forkserver")
    return ProcessPoolExecutor(processes, context, _begin, (counter,))


def _begin(counter: Any) -> None:
    global _steps  # noqa: PLW0603
    _steps = counter


def _train(job: FoldJob) -> Any:
    from benchmarks.identity.fold import train_fold

    def on_step() -> None:
        with _steps.get_lock():
            _steps.value += 1

    return train_fold(job, on_step)


def _watch(
    futures: Sequence[Future[Any]],
    show: Callable[[int], None],
    done: Callable[[], int] | None = None,
) -> None:
    """Show how far the work is until all is done, or one has failed."""
    waiting = set(futures)
    while waiting:
        finished, waiting = wait(waiting, POLL_S, FIRST_COMPLETED)
        for future in finished:
            future.result()
        show(done() if done else len(futures) - len(waiting))


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
