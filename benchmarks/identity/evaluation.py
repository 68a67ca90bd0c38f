"""The whole evaluation: recordings analysed, networks trained for each fold, everybody probed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from benchmarks.identity.angles import Side, cut_sides
from benchmarks.identity.chain import Embedded
from benchmarks.identity.devices import figures_by_device, gather_tested
from benchmarks.identity.figures import figures
from benchmarks.identity.learning_curve import learning_curve
from benchmarks.identity.plan import People, plan_folds
from benchmarks.identity.random_split import random_split
from benchmarks.identity.work import evaluate
from benchmarks.report import stage
from benchmarks.training.leads import find_twelve_leads
from benchmarks.training.records import analyse_people
from daemon.offline.analysis import Workers, side_by_side
from model.training.datasets import Beats, Others
from model.training.evaluate import REPORTED
from model.training.train import Recipe


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is evaluated, and how often."""

    data: Sequence[Path]  # recordings of people
    leads: Path | None  # recordings of 12 leads, for other electrodes; None to leave them out
    mains_hz: int  # frequency of the grid, 50 or 60
    folds: int  # groups of persons
    seeds: int  # repetitions
    steps: int | None  # batches of each training
    jobs: Workers  # who does the work
    tested: Sequence[Path]  # recordings of people of other devices
    tested_mains_hz: int  # their grid
    curve: bool  # train with fewer people too: the learning curve

    def measure(self, bars: Progress, others: Others) -> dict[str, Any]:
        """Hear, train with others as well, enrol and probe; return all figures."""
        steps = self.steps or Recipe().steps
        people = People.of(
            *analyse_people(self.data, bars, mains_hz=self.mains_hz, jobs=self.jobs),
        )
        sides = self._sides(self.leads, bars) if self.leads else []
        tested = {
            place.name: gather_tested(place, bars, self.tested_mains_hz, self.jobs)
            for place in self.tested
        }
        jobs = plan_folds(
            people,
            folds=self.folds,
            seeds=self.seeds,
            steps=steps,
            others=others,
            tested=tested,
            sides=sides,
        )
        folds = evaluate(list(jobs), self.jobs, partial(stage, bars))
        first = [fold.embedded for fold in folds if fold.embedded.job.seed == 1]
        on_figure = stage(bars, "Drawing persons for the intervals", len(REPORTED) + 2)
        measured = figures(folds, on_figure)
        measured["by_device"] = figures_by_device(folds, list(tested))
        measured["learning_curve"] = self._curve(first, bars) if self.curve else []
        measured["steps"] = steps
        measured["random_split"] = self._split_at_random(people.beats, bars)
        return measured

    def _curve(self, whole: Sequence[Embedded], bars: Progress) -> list[dict[str, Any]]:
        devices = [place.name for place in self.tested]
        points = learning_curve(whole, devices, self.jobs, partial(stage, bars))
        return [asdict(point) for point in points]

    def _sides(self, leads: Path, bars: Progress) -> list[Side]:
        """Return the beats of every heart of 12 leads from known angles."""
        paths = find_twelve_leads(leads)
        by_heart = side_by_side(partial(cut_sides, mains_hz=self.mains_hz), paths, self.jobs)
        hearts = bars.track(by_heart, len(paths), description="Looking from known angles")
        return [side for heart in hearts for side in heart]

    def _split_at_random(self, beats: Beats, bars: Progress) -> dict[str, float]:
        """Return the mean over the seeds."""
        seeds = range(1, self.seeds + 1)
        tracked = bars.track(seeds, description="Splitting beats at random")
        splits = [random_split(beats, seed) for seed in tracked]
        return {name: float(np.mean([split[name] for split in splits])) for name in splits[0]}
