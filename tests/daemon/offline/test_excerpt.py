"""The newest of a folder of recordings, across its files: samples, pauses, lead-off, refusals."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from daemon.offline import excerpt
from daemon.offline.excerpt import Excerpt, newest_first
from daemon.recordings.bdf_writer import BdfWriter
from daemon.recordings.errors import RecordingNotFound
from daemon.recordings.recorded import LEAD_OFF, LEAD_ON, Annotation
from drivers.waveforms.hearts import Heart
from tests.daemon.recordings.recordings import BEGIN, LAYOUT, RATE_HZ

HEART = Heart(4)
SIGNALS_MV = np.column_stack([HEART.respiration_mv, HEART.ecg_mv])
STEPS_MV = np.array([signal.mv_per_code for signal in LAYOUT.signals])


def write(
    folder: Path, from_s: int, to_s: int, begins_s: float, words: Sequence[Annotation] = ()
) -> BdfWriter:
    """Begin a file of some seconds of the heart, named as the recorder would; it is not closed."""
    begin = BEGIN + timedelta(seconds=begins_s)
    path = folder / f"{begin:%Y-%m-%dT%H%M%SZ}.bdf"
    writer = BdfWriter(path, replace(LAYOUT, begin_utc=begin))
    codes = np.rint(SIGNALS_MV[from_s * RATE_HZ : to_s * RATE_HZ] / STEPS_MV)
    writer.write(codes.astype(np.int32), words)
    writer.sync()
    return writer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A full "hour" of a minute, and what goes on in another file that is still being written."""
    monkeypatch.setattr(excerpt, "HOUR_S", 60)
    off = Annotation(50 * RATE_HZ, LEAD_OFF)
    write(tmp_path, 0, 60, 0.0, [off]).close()
    words = [Annotation(0, LEAD_OFF), Annotation(5 * RATE_HZ, LEAD_ON)]
    write(tmp_path, 60, 100, 59.2, words)  # the chip's clock is late
    (tmp_path / "notes.bdf").write_text("not a recording")
    return tmp_path


def test_two_files_of_a_recording_go_on_in_each_other(folder: Path) -> None:
    newest = Excerpt(folder, 70)
    for blocks, expected_mv in (
        (newest.blocks(), HEART.ecg_mv),
        (newest.respiration_blocks(), HEART.respiration_mv),
    ):
        assert blocks is not None
        expected = expected_mv[30 * RATE_HZ : 100 * RATE_HZ]
        np.testing.assert_allclose(np.concatenate(list(blocks)), expected, atol=1e-4)
    told = newest.origin()
    assert told.begin == BEGIN + timedelta(seconds=30)
    assert told.is_simulated
    assert told.lead_off_s == ((20, 30), (30, 35))
    assert newest.notes[0] == "the newest 70 s: 2026-11-28T105539Z.bdf, 2026-11-28T105638Z.bdf"


def test_of_one_file_alone_its_end_is_taken(folder: Path) -> None:
    newest = Excerpt(folder, 30)
    assert newest.origin().begin == BEGIN + timedelta(seconds=69.2)
    assert newest.origin().lead_off_s == ()
    assert sum(map(len, newest.blocks())) == 30 * RATE_HZ


def test_between_recordings_nothing_is_recorded(folder: Path) -> None:
    write(folder, 0, 20, 299.2).close()
    ecg_mv = np.concatenate(list(Excerpt(folder, 240).blocks()))
    assert np.flatnonzero(np.isnan(ecg_mv)).tolist() == list(range(20 * RATE_HZ, 220 * RATE_HZ))
    assert sum(map(len, Excerpt(folder, 3600).blocks())) == (60 + 40 + 200 + 20) * RATE_HZ
    assert sum(map(len, Excerpt(folder, 100).blocks())) == 20 * RATE_HZ  # the rest is a pause


def begun(folder: Path, begin: str, *, written: datetime) -> str:
    path = folder / f"{begin}.bdf"
    path.touch()
    os.utime(path, (written.timestamp(), written.timestamp()))
    return path.name


def test_the_newest_is_what_was_written_to_last_after_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    today = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)

    def at(hours: float) -> datetime:
        return today + timedelta(hours=hours)

    def file(begin: float, written: float) -> str:
        return begun(tmp_path, f"{at(begin):%Y-%m-%dT%H%M%SZ}", written=at(written))

    in_order = [
        file(8, 8.5),  # by a clock that was ahead; the power was off when it was set
        file(0, 1),
        file(1.1, 99 * 24),  # a copy
        file(5, 2.5),  # the clock was set back while it was written
        file(2.4, 3.4),
        file(3.4, 4.0),
    ]
    os.utime(tmp_path / in_order[2])
    assert [path.name for path in newest_first(tmp_path)] == in_order[::-1]


@pytest.mark.parametrize("change", ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"])
def test_summer_time_is_no_pause_between_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(excerpt, "HOUR_S", 60)
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        from_change_s = (datetime.fromisoformat(change) - BEGIN).total_seconds()
        write(tmp_path, 0, 60, from_change_s - 60).close()
        write(tmp_path, 60, 100, from_change_s).close()
        newest = Excerpt(tmp_path, 70)
        ecg_mv = np.concatenate(list(newest.blocks()))
        assert newest.origin().begin == datetime.fromisoformat(change) - timedelta(seconds=30)
    finally:
        monkeypatch.undo()
        time.tzset()
    np.testing.assert_allclose(ecg_mv, HEART.ecg_mv[30 * RATE_HZ : 100 * RATE_HZ], atol=1e-4)


def test_what_holds_no_sample_yet_is_left_out(folder: Path) -> None:
    write(folder, 0, 0, 99.2)
    newest = Excerpt(folder, 10)
    assert sum(map(len, newest.blocks())) == 10 * RATE_HZ
    assert any("105718Z.bdf is left out: " in note for note in newest.notes)


def test_a_folder_without_recordings_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecordingNotFound, match=r"cannot be read: No such file.*record\.folder"):
        Excerpt(tmp_path / "none", 600)
    with pytest.raises(RecordingNotFound, match="has no recording of qrsd record's"):
        Excerpt(tmp_path, 600)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    try:
        with pytest.raises(RecordingNotFound, match=r"Permission denied; .*sudo -u qrsd"):
            Excerpt(tmp_path, 600)
    finally:
        tmp_path.chmod(0o700)
