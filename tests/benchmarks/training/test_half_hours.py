"""Long WFDB records, one of each person: which parts are learned from, and which beats of these."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.progress import Progress

from benchmarks.training.half_hours import gather_half_hours, parts, usual
from daemon.recordings.errors import RecordingNotFound
from drivers.waveforms.hearts import Heart
from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from model.training.datasets import Beats
from tests.benchmarks.training.one_each_set import SECOND, write_long


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two records, one of 220 s and one of 219."""
    write_long(tmp_path, "800", 1, 220)
    write_long(tmp_path, "801", 2, 219)
    return tmp_path


def test_a_part_is_as_long_as_is_asked_for_and_where_it_is_asked_for(data: Path) -> None:
    found = parts(data, (0, 200 * SECOND), 20 * SECOND)
    assert [(each.name, each.path) for each in found] == [
        ("800", "800/0"),
        ("800", "800/50000"),
        ("801", "801/0"),  # whose last part would be a second short
    ]
    later_mv = Heart(1).ecg_mv[200 * SECOND : 220 * SECOND]
    np.testing.assert_allclose(found[1].ecg_mv, later_mv, atol=1 / 2000)


def test_each_record_is_a_person_with_a_recording_every_200_seconds(data: Path) -> None:
    beats = gather_half_hours(data, Progress(disable=True), 60, jobs=1)
    assert beats.names == ("800", "801")
    assert beats.records_of("800") == ["800/0", "800/50000"]
    assert beats.records_of("801") == ["801/0"]
    assert beats.good.all()
    assert len(beats) > 3 * 12  # of 20 s each, about 4 are for the chain to begin with


def test_records_that_are_too_short_are_refused(tmp_path: Path) -> None:
    write_long(tmp_path, "1", 1, 10)  # as LUDB's
    with pytest.raises(RecordingNotFound, match="no WFDB record of 20 s or more"):
        gather_half_hours(tmp_path, Progress(disable=True), 60, jobs=1)


def test_extrasystoles_and_flawed_beats_are_not_learned_from() -> None:
    time = np.arange(WINDOW_SAMPLES) - BEFORE_R
    narrow, wide = np.exp(-((time / 3) ** 2)), -np.exp(-((time / 15) ** 2))
    gains = np.linspace(0.5, 2, 10)[:, None]  # how large a beat is does not matter
    windows_mv = gains * np.stack([narrow] * 8 + [wide] * 2)
    names = np.array(["Ada"] * 10)
    good = np.arange(10) != 3
    kept = usual(Beats(windows_mv, names, names, np.array([""] * 10), good))
    np.testing.assert_array_equal(kept.windows_mv, windows_mv[[0, 1, 2, 4, 5, 6, 7]])
