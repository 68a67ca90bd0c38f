"""How much a network gains from more people, and from another device: the learning curve."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.identity.chain import Embedded
from benchmarks.identity.devices import BEATS, trials_on_device
from benchmarks.identity.plan import FoldJob
from benchmarks.identity.work import Stage, embed_folds
from daemon.offline.analysis import Workers
from model.error_rates import Trials, equal_error_rate, join_trials, pool_trials, rate
from model.training.datasets import Beats

#: Of the first device's people, and of other devices'; everybody is the last point.
SHARES = ((1 / 4, 1.0), (1 / 2, 1.0), (1.0, 0.0), (1.0, 1 / 16), (1.0, 1 / 4), (1.0, 1 / 2))

FEWEST = 2  # whom a network can learn to tell apart


@dataclass(frozen=True, slots=True)
class Point:
    """A network for each fold that has learned from a part of the people only."""

    persons: int  # of the first device, on average over the folds
    others: int  # people of other devices
    eer: dict[str, dict[str, Any]]  # by device, ten beats


def learning_curve(
    whole: Sequence[Embedded], devices: Collection[str], workers: Workers, stage: Stage
) -> list[Point]:
    """Train each fold of one seed again with fewer people, and measure on the same unseen ones.

    Args:
        whole: these folds with everybody, which is the last point.
        devices: names of the other devices whose people are judged.
        workers: who does it.
        stage: is told of the progress.
    """
    others = whole[0].job.others.devices
    tried = [shares for shares in SHARES if others or shares[1] == 1.0]
    jobs = [reduced(each.job, *shares) for shares in tried for each in whole]
    embedded, folds = embed_folds(jobs, workers, stage), len(whole)
    parts = [embedded[at : at + folds] for at in range(0, len(embedded), folds)]
    points = [_point(part, devices) for part in [*parts, list(whole)]]
    return sorted(points, key=lambda point: (point.persons, point.others))


def reduced(job: FoldJob, persons: float, others: float) -> FoldJob:
    """Leave only these shares of the first device's people and of the other devices' in a job.

    Who is left follows from the seed. Of whom there is a smaller share, all are in a larger one.
    """
    fewer = (_share(device, others, job.seed) for device in job.others.devices)
    return replace(
        job,
        known=_share(job.known, persons, job.seed),
        others=replace(job.others, devices=tuple(device for device in fewer if device.names)),
    )


def _share(beats: Beats, share: float, seed: int) -> Beats:
    shuffled = np.random.default_rng(seed).permutation(np.array(beats.names))
    kept = max(round(share * len(shuffled)), FEWEST) if share else 0
    return beats.of(shuffled[:kept].tolist())


def _point(folds: Sequence[Embedded], devices: Collection[str]) -> Point:
    own = pool_trials([fold.trials[BEATS - 1] for fold in folds])
    eer = {"own": _rate(own)}
    for name in devices:
        eer[name] = _rate(join_trials([trials_on_device(fold, name) for fold in folds]))
    others = folds[0].job.others.devices
    return Point(
        round(sum(len(fold.job.known.names) for fold in folds) / len(folds)),
        sum(len(device.names) for device in others),
        eer,
    )


def _rate(trials: Trials) -> dict[str, Any]:
    return rate(trials, equal_error_rate)
