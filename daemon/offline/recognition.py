"""Whose recording it is: the network and the decision over a recording that was heard."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config.gallery_key import find_gallery_key
from daemon.offline.errors import EmbedderNeeded
from daemon.offline.hearing import Heard
from dsp.front_end import FrontEnd
from dsp.liveness import Liveness, Suspicion
from dsp.signals import BeatWindow, Interruption
from model.enrolment import keep_nearest
from model.errors import GalleryMissing
from model.gallery import Gallery
from model.identifier import Identifier, Identity
from model.network import Network
from model.scores import mean_direction, s_norm
from model.template import Template
from model.tensor import normalise

DEFAULT_MODEL = Path(__file__).parents[2] / "model" / "ecg_id.tflite"


def open_network(model: Path | None, rotation_seed: bytes | None = None) -> Network:
    """Open a model that was trained behind this very signal chain; None for qrsd's own.

    Args:
        model: path of the .tflite.
        rotation_seed: of the gallery whose people it is to know.

    Raises:
        ModelError: it is not there, not what its passport says, or trained otherwise.
    """
    if model is not None:
        _tried(model, model.stat().st_mtime_ns if model.exists() else 0)
    network = Network(model or DEFAULT_MODEL, rotation_seed)
    network.passport.check_front_end(FrontEnd.description())
    return network


@cache
def _tried(model: Path, _changed_ns: int) -> None:
    """Try a model that did not come with qrsd, once for each state of its file."""
    Network.try_in_child(model)


def open_with_people(model: Path | None, gallery_path: Path) -> tuple[Network, list[Template]]:
    """Open a model and the templates that it can use; a classifier needs no gallery.

    Raises:
        ModelError: as ``open_network``; or the gallery is missing, damaged, sealed, or may not be
            read.
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
        passport = network.passport
        return network, gallery.templates(passport.sha256, passport.tensors.outputs)


def decide(heard: Heard, network: Network, identifier: Identifier) -> Identity:
    """Feed what was heard to the identifier, as the service would, and return the last decision."""
    outputs = iter(network.run(normalise(heard.windows_mv)))
    for event in heard.events:
        if isinstance(event, BeatWindow):
            identifier.push(next(outputs), event.quality)
        elif isinstance(event, Interruption) and event.wearer_may_differ:
            identifier.interrupted(event.reason)
    return identifier.identity


def suspicions(heard: Heard) -> list[Suspicion | None]:
    """Return what the service's check would have suspected at first and after each event.

    A recording is not alive, but it ought to be of somebody who was: it may not repeat itself, nor
    beat like a clock. That it is very clean is not held against it, since many are smoothed.
    """
    liveness = Liveness(smoothed=True)
    suspected: list[Suspicion | None] = [None]
    for event in heard.events:
        if isinstance(event, BeatWindow):
            liveness.push(event)
        elif isinstance(event, Interruption) and event.wearer_may_differ:
            liveness.restart()
        suspected.append(liveness.suspicion)
    return suspected


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether two recordings are one person's.

    Attributes:
        same: whether such recordings are likelier of one person than of two; None without a good
            beat in each, as are the next three.
        score: S-norm of the recordings' mean embeddings, in standard deviations among strangers.
        ln_likelihood_ratio: natural logarithm of how many times as likely such recordings are of
            one person as of two; within that of 1/1000 and 1000.
        probability: that it is the same person if both were as likely before, 0 to 1.
        beats: good beats of the recording that has fewer.
    """

    same: bool | None
    score: float | None
    ln_likelihood_ratio: float | None
    probability: float | None
    beats: int


def compare(first: Heard, second: Heard, network: Network) -> Verdict:
    """Compare the mean embeddings of two recordings' good beats, as if both had been enrolled.

    One good beat in each is enough. The calibration was measured with one long recording and one of
    so many beats: where both are short, the row of the shorter is somewhat too sure of itself.
    The verdict does not ask for the threshold that enrolled people are accepted by, which trades
    many misses for few false matches: of single beats it misses every fourth pair.

    Raises:
        EmbedderNeeded: the model is a classifier.
    """
    passport = network.passport
    if passport.cohort is None:
        raise EmbedderNeeded(
            f"model {passport.name!r} knows only the group it was trained on; two recordings are "
            "compared by an embedder, such as the model that comes with qrsd"
        )
    embeddings = [_good_embeddings(heard, network) for heard in (first, second)]
    beats = min(len(of_one) for of_one in embeddings)
    if beats == 0:
        return Verdict(None, None, None, None, beats)
    one, other = (mean_direction(keep_nearest(of_one))[None] for of_one in embeddings)
    score = float(s_norm(one, other, passport.cohort.embeddings)[0, 0])
    calibration = passport.calibration
    ln_ratio = calibration.ln_likelihood_ratio(score, beats)
    return Verdict(
        same=ln_ratio > 0,
        score=score,
        ln_likelihood_ratio=ln_ratio,
        probability=calibration.probability(score, beats),
        beats=beats,
    )


def _good_embeddings(heard: Heard, network: Network) -> NDArray[np.float32]:
    """Return the embeddings of the beats that the service would count, shape (beats, d)."""
    good = [beat.quality.good for beat in heard.beats]
    return network.run(normalise(heard.windows_mv[np.array(good, dtype=bool)]))
