"""Frames in, messages out: no chunk spans a gap, and nobody is anybody without electrodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from daemon.service.pipeline import Pipeline
from daemon.wire.messages import (
    BeatMessage,
    IdentityMessage,
    RPeakMessage,
    WaveMessage,
)
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS, Frame
from dsp.contact import OFF_SAMPLES, ON_SAMPLES
from dsp.segmenter import BEFORE_R
from dsp.signals import HANDOVER_SAMPLES
from model.enrolment import Enrolment
from model.network import Network
from model.tensor import normalise
from tests.daemon.frames import (
    ADA,
    BOB,
    ELECTRODE_OFF,
    MV_PER_COUNT,
    RATE_HZ,
    SETUP,
    STATUS,
    FakeNetwork,
    beating,
)
from tests.daemon.service.pipelines import identities, only, pipeline_of, push, template

# Beats


def test_each_beat_is_told_by_its_peak_then_as_a_whole_then_by_whose_it_is(
    pipeline: Pipeline,
) -> None:
    frames = beating(20.0)
    messages = push(pipeline, frames)
    peaks, beats = only(RPeakMessage, messages), only(BeatMessage, messages)
    assert len(beats) >= 18
    assert {beat.r_index for beat in beats} <= {peak.index for peak in peaks}
    for beat in beats:
        assert beat.index - beat.r_index >= 104  # its last sample has come
        place = messages.index(beat)
        assert isinstance(messages[place + 1], IdentityMessage)
    assert beats[-1].heart_rate_bpm == pytest.approx(75, abs=1)
    assert beats[-1].rr_s == pytest.approx(0.8, abs=0.01)
    assert pipeline.heart_rate_bpm == beats[-1].heart_rate_bpm
    assert pipeline.quality == beats[-1].quality > 0.8


def test_the_network_gets_the_normalised_window(model: Path) -> None:
    network = Network(model)
    pipeline = pipeline_of(network)
    seen: list[NDArray[np.float32]] = []
    run = network.run

    def spy(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        seen.append(windows)
        return run(windows)

    network.run = spy  # type: ignore[method-assign]
    push(pipeline, beating(5.0))
    assert seen
    np.testing.assert_allclose(seen[-1], normalise(seen[-1]), atol=1e-6)


@pytest.mark.parametrize("rail", [FULL_SCALE_COUNTS, MIN_COUNTS])
def test_a_beat_at_the_rail_is_flawed_and_counts_for_nobody(pipeline: Pipeline, rail: int) -> None:
    frames = beating(8.0)
    clipped = [
        frame._replace(counts=(0, rail)) if frame.counts[1] * MV_PER_COUNT > 0.9 else frame
        for frame in frames
    ]
    messages = push(pipeline, clipped)
    beats = only(BeatMessage, messages)
    assert beats
    assert all("saturated" in beat.flaws for beat in beats)
    assert {identity.beats for identity in only(IdentityMessage, messages)} == {0}


# Identity


def test_an_enrolled_heart_is_accepted_once_there_are_enough_beats(pipeline: Pipeline) -> None:
    assert identities(push(pipeline, beating(15.0))) == [("undecided", None), ("accepted", "Ada")]


def test_a_stranger_is_unknown(pipeline: Pipeline, network: FakeNetwork) -> None:
    network.says = BOB
    assert identities(push(pipeline, beating(15.0)))[-1] == ("unknown", None)


def test_nobody_is_anybody_while_an_electrode_is_off(pipeline: Pipeline) -> None:
    push(pipeline, beating(15.0))
    messages = push(pipeline, beating(2.0, first=3750, status=STATUS | ELECTRODE_OFF))
    assert identities(messages) == [("no_contact", None)]
    assert only(IdentityMessage, messages)[0].index == 3750 + OFF_SAMPLES - 1
    assert pipeline.contact == "off"
    assert pipeline.quality is None
    assert pipeline.heart_rate_bpm is None
    messages = push(pipeline, beating(15.0, first=4250))
    assert identities(messages) == [("undecided", None), ("accepted", "Ada")]
    assert only(IdentityMessage, messages)[0].index == 4250 + ON_SAMPLES - 1


def test_electrodes_that_are_off_from_the_start_are_no_contact(pipeline: Pipeline) -> None:
    messages = push(pipeline, beating(1.0, status=STATUS | ELECTRODE_OFF))
    assert identities(messages) == [("no_contact", None)]


def test_a_few_lost_samples_leave_the_wearer_alone(pipeline: Pipeline) -> None:
    push(pipeline, beating(15.0))
    messages = push(pipeline, beating(5.0, first=3750 + HANDOVER_SAMPLES - 1))
    assert identities(messages) == [("accepted", "Ada")]


def test_a_gap_in_which_the_electrodes_may_change_hands_drops_the_evidence(
    pipeline: Pipeline,
) -> None:
    push(pipeline, beating(15.0))
    index = 3750 + HANDOVER_SAMPLES
    [message] = only(IdentityMessage, pipeline.push(beating(0.1, first=index)[0]))
    assert (message.state, message.beats, message.index) == ("undecided", 0, index)


def test_nobody_is_known_while_no_samples_come(pipeline: Pipeline) -> None:
    frames = beating(15.04)
    told = push(pipeline, frames)
    told += (messages := pipeline.interrupt())
    assert identities(messages) == [("undecided", None)]
    assert (pipeline.contact, pipeline.quality, pipeline.heart_rate_bpm) == ("unknown", None, None)
    waves = only(WaveMessage, told)
    assert [counts for wave in waves for counts in wave.counts] == [f.counts for f in frames]
    assert identities(push(pipeline, beating(15.0, first=4000))) == [
        ("undecided", None),
        ("accepted", "Ada"),
    ]


def test_the_other_channels_electrodes_do_not_matter(pipeline: Pipeline) -> None:
    respiration_off = 1 << 15  # IN1P
    push(pipeline, beating(1.0, status=STATUS | respiration_off))
    assert pipeline.contact == "on"


def test_contact_is_unknown_where_the_chip_cannot_tell(pipeline: Pipeline) -> None:
    pipeline.use_setup(replace(SETUP, lead_off_known=False))
    messages = push(pipeline, beating(15.0, status=STATUS | ELECTRODE_OFF))
    assert pipeline.contact == "unknown"
    assert identities(messages)[-1] == ("accepted", "Ada")


def test_people_who_were_just_enrolled_are_known_at_once(network: FakeNetwork) -> None:
    pipeline = pipeline_of(network.as_network())
    assert identities(push(pipeline, beating(15.0)))[-1] == ("unknown", None)
    pipeline.recogniser.use_templates([template(network, "Ada")])
    assert identities(push(pipeline, beating(2.0, first=3750)))[0] == ("accepted", "Ada")


# Swapped electrodes


def upside_down(frames: Iterable[Frame]) -> list[Frame]:
    return [frame._replace(counts=(frame.counts[0], -frame.counts[1])) for frame in frames]


@pytest.fixture
def looking(network: FakeNetwork, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline whose network takes a beat for Ada's if its R wave points upwards."""

    def run(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return (ADA if windows[0, BEFORE_R] > 0 else BOB)[None]

    monkeypatch.setattr(network, "run", run)
    return pipeline_of(network.as_network(), template(network, "Ada"))


def test_an_enrolled_heart_upside_down_stays_unknown_with_a_hint(looking: Pipeline) -> None:
    told = only(IdentityMessage, push(looking, upside_down(beating(30.0))))
    assert {(message.state, message.person) for message in told[5:]} == {("unknown", None)}
    hints = [message.hint for message in told]
    first = hints.index("electrodes_swapped")
    assert set(hints[:first]) == {None}
    assert set(hints[first:]) == {"electrodes_swapped"}
    assert told[first].index < 20 * RATE_HZ


def test_the_hint_goes_when_the_electrodes_are_put_right(looking: Pipeline) -> None:
    push(looking, upside_down(beating(30.0)))
    told = push(looking, beating(1.0, first=7500, status=STATUS | ELECTRODE_OFF))
    told += push(looking, beating(15.0, first=7750))
    assert {message.hint for message in only(IdentityMessage, told)} == {None}
    assert identities(told)[-1] == ("accepted", "Ada")


def test_a_stranger_gets_no_hint(pipeline: Pipeline, network: FakeNetwork) -> None:
    network.says = BOB
    told = only(IdentityMessage, push(pipeline, beating(30.0)))
    assert {message.hint for message in told} == {None}


def test_whoever_is_enrolled_while_unknown_may_be_the_one_upside_down(
    looking: Pipeline, network: FakeNetwork
) -> None:
    looking.recogniser.use_templates([])
    push(looking, upside_down(beating(20.0)))
    looking.recogniser.use_templates([template(network, "Ada")])
    told = only(IdentityMessage, push(looking, upside_down(beating(15.0, first=5000))))
    assert told[-1].hint == "electrodes_swapped"


# Enrolment


def test_an_enrolment_gathers_the_good_beats(pipeline: Pipeline, network: FakeNetwork) -> None:
    pipeline.recogniser.enrolment = Enrolment("Bob", network.passport, needed=10)
    beats = only(BeatMessage, push(pipeline, beating(6.0)))
    assert pipeline.recogniser.enrolment.beats == sum(not beat.flaws for beat in beats) > 3


def test_an_enrolment_begins_again_with_the_electrodes(
    pipeline: Pipeline, network: FakeNetwork
) -> None:
    pipeline.recogniser.enrolment = Enrolment("Bob", network.passport, needed=20)
    push(pipeline, beating(6.0))
    gathered = pipeline.recogniser.enrolment.beats
    pipeline.push(beating(0.1, first=1515)[0])  # after fifteen lost samples
    assert pipeline.recogniser.enrolment.beats == gathered > 0
    push(pipeline, beating(0.1, first=1601, status=STATUS | ELECTRODE_OFF))
    assert pipeline.recogniser.enrolment.beats == 0


# Played signals


def test_a_beat_played_over_and_over_is_never_accepted(network: FakeNetwork) -> None:
    ada = template(network, "Ada")
    pipeline = pipeline_of(network.as_network(), ada, on_suspicion="refuse")
    told = only(IdentityMessage, push(pipeline, beating(30.0)))
    assert {(message.state, message.hint) for message in told[:4]} == {("undecided", None)}
    assert {(each.state, each.person, each.confidence) for each in told[4:]} == {
        ("suspect", None, None)
    }
    assert told[-1].hint == "too_clean"
    assert pipeline.recogniser.session.take() is None


def test_the_suspicion_ends_with_the_sitting(network: FakeNetwork) -> None:
    ada = template(network, "Ada")
    pipeline = pipeline_of(network.as_network(), ada, on_suspicion="refuse")
    push(pipeline, beating(15.0))
    told = push(pipeline, beating(1.0, first=3750, status=STATUS | ELECTRODE_OFF))
    assert identities(told) == [("no_contact", None)]


def test_a_warning_leaves_the_decision_alone(network: FakeNetwork) -> None:
    pipeline = pipeline_of(network.as_network(), template(network, "Ada"), on_suspicion="warn")
    told = only(IdentityMessage, push(pipeline, beating(30.0)))
    assert (told[-1].state, told[-1].person, told[-1].hint) == ("accepted", "Ada", "too_clean")
