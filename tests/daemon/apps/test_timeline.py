"""Time on the timeline has no gap, and every annotation is at its sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import numpy as np

from daemon.apps.timeline import Second, Timeline
from daemon.recordings.recorded import LOST, Annotation
from daemon.wire.client import Item, Lost, Silent
from daemon.wire.messages import EpisodeOnWire
from tests.daemon.apps.made_up_service import BEGIN, RATE_HZ, Service, array


def seconds_of(items: Iterable[Item], *, ended: bool = True) -> list[Second]:
    timeline = Timeline(str.upper)
    seconds = [second for item in items for second in timeline.take(item)]
    return seconds + (timeline.end() if ended else [])


def words(seconds: Iterable[Second]) -> list[tuple[int, str, int]]:
    return [(a.sample, a.text, a.samples) for second in seconds for a in second.annotations]


def joined(seconds: Iterable[Second]) -> np.ndarray:
    return np.concatenate([second.codes for second in seconds])


def test_seconds_follow_each_other_with_all_samples() -> None:
    seconds = seconds_of(Service().waves(3.5))
    assert np.array_equal(joined(seconds), array(0, 875))
    assert [second.begin for second in seconds] == [0, 250, 500, 750]
    begins = [second.layout.begin_utc for second in seconds]
    assert begins == [BEGIN + timedelta(seconds=at) for at in range(4)]
    assert [second.continues for second in seconds] == [False, True, True, True]


def test_a_second_waits_for_the_annotations_of_its_end() -> None:
    service = Service()
    items = list(service.waves(1.7))
    assert seconds_of(items, ended=False) == []
    assert len(seconds_of([*items, *service.waves(0.1)], ended=False)) == 1


def test_a_beat_says_what_is_wrong_with_its_r_peak() -> None:
    service = Service()
    items = [*service.waves(0.6), service.peak(100), service.peak(120, search_back=True)]
    items += [*service.waves(0.4), service.beat(100, "noisy", "gap"), *service.waves(1)]
    assert words(seconds_of(items)) == [
        (100, "R peak (noisy, gap)", 0),
        (120, "R peak (search back)", 0),
    ]


def test_what_is_not_usual_is_annotated_though_it_is_known_late() -> None:
    service = Service()
    run = EpisodeOnWire("ventricular_run", 100, None)
    over, pause = replace(run, end=300), EpisodeOnWire("pause", 300, 820)
    items = [
        *service.waves(2),
        *(service.kind(100, "V"), service.kind(200, "N"), service.kind(300, "Q")),
        *(service.rhythm(run), service.rhythm(run)),
        *service.waves(2),
        service.rhythm(over, pause),
        *service.waves(1),
    ]
    assert sorted(words(seconds_of(items))) == [
        (100, "Beat V", 0),
        (100, "Ventricular run", 0),
        (300, "End of ventricular run", 0),
        (300, "Pause", 0),
        (820, "End of pause", 0),
    ]


def test_lost_samples_are_filled_in_and_said() -> None:
    service = Service()
    items = list(service.waves(1))
    service.index += 40
    seconds = seconds_of([*items, *service.waves(1)])
    assert words(seconds) == [(250, "Lost samples", 40)]
    codes = joined(seconds)
    assert (codes[250:290] == LOST).all()
    assert np.array_equal(codes[290:], array(290, 250))


def test_a_restart_goes_on_by_the_clock() -> None:
    again = Service("b", BEGIN + timedelta(seconds=2.5))
    seconds = seconds_of([*Service().waves(1), *again.waves(1), again.peak(200), *again.waves(1)])
    assert words(seconds) == [
        (250, "Service restarted", 0),
        (250, "Lost samples", 375),
        (825, "R peak", 0),
    ]
    assert np.array_equal(joined(seconds)[625:], array(0, 500))


def test_after_a_minute_or_a_step_back_the_timeline_begins_anew() -> None:
    for later_s in (62, -10):
        again = Service("b", BEGIN + timedelta(seconds=later_s))
        seconds = seconds_of([*Service().waves(1.1), *again.waves(1)])
        assert [second.continues for second in seconds] == [False, True, False]
        assert [len(second.codes) for second in seconds] == [250, 25, 250]
        assert seconds[2].layout.begin_utc == BEGIN + timedelta(seconds=later_s)


def test_an_electrode_that_is_off_is_said_when_it_comes_off_and_when_it_is_back() -> None:
    seconds = seconds_of(Service().waves(4, lead_off=[(200, 600), (650, 700)]))
    assert words(seconds) == [(200, "Lead off", 0), (700, "Lead on", 0)]
    assert [second.going_on for second in seconds] == [
        (),
        (Annotation(250, "Lead off"),),
        (Annotation(500, "Lead off"),),
        (),
    ]


def test_a_flickering_saturation_is_one() -> None:
    flicker = [(index, index + 1) for index in range(100, 400, 10)]
    assert words(seconds_of(Service().waves(3, saturated=flicker))) == [
        (100, "Channel 2 saturated", 0),
        (391, "Channel 2 within range", 0),
    ]


def test_identities_are_said_when_they_change_by_the_name_to_be_used() -> None:
    service = Service()
    items = [*service.waves(1), service.accepts("Ada"), *service.waves(1), service.accepts("Ada")]
    items += [*service.waves(1), service.accepts("Bob"), *service.waves(1)]
    seconds = seconds_of(items)
    assert words(seconds) == [
        (250, "Identity accepted: ADA", 0),
        (750, "Identity accepted: BOB", 0),
    ]
    assert seconds[3].going_on == (Annotation(750, "Identity accepted: ADA"),)


def test_what_else_happens_is_said() -> None:
    service = Service()
    items = [*service.waves(1), Lost("r_peak", 3), service.status(restarts=1), *service.waves(1)]
    assert words(seconds_of(items)) == [
        (249, "3 r_peak messages lost", 0),
        (249, "Chip set up again", 0),
    ]


def test_a_silent_service_holds_nothing_back_and_then_ends_the_timeline() -> None:
    timeline = Timeline(str)
    heard = [second for item in Service().waves(1.1) for second in timeline.take(item)]
    assert heard == []
    assert [len(second.codes) for second in timeline.take(Silent(3))] == [RATE_HZ]
    assert [len(second.codes) for second in timeline.take(Silent(60))] == [25]
    assert timeline.is_broken
