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
from model.errors import EmbedderNeeded, PersonUnknown
from model.explanation import MASK_MS, REGIONS, TIME_MS, Explanation, Score
from model.network import Network
from model.passport import Cohort
from model.recogniser import Recogniser, embed_with
from model.scores import corrected_cosine, cosine, mean_direction, unit
from model.template import Template
from model.tensor import normalise

SMALLEST_PROBABILITY = 1e-6  # that a float32 softmax means
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
        return _about_people(analysis, network, cohort, templates, person)
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
    cohort: Cohort,
    templates: Sequence[Template],
    person: str | None,
) -> Comparison:
    """Compare with this person; None for whoever it was taken for, or came nearest to."""
    _require_known(person, [template.person for template in templates])
    beats = good_beats(analysis)
    outputs = network.run(beats)
    recogniser = Recogniser(
        network.passport, embed_with(network), templates, liveness=LivenessOptions("ignore")
    )
    for event in analysis.events:
        recogniser.push(event)
    decided = recogniser.decision
    whose = person or decided.person or _likest(templates, outputs).person
    template = _likest([each for each in templates if each.person == whose], outputs)
    against = whose if person else f"{whose} (decided: {decided.state})"
    return Comparison(against, beats, [_likeness(template.embedding, cohort)] * len(beats))


def _about_recording(
    analysis: Analysis, network: Network, cohort: Cohort, other: Analysis
) -> Comparison:
    """Compare with the person of another recording, as if that had been enrolled."""
    beats = good_beats(analysis)
    template = mean_direction(keep_nearest(network.run(good_beats(other))))
    return Comparison(other.path, beats, [_likeness(template, cohort)] * len(beats))


def _about_itself(analysis: Analysis, network: Network, cohort: Cohort) -> Comparison:
    """Compare each beat with all others of the recording."""
    beats = good_beats(analysis, least=2)
    outputs = network.run(beats)
    others = unit(outputs.sum(axis=0) - outputs)
    return Comparison("its own other beats", beats, [_likeness(each, cohort) for each in others])


def _about_labels(analysis: Analysis, network: Network, person: str | None) -> Comparison:
    """Take a classifier's evidence for this person; None for whoever is likeliest."""
    labels = network.passport.tensors.labels
    _require_known(person, labels)
    beats = good_beats(analysis)
    evidence = _evidence(network.run(beats))[:, : len(labels)]  # the last may be for anybody else
    whose = person or labels[int(evidence.mean(axis=0).argmax())]
    label = labels.index(whose)
    return Comparison(whose, beats, [lambda outputs: _evidence(outputs)[:, label]] * len(beats))


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


def _require_known(person: str | None, known: Sequence[str]) -> None:
    if person is not None and person not in known:
        listed = ", ".join(dict.fromkeys(known)) or "nobody"
        raise PersonUnknown(f"{person!r} is not known to this model, which knows {listed}")


def _likest(templates: Sequence[Template], outputs: NDArray[np.float32]) -> Template:
    """Return the template that the beats are nearest to."""
    embeddings = np.stack([template.embedding for template in templates])
    return templates[int(cosine(embeddings, mean_direction(outputs)[None])[:, 0].argmax())]


def _likeness(template: NDArray[np.float32], cohort: Cohort) -> Score:
    """Return what gives the corrected cosine with a template."""
    return lambda outputs: corrected_cosine(template[None], outputs, cohort.embeddings)[0]


def _evidence(outputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how much a classifier's outputs speak for each label, shape (m, labels)."""
    return np.asarray(np.log(np.maximum(outputs.astype(np.float64), SMALLEST_PROBABILITY)))
