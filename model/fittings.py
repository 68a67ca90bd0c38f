"""Grown templates: a sure session with the electrodes placed otherwise becomes one more template.

The same heart looks different with the electrodes elsewhere. A session that is surely an enrolled
person's, and not quite what is known of them, may become a template of theirs besides the enrolled
ones. It is a trade: whoever passes for somebody once can make that last, and each template gives
strangers another chance. Hence the conditions of ``grow``, and that none of it happens unasked.

Measured with the first model that came with qrsd and 122 people of LUDB, each enrolled alone by
lead I, with sessions 15 and 30 degrees away: at 30 degrees 16 % were missed instead of 32, at 60
degrees 52 instead of 75. But 7 of 488 sessions of strangers became templates, and 10.0 % of
strangers were accepted instead of 7.3 %. Enrolling the person again at 30 degrees costs as much,
and misses none there and 16 % at 60.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsp.signals import BeatQuality
from model.enrolment import keep_nearest, mean_halves
from model.passport import Passport
from model.scores import corrected_cosine, cosine, mean_direction
from model.template import GROWN, Template

SITTING_BEATS = 20
SURE_LN_RATIO = math.log(100)  # the beats are 100 times as likely to be theirs as a stranger's


class Session:
    """Gathers the first good beats since the electrodes were fitted."""

    def __init__(self) -> None:
        self._outputs: list[NDArray[np.float32]] = []
        self._taken = False

    def push(self, output: NDArray[np.float32], quality: BeatQuality) -> None:
        """Take what the network made of one beat; one with flaws does not count."""
        if quality.good and len(self._outputs) < SITTING_BEATS:
            self._outputs.append(output)

    def restart(self) -> None:
        """Begin anew: the electrodes may sit elsewhere by now, or on somebody else."""
        self._outputs.clear()
        self._taken = False

    def take(self) -> NDArray[np.float32] | None:
        """Return the beats, shape (20, outputs), once per session as soon as they are complete."""
        if self._taken or len(self._outputs) < SITTING_BEATS:
            return None
        self._taken = True
        return np.stack(self._outputs)


def grow(
    beats: NDArray[np.float32], templates: Sequence[Template], passport: Passport, created_utc: str
) -> Template | None:
    """Make a template of a session, if it is somebody's beyond doubt and tells something new.

    The beats must agree with each other; they must be 100 times as likely this person's as a
    stranger's by a template from an enrolment (never by a grown one alone, lest templates wander
    step by step to somebody else); every other person must be less likely than a stranger; and no
    template of this person may be as near as the session's own beats are to each other.

    Args:
        beats: embeddings of one session, shape (n, d).
        templates: of all the people, made by the same embedder.
        passport: of that embedder.
        created_utc: ISO 8601.
    """
    assert passport.cohort is not None  # a classifier has no templates
    calibration, cohort = passport.calibration, passport.cohort.embeddings
    if all(template.source == GROWN for template in templates):
        return None  # nobody is enrolled
    beats = keep_nearest(beats)
    one, other, smaller_half = mean_halves(beats)
    if corrected_cosine(one[None], other[None], cohort)[0, 0] < calibration.threshold(smaller_half):
        return None
    session = mean_direction(beats)
    embeddings = np.stack([template.embedding for template in templates])
    scores = corrected_cosine(embeddings, session[None], cohort)[:, 0]
    enrolled, person = max(
        (score, template.person)
        for score, template in zip(scores, templates, strict=True)
        if template.source != GROWN
    )
    theirs = np.array([template.person == person for template in templates])
    another = scores[~theirs].max(initial=-np.inf)
    if (
        calibration.ln_likelihood_ratio(enrolled, len(beats)) < SURE_LN_RATIO
        or calibration.ln_likelihood_ratio(another, len(beats)) > 0
        or cosine(embeddings[theirs], session[None]).max() >= one @ other
    ):
        return None
    return Template(person, session, len(beats), created_utc, passport.sha256, GROWN)
