"""Occlusion: which parts of the beat a score rests on.

A mask slides over each beat, and whatever the score loses is put down to the part it hides. Behind
the mask the beat lies at its own median, which is the line between the waves: the mask asks what
the score would be without the wave. A straight line from one end of the mask to the other would
ask nothing of a T wave, which in so short a time is a straight line already: docs/training.md has
the figures.

Source: M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV
2014, section 4.2 (occlusion sensitivity).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ
from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from model.errors import PersonUnknown
from model.identifier import SMALLEST_PROBABILITY
from model.passport import Cohort, Passport
from model.scores import corrected_cosine, cosine, mean_direction
from model.template import Template

SAMPLE_MS = 1000 / RATE_HZ
MASK_SAMPLES = 10  # 40 ms: half of a QRS complex
STEP_SAMPLES = 3  # from one mask to the next, so that the last one ends where the beat does
MASK_MS = MASK_SAMPLES * SAMPLE_MS
PLACES = np.arange(WINDOW_SAMPLES)
TIME_MS = (PLACES - BEFORE_R) * SAMPLE_MS

STARTS = np.arange(0, WINDOW_SAMPLES - MASK_SAMPLES + 1, STEP_SAMPLES)[:, None]
#: For each mask which samples it hides, shape (56, 175).
HIDDEN = (STARTS <= PLACES) & (PLACES < STARTS + MASK_SAMPLES)

#: From normalised beats, shape (n, 175), to the network's outputs, as ``Network.run`` does.
Run: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]

#: From outputs for versions of one beat, shape (m, outputs), to how much they speak for whoever
#: is asked about, shape (m,).
Score: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the beat."""

    name: str  # of the wave that lies there
    from_ms: float  # its beginning, counted from the R peak
    to_ms: float  # its end, not included


#: Nobody's waves are measured: these are the places where they lie at rest. In lead I of LUDB (140
#: people), the middle half of the waves' bounds: P -218 to -78 ms, QRS -50 to 58, T 146 to 380.
REGIONS = (
    Region("P wave", -BEFORE_R * SAMPLE_MS, -60),
    Region("QRS", -60, 60),
    Region("ST segment", 60, 140),
    Region("T wave", 140, (WINDOW_SAMPLES - BEFORE_R) * SAMPLE_MS),
)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What carried the score, as the mean over some beats."""

    beat: NDArray[np.float64]  # the mean of the normalised beats, shape (175,)
    #: what the score loses by a mask over each place, shape (175,); below 0 where the beat speaks
    #: against the person
    importance: NDArray[np.float64]
    score: float  # of the beats as they are
    beats: int  # how many they were

    def inside(self, region: Region) -> NDArray[np.float64]:
        """Return the importance within a region."""
        return self.importance[(region.from_ms <= TIME_MS) & (region.to_ms > TIME_MS)]

    def share(self, region: Region) -> float:
        """Return a region's part of all that spoke for the person, 0 to 1; 0 if nothing did."""
        supporting = np.maximum(self.importance, 0).sum()
        if supporting == 0:
            return 0.0
        return float(np.maximum(self.inside(region), 0).sum() / supporting)


def explain(
    run: Run,
    beats: NDArray[np.float32],
    scores: Sequence[Score],
    on_beat: Callable[[], object] = lambda: None,
) -> Explanation:
    """Find out which parts of some beats their score falls without.

    Args:
        run: the network.
        beats: from ``model.tensor.normalise``, shape (n, 175), n >= 1. They are masked as the
            network sees them: normalised again, a beat without its R wave would be another beat
            everywhere.
        scores: for each beat.
        on_beat: called after each.
    """
    importances, wholes = [], []
    for beat, score in zip(beats, scores, strict=True):
        whole, *occluded = score(run(np.concatenate([beat[None], masked(beat)])))
        importances.append(spread(whole - np.array(occluded)))
        wholes.append(whole)
        on_beat()
    return Explanation(
        beat=beats.mean(axis=0, dtype=np.float64),
        importance=np.mean(importances, axis=0),
        score=float(np.mean(wholes)),
        beats=len(beats),
    )


def whom(
    passport: Passport,
    templates: Sequence[Template],
    outputs: NDArray[np.float32],
    person: str | None = None,
) -> tuple[str, Score]:
    """Return whom some beats are to be compared with, and the score of that.

    Args:
        passport: of the network that decides.
        templates: of the enrolled people, at least one; a classifier needs none.
        outputs: what the network makes of the beats, shape (n, outputs).
        person: who is asked about; None for whoever the beats are likest to.

    Raises:
        PersonUnknown: the model does not know the person.
    """
    cohort, labels = passport.cohort, passport.tensors.labels
    known = labels if cohort is None else [template.person for template in templates]
    if person is not None and person not in known:
        listed = ", ".join(dict.fromkeys(known)) or "nobody"
        raise PersonUnknown(f"{person!r} is not known to this model, which knows {listed}")
    if cohort is None:
        evidence = _evidence(outputs)[:, : len(labels)]  # the last may be for anybody else
        whose = person or labels[int(evidence.mean(axis=0).argmax())]
        label = labels.index(whose)
        return whose, lambda versions: _evidence(versions)[:, label]
    whose = person or _likest(templates, outputs).person
    template = _likest([each for each in templates if each.person == whose], outputs)
    return whose, likeness(template.embedding, cohort)


def likeness(template: NDArray[np.float32], cohort: Cohort) -> Score:
    """Return what gives the corrected cosine with a template."""
    return lambda outputs: corrected_cosine(template[None], outputs, cohort.embeddings)[0]


def _likest(templates: Sequence[Template], outputs: NDArray[np.float32]) -> Template:
    """Return the template that the beats are nearest to."""
    embeddings = np.stack([template.embedding for template in templates])
    return templates[int(cosine(embeddings, mean_direction(outputs)[None])[:, 0].argmax())]


def _evidence(outputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how much a classifier's outputs speak for each label, shape (m, labels)."""
    return np.asarray(np.log(np.maximum(outputs.astype(np.float64), SMALLEST_PROBABILITY)))


def masked(beat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a beat (175,) behind each of the masks, shape (56, 175)."""
    return np.where(HIDDEN, np.median(beat), beat)


def spread(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each sample the mean loss of the masks that hide it, shape (56,) to (175,)."""
    importance: NDArray[np.float64] = losses @ HIDDEN / HIDDEN.sum(axis=0)
    return importance
