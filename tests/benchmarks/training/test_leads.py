"""Recordings of 12 leads, projected on many directions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.progress import Progress

from benchmarks.training.leads import find_twelve_leads, gather_hearts, read_vectorcardiogram
from daemon.offline.analysis import analyse_recording
from daemon.recordings.errors import RecordingError, RecordingNotFound
from daemon.recordings.recording import Recording, read_recording
from model.training.views import LEAD_I, MARGIN


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingNotFound, match="holds no WFDB records"):
        find_twelve_leads(tmp_path)


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "nobody.hea").write_text("")
    with pytest.raises(RecordingError, match="nobody"):
        gather_hearts(tmp_path, Progress(disable=True), 50)


def test_the_dipoles_of_a_heart_are_what_the_signal_chain_makes_of_lead_i(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    for file in shared_data("ludb").glob("1.*"):
        (tmp_path / file.name).symlink_to(file)
    hearts = gather_hearts(tmp_path, Progress(disable=True), 50)
    path = str(tmp_path / "1")
    assert set(hearts.names) == {path}
    analysis = analyse_recording(Recording(path, path, LEAD_I @ read_vectorcardiogram(path)))
    good_mv = [beat.ecg_mv for beat in analysis.beats if beat.quality.good]
    seen_mv = (LEAD_I @ hearts.dipoles_mv)[:, MARGIN:-MARGIN]
    assert len(seen_mv) > 5
    for beat_mv in seen_mv:
        assert np.abs(beat_mv - good_mv).max(axis=1).min() < 1e-4


def test_the_dipole_seen_as_lead_i_does_is_lead_i(shared_data: Callable[[str], Path]) -> None:
    path = str(shared_data("ludb") / "1")
    seen = LEAD_I @ read_vectorcardiogram(path)
    assert np.corrcoef(seen, read_recording(path, "i").ecg_mv)[0, 1] > 0.95
