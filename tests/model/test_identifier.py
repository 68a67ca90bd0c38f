from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from model.calibration import Search
from model.errors import ForeignTemplate
from model.identifier import Decision, Identifier, matching
from model.options import IdentifierOptions
from model.passport import Passport
from model.scores import common_direction, corrected_cosine, mean_direction, unit
from model.template import Template
from tests.model.models import AXES, CALIBRATION, GOOD, NOISY, classifier, embedder, towards

ADA, BOB, NOBODY = AXES[0], AXES[1], AXES[2]
COMMON = common_direction(AXES[:2], AXES)  # to Ada and Bob
THREE_GOOD_ONE_BAD = [GOOD, NOISY, GOOD, GOOD]


@pytest.fixture(scope="module")
def passport(tmp_path_factory: pytest.TempPathFactory) -> Passport:
    return Passport.load(embedder(tmp_path_factory.mktemp("embedder")))


def template(passport: Passport, person: str, embedding: np.ndarray) -> Template:
    return Template(person, embedding, 16, "2026-01-01T00:00:00Z", passport.sha256, "simulated")


def two_people(passport: Passport) -> Identifier:
    people = [template(passport, "Ada", ADA), template(passport, "Bob", BOB)]
    return Identifier(
        passport, matching(passport, people), IdentifierOptions(min_beats=3, max_beats=5)
    )


@pytest.fixture
def identifier(passport: Passport) -> Identifier:
    return two_people(passport)


def test_it_decides_after_enough_good_beats(identifier: Identifier) -> None:
    states = [identifier.push(ADA, quality) for quality in THREE_GOOD_ONE_BAD]
    assert [identity.state for identity in states] == ["undecided"] * 3 + ["accepted"]
    assert [identity.beats for identity in states] == [1, 1, 2, 3]
    assert states[-1].person == "Ada"


def test_whoever_is_not_enrolled_is_unknown(identifier: Identifier) -> None:
    decisions = [identifier.push(NOBODY, GOOD) for _ in range(3)]
    assert decisions[-1].state == "unknown"
    assert decisions[-1].person is None


def test_confidence_is_the_probability_that_the_decision_is_right(identifier: Identifier) -> None:
    own = corrected_cosine(ADA[None], ADA[None], AXES, COMMON).item()
    other = corrected_cosine(ADA[None], NOBODY[None], AXES, COMMON).item()
    for _ in range(3):
        accepted = identifier.push(ADA, GOOD)
    assert accepted.confidence == pytest.approx(expit(2 * own - 1))
    identifier.interrupted("gap")
    for _ in range(3):
        unknown = identifier.push(NOBODY, GOOD)
    assert unknown.confidence == pytest.approx(1 - expit(2 * other - 1))


def test_the_threshold_falls_as_beats_come_in(identifier: Identifier) -> None:
    beat = towards(1, 0.9, 0.7, 0)
    score = corrected_cosine(ADA[None], beat[None], AXES, COMMON).item()
    assert CALIBRATION.threshold(5) < score < CALIBRATION.threshold(4)
    decisions = [identifier.push(beat, GOOD).state for _ in range(5)]
    assert decisions == ["undecided", "undecided", "unknown", "unknown", "accepted"]


def test_only_the_last_beats_count(identifier: Identifier) -> None:
    for _ in range(50):
        identifier.push(BOB, GOOD)
    for _ in range(5):
        identity = identifier.push(ADA, GOOD)
    assert identity.person == "Ada"
    assert identity.beats == 5


def test_lead_off_is_no_contact_until_it_is_restored(identifier: Identifier) -> None:
    for _ in range(5):
        identifier.push(ADA, GOOD)
    assert identifier.interrupted("lead_off") == Decision("no_contact", None, None, 0)
    assert identifier.restored() == Decision("undecided", None, None, 0)


def test_restored_contact_that_was_never_lost_changes_nothing(identifier: Identifier) -> None:
    for _ in range(5):
        before = identifier.push(ADA, GOOD)
    assert identifier.restored() == before


def test_a_gap_drops_the_evidence(identifier: Identifier) -> None:
    for _ in range(5):
        identifier.push(ADA, GOOD)
    assert identifier.interrupted("gap") == Decision("undecided", None, None, 0)
    assert identifier.push(ADA, GOOD) == Decision("undecided", None, None, 1)


def test_where_nobody_is_enrolled_everybody_is_unknown(passport: Passport) -> None:
    identifier = Identifier(passport, matching(passport), IdentifierOptions(min_beats=2))
    assert identifier.push(ADA, GOOD).state == "undecided"
    assert identifier.push(ADA, GOOD) == Decision("unknown", None, 1.0, 2)


def test_one_template_of_several_is_enough(passport: Passport) -> None:
    people = [template(passport, "Ada", AXES[3]), template(passport, "Ada", ADA)]
    identifier = Identifier(passport, matching(passport, people), IdentifierOptions(min_beats=1))
    assert identifier.push(ADA, GOOD).person == "Ada"


def test_whoever_is_enrolled_or_forgotten_is_so_at_once(
    identifier: Identifier, passport: Passport
) -> None:
    for _ in range(5):
        identifier.push(NOBODY, GOOD)
    assert identifier.update(matching(passport, [template(passport, "Cy", NOBODY)])).person == "Cy"
    assert identifier.update(matching(passport)).state == "unknown"


def test_before_any_beat_new_templates_decide_nothing(
    identifier: Identifier, passport: Passport
) -> None:
    assert identifier.update(matching(passport)) == Decision("undecided", None, None, 0)


def test_templates_of_another_model_are_refused(passport: Passport) -> None:
    foreign = Template("Ada", ADA, 16, "2026-01-01T00:00:00Z", "0" * 64, "simulated")
    with pytest.raises(ForeignTemplate, match=r"template of 'Ada' .* enrol this person again"):
        matching(passport, [foreign])


Step = Callable[[Identifier], Decision]
STEPS: dict[str, Step] = {
    "Ada": lambda identifier: identifier.push(ADA, GOOD),
    "Bob": lambda identifier: identifier.push(BOB, GOOD),
    "nobody": lambda identifier: identifier.push(NOBODY, GOOD),
    "noise": lambda identifier: identifier.push(ADA, NOISY),
    "gap": lambda identifier: identifier.interrupted("gap"),
    "lead_off": lambda identifier: identifier.interrupted("lead_off"),
}


@given(steps=st.lists(st.sampled_from(list(STEPS)), max_size=40))
def test_a_decision_depends_on_the_last_good_beats_and_nothing_else(
    passport: Passport, steps: list[str]
) -> None:
    identifier = two_people(passport)
    for step in steps:
        identity = STEPS[step](identifier)
        assert (identity.person is not None) == (identity.state == "accepted")
        assert (identity.confidence is None) == (identity.state in ("undecided", "no_contact"))
    breaks = [at for at, step in enumerate(steps) if step in ("gap", "lead_off")]
    good = [step for step in steps[breaks[-1] + 1 if breaks else 0 :] if step != "noise"][-5:]
    again = two_people(passport)
    for step in good:
        STEPS[step](again)
    if good:
        assert identifier.decision == again.decision


def test_evidence_is_the_mean_direction_of_the_beats(passport: Passport) -> None:
    """Beats that scatter alike in all directions around Ada are told apart only by their mean."""
    beats = unit(ADA + 0.4 * np.random.default_rng(3).normal(size=(10, 4)).astype(np.float32))
    ada = matching(passport, [template(passport, "Ada", ADA)])
    identifier = Identifier(passport, ada, IdentifierOptions(10, 10))
    for beat in beats:
        identity = identifier.push(beat, GOOD)
    score = corrected_cosine(ADA[None], mean_direction(beats)[None], AXES).item()
    assert identity.confidence == pytest.approx(CALIBRATION.probability(score, 10))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"min_beats": 0}, "min_beats: 0 is not between 1 and 100"),
        ({"fpir": 0}, "fpir: 0 is not between 0.001 and 0.5"),
        ({"grown_templates": 6}, "grown_templates: 6 is not between 0 and 5"),
        ({"min_beats": 8, "max_beats": 7}, r"max_beats: 7 is not between min_beats \(8\) and 100"),
    ],
)
def test_options_check_themselves(arguments: dict[str, int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        IdentifierOptions(**arguments)


class TestClassifier:
    @pytest.fixture
    def identifier(self, tmp_path: Path) -> Identifier:
        passport = Passport.load(classifier(tmp_path))
        return Identifier(passport, matching(passport), IdentifierOptions(2, 4))

    def test_it_accepts_a_label_that_is_probable_enough(self, identifier: Identifier) -> None:
        beat = np.array([0.05, 0.9, 0.05], dtype=np.float32)
        identifier.push(beat, GOOD)
        identity = identifier.push(beat, GOOD)
        assert identity.person == "Bob"
        assert identity.confidence == pytest.approx(expit(10 * np.log(0.9) + 2), rel=1e-5)

    def test_the_output_for_anybody_else_is_no_label(self, identifier: Identifier) -> None:
        stranger = np.array([0.1, 0.2, 0.1, 0.6], dtype=np.float32)
        identifier.push(stranger, GOOD)
        assert identifier.push(stranger, GOOD).state == "unknown"
        member = np.array([0.1, 0.75, 0.1, 0.05], dtype=np.float32)
        for _ in range(4):
            identifier.push(member, GOOD)
        assert identifier.decision.person == "Bob"

    def test_beats_that_contradict_each_other_are_nobodys(self, identifier: Identifier) -> None:
        """The geometric mean of 0.98 and 0.01 is 0.099, below the threshold of 0.7."""
        identifier.push(np.array([0.98, 0.01, 0.01], dtype=np.float32), GOOD)
        identity = identifier.push(np.array([0.01, 0.98, 0.01], dtype=np.float32), GOOD)
        assert identity.state == "unknown"

    def test_a_probability_of_zero_is_one_beats_opinion(self, identifier: Identifier) -> None:
        for probability in (0.0, 1.0, 1.0, 1.0):
            beat = np.array([probability, 1 - probability, 0], dtype=np.float32)
            identity = identifier.push(beat, GOOD)
        assert identity.state == "unknown"
        assert identifier.push(np.array([1, 0, 0], dtype=np.float32), GOOD).person == "Ada"


def test_an_unfamiliar_signal_is_said_and_takes_more_to_be_accepted(passport: Passport) -> None:
    """Ada's beat is a third alike to its likest three strangers; its score is 0.91."""
    searches = (Search(1, (0.85,) * 5, (0.1,) * 5, (2.0,) * 5, (-1.0,) * 5),)  # 1.08 at a tenth
    calibration = replace(CALIBRATION, searches=searches, fpir=0.01)
    ada = [template(passport, "Ada", ADA)]
    told = []
    for familiar in (0.3, 0.4):
        strange = replace(passport, calibration=replace(calibration, familiar=familiar))
        identifier = Identifier(strange, matching(strange, ada), IdentifierOptions(1, 1))
        decision = identifier.push(ADA, GOOD)
        told.append((decision.state, decision.hint))
    assert told == [("accepted", None), ("unknown", "unfamiliar_signal")]


def test_the_same_beat_is_accepted_among_few_and_not_among_many(passport: Passport) -> None:
    """A rate of strangers is asked for, and the threshold follows the number of templates."""
    searches = (
        Search(1, (0.5,) * 5, (0.1,) * 5, (2.0,) * 5, (-1.0,) * 5),
        Search(4, (9.0,) * 5, (5.0,) * 5, (2.0,) * 5, (-3.0,) * 5),
    )
    passport = replace(passport, calibration=replace(CALIBRATION, searches=searches))
    alone = [template(passport, "Ada", ADA)]
    among = [*alone, *(template(passport, f"P{at}", AXES[at]) for at in (1, 2, 3))]
    states = [
        Identifier(passport, matching(passport, people), IdentifierOptions(1, 1, fpir=fpir))
        .push(ADA, GOOD)
        .state
        for people, fpir in ((alone, 0.03), (among, 0.03), (among, 0.5))
    ]
    assert states == ["accepted", "unknown", "accepted"]
