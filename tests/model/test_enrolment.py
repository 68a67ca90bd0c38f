from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from dsp.options import Suspicion
from model.enrolment import Enrolment, check_same_person, keep_nearest
from model.errors import EnrolmentFailed, EnrolmentSuspect, NameInvalid
from model.passport import Passport
from model.scores import corrected_cosine, mean_direction, unit
from model.template import GROWN, Template
from tests.model.models import AXES, GOOD, NOISY, classifier, embedder, towards

NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def passport(tmp_path: Path) -> Passport:
    return Passport.load(embedder(tmp_path))


def around(axis: int, beats: int, scatter: float = 0.1) -> np.ndarray:
    noise = np.random.default_rng(axis).normal(size=(beats, 4)).astype(np.float32)
    return unit(AXES[axis] + np.float32(scatter) * noise)


def enrol(passport: Passport, beats: np.ndarray) -> Template:
    enrolment = Enrolment("Ada", passport, needed=len(beats))
    for beat in beats:
        enrolment.push(beat, GOOD)
    return enrolment.template(NOW, "simulated")


def test_it_counts_good_beats_until_there_are_enough(passport: Passport) -> None:
    enrolment = Enrolment("Ada", passport, needed=5)
    qualities = [GOOD, NOISY, GOOD, GOOD, GOOD, GOOD, GOOD]
    assert [enrolment.push(AXES[0], quality) for quality in qualities] == [1, 1, 2, 3, 4, 5, 5]
    assert enrolment.complete


def test_an_interruption_starts_it_again(passport: Passport) -> None:
    enrolment = Enrolment("Ada", passport, needed=5)
    enrolment.push(AXES[0], GOOD)
    enrolment.restart()
    assert enrolment.beats == 0


def test_enough_beats_before_an_interruption_stand_alone(passport: Passport) -> None:
    enrolment = Enrolment("Ada", passport, needed=5, most=100)
    for _ in range(8):
        enrolment.push(AXES[0], GOOD)
    assert enrolment.beats == 8
    enrolment.restart()
    assert enrolment.push(AXES[1], GOOD) == 8
    np.testing.assert_allclose(enrolment.template(NOW, "recording").embedding, AXES[0])


def test_the_template_says_whose_and_which_models_it_is(passport: Passport) -> None:
    template = enrol(passport, around(0, 20))
    assert (template.person, template.model_sha256) == ("Ada", passport.sha256)
    assert (template.created_utc, template.source) == (NOW, "simulated")
    assert template.beats == 16


def test_the_farthest_fifth_has_no_part_in_the_template(passport: Passport) -> None:
    beats = np.concatenate([around(0, 16), around(3, 4)])
    template = enrol(passport, beats)
    np.testing.assert_allclose(template.embedding, mean_direction(beats[:16]), atol=1e-6)


def test_the_beats_that_stay_keep_their_order() -> None:
    beats = np.concatenate([around(3, 1), around(0, 4)])
    np.testing.assert_array_equal(keep_nearest(beats), beats[1:])


def test_two_people_in_one_enrolment_are_refused(passport: Passport) -> None:
    with pytest.raises(EnrolmentFailed, match="the beats disagree as if two people"):
        enrol(passport, np.concatenate([around(0, 10), around(1, 10)]))


def test_noise_is_refused(passport: Passport) -> None:
    scattered = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32)
    with pytest.raises(EnrolmentFailed, match="disagree"):
        enrol(passport, unit(scattered))


def test_beats_that_are_all_the_same_agree(passport: Passport) -> None:
    np.testing.assert_allclose(enrol(passport, AXES[[0] * 20]).embedding, AXES[0])


def test_too_few_beats_are_refused(passport: Passport) -> None:
    enrolment = Enrolment("Ada", passport, needed=20)
    enrolment.push(AXES[0], GOOD)
    with pytest.raises(
        EnrolmentFailed, match="'Ada' was not enrolled: 1 good beats, 20 are needed"
    ):
        enrolment.template(NOW, "simulated")


@pytest.mark.parametrize(
    ("suspicion", "remedy"),
    [("too_regular", "set liveness.on_suspicion: warn"), ("repeated", "put on anew")],
)
def test_one_that_is_suspect_has_ended_and_stays_so(
    passport: Passport, suspicion: Suspicion, remedy: str
) -> None:
    enrolment = Enrolment("Ada", passport, needed=5)
    for _ in range(4):
        enrolment.push(AXES[0], GOOD)
    assert not enrolment.ended
    enrolment.suspect(suspicion)
    assert enrolment.ended
    enrolment.suspect(None)
    enrolment.push(AXES[0], GOOD)
    with pytest.raises(EnrolmentSuspect, match=f"'Ada' was not enrolled: .*{remedy}"):
        enrolment.template(NOW, "simulated")


def test_one_that_may_be_played_waits_and_an_interruption_does_not_help_it(
    passport: Passport,
) -> None:
    enrolment = Enrolment("Ada", passport, needed=5)
    for _ in range(5):
        enrolment.push(AXES[0], GOOD)
        enrolment.suspect(None, too_soon=True)
    assert (enrolment.beats, enrolment.ended) == (5, False)
    with pytest.raises(EnrolmentFailed, match="go on for fifteen seconds"):
        enrolment.template(NOW, "recording")
    enrolment.suspect(None)
    assert enrolment.ended
    enrolment.suspect(None, too_soon=True)
    enrolment.restart()
    assert (enrolment.beats, enrolment.ended) == (0, False)


def test_nobody_is_enrolled_under_the_name_of_somebody_else(passport: Passport) -> None:
    known = [enrol(passport, around(axis, 20)) for axis in (0, 3)]
    people = [*known, replace(known[0], person="Bob", embedding=AXES[1])]
    check_same_person(enrol(passport, around(3, 10)), people, passport)  # as in the second fitting
    stranger = enrol(passport, around(1, 20))
    for theirs in ([], [replace(known[0], source=GROWN)], people[2:]):
        check_same_person(stranger, theirs, passport)  # as far as anybody can tell
    with pytest.raises(EnrolmentFailed, match="'Ada' was not enrolled again"):
        check_same_person(stranger, people, passport)


@pytest.mark.parametrize(("part_of_theirs", "theirs"), [(0.9, True), (0.5, False)])
def test_even_odds_are_enough_for_a_name_that_is_taken(
    passport: Passport, part_of_theirs: float, theirs: bool
) -> None:
    again = enrol(passport, np.tile(towards(part_of_theirs, 1, 0, 0), (20, 1)))
    score = corrected_cosine(AXES[:1], again.embedding[None], AXES).item()
    assert (expit(4 * score - 1.5) > 0.5) == theirs  # by the passport's last line
    known = [replace(again, embedding=AXES[0])]
    with nullcontext() if theirs else pytest.raises(EnrolmentFailed, match="likelier somebody"):
        check_same_person(again, known, passport)


def test_what_cannot_end_well_does_not_begin(passport: Passport, tmp_path: Path) -> None:
    with pytest.raises(NameInvalid):
        Enrolment("", passport, needed=5)
    with pytest.raises(EnrolmentFailed, match="4 beats is not between 5 and 1000"):
        Enrolment("Ada", passport, needed=4)
    with pytest.raises(EnrolmentFailed, match="1001 beats is not between"):
        Enrolment("Ada", passport, needed=1001)
    assert not Enrolment("Ada", passport, needed=1000).complete
    with pytest.raises(EnrolmentFailed, match="knows only the group it was trained on"):
        Enrolment("Ada", Passport.load(classifier(tmp_path)), needed=5)
