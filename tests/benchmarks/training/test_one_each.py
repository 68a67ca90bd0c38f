"""Sets of one recording a person: who is taken for what, and who is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.progress import Progress

from benchmarks.training.one_each import find_recordings, gather_one_each
from daemon.recordings.errors import RecordingNotFound
from drivers.waveforms.hearts import Heart
from tests.benchmarks.training.one_each_set import SECONDS, names_for, write_set

TRAINED = names_for("training", 4)
TESTED = names_for("test", 1)[0]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five records, the third of them in AF, the fourth upside down and the last to test with."""
    folder = tmp_path_factory.mktemp("set")
    write_set(folder, [*TRAINED, TESTED], ["N", "O", "A", "N", "N"], [1, 1, 1, -1, 1])
    return folder


def test_records_are_taken_by_their_purpose_and_rhythm_in_millivolts(data: Path) -> None:
    to_train = find_recordings(data, "training")
    assert [each.name for each in to_train] == [TRAINED[0], TRAINED[1], TRAINED[3]]
    assert [each.name for each in find_recordings(data, "test")] == [TESTED]
    ecg_mv = to_train[0].ecg_mv
    assert len(ecg_mv) == pytest.approx(250 * SECONDS, abs=2)
    assert np.corrcoef(ecg_mv[500:2500], Heart(1).ecg_mv[500:2500])[0, 1] > 0.99


def test_who_is_upside_down_is_left_out(data: Path) -> None:
    beats = gather_one_each(data, Progress(disable=True), 60, "training")
    assert beats.names == (TRAINED[0], TRAINED[1])
    assert beats.good.sum() > 10


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingNotFound, match=r"no \.npz files with records for training"):
        find_recordings(tmp_path, "training")
