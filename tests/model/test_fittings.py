"""A session becomes a template only if it is surely somebody's and tells something new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.calibration import Calibration
from model.fittings import SITTING_BEATS, Session, grow
from model.passport import Passport
from model.scores import mean_direction, unit
from model.template import GROWN, Template
from tests.model.models import AXES, GOOD, NOISY, embedder

NOW = "2026-01-01T00:00:00Z"

#: How far a fitting turns a heart from Ada's axis. The corrected cosine is 0.91 on the axis
#: itself, 0.87 with the new fitting, and 0.75 with the far one.
NEW, FAR = 0.2, 0.5

#: A likelihood ratio of 100 at a corrected cosine of 0.84, of 1 at 0.725, and a threshold below.
STEEP = Calibration(0.01, thresholds=(0.5,), slopes=(40.0,), intercepts=(-29.0,))


@pytest.fixture
def passport(tmp_path: Path) -> Passport:
    return replace(Passport.load(embedder(tmp_path)), calibration=STEEP)


def person(passport: Passport, name: str, embedding: np.ndarray) -> Template:
    return Template(name, embedding, 16, NOW, passport.sha256, "simulated")


def turned(turn: float) -> np.ndarray:
    """Return Ada's heart as another fitting shows it."""
    return unit(AXES[0] + np.float32(turn) * AXES[2])


def session(centre: np.ndarray, scatter: float = 0.01) -> np.ndarray:
    noise = np.random.default_rng(1).normal(size=(SITTING_BEATS, 4)).astype(np.float32)
    return unit(centre + np.float32(scatter) * noise)


def grown(passport: Passport, beats: np.ndarray, templates: Sequence[Template]) -> str | None:
    template = grow(beats, templates, passport, NOW)
    return template and template.person


@pytest.fixture
def people(passport: Passport) -> list[Template]:
    return [person(passport, "Ada", AXES[0]), person(passport, "Bob", AXES[1])]


def test_a_sure_sitting_at_another_angle_is_kept(
    passport: Passport, people: list[Template]
) -> None:
    beats = session(turned(NEW))
    template = grow(beats, people, passport, NOW)
    assert template is not None
    assert (template.person, template.source, template.created_utc) == ("Ada", GROWN, NOW)
    assert (template.beats, template.model_sha256) == (16, passport.sha256)
    assert template.embedding @ mean_direction(beats) > 0.999


def test_what_is_known_already_is_not_kept(passport: Passport, people: list[Template]) -> None:
    assert grown(passport, session(AXES[0]), people) is None
    again = [*people, replace(people[0], embedding=turned(NEW), source=GROWN)]
    assert grown(passport, session(turned(NEW)), again) is None


def test_a_sitting_that_is_likely_hers_but_not_surely_is_not_kept(
    passport: Passport, people: list[Template]
) -> None:
    assert grown(passport, session(turned(FAR)), people) is None


def test_a_strangers_sitting_is_not_kept(passport: Passport, people: list[Template]) -> None:
    assert grown(passport, session(AXES[3]), people) is None
    assert grown(passport, session(AXES[3]), []) is None


def test_a_sitting_that_could_be_another_persons_is_not_kept(
    passport: Passport, people: list[Template]
) -> None:
    twin = person(passport, "Cy", unit(AXES[0] + np.float32(0.3) * AXES[3]))
    assert grown(passport, session(turned(NEW)), people) == "Ada"
    assert grown(passport, session(turned(NEW)), [*people, twin]) is None
    assert grown(passport, session(turned(NEW)), [*people, replace(twin, source=GROWN)]) is None


def test_beats_that_disagree_are_not_kept(passport: Passport, people: list[Template]) -> None:
    half = SITTING_BEATS // 2
    beats = np.concatenate([session(turned(NEW))[:half], session(AXES[1])[:half]])
    assert grown(passport, beats, people) is None


def test_a_grown_template_vouches_for_no_other(passport: Passport, people: list[Template]) -> None:
    """From one grown template to the next, Ada's could wander to whoever comes by."""
    step = replace(people[0], embedding=turned(FAR), source=GROWN)
    assert grown(passport, session(turned(FAR + 0.2)), [*people, step]) is None
    assert grown(passport, session(turned(FAR + 0.2)), [step]) is None


def test_a_sitting_gives_its_first_good_beats_once() -> None:
    session = Session()
    for beat in range(SITTING_BEATS):
        assert session.take() is None
        session.push(AXES[1], NOISY)
        session.push(np.float32(beat + 1) * AXES[0], GOOD)
    beats = session.take()
    assert beats is not None
    assert beats[:, 0].tolist() == list(range(1, SITTING_BEATS + 1))
    session.push(AXES[0], GOOD)
    assert session.take() is None


def test_another_fitting_is_another_sitting() -> None:
    session = Session()
    for beats in (SITTING_BEATS - 1, SITTING_BEATS):
        for _ in range(beats):
            session.push(AXES[0], GOOD)
        assert (session.take() is not None) == (beats == SITTING_BEATS)
        session.restart()
