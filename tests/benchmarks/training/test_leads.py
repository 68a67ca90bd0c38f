"""Recordings of 12 leads, heard from many sides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training.leads import find_twelve_leads, hear_views, read_vectorcardiogram
from benchmarks.training.records import gather_beats
from daemon.recordings.errors import RecordingError, RecordingNotFound
from daemon.recordings.recording import read_recording
from model.training.views import IDENTITIES, LEAD_I, VIEWS


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingNotFound, match="holds no WFDB records"):
        find_twelve_leads(tmp_path)


def test_a_record_that_cannot_be_read_is_handed_on(tmp_path: Path) -> None:
    (outcome,) = hear_views([str(tmp_path / "nobody")])
    assert isinstance(outcome, RecordingError)


def test_every_view_of_a_heart_is_a_record_of_a_made_up_person(
    shared_data: Callable[[str], Path],
) -> None:
    path = str(shared_data("ludb") / "1")
    (views,) = hear_views([path])
    assert not isinstance(views, RecordingError)
    beats = gather_beats(*zip(*views, strict=True))
    assert beats.names == tuple(f"{path}~{identity}" for identity in range(IDENTITIES))
    assert len(np.unique(beats.records)) == IDENTITIES * VIEWS
    assert beats.good.mean() > 0.5


def test_the_dipole_seen_as_lead_i_does_is_lead_i(shared_data: Callable[[str], Path]) -> None:
    path = str(shared_data("ludb") / "1")
    seen = LEAD_I @ read_vectorcardiogram(path)
    assert np.corrcoef(seen, read_recording(path, "i").ecg_mv)[0, 1] > 0.95
