"""Which scores of a recording's beats ``model.explanation`` is to explain, for ``qrsd explain``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.offline.analysis import Analysis
from daemon.offline.errors import TooFewBeats
from dsp.options import LivenessOptions
from model.enrolment import keep_nearest
from model.errors import EmbedderNeeded
from model.explanation import (
    MASK_MS,
    REGIONS,
    TIME_MS,
    Explanation,
    Score,
    likeness,
    whom,
)
from model.network import Network
from model.passport import Cohort
from model.recogniser import Recogniser, embed_with
from model.scores import mean_direction, unit
from model.template import Template
from model.tensor import normalise

MOST_BEATS = 50  # of a long recording these, spread evenly, tell as much


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What the beats of a recording are compared with, and how."""

    against: str  # for people to read
    beats: NDArray[np.float32]  # normalised, shape (n, 175)
    scores: Sequence[Score]  # one for each beat


def comparison_for(
    analysis: Analysis,
    network: Network,
    templates: Sequence[Template],
    person: str | None = None,
    against: Analysis | None = None,
) -> Comparison:
    """Return what the beats of a recording are to be compared with.

    Args:
        analysis: the recording.
        network: that decides.
        templates: of the enrolled people.
        person: why it is, or is not, this one; None for whoever it was taken for.
        against: why it is whoever this recording is of; None without one.

    Raises:
        EmbedderNeeded: two recordings are to be compared by a classifier.
        TooFewBeats: there are not enough good beats.
        PersonUnknown: the model does not know the person.
    """
    cohort = network.passport.cohort
    if cohort is None:
        if against:
            raise EmbedderNeeded(
                f"model {network.passport.name!r} knows only the group it was trained on; "
                "--against takes an embedder, such as the model that comes with qrsd"
            )
        return _about_labels(analysis, network, person)
    if against:
        return _about_recording(analysis, network, cohort, against)
    if templates or person:
        return _about_people(analysis, network, templates, person)
    return _about_itself(analysis, network, cohort)


def figures(explanation: Explanation) -> dict[str, Any]:
    """Return everything that an explanation says, for JSON."""
    return {
        "score": explanation.score,
        "beats": explanation.beats,
        "mask_ms": MASK_MS,
        "regions": [
            {
                "name": region.name,
                "from_ms": region.from_ms,
                "to_ms": region.to_ms,
                "share": explanation.share(region),
                "score_lost": float(explanation.inside(region).mean()),
            }
            for region in REGIONS
        ],
        "time_ms": TIME_MS.tolist(),
        "beat": explanation.beat.tolist(),
        "score_lost": explanation.importance.tolist(),
    }


def _about_people(
    analysis: Analysis,
    network: Network,
    templates: Sequence[Template],
    person: str | None,
) -> Comparison:
    """Compare with this person; None for whoever it was taken for, or came nearest to."""
    beats = good_beats(analysis)
    recogniser = Recogniser(
        network.passport, embed_with(network), templates, liveness=LivenessOptions("ignore")
    )
    for event in analysis.events:
        recogniser.push(event)
    decided = recogniser.decision
    outputs = network.run(beats)
    whose, score = whom(network.passport, templates, outputs, person or decided.person)
    against = whose if person else f"{whose} (decided: {decided.state})"
    return Comparison(against, beats, [score] * len(beats))


def _about_recording(
    analysis: Analysis, network: Network, cohort: Cohort, other: Analysis
) -> Comparison:
    """Compare with the person of another recording, as if that had been enrolled."""
    beats = good_beats(analysis)
    template = mean_direction(keep_nearest(network.run(good_beats(other))))
    return Comparison(other.path, beats, [likeness(template, cohort)] * len(beats))


def _about_itself(analysis: Analysis, network: Network, cohort: Cohort) -> Comparison:
    """Compare each beat with all others of the recording."""
    beats = good_beats(analysis, least=2)
    outputs = network.run(beats)
    others = unit(outputs.sum(axis=0) - outputs)
    return Comparison("its own other beats", beats, [likeness(each, cohort) for each in others])


def _about_labels(analysis: Analysis, network: Network, person: str | None) -> Comparison:
    """Take a classifier's evidence for this person; None for whoever is likeliest."""
    beats = good_beats(analysis)
    whose, score = whom(network.passport, (), network.run(beats), person)
    return Comparison(whose, beats, [score] * len(beats))


def good_beats(analysis: Analysis, least: int = 1) -> NDArray[np.float32]:
    """Return the beats that the service would count, normalised; 50 of them at the most."""
    good = np.flatnonzero([beat.quality.good for beat in analysis.beats])
    if len(good) < least:
        raise TooFewBeats(
            f"{analysis.path}: good beats: {len(good)}, needed: {least}; choose a longer or a "
            "cleaner recording"
        )
    some = np.linspace(0, len(good) - 1, min(len(good), MOST_BEATS)).astype(int)
    return normalise(analysis.windows_mv[good[some]])
