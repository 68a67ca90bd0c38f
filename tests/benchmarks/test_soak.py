"""A minute of a soak: everything adds up, and what does not is found out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.soak.figures import Figures
from benchmarks.soak.listener import BeatTimes
from benchmarks.soak.machine import Taken
from benchmarks.soak.run import Soak
from daemon.__main__ import main


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """A soak in which the acquisition process lives for a minute at a time."""
    folder = tmp_path_factory.mktemp("soak")
    return Soak(150 / 3600, None, 3, lambda _: None, life_s=(60.0, 70.0)).run(folder)


def test_everything_holds(figures: Figures) -> None:
    assert [ruling for ruling in figures.rulings() if not ruling.holds] == []
    assert figures.passed


def test_a_good_deal_has_gone_wrong_meanwhile(figures: Figures) -> None:
    assert figures.counts.lost > 250
    assert figures.counts.starts >= 3
    assert figures.counts.received > 120 * 250


def test_each_beat_is_where_the_heart_beat(figures: Figures) -> None:
    assert figures.beat_times.beats > 120
    assert figures.beat_times.off <= 1  # as artefacts are


def test_nobody_is_taken_for_another(figures: Figures) -> None:
    assert figures.counts.accepted > 10
    assert figures.counts.mistaken == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"produced": 0.0},
        {"read": 1},
        {"messages_lost": 1},
        {"asked": 7},
    ],
    ids=str,
)
def test_what_does_not_add_up_is_found_out(figures: Figures, wrong: dict[str, int]) -> None:
    spoilt = replace(figures, counts=replace(figures.counts, **wrong))
    assert not spoilt.passed
    assert spoilt.as_json()["passed"] is False


def test_beats_that_drift_or_memory_that_grows_are_found_out(figures: Figures) -> None:
    drifting = BeatTimes([(hour, 0.6 * hour) for hour in range(10)], beats=10)
    steady = BeatTimes([(hour, 0.1) for hour in range(10)], beats=10)
    looks = [Taken(hour, 100.0 + hour, 1000, 30, 3) for hour in range(11)]
    even = [Taken(hour, 100.0, 1000, 30, 3) for hour in range(11)]
    assert replace(figures, hours=10.0, beat_times=steady, looks=even, traced_kib=0.0).passed
    assert not replace(figures, hours=10.0, beat_times=drifting, looks=even).passed
    assert not replace(figures, hours=10.0, beat_times=steady, looks=looks).passed
    hoarding = [look._replace(blocks=1000 + 2000 * at) for at, look in enumerate(even)]
    assert not replace(figures, hours=10.0, beat_times=steady, looks=hoarding).passed
    leaky = [look._replace(descriptors=30 + at) for at, look in enumerate(even)]
    assert not replace(figures, hours=10.0, beat_times=steady, looks=leaky).passed


def test_the_command_gives_its_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "soak.json"
    code = main(["benchmark", "soak", "--hours", "0.003", "--speed", "1000", "--json", str(file)])
    written = json.loads(file.read_text())
    assert code == (0 if written["passed"] else 1)
    assert "produced = received + counted" in capsys.readouterr().out
