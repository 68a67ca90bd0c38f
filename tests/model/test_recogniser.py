"""Events in, decisions out: the one chain that the service, commands and benchmarks run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp.options import LivenessOptions
from dsp.segmenter import WINDOW_SAMPLES
from dsp.signals import (
    HANDOVER_SAMPLES,
    BeatQuality,
    BeatWindow,
    ContactRestored,
    Event,
    Interruption,
    LeadOffContradicted,
    RPeak,
)
from model.enrolment import Enrolment
from model.errors import EnrolmentSuspect
from model.options import IdentifierOptions
from model.passport import Passport
from model.recogniser import Recogniser
from model.template import Template
from tests.model.models import AXES, GOOD, NOISY, embedder

IGNORE = LivenessOptions("ignore")
R_PEAK = RPeak(0, 1.0, None, search_back=False)
SHORT_GAP = Interruption(0, "gap", HANDOVER_SAMPLES - 1)
HANDOVER = Interruption(0, "gap", HANDOVER_SAMPLES)
LEAD_OFF = Interruption(0, "lead_off", 0)


@pytest.fixture
def passport(tmp_path: Path) -> Passport:
    return Passport.load(embedder(tmp_path))


@pytest.fixture
def recogniser(passport: Passport) -> Recogniser:
    return Recogniser(passport, axis, [ada(passport)], liveness=IGNORE)


def ada(passport: Passport) -> Template:
    return Template("Ada", AXES[0], 16, "2026-01-01T00:00:00Z", passport.sha256, "simulated")


def axis(beat: BeatWindow) -> NDArray[np.float32]:
    """Take a beat for the person whose number its first sample is."""
    return AXES[int(beat.ecg_mv[0])]


def beats(person: int, count: int) -> list[BeatWindow]:
    """Return good beats; all of one person's are the same, as no living heart's are."""
    window = (float(person), *np.zeros(WINDOW_SAMPLES - 1).tolist())
    return [BeatWindow(250 * number, 0.8, window, GOOD) for number in range(count)]


def states(recogniser: Recogniser, events: Iterable[Event]) -> list[str]:
    decisions = [recogniser.push(event) for event in events]
    return [decision.state for decision in decisions if decision is not None]


def test_it_decides_on_each_beat_and_on_nothing_that_tells_nothing(recogniser: Recogniser) -> None:
    assert states(recogniser, [R_PEAK, *beats(0, 5)]) == ["undecided"] * 4 + ["accepted"]
    assert recogniser.decision.person == "Ada"
    assert recogniser.push(R_PEAK) is recogniser.push(SHORT_GAP) is None
    assert recogniser.decision.person == "Ada"


@pytest.mark.parametrize(("event", "state"), [(HANDOVER, "undecided"), (LEAD_OFF, "no_contact")])
def test_a_possible_change_of_hands_ends_all_that_was_gathered(
    recogniser: Recogniser, passport: Passport, event: Event, state: str
) -> None:
    enrolment = Enrolment("Bob", passport, 20)
    recogniser.enrol(enrolment)
    states(recogniser, beats(0, 19))
    assert enrolment.beats == 19
    assert states(recogniser, [event]) == [state]
    assert enrolment.beats == 0
    states(recogniser, beats(1, 19))
    assert recogniser.session.take() is None
    states(recogniser, beats(1, 1))
    taken = recogniser.session.take()
    assert taken is not None
    assert taken.tolist() == [AXES[1].tolist()] * 20


def test_contact_alone_leaves_everything_undecided(recogniser: Recogniser) -> None:
    events = [LEAD_OFF, ContactRestored(9), *beats(0, 1)]
    assert states(recogniser, events) == ["no_contact", "undecided", "undecided"]


def hints(recogniser: Recogniser, events: Iterable[Event]) -> list[str | None]:
    decisions = [recogniser.push(event) for event in events]
    return [decision.hint for decision in decisions if decision is not None]


def test_evidence_that_is_dropped_says_why_until_the_next_good_beat(recogniser: Recogniser) -> None:
    states(recogniser, beats(0, 10))
    three_seconds_after = 9 * 250 + 750
    recogniser.tick(three_seconds_after)
    assert recogniser.decision.state == "accepted"
    recogniser.tick(three_seconds_after + 1)
    assert (recogniser.decision.state, recogniser.decision.hint) == ("undecided", "no_good_beats")
    assert hints(recogniser, beats(0, 10)) == [None] * 10
    assert hints(recogniser, beats(1, 4)) == [None, None, "heart_changed", None]
    assert (recogniser.decision.state, recogniser.decision.beats) == ("undecided", 2)


def test_what_is_odd_about_the_signal_is_a_hint_beside_the_decision(recogniser: Recogniser) -> None:
    odd = [LEAD_OFF, LeadOffContradicted(9), ContactRestored(9)]
    assert hints(recogniser, odd) == [None, "lead_off_contradicted", None]
    states(recogniser, beats(0, 5))
    two_kinds = BeatWindow(1250, 0.8, beats(0, 1)[0].ecg_mv, BeatQuality(1.0, (), two_kinds=True))
    assert hints(recogniser, [two_kinds, *beats(0, 1)]) == ["two_kinds_of_beats", None]
    assert recogniser.decision.person == "Ada"


@pytest.mark.parametrize(
    ("options", "smoothed", "told"),
    [
        (LivenessOptions("refuse"), False, ("suspect", "too_clean", False)),
        (LivenessOptions("warn"), False, ("accepted", "too_clean", True)),
        (LivenessOptions("refuse"), True, ("accepted", None, True)),
    ],
)
def test_nobodys_template_may_grow_from_what_is_refused(
    passport: Passport,
    options: LivenessOptions,
    smoothed: bool,
    told: tuple[str, str | None, bool],
) -> None:
    recogniser = Recogniser(passport, axis, [ada(passport)], liveness=options, smoothed=smoothed)
    uneven = np.random.default_rng(1).normal(0.8, 0.04, 20).tolist()
    for rr_s, beat in zip(uneven, beats(0, 20), strict=True):
        decision = recogniser.push(BeatWindow(beat.r_index, rr_s, beat.ecg_mv, GOOD))
    assert decision is not None
    grows = recogniser.session.take() is not None
    assert (decision.state, decision.hint, grows) == told


def test_what_was_played_has_no_part_in_the_session_of_what_is_alive(passport: Passport) -> None:
    recogniser = Recogniser(passport, axis, [ada(passport)])
    rng = np.random.default_rng(1)

    def state_after(number: int, noise_mv: float) -> str:
        window = (0.0, *rng.normal(0, noise_mv, WINDOW_SAMPLES - 1).tolist())
        decision = recogniser.push(BeatWindow(250 * number, rng.normal(0.8, 0.04), window, GOOD))
        assert decision is not None
        return decision.state

    assert [state_after(number, 0.0) for number in range(5)][-1] == "suspect"
    alive = next(number for number in range(5, 100) if state_after(number, 0.002) == "accepted")
    for number in range(alive + 1, alive + 19):
        state_after(number, 0.002)
    assert recogniser.session.take() is None
    state_after(alive + 19, 0.002)
    assert recogniser.session.take() is not None


@pytest.mark.parametrize(
    ("rr_sd_s", "gap_at", "known_after"), [(0.0, None, None), (0.0, 30, None), (0.02, None, 20)]
)
def test_fast_beats_as_even_as_a_clock_make_nobody_known_before_they_are_told(
    passport: Passport, rr_sd_s: float, gap_at: int | None, known_after: int | None
) -> None:
    """Of 150 a minute 20 come in 8 s, which is too soon to tell, also where samples were lost."""
    careful = IdentifierOptions(min_beats=20, max_beats=20)
    recogniser = Recogniser(passport, axis, [ada(passport)], careful)
    enrolment = Enrolment("Bob", passport, 20)
    recogniser.enrol(enrolment)
    rng = np.random.default_rng(1)
    accepted, ended, grown = [], [], []
    for number in range(70):
        window = (0.0, *rng.normal(0, 0.002, WINDOW_SAMPLES - 1).tolist())
        rr_s = 0.4 + rr_sd_s * rng.normal() if number not in (0, gap_at) else None
        recogniser.push(BeatWindow(100 * number, rr_s, window, GOOD))
        if recogniser.decision.state == "accepted":
            accepted.append(number + 1)
        if enrolment.ended and enrolment.suspicion is None:
            ended.append(number + 1)
        if recogniser.session.take() is not None:
            grown.append(number + 1)
    first = [] if known_after is None else [known_after]
    assert (accepted[:1], ended[:1], grown) == (first, first, first)
    assert enrolment.suspicion == (None if known_after else "too_regular")


def test_one_that_is_played_is_suspect_until_the_electrodes_are_fitted_anew(
    passport: Passport,
) -> None:
    recogniser = Recogniser(passport, axis, [ada(passport)])
    assert states(recogniser, beats(0, 8))[-1] == "suspect"
    assert recogniser.decision.hint == "too_clean"
    assert recogniser.decision.person is None
    late = Enrolment("Bob", passport, 5)
    recogniser.enrol(late)
    with pytest.raises(EnrolmentSuspect, match="too clean"):
        late.template("2026-01-01T00:00:00Z", "simulated")
    assert states(recogniser, [LEAD_OFF])[-1] == "no_contact"
    assert recogniser.decision.hint is None


def test_an_enrolment_of_what_is_played_fails_though_its_beats_are_complete(
    passport: Passport,
) -> None:
    recogniser = Recogniser(passport, axis)
    enrolment = Enrolment("Bob", passport, 5, most=100)
    recogniser.enrol(enrolment)
    states(recogniser, beats(0, 8))
    assert enrolment.complete
    with pytest.raises(EnrolmentSuspect):
        enrolment.template("2026-01-01T00:00:00Z", "recording")


class TestUpsideDown:
    """The hint that the electrodes are swapped."""

    def hear(self, recogniser: Recogniser, events: Sequence[Event]) -> str | None:
        for event in events:
            recogniser.push_inverted(event)
        return recogniser.decision.hint

    def test_it_listens_only_while_an_enrolled_person_may_be_upside_down(
        self, recogniser: Recogniser, passport: Passport
    ) -> None:
        assert not recogniser.inverted_wanted
        states(recogniser, beats(0, 5))
        assert not recogniser.inverted_wanted
        states(recogniser, [HANDOVER, *beats(1, 5)])
        assert recogniser.inverted_wanted
        recogniser.use_templates([])
        assert not recogniser.inverted_wanted

    def test_a_stranger_whose_negative_is_enrolled_gets_a_hint_only(
        self, recogniser: Recogniser
    ) -> None:
        states(recogniser, beats(1, 5))
        assert self.hear(recogniser, beats(0, 4)) is None
        assert self.hear(recogniser, beats(0, 1)) == "electrodes_swapped"
        assert (recogniser.decision.state, recogniser.decision.person) == ("unknown", None)
        assert self.hear(recogniser, [LEAD_OFF]) is None

    def test_it_listens_for_ten_beats_and_again_after_a_minute(
        self, recogniser: Recogniser
    ) -> None:
        states(recogniser, beats(1, 5))
        assert self.hear(recogniser, beats(1, 9)) is None
        assert recogniser.inverted_wanted
        self.hear(recogniser, beats(1, 1))
        assert not recogniser.inverted_wanted
        states(recogniser, beats(1, 60))
        assert recogniser.decision.state == "unknown"
        assert not recogniser.inverted_wanted
        states(recogniser, beats(1, 61))
        assert recogniser.inverted_wanted
        assert self.hear(recogniser, beats(0, 5)) == "electrodes_swapped"

    def test_once_sure_of_the_hint_it_stays_without_listening(self, recogniser: Recogniser) -> None:
        states(recogniser, beats(1, 5))
        assert self.hear(recogniser, beats(0, 10)) == "electrodes_swapped"
        for seconds in (70, 150):
            states(recogniser, beats(1, seconds))
            assert not recogniser.inverted_wanted
            assert recogniser.decision.hint == "electrodes_swapped"

    def test_what_was_heard_counts_no_more_once_somebody_is_known(
        self, recogniser: Recogniser
    ) -> None:
        states(recogniser, beats(1, 5))
        assert self.hear(recogniser, beats(0, 5)) == "electrodes_swapped"
        states(recogniser, beats(0, 10))
        assert recogniser.decision.state == "accepted"
        states(recogniser, beats(1, 10))
        assert recogniser.decision.state == "unknown"
        assert recogniser.decision.hint is None

    def test_whoever_is_enrolled_meanwhile_is_looked_for_too(
        self, recogniser: Recogniser, passport: Passport
    ) -> None:
        recogniser.use_templates([])
        states(recogniser, beats(1, 5))
        self.hear(recogniser, beats(0, 5))
        recogniser.use_templates([ada(passport)])
        assert recogniser.decision.hint == "electrodes_swapped"


def test_nobody_is_known_any_more_three_seconds_after_the_last_good_beat(
    recogniser: Recogniser, passport: Passport
) -> None:
    """Though lead-off was never told: the next wearer begins from nothing, an enrolment too."""
    recogniser.enrol(enrolment := Enrolment("Bob", passport, 20))
    assert states(recogniser, beats(0, 10))[-1] == "accepted"
    last = 9 * 250
    recogniser.tick(last + 750)
    assert (recogniser.decision.state, enrolment.beats) == ("accepted", 10)
    recogniser.tick(last + 751)
    assert (recogniser.decision.state, recogniser.decision.hint) == ("undecided", "no_good_beats")
    assert enrolment.beats == 0
    later = [replace(beat, r_index=beat.r_index + 60 * 250) for beat in beats(1, 5)]
    assert states(recogniser, later) == ["undecided"] * 4 + ["unknown"]


def test_flaws_do_not_keep_evidence_alive(recogniser: Recogniser) -> None:
    states(recogniser, beats(0, 10))
    late = [replace(beat, r_index=beat.r_index + 10 * 250, quality=NOISY) for beat in beats(0, 4)]
    assert states(recogniser, late)[-1] == "undecided"


def test_beats_with_flaws_count_for_nobody(recogniser: Recogniser) -> None:
    flawed = [BeatWindow(0, 0.8, beats(0, 1)[0].ecg_mv, NOISY)] * 20
    assert states(recogniser, flawed) == ["undecided"] * 20
    assert recogniser.decision.beats == 0
