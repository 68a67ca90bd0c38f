"""Who is shown, in which order, and that the shipped model can tell them apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.source import PlayOptions, SimulatedOptions
from daemon.acquisition.sources import play
from daemon.apps.demo_plan import (
    BIGEMINY,
    ENROL_HEARTS,
    SHOW_S,
    Person,
    people_of,
    plan,
    synthetic_hearts,
)
from daemon.apps.errors import NothingToShow
from daemon.commands.exit_codes import exit_code
from dsp.front_end import FrontEnd
from dsp.signals import BeatWindow, Event, Sample
from model.beat_kinds import BeatKindJudge
from model.beat_network import BeatNetwork
from model.enrolment import Enrolment
from model.identifier import Identifier, matching
from model.network import Network
from model.opening import open_network
from model.rhythm_watch import RhythmWatch
from model.tensor import normalise


def samples(entry: dict[str, Any], seconds: float) -> Iterator[tuple[Sample, list[Event]]]:
    """Play one entry, with what the signal chain makes of each sample, as in the service."""
    playing = PlayOptions(**(entry | {"seconds": seconds}))
    electrodes = play(SimulatedOptions(play=(playing,)))
    front_end = FrontEnd()
    for index in range(round(seconds * 250)):
        sample = Sample(index, electrodes.at(index / 250).ch2_mv, False)
        yield sample, front_end.push(sample)


def beats(entry: dict[str, Any], seconds: float) -> list[BeatWindow]:
    """Find the beats of one entry."""
    events = (event for _, found in samples(entry, seconds) for event in found)
    return [event for event in events if isinstance(event, BeatWindow)]


def said_of(
    network: Network, identifier: Identifier, entry: dict[str, Any]
) -> set[tuple[str, str]]:
    """Return everything that was ever decided, so that a lost sample makes no difference."""
    identities = [
        identifier.push(network.run(normalise(np.array([beat.ecg_mv])))[0], beat.quality)
        for beat in beats(entry, SHOW_S)
    ]
    return {(each.state, each.person or "") for each in identities} - {("undecided", "")}


def test_the_shipped_model_tells_the_synthetic_hearts_apart() -> None:
    network = open_network(None)
    one, other, stranger = synthetic_hearts()
    templates = []
    for person in (one, other):
        enrolment = Enrolment(person.name, network.passport, ENROL_HEARTS.beats)
        for beat in beats(person.first, ENROL_HEARTS.seconds):
            enrolment.push(network.run(normalise(np.array([beat.ecg_mv])))[0], beat.quality)
        templates.append(enrolment.template("2026-01-01T00:00:00Z", "simulated"))
    said = [
        said_of(network, Identifier(network.passport, matching(network.passport, templates)), entry)
        for entry in (one.again, stranger.first, other.again)
    ]
    assert said == [{("accepted", one.name)}, {("unknown", "")}, {("accepted", other.name)}]


def test_the_shipped_network_takes_each_second_beat_for_one_of_the_ventricles() -> None:
    watch = RhythmWatch(BeatKindJudge(BeatNetwork()))
    kinds, episodes = "", []
    for sample, found in samples(BIGEMINY.play, BIGEMINY.seconds):
        for told in (*map(watch.push, found), watch.tick(sample)):
            kinds += "".join(beat.kind for beat in told.beats)
            episodes += told.episodes
    assert "NVNVNVNV" in kinds  # the first of a shape may pass for a normal one
    assert [(each.kind, each.end) for each in episodes] == [("bigeminy", None)]


def test_two_people_come_again_after_enrolment_and_a_stranger_between_them() -> None:
    one, other, _ = people = synthetic_hearts()
    acts = plan(people, ENROL_HEARTS)
    assert [(act.expected, act.person) for act in acts if act.expected] == [
        ("enrolled", one.name),
        ("enrolled", other.name),
        ("accepted", one.name),
        ("unknown", None),
        ("no_contact", None),
        ("accepted", other.name),
        ("bigeminy", None),
    ]


def test_who_comes_again_is_not_the_same_recording() -> None:
    for person in synthetic_hearts():
        assert person.first != person.again


def test_the_electrodes_are_off_between_any_two_people() -> None:
    off = ["pause" in act.play for act in plan(synthetic_hearts(), ENROL_HEARTS)]
    assert off == [False, True] * (len(off) // 2) + [False]


def test_with_the_report_it_takes_less_than_two_minutes() -> None:
    assert sum(act.seconds for act in plan(synthetic_hearts(), ENROL_HEARTS)) <= 100


def folder_of_people(folder: Path, people: dict[str, int]) -> Path:
    for name, records in people.items():
        (folder / name).mkdir()
        for number in range(1, records + 1):
            (folder / name / f"rec_{number}.hea").touch()
    return folder


def test_a_folder_gives_three_people_with_two_records_in_reading_order(tmp_path: Path) -> None:
    folder_of_people(tmp_path, {"ada": 12, "bob": 1, "cid": 2, "dan": 2, "eve": 2})
    ada, *others = people_of(tmp_path)
    home = tmp_path / "ada"
    assert ada == Person("ada", {"record": str(home / "rec_1")}, {"record": str(home / "rec_2")})
    assert [person.name for person in others] == ["cid", "dan"]


def test_a_folder_without_such_people_is_told_what_it_lacks(tmp_path: Path) -> None:
    folder_of_people(tmp_path, {"ada": 2, "bob": 1})
    with pytest.raises(NothingToShow, match=r"has 1 people .* folder for each person") as caught:
        people_of(tmp_path)
    assert exit_code(caught.value) == 66
