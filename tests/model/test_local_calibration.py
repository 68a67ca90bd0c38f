"""The thresholds of one device: kept beside the gallery, used by the network of its model only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from model.errors import CalibrationUnusable
from model.local_calibration import (
    LocalCalibration,
    calibration_path,
    forget,
    read,
    shifted,
    use_local,
    write,
)
from model.network import Network
from model.opening import DEFAULT_MODEL
from tests.model.models import embedder


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return tmp_path / "gallery.sqlite"


def of(network: Network, shift: float = 0.1) -> LocalCalibration:
    return LocalCalibration(network.passport.sha256, shift, 20, "2026-01-01T00:00:00+00:00")


def test_what_is_written_is_read_until_it_is_forgotten(gallery: Path, tmp_path: Path) -> None:
    assert read(gallery) is None
    written = of(Network(embedder(tmp_path)))
    write(written, gallery)
    write(replace(written, shift=0.2), gallery)
    assert read(gallery) == replace(written, shift=0.2)
    assert forget(gallery)
    assert not forget(gallery)
    assert read(gallery) is None


def test_a_shift_asks_for_more_and_believes_less_of_the_same_score() -> None:
    own = Network(DEFAULT_MODEL).passport.calibration
    moved = shifted(own, 0.1)
    for beats, enrolled in ((1, 1), (10, 6), (10, 32)):
        asked = own.search_threshold(beats, enrolled, 0.01)
        assert moved.search_threshold(beats, enrolled, 0.01) == pytest.approx(asked + 0.1)
        sure = own.search_probability(asked, beats, enrolled)
        assert moved.search_probability(asked + 0.1, beats, enrolled) == pytest.approx(sure)
    asked, more = (each.search_threshold(10, 1000, 0.01) for each in (own, moved))
    assert asked < more < asked + 0.1, "less is left to the highest score there is"
    assert moved.threshold(10) == own.threshold(10)  # of pairs, which enrolment asks


def test_the_network_of_its_model_decides_by_it(gallery: Path) -> None:
    network = Network(DEFAULT_MODEL)
    own = network.passport.calibration
    write(of(network), gallery)
    use_local(network, gallery)
    assert network.passport.calibration == shifted(own, 0.1)


def test_another_models_is_passed_over(gallery: Path, tmp_path: Path) -> None:
    network = Network(DEFAULT_MODEL)
    own = network.passport.calibration
    write(of(Network(embedder(tmp_path))), gallery)
    found = use_local(network, gallery)
    assert found is not None
    assert found.model_sha256 != network.passport.sha256
    assert network.passport.calibration == own


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{}",
        '{"model_sha256": "a", "shift": NaN, "people": 3, "created_utc": ""}',
        '{"model_sha256": "a", "shift": -1.5, "people": 3, "created_utc": ""}',
        '{"model_sha256": "a", "shift": null, "people": 3, "created_utc": ""}',
    ],
)
def test_what_was_not_written_by_it_is_refused_with_the_way_back(gallery: Path, text: str) -> None:
    calibration_path(gallery).write_text(text)
    with pytest.raises(CalibrationUnusable, match=r"calibration\.json: .*calibrate --forget"):
        read(gallery)
