"""Recordings and the network: opening model and gallery, enrolment, embeddings."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, cast

import numpy as np

from config.gallery_key import find_gallery_key
from config.settings import Settings
from daemon.offline.analysis import Analysis
from dsp.front_end import RATE_HZ
from dsp.options import IN_WORDS, LivenessOptions, Suspicion
from dsp.segmenter import FROM_R
from dsp.signals import BeatWindow, Event
from model.enrolment import Enrolment
from model.errors import EnrolmentFailed, GalleryMissing
from model.evidence import STALE_SAMPLES
from model.gallery import Gallery
from model.identifier import Decision
from model.local_calibration import use_local
from model.network import Network
from model.opening import open_network
from model.recogniser import Recogniser, embed_with
from model.template import MOST_BEATS, Template
from model.tensor import normalise

NOTHING_KNOWN = Decision("undecided", None, None, 0)


def open_with_people(model: Path | None, gallery_path: Path) -> tuple[Network, list[Template]]:
    """Open a model and the templates that it can use; a classifier needs no gallery.

    Raises:
        ModelError: either cannot be used.
    """
    if not os.path.lexists(gallery_path):
        network = open_network(model)
        if network.passport.kind == "classifier":
            return network, []
        raise GalleryMissing(
            f"{gallery_path}: no such gallery, so nobody could be recognised: enrol somebody first "
            "(qrsd enroll --help), or say which with --gallery"
        )
    with Gallery(gallery_path, make=False, key=find_gallery_key()) as gallery:
        network = open_network(model, gallery.rotation_seed)
        use_local(network, gallery_path)
        passport = network.passport
        return network, gallery.templates(passport.sha256, passport.tensors.outputs)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the same was decided."""

    begin_s: float
    end_s: float
    state: str  # as that of ``Decision``
    person: str | None  # who, if ``accepted``
    confidence: float | None  # the median of the decisions'
    beats: int  # good ones that a decision counted, at most
    hints: tuple[str, ...]  # what may have been wrong with the signal


class Course:
    """Follows what is decided, from stretch to stretch."""

    def __init__(self) -> None:
        self._begin = self._last = 0  # samples: of the stretch, and when a beat last came
        self._same = [NOTHING_KNOWN]  # the decisions of the stretch
        self._ended: list[Stretch] = []

    def note(self, index: int, decision: Decision) -> None:
        """Take a decision that was made at a sample."""
        self._forget_if_silent(index)
        self._last = index
        if _said(decision) != _said(self._same[-1]):
            self._next(index, decision)
        else:
            self._same.append(decision)

    def stretches(self, end_s: float) -> tuple[Stretch, ...]:
        """Return all stretches of a recording that ends then."""
        end = round(end_s * RATE_HZ)
        self._forget_if_silent(end)
        self._next(end, NOTHING_KNOWN)
        return tuple(self._ended)

    def _forget_if_silent(self, index: int) -> None:
        """Without a beat nothing is known after three seconds, as in the service."""
        stale = self._last + STALE_SAMPLES
        if index > stale and self._same[-1].state in ("accepted", "unknown", "suspect"):
            self._next(stale, NOTHING_KNOWN)

    def _next(self, index: int, decision: Decision) -> None:
        sure = [each.confidence for each in self._same if each.confidence is not None]
        if index > self._begin:
            self._ended.append(
                Stretch(
                    self._begin / RATE_HZ,
                    index / RATE_HZ,
                    *_said(self._same[-1]),
                    median(sure) if sure else None,
                    max(each.beats for each in self._same),
                    tuple(dict.fromkeys(each.hint for each in self._same if each.hint)),
                )
            )
        self._begin, self._same = index, [decision]


def _said(decision: Decision) -> tuple[str, str | None]:
    return decision.state, decision.person


def hint_in_words(hint: str) -> str:
    """Say what was noticed beside a decision: a suspicion or another hint."""
    return IN_WORDS.get(cast(Suspicion, hint)) or hint.replace("_", " ")


def last_decision(
    events: Iterable[Event],
    inverted: Iterator[Event],
    network: Network,
    templates: Sequence[Template],
    settings: Settings,
    *,
    course: Course | None = None,
) -> Decision:
    """Return the decision after a recording's last beat, as the service would have made it.

    ``inverted`` are the events of the recording upside down, of which only those are asked for that
    are wanted. A ``course`` takes all decisions before it.
    """
    recogniser = Recogniser(
        network.passport,
        embed_with(network),
        templates,
        settings.identifier,
        settings.liveness,
        smoothed=True,
    )
    for event in events:
        decision = recogniser.push(event)
        if course and decision:
            course.note(
                event.r_index + FROM_R if isinstance(event, BeatWindow) else event.index, decision
            )
    return recogniser.try_inverted(inverted)


def template_of(
    analysis: Analysis,
    person: str,
    network: Network,
    minimum: int,
    *,
    liveness: LivenessOptions,
    created_utc: str,
) -> Template:
    """Enrol somebody by all the good beats of a recording, as the service would live.

    Where the electrodes may have changed hands in it, it is the first stretch with enough beats.
    That it is very clean is not held against it, since many are smoothed.

    Raises:
        EnrolmentFailed: there are fewer good beats than the minimum, or they are not one person's,
            or suspected to be no living heart's.
    """
    recogniser = Recogniser(network.passport, embed_with(network), liveness=liveness, smoothed=True)
    enrolment = Enrolment(person, network.passport, minimum, MOST_BEATS)
    recogniser.enrol(enrolment)
    for event in analysis.events:
        recogniser.push(event)
    try:
        return enrolment.template(created_utc, "recording")
    except EnrolmentFailed as error:
        why = f" ({analysis.nothing_because})" if analysis.nothing_because else ""
        raise type(error)(f"{analysis.path}: {error}{why}") from error


def decide(
    recogniser: Recogniser, events: Iterable[Event], begin: int = 0
) -> tuple[str | None, frozenset[str], float]:
    """Let a fresh recogniser decide on a recording from its begin to its end.

    Args:
        recogniser: that knows who is enrolled.
        events: of the recording.
        begin: its first sample.

    Returns:
        Who is accepted at its end, everybody who was at any moment, and the seconds to the first
        decision (NaN if there is none).
    """
    accepted, decided_s = set(), math.nan
    for event in events:
        decision = recogniser.push(event)
        if decision is None or not isinstance(event, BeatWindow):
            continue
        if decision.person:
            accepted.add(decision.person)
        if math.isnan(decided_s) and decision.state in ("accepted", "unknown"):
            decided_s = (event.r_index + FROM_R - begin) / RATE_HZ
    return recogniser.decision.person, frozenset(accepted), decided_s


def embed(recordings: Sequence[Analysis], network: Network) -> dict[str, Any]:
    """Return what ``qrsd embed`` writes, by the names that it has there."""
    beats = [(analysis.path, beat) for analysis in recordings for beat in analysis.beats]
    none = np.empty((0, network.passport.tensors.outputs), np.float32)
    outputs = [network.run(normalise(analysis.windows_mv)) for analysis in recordings]
    arrays: dict[str, Any] = {
        "record": np.array([path for path, _ in beats], dtype=np.str_),
        "r_index": np.array([beat.r_index for _, beat in beats], dtype=np.int64),
        "quality": np.array([beat.quality.score for _, beat in beats], dtype=np.float64),
        "good": np.array([beat.quality.good for _, beat in beats], dtype=np.bool_),
        "embedding": np.concatenate([none, *outputs]),
        "model_sha256": np.array(network.passport.sha256),
    }
    if network.passport.cohort is not None:
        arrays["cohort"] = network.passport.cohort.embeddings
    return arrays
