"""The calibration of a model: from scores to decisions, as its passport has it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from model.fields import Fields

#: Trials of some sixty persons cannot support stronger words than "a thousand times as likely".
LARGEST_LN_RATIO = math.log(1000)

#: Between the rates of strangers that a search's threshold and scale were measured at, as ln.
TENFOLD = math.log(10)


@dataclass(frozen=True, slots=True)
class Search:
    """How the best score among several enrolled people becomes a decision.

    The tables have an entry for each number of beats, as those of ``Calibration``.
    """

    enrolled: int  # how many templates a probe was compared with
    #: the best score that a stranger reaches with the calibration's ``fpir``
    thresholds: tuple[float, ...]
    #: by how much the threshold falls where e times more strangers may pass, up to ten times
    scales: tuple[float, ...]
    slopes: tuple[float, ...]  # of the line from the best score to its log-likelihood ratio
    intercepts: tuple[float, ...]  # of the same line

    @classmethod
    def from_json(cls, fields: Fields) -> Self:
        """Build it from the JSON object of a passport."""
        return cls(
            enrolled=fields.integer("enrolled"),
            thresholds=fields.numbers("thresholds"),
            scales=fields.numbers("scales"),
            slopes=fields.numbers("slopes"),
            intercepts=fields.numbers("intercepts"),
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """How scores become decisions, measured on persons that the network was not trained on.

    Entry ``k`` of each table is for a decision on ``k + 1`` beats, the last one for that many or
    more. The score is the corrected cosine of ``model.scores`` for an embedder, and for a
    classifier the mean log-probability of its best label.
    """

    fmr: float  # false match rate that the thresholds were set for, 0 to 1
    thresholds: tuple[float, ...]  # the lowest score that is accepted
    #: of the line from score to log-likelihood ratio, see ``ln_likelihood_ratio``
    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]  # of the same line
    #: false-positive identification rate that the searches' thresholds were set for
    fpir: float = 0.01
    #: by rising number of templates; none where only pairs were measured
    searches: tuple[Search, ...] = ()
    #: the lowest familiarity (``model.scores``) of anybody that it was measured on
    familiar: float = -1.0

    @classmethod
    def from_json(cls, fields: Fields) -> Self:
        """Build it from the JSON object of a passport.

        Raises:
            PassportFieldInvalid: a field is missing or wrong, or tables differ in length.
        """
        calibration = cls(
            fmr=fields.number("fmr"),
            thresholds=fields.numbers("thresholds"),
            slopes=fields.numbers("slopes"),
            intercepts=fields.numbers("intercepts"),
            fpir=fields.number("fpir"),
            searches=tuple(map(Search.from_json, fields.objects("searches"))),
            familiar=fields.number("familiar"),
        )
        calibration._check(fields)
        return calibration

    def _check(self, fields: Fields) -> None:
        if not 0 < self.fpir < 1:
            raise fields.invalid("fpir", f"{self.fpir} is not between 0 and 1")
        sizes = [search.enrolled for search in self.searches]
        if sizes != sorted(set(sizes)):
            raise fields.invalid("searches", f"enrolled is not rising: {sizes}")
        rows = len(self.thresholds)
        for name, table in (("slopes", self.slopes), ("intercepts", self.intercepts)):
            if len(table) != rows:
                raise fields.invalid(name, f"not as long as thresholds, which has {rows} entries")
        for search in self.searches:
            tables = (search.thresholds, search.scales, search.slopes, search.intercepts)
            if any(len(table) != rows for table in tables):
                raise fields.invalid(
                    "searches", f"a table of one has not the {rows} entries it should"
                )

    @property
    def highest(self) -> float:
        """The highest score that anybody reaches: a cosine of 1, less half of the least chance."""
        return 1 - self.familiar / 2

    def threshold(self, beats: int) -> float:
        """Return the lowest score of a pair that is accepted on so many beats."""
        return self.thresholds[self._row(beats)]

    def search_threshold(self, beats: int, enrolled: int, fpir: float) -> float:
        """Return the lowest best score of so many templates that is accepted.

        Strangers' scores come ever more rarely the nearer they are to the highest score there is:
        their distance to it is taken as a power of their rate, in the rate that may pass as in the
        number of templates beyond the largest that was measured (a generalised Pareto tail whose
        end is known).

        Source: J. Pickands, "Statistical Inference Using Extreme Order Statistics", Annals of
        Statistics 3 (1975).
        """
        if not self.searches:
            return self.threshold(beats)
        level = self._at(enrolled, [s.thresholds[self._row(beats)] for s in self.searches])
        scale = self._at(enrolled, [s.scales[self._row(beats)] for s in self.searches])
        times = math.log(self.fpir / fpir) + self._beyond(enrolled)
        left = self.highest - level
        if left <= 0:  # nobody reaches it anyway
            return level + scale * times
        power = math.log1p(scale * TENFOLD / left) / TENFOLD
        return self.highest - left * math.exp(-power * times)

    def search_probability(self, score: float, beats: int, enrolled: int) -> float:
        """Return the probability that the best of so many scores is its person's, 0 to 1.

        Whoever comes is as likely enrolled as a stranger.
        """
        if not self.searches:
            return self.probability(score, beats)
        slope = self._at(enrolled, [s.slopes[self._row(beats)] for s in self.searches])
        intercept = self._at(enrolled, [s.intercepts[self._row(beats)] for s in self.searches])
        return _logistic(_bounded(slope * score + intercept - self._beyond(enrolled)))

    def _at(self, enrolled: int, values: list[float]) -> float:
        measured = np.log([search.enrolled for search in self.searches])
        return float(np.interp(math.log(enrolled), measured, values))

    def _beyond(self, enrolled: int) -> float:
        """Return the logarithm of how many times the largest measured gallery this one is."""
        return max(0.0, math.log(enrolled / self.searches[-1].enrolled))

    def ln_likelihood_ratio(self, score: float, beats: int) -> float:
        """Return how much likelier a score is of one person than of two, as a natural logarithm.

        The line was fitted as a logistic regression in which mated and non-mated trials weighed
        the same. Its log-odds are those at even prior odds, which is the likelihood ratio itself.
        It is bounded by the ln of 1/1000 and 1000: the trials of some sixty persons have too few
        independent extremes to support more.

        Source: N. Brummer and J. du Preez, "Application-independent evaluation of speaker
        detection", Computer Speech & Language 20 (2006).
        """
        row = self._row(beats)
        return _bounded(self.slopes[row] * score + self.intercepts[row])

    def probability(self, score: float, beats: int) -> float:
        """Return the probability that a score is the same person's, at even prior odds, 0 to 1."""
        return _logistic(self.ln_likelihood_ratio(score, beats))

    def _row(self, beats: int) -> int:
        return min(beats, len(self.thresholds)) - 1


def _bounded(ln_ratio: float) -> float:
    return min(max(-LARGEST_LN_RATIO, ln_ratio), LARGEST_LN_RATIO)  # of NaN: the least


def _logistic(ln_odds: float) -> float:
    return 1 / (1 + math.exp(-ln_odds))
