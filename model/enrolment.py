"""Enrolment: makes a person's template from good beats, or says why they make none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsp.options import IN_WORDS, Suspicion
from dsp.signals import BeatQuality
from model.errors import EnrolmentFailed, EnrolmentSuspect
from model.names import check_name
from model.passport import Passport
from model.scores import corrected_cosine, cosine, mean_direction
from model.template import GROWN, MOST_BEATS, Template

FEWEST_BEATS = 5
DROPPED = 0.2  # the part of the beats, those farthest from the mean, that the template leaves out


class Enrolment:
    """Gathers one person's good beats until there are enough, in one stretch.

    Args:
        person: the name they will have in the gallery.
        passport: of the network whose embeddings come.
        needed: good beats to gather.
        most: good beats to go on to while nothing interrupts; None for no more than needed.

    Attributes:
        suspicion: why the beats seem to be no living heart's; None if they do not.
        waits: whether it is too soon to tell that.

    Raises:
        NameInvalid: nobody can be called that.
        EnrolmentFailed: the model is a classifier, or the beats asked for are too few.
    """

    def __init__(
        self, person: str, passport: Passport, needed: int, most: int | None = None
    ) -> None:
        self.person = check_name(person)
        if passport.cohort is None:
            raise EnrolmentFailed(
                f"model {passport.name!r} knows only the group it was trained on; "
                "enrolment takes an embedder, such as the model that comes with qrsd"
            )
        if not FEWEST_BEATS <= needed <= MOST_BEATS:
            raise EnrolmentFailed(f"{needed} beats is not between {FEWEST_BEATS} and {MOST_BEATS}")
        self.needed = needed
        self.suspicion: Suspicion | None = None
        self.waits = False
        self._room = most or needed
        self._passport = passport
        self._cohort = passport.cohort.embeddings
        self._embeddings: list[NDArray[np.float32]] = []

    @property
    def beats(self) -> int:
        """Good beats so far."""
        return len(self._embeddings)

    @property
    def complete(self) -> bool:
        """Tell whether there are enough."""
        return self.beats >= self.needed

    @property
    def ended(self) -> bool:
        """Tell whether there are enough beats, or reason enough to take no more."""
        return (self.complete and not self.waits) or self.suspicion is not None

    def push(self, embedding: NDArray[np.float32], quality: BeatQuality) -> int:
        """Take one beat, shape (d,), and return how many count; one with flaws does not."""
        if quality.good and self.beats < self._room:
            self._embeddings.append(embedding)
        return self.beats

    def restart(self) -> None:
        """Begin again after an interruption, since someone else may wear the electrodes.

        If there were enough beats before it, they stand, and none is added.
        """
        if self.complete and not self.waits:
            self._room = self.beats
        else:
            self._embeddings.clear()

    def suspect(self, suspicion: Suspicion | None, *, too_soon: bool = False) -> None:
        """Take note whether the beats seem to be no living heart's, or it is too soon to tell."""
        self.suspicion = self.suspicion or suspicion
        self.waits = too_soon

    def template(self, created_utc: str, source: str) -> Template:
        """Return the mean direction of the beats, without the 20 % that are farthest from it.

        Raises:
            EnrolmentSuspect: they are suspected to be no living heart's.
            EnrolmentFailed: the beats are too few, or fall into two groups that the model would
                take for two people.
        """
        self._check_alive()
        if self.waits:
            raise EnrolmentFailed(
                f"{self.person!r} was not enrolled: the beats come as evenly as a clock's, and too "
                "few to tell that from a fast heart; go on for fifteen seconds"
            )
        if not self.complete:
            raise EnrolmentFailed(
                f"{self.person!r} was not enrolled: {self.beats} good beats, {self.needed} are "
                "needed; keep still and check that the electrodes sit well"
            )
        beats = keep_nearest(np.stack(self._embeddings))
        self._check_agreement(beats)
        return Template(
            person=self.person,
            embedding=mean_direction(beats),
            beats=len(beats),
            created_utc=created_utc,
            model_sha256=self._passport.sha256,
            source=source,
        )

    def _check_alive(self) -> None:
        if self.suspicion is not None:
            remedy = (
                "for one with a pacemaker, set liveness.on_suspicion: warn"
                if self.suspicion == "too_regular"
                else "enrol from electrodes that are put on anew"
            )
            raise EnrolmentSuspect(
                f"{self.person!r} was not enrolled: the signal seems to be played, and no living "
                f"heart's ({IN_WORDS[self.suspicion]}); {remedy}"
            )

    def _check_agreement(self, beats: NDArray[np.float32]) -> None:
        one, other, smaller_half = mean_halves(beats)
        score = corrected_cosine(one[None], other[None], self._cohort)[0, 0]
        if score < self._passport.calibration.threshold(smaller_half):
            raise EnrolmentFailed(
                f"{self.person!r} was not enrolled: the beats disagree as if two people had worn "
                "the electrodes, or one had moved; keep still and try again"
            )


def check_same_person(
    template: Template, templates: Sequence[Template], passport: Passport
) -> None:
    """Refuse a template under the name of somebody else, who would then pass for the first.

    Raises:
        EnrolmentFailed: it is likelier a stranger's than theirs who have that name.
    """
    known = [
        each.embedding
        for each in templates
        if each.person == template.person and each.source != GROWN
    ]
    if passport.cohort is None or not known:
        return
    scores = corrected_cosine(np.stack(known), template.embedding[None], passport.cohort.embeddings)
    if passport.calibration.ln_likelihood_ratio(float(scores.max()), template.beats) <= 0:
        raise EnrolmentFailed(
            f"{template.person!r} was not enrolled again: the beats are likelier somebody else's; "
            "take another name or, if it is the same person, forget the old enrolment first"
        )


def keep_nearest(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the beats (n, d) without the 20 % that are farthest from their mean direction."""
    nearness = cosine(embeddings, mean_direction(embeddings)[None])[:, 0]
    kept = len(embeddings) - int(DROPPED * len(embeddings))
    return embeddings[np.sort(np.argsort(-nearness, kind="stable")[:kept])]


def mean_halves(
    embeddings: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    """Split beats (n, d) where they differ most.

    Returns:
        The mean direction of each half, shape (d,), and how many beats the smaller one has.
    """
    one, other = split(embeddings)
    return mean_direction(one), mean_direction(other), min(len(one), len(other))


def split(embeddings: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Part beats (n, d) in two along the direction in which they vary most.

    A group of identical beats is parted into its first half and its second.
    """
    centred = embeddings - embeddings.mean(axis=0)
    along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
    first = along < 0
    if first.all() or not first.any():
        first = np.arange(len(embeddings)) < len(embeddings) // 2
    return embeddings[first], embeddings[~first]
