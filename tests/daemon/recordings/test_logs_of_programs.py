"""Layouts of tables that certain programs, loggers and power cuts leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from daemon.recordings import csv_table
from daemon.recordings.errors import MalformedRecording
from daemon.recordings.recording import Recording, read_recording

MV = np.round(np.sin(np.arange(2000) / 7), 4)  # at 250 Hz, so that nothing is resampled
ROWS = [f"{4 * row},{mv}" for row, mv in enumerate(MV)]


def read(folder: Path, lines: list[str], end: str = "\n", signal: str = "0") -> Recording:
    path = folder / "log.csv"
    path.write_text("\n".join(lines) + end)
    return read_recording(path, signal)


@pytest.mark.parametrize(
    "above",
    [
        ["Logger 5,", "Time,ECG", "ms,mV"],
        ["rec.acq,", "ms,ECG mV", ",2000"],  # the number of samples below each heading
        ["Name,Ada", "Lead,I", "ms,ecg_mV"],
    ],
)
def test_the_heading_is_the_last_line_before_units_and_rows(
    tmp_path: Path, above: list[str]
) -> None:
    recording = read(tmp_path, [*above, *ROWS])
    assert np.array_equal(recording.ecg_mv, MV)
    assert recording.notes[0] == "250 Hz by the time stamps"


def test_an_index_without_a_heading_numbers_the_rows(tmp_path: Path) -> None:
    with pytest.raises(MalformedRecording, match="say it with --rate HZ"):
        read(tmp_path, [",ecg_mV", *(f"{row},{mv}" for row, mv in enumerate(MV))])


def test_the_finest_of_several_clocks_counts(tmp_path: Path) -> None:
    rows = [f"{row // 73 * 292};{4_000_000 * row};{mv}" for row, mv in enumerate(MV)]
    recording = read(
        tmp_path, ["phone timestamp;sensor timestamp [ns];ecg [mV]", *rows], signal="1"
    )
    assert np.array_equal(recording.ecg_mv, MV)


@pytest.mark.parametrize("remark", [";; marker 5, hello", "leads off", "!", "-- on --, mains"])
def test_words_between_rows_are_no_rows(tmp_path: Path, remark: str) -> None:
    rows = [line for row in ROWS for line in ((row, remark) if row.endswith("1") else (row,))]
    recording = read(tmp_path, ["ms,ecg_mV", *rows])
    assert np.array_equal(recording.ecg_mv, MV)
    assert f"lines without a number, left out: {len(rows) - len(ROWS)}" in recording.notes


def test_words_and_hardly_a_row_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(MalformedRecording, match="columns where line"):
        read(tmp_path, ["ms,ecg_mV", *ROWS[:200], *["leads off"] * 300])


@pytest.mark.parametrize("zeros", [1, 500, csv_table.LONGEST_LINE, 3 * csv_table.LONGEST_LINE + 7])
@pytest.mark.parametrize("after", ["", "\n8004,0.5\n"])
def test_zeros_of_a_power_cut_end_a_row_that_is_none(
    tmp_path: Path, zeros: int, after: str
) -> None:
    recording = read(tmp_path, ["ms,ecg_mV", *ROWS, "8000,0." + zeros * "\0"], end=after)
    assert np.array_equal(recording.ecg_mv[:2000], MV)
    assert recording.ecg_mv[2000:].tolist() == pytest.approx(
        [np.nan, 0.5][: 2 * len(after)], nan_ok=True
    )
    assert "rows cut short and left out: 1" in recording.notes


@pytest.mark.parametrize("rows", [1995, 2000])
def test_a_burst_that_a_block_cuts_is_no_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(csv_table, "BLOCK_ROWS", 310)
    stamps = (row // 25 * 100 for row in range(rows))
    recording = read(tmp_path, ["ms,ecg_mV", *map("{},{}".format, stamps, MV)])
    assert np.array_equal(recording.ecg_mv, MV[:rows])


@pytest.mark.parametrize("rate_hz", [600, 976, 980])
def test_stamps_as_coarse_as_a_sample_give_their_mean_rate(tmp_path: Path, rate_hz: int) -> None:
    stamps = (round(1000 * row / rate_hz) for row in range(8000))
    recording = read(tmp_path, ["ms,ecg_mV", *(f"{stamp},0.1" for stamp in stamps)])
    assert recording.notes[0] == f"{rate_hz} Hz by the time stamps"
    assert np.isfinite(recording.ecg_mv).all()
    assert recording.duration_s == pytest.approx(8000 / rate_hz, abs=0.01)


@pytest.mark.parametrize("lost", [[300], [300, 301, 900], list(range(20, 2000, 50))])
def test_lost_samples_are_no_other_rate(tmp_path: Path, lost: list[int]) -> None:
    recording = read(tmp_path, ["ms,ecg_mV", *(row for n, row in enumerate(ROWS) if n not in lost)])
    assert recording.notes[0] == "250 Hz by the time stamps"
    assert np.flatnonzero(np.isnan(recording.ecg_mv)).tolist() == lost
