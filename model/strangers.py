"""How alike strangers are on this device, judged by the people who are enrolled on it.

Each of them is a stranger to all the others. Is the score that a tenth of strangers reach another
one than the model's calibration says, all thresholds of searches should move by the difference,
the shift. Two who are alike count twice, once each; so only half as many are taken for independent.

The shift is the end of the 95 % interval that is nearest to 0, and 0 where that is within it: the
thresholds move only as far as is sure. Moved to the score that a tenth do reach, they would miss
half of those recognised on svdb (25 enrolled: 42 % instead of 79 % are left).

Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in
the case of the binomial", Biometrika 26 (1934): the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from model.identifier import Enrolled
from model.passport import Passport
from model.template import GROWN, Template

RATE = 0.1  # of strangers: the score that so many reach is compared with the model's
INDEPENDENT = 0.5  # of the people
SURE = 0.95  # of the intervals


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate that was estimated, 0 to 1, with the ends of its 95 % interval."""

    estimate: float
    low: float
    high: float


class Strangers:
    """Each enrolled person, searched among all the others.

    Args:
        templates: of the enrolled people, made by the passport's model; of two people or more.
        passport: of an embedder with searches.
        fpir: rate of strangers that may be accepted.
    """

    def __init__(self, templates: Sequence[Template], passport: Passport, fpir: float) -> None:
        assert passport.cohort is not None
        self._templates = [each for each in templates if each.source != GROWN]
        self._passport, self._cohort, self._fpir = passport, passport.cohort, fpir
        self.people = sorted({template.person for template in self._templates})
        others = [
            self._above(probe, [each for each in templates if each.person != probe.person])
            for probe in self._templates
        ]
        self._above_tenth = np.array([tenth for tenth, _ in others])
        self._above_threshold = np.array([threshold for _, threshold in others])

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shifts the score that a tenth of strangers reach lies; may be infinite."""
        steps = np.unique(self._above_tenth)
        low = [at for at in steps if self._rate(self._above_tenth >= at).low > RATE]
        beyond = np.nextafter(steps[-1], np.inf)
        high = [at for at in (*steps, beyond) if self._rate(self._above_tenth >= at).high < RATE]
        return max(low, default=-np.inf), min(high, default=np.inf)

    @property
    def shift(self) -> float:
        """By how much the thresholds should be moved, as far as is sure."""
        low, high = self.interval
        return float(max(low, 0.0) + min(high, 0.0))

    def accepted(self, shift: float) -> Rate:
        """Return how many strangers are accepted with a shift.

        Few enrolled people are no measure of a rare event: those who reach the tenth's score are
        counted, and of them as many are taken to reach the thresholds as the calibration says.
        """
        tail = self._rate(self._above_tenth >= shift)
        tail = Rate(*(each * self._fpir / RATE for each in asdict(tail).values()))
        counted = self._rate(self._above_threshold >= shift)
        return max(tail, counted, key=lambda rate: rate.estimate)

    def recognised(self, shift: float) -> Rate | None:
        """Return how many sittings of people with several are known by the others.

        None where nobody has a second one.
        """
        several = [
            name for name in self.people if sum(each.person == name for each in self._templates) > 1
        ]
        if not several:
            return None
        known: dict[str, list[bool]] = {name: [] for name in several}
        for probe in self._templates:
            if probe.person in known:
                others = [each for each in self._templates if each is not probe]
                match = Enrolled(self._cohort, others).best(probe.embedding[None])
                assert match is not None
                threshold = self._threshold(probe, len(others), self._fpir) + shift
                known[probe.person].append(
                    match.person == probe.person and match.score >= threshold
                )
        parts = [float(np.mean(each)) for each in known.values()]
        return _clopper_pearson(sum(parts), len(parts))

    def _above(self, probe: Template, others: Sequence[Template]) -> tuple[float, float]:
        """Return how far the best of the others is above a tenth's score, and the threshold."""
        match = Enrolled(self._cohort, others).best(probe.embedding[None])
        assert match is not None
        tenth, threshold = (
            self._threshold(probe, match.templates, rate) for rate in (RATE, self._fpir)
        )
        return match.score - tenth, match.score - threshold

    def _threshold(self, probe: Template, templates: int, fpir: float) -> float:
        return self._passport.calibration.search_threshold(probe.beats, templates, fpir)

    def _rate(self, reached: NDArray[np.bool_]) -> Rate:
        """Return the part of the people who reach something, each by the part of their sittings."""
        persons = np.array([template.person for template in self._templates])
        part = sum(float(reached[persons == name].mean()) for name in self.people)
        return _clopper_pearson(part * INDEPENDENT, len(self.people) * INDEPENDENT)


def _clopper_pearson(found: float, of: float) -> Rate:
    tail = (1 - SURE) / 2
    low = betaincinv(found, of - found + 1, tail) if found > 0 else 0.0
    high = betaincinv(found + 1, of - found, 1 - tail) if found < of else 1.0
    return Rate(found / of, float(low), float(high))


def fewest_people() -> tuple[int, int]:
    """Return how many people it takes to move the thresholds up, and down, at the very least."""
    up = next(n for n in count(2) if _clopper_pearson(n / 2, n / 2).low > RATE)
    down = next(n for n in count(2) if _clopper_pearson(0, n / 2).high < RATE)
    return up, down
