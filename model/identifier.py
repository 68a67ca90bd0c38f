"""Beats in, decision out: whose heart it is, nobody's that is enrolled, or too early to say.

           lead-off                         restored()
     any ---------------------------> no_contact ------+
     any --- gap of 72 ms or more --> undecided <--------+
                                          |  min_beats good beats
                                          v
                           accepted  <--------->  unknown        decided afresh on each good beat,
                                                                 from the last max_beats of them

Who it is, is the highest cosine; whether it is good enough, the corrected cosine's threshold, which
rises with the number of templates so that strangers are accepted no more often. Beats that are
unlike those of any stranger of the cohort are an unfamiliar signal, of which it is not known how
alike strangers are: the threshold is that for a tenth as many. There is no hysteresis: a decision
depends on the beats it counts and on nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.options import Suspicion
from dsp.signals import BeatQuality
from model.errors import ForeignTemplate
from model.options import IdentifierOptions
from model.passport import Cohort, Passport
from model.scores import common_direction, corrected_cosine, cosine, familiarity, mean_direction
from model.template import Template

Hint: TypeAlias = (
    Suspicion
    | Literal["electrodes_swapped", "lead_off_contradicted", "two_kinds_of_beats"]
    | Literal["no_good_beats", "heart_changed", "unfamiliar_signal"]
)

UNFAMILIAR: Hint = "unfamiliar_signal"
#: By what the rate of strangers that may be accepted is divided while the signal is unfamiliar.
UNFAMILIAR_FPIR = 10
SMALLEST_PROBABILITY = 1e-6  # a float32 softmax may say 0, whose logarithm would end all averaging


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose heart it is."""

    #: what is known; ``suspect`` if the signal seems to be no living heart's
    state: Literal["accepted", "unknown", "undecided", "no_contact", "suspect"]
    person: str | None  # who, if ``accepted``
    #: probability that ``accepted`` or ``unknown`` is right, 0 to 1; None otherwise
    confidence: float | None
    beats: int  # good beats that the decision counts
    #: what may be wrong with the signal; ``model.recogniser`` gives all but one
    hint: Hint | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The person that the beats are likest to, and what the calibration's tables are asked with."""

    person: str  # the name
    score: float  # how alike
    templates: int  # how many the beats were compared with
    familiarity: float = 1.0  # how alike the beats are to the likest strangers of the cohort


class Matcher(Protocol):
    """Finds whom the network's outputs for some beats, shape (n, outputs), are likest to."""

    def best(self, outputs: NDArray[np.float32]) -> Match | None:
        """Return the best match, or None where there is nobody to match."""


class Identifier:
    """Gathers evidence over beats and decides whom it speaks for.

    Args:
        passport: of the network whose outputs come.
        matcher: finds whom they are likest to.
        options: how many beats a decision counts.
    """

    def __init__(
        self, passport: Passport, matcher: Matcher, options: IdentifierOptions | None = None
    ) -> None:
        self._passport = passport
        self._options = options or IdentifierOptions()
        self._evidence: deque[NDArray[np.float32]] = deque(maxlen=self._options.max_beats)
        self._matcher = matcher
        self.decision = Decision("undecided", None, None, 0)

    def push(self, output: NDArray[np.float32], quality: BeatQuality) -> Decision:
        """Take the output for one beat, shape (outputs,); a beat with flaws does not count."""
        if quality.good:
            self._evidence.append(output)
            self.decision = self._decide()
        return self.decision

    def interrupted(self, reason: Literal["gap", "lead_off"]) -> Decision:
        """Drop the evidence: someone else may wear the electrodes by now."""
        self._evidence.clear()
        state: Literal["no_contact", "undecided"]
        state = "no_contact" if reason == "lead_off" else "undecided"
        self.decision = Decision(state, None, None, 0)
        return self.decision

    def restored(self) -> Decision:
        """Take note that the electrodes touch the skin again."""
        if self.decision.state == "no_contact":
            self.decision = Decision("undecided", None, None, 0)
        return self.decision

    def update(self, matcher: Matcher) -> Decision:
        """Match otherwise, since someone was enrolled or forgotten, and decide anew."""
        self._matcher = matcher
        if self._evidence:
            self.decision = self._decide()
        return self.decision

    def _decide(self) -> Decision:
        beats = len(self._evidence)
        if beats < self._options.min_beats:
            return Decision("undecided", None, None, beats)
        match = self._matcher.best(np.stack(self._evidence))
        if match is None:
            return Decision("unknown", None, 1.0, beats)  # nobody is enrolled
        calibration = self._passport.calibration
        same = calibration.search_probability(match.score, beats, match.templates)
        fpir, hint = self._options.fpir, None
        if match.familiarity < calibration.familiar:
            fpir, hint = fpir / UNFAMILIAR_FPIR, UNFAMILIAR
        if match.score >= calibration.search_threshold(beats, match.templates, fpir):
            return Decision("accepted", match.person, same, beats, hint)
        return Decision("unknown", None, 1 - same, beats, hint)


class Enrolled:
    """Matches embeddings with the templates of the enrolled people."""

    def __init__(self, cohort: Cohort, templates: Sequence[Template]) -> None:
        self._cohort = cohort.embeddings
        self._persons = [template.person for template in templates]
        size = self._cohort.shape[1]
        self._templates = np.array([t.embedding for t in templates]).reshape(-1, size)
        persons, person_at = np.unique(self._persons, return_inverse=True)
        sums = np.zeros((len(persons), size), dtype=np.float32)
        np.add.at(sums, person_at, self._templates)
        means = sums / np.bincount(person_at)[:, None] if len(persons) else sums
        self._common = common_direction(means, self._cohort)

    def best(self, outputs: NDArray[np.float32]) -> Match | None:
        """Return whose template is nearest to the beats' mean direction."""
        if not self._persons:
            return None
        probe = mean_direction(outputs)[None]
        nearest = int(cosine(self._templates, probe).argmax())
        template = self._templates[nearest : nearest + 1]
        score = corrected_cosine(template, probe, self._cohort, self._common)[0, 0]
        familiar = float(familiarity(probe, self._cohort)[0])
        return Match(self._persons[nearest], float(score), len(self._persons), familiar)


class Labels:
    """Matches a classifier's probabilities with its labels."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels

    def best(self, outputs: NDArray[np.float32]) -> Match:
        """Return the label with the highest mean log-probability, which is its score."""
        members = outputs[:, : len(self._labels)]  # the last may be for anybody else
        evidence = np.log(np.maximum(members, SMALLEST_PROBABILITY)).mean(axis=0)
        highest = int(evidence.argmax())
        return Match(self._labels[highest], float(evidence[highest]), len(self._labels))


def matching(passport: Passport, templates: Sequence[Template] = ()) -> Matcher:
    """Return what matches the outputs of a passport's network.

    Args:
        passport: of that network.
        templates: of the enrolled people, made by it; a classifier needs none.

    Raises:
        ForeignTemplate: a template was made by another model.
    """
    if passport.cohort is None:
        return Labels(passport.tensors.labels)
    for template in templates:
        if template.model_sha256 != passport.sha256:
            raise ForeignTemplate(
                f"a template of {template.person!r} was made by another model than "
                f"{passport.name!r}: enrol this person again"
            )
    return Enrolled(passport.cohort, templates)
