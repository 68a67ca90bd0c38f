"""Whose recording it is: the decision chain over a recording that was heard."""

from __future__ import annotations

import os
from pathlib import Path

from config.gallery_key import find_gallery_key
from daemon.offline.hearing import Heard
from dsp.options import LivenessOptions
from model.enrolment import Enrolment
from model.errors import EnrolmentFailed, GalleryMissing
from model.gallery import Gallery
from model.network import Network
from model.opening import open_network
from model.recogniser import Recogniser, embed_with
from model.template import MOST_BEATS, Template


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


def template_of(
    heard: Heard,
    person: str,
    network: Network,
    minimum: int,
    *,
    liveness: LivenessOptions,
    created_utc: str,
) -> Template:
    """Enrol somebody by all the good beats of a recording, as the service would live.

    Where the electrodes may have changed hands in it, it is the first stretch with enough beats.

    Args:
        heard: the recording.
        person: whose it is.
        network: an embedder.
        minimum: good beats that it must have.
        liveness: what to do about a recording that repeats itself or beats like a clock, at any
            moment. That it is very clean is not held against it, since many are smoothed.
        created_utc: ISO 8601.

    Raises:
        EnrolmentFailed: they are fewer, or not one person's, or suspected to be no living heart's.
    """
    recogniser = Recogniser(network.passport, embed_with(network), liveness=liveness, smoothed=True)
    enrolment = Enrolment(person, network.passport, minimum, MOST_BEATS)
    recogniser.enrol(enrolment)
    for event in heard.events:
        recogniser.push(event)
    try:
        return enrolment.template(created_utc, "recording")
    except EnrolmentFailed as error:
        why = f" ({heard.nothing_because})" if heard.nothing_because else ""
        raise type(error)(f"{heard.path}: {error}{why}") from error
