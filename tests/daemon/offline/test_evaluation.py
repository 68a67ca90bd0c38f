"""One's own people before the recogniser: with embeddings of which all figures are known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from daemon.offline.analysis import Analysis
from daemon.offline.errors import TooFewPeople
from daemon.offline.evaluation import TURNS, OwnPeople, Sitting, sitting
from daemon.offline.evaluation_figures import figures
from dsp.options import LivenessOptions
from dsp.segmenter import WINDOW_SAMPLES
from dsp.signals import BeatWindow
from model.calibration import Calibration
from model.errors import EmbedderNeeded
from model.network import Network
from model.options import IdentifierOptions
from model.passport import Passport
from tests.model.models import GOOD, NOISY, classifier, embedder

HEARTS = np.eye(8, dtype=np.float32)[:4]
STRANGERS = np.eye(8, dtype=np.float32)[4:]
RR = 200  # samples
CALIBRATION = Calibration(0.01, (0.5,), (4.0,), (-2.0,))


class PlaceNetwork:
    """Answers with the axis whose number is where the window is highest."""

    def __init__(self, folder: Path) -> None:
        passport = Passport.load(embedder(folder))
        assert passport.cohort is not None
        cohort = replace(passport.cohort, embeddings=STRANGERS)
        self.passport = replace(passport, cohort=cohort, calibration=CALIBRATION)

    def run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        return HEARTS[windows.argmax(axis=1)].reshape(-1, 8)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return cast(Network, PlaceNetwork(tmp_path))


def analysed(heart: int, beats: int = 20, noisy: int = 0) -> Analysis:
    """Return a recording of one of the hearts, whose first beats are noisy."""
    window = tuple(np.eye(WINDOW_SAMPLES)[heart])
    events = tuple(
        BeatWindow(RR * (at + 1), RR / 250, window, NOISY if at < noisy else GOOD)
        for at in range(beats)
    )
    return Analysis(f"heart {heart}", RR * (beats + 1) / 250, (), None, events)


def people(network: Network, *sittings: Sitting) -> OwnPeople:
    return OwnPeople(sittings, network, 10, IdentifierOptions(), LivenessOptions("ignore"))


def four(network: Network) -> OwnPeople:
    """Return Ada, Bob, Cy and Dan, who comes again as Ada."""
    came = [("Ada", 0, 0), ("Bob", 1, 1), ("Cy", 2, 2), ("Dan", 3, 0)]
    return people(
        network,
        *(
            sitting(name, "rest", analysed(heart), network)
            for name, first, again in came
            for heart in (first, again)
        ),
    )


def test_whoever_comes_as_another_is_missed_and_falsely_matched(network: Network) -> None:
    measured = figures(four(network), CALIBRATION, enrolled=3)
    for of in measured["by_beats"].values():
        assert of["fnmr"]["percent"] == 25.0  # one of four
        assert of["fmr"]["percent"] == 8.33  # one of twelve pairs of two people
        assert of["rank_1"]["percent"] == 75.0
    assert measured["by_beats"]["10"]["confusion"] == [
        [11, 0, 0, 0],  # stretches of 10 in 20 beats
        [0, 11, 0, 0],
        [0, 0, 11, 0],
        [11, 0, 0, 0],
    ]


def test_a_group_is_decided_on_by_the_recogniser(network: Network) -> None:
    own = four(network)
    ada, bob, *_ = own.templates.values()
    said = {
        visit.sitting.person: (visit.is_enrolled, visit.person) for visit in own.visits([ada, bob])
    }
    assert said == {
        "Ada": (True, "Ada"),
        "Bob": (True, "Bob"),
        "Cy": (False, None),
        "Dan": (False, "Ada"),
    }


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_everybody_takes_turns_at_being_enrolled_and_a_stranger(
    network: Network, size: int
) -> None:
    groups = [{template.person for template in group} for group in four(network).groups(size)]
    for name in ("Ada", "Bob", "Cy", "Dan"):
        assert sum(name in group for group in groups) >= TURNS
    assert all(len(group) == min(size, 3) for group in groups)


def test_the_first_decision_is_with_the_fifth_good_beat(network: Network) -> None:
    later = [analysed(0, noisy=2), analysed(1, beats=4)]
    own = people(
        network,
        *(
            sitting(name, place, each, network)
            for at, name in enumerate(("Ada", "Bob"))
            for place, each in (("rest", analysed(at)), ("walk", later[at]), ("sit", analysed(at)))
        ),
    )
    walk = figures(own, CALIBRATION, enrolled=1)["by_folder"]["walk"]
    assert walk["fta"]["percent"] == 50.0  # Bob has four beats
    seventh_s = (7 * RR + 105) / 250
    assert walk["seconds_to_decision"] == {"median": seventh_s, "p95": seventh_s}
    assert walk["good_beats"] == percent(22, 24)


def percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2)


def test_of_a_single_recording_the_halves_are_two_sittings(network: Network) -> None:
    own = people(
        network,
        *(sitting(name, "", analysed(at, 40), network) for at, name in enumerate(("Ada", "Bob"))),
    )
    assert own.halved == ["Ada", "Bob"]
    first, _ = own.visits([own.templates["Ada"]])
    assert first.is_recognised
    assert first.decided_s == (4 * RR + 105) / 250  # from the half's first beat to its fifth
    assert own.templates["Ada"].beats == 16  # of 20, less the farthest fifth


def test_whoever_cannot_be_enrolled_is_told_and_stays_a_stranger(network: Network) -> None:
    own = people(
        network,
        *(
            sitting(name, "", analysed(at, beats), network)
            for at, (name, beats) in enumerate((("Ada", 20), ("Bob", 20), ("Cy", 9)))
            for _ in range(2)
        ),
    )
    assert list(own.refused) == ["Cy"]
    assert figures(own, CALIBRATION, enrolled=1)["fte"]["percent"] == 33.33
    assert "Cy" in {visit.sitting.person for visit in own.visits([own.templates["Ada"]])}


def test_one_person_is_nobody_to_mistake_for(network: Network) -> None:
    with pytest.raises(TooFewPeople, match="enrolled: 1 of 1, needed: 2"):
        people(network, sitting("Ada", "", analysed(0, 40), network))


def test_too_few_beats_for_a_probe_are_said(network: Network) -> None:
    own = people(
        network,
        *(
            sitting(name, "", analysed(at, beats), network)
            for at, name in enumerate(("Ada", "Bob"))
            for beats in (20, 9)
        ),
    )
    assert math.isnan(next(own.visits([own.templates["Bob"]])).decided_s) is False
    with pytest.raises(TooFewPeople, match="people with 10 good beats after their enrolment: 0"):
        own.scores(10)


def test_a_classifier_enrols_nobody(tmp_path: Path) -> None:
    with pytest.raises(EmbedderNeeded, match="takes an embedder"):
        people(Network(classifier(tmp_path)))
