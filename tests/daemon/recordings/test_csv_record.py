"""CSV files of raw ADC codes: signs, rates, gaps, and errors that give the line."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.recordings.errors import MalformedRecording, RecordingError, SignalNotFound
from daemon.recordings.recording import Recording, read_recording
from drivers.frame import millivolts

HEADING = "timestamp, Channel 1, Channel 2, Channel 3"
signed_codes = st.integers(-(1 << 23), (1 << 23) - 1)
reuse_tmp_path = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(folder: Path, *lines: str, signal: str = "0") -> Recording:
    path = folder / "log.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_recording(path, signal)


def read_stamped(folder: Path, stamps: Sequence[object]) -> Recording:
    return read(folder, HEADING, *(f"{stamp}, {row}, 0, 0" for row, stamp in enumerate(stamps)))


def codes_of(recording: Recording) -> list[int]:
    return np.rint(recording.ecg_mv / millivolts(1, 6, 2.42)).astype(int).tolist()


@reuse_tmp_path
@given(rows=st.lists(st.tuples(signed_codes, signed_codes, signed_codes), min_size=1))
def test_signed_codes_come_back_from_each_channel(
    tmp_path: Path, rows: list[tuple[int, int, int]]
) -> None:
    lines = [f"{index * 4}, {one}, {two}, {three}" for index, (one, two, three) in enumerate(rows)]
    for channel in range(3):
        recording = read(tmp_path, HEADING, *lines, signal=f"channel {channel + 1}")
        assert codes_of(recording) == [row[channel] for row in rows]


@reuse_tmp_path
@given(codes=st.lists(st.integers(-(3 << 21), 3 << 21), min_size=1))  # no leap of offset binary
def test_unsigned_codes_get_their_sign_back(tmp_path: Path, codes: list[int]) -> None:
    unsigned = [code % (1 << 24) for code in codes]
    recording = read(tmp_path, HEADING, *(f"0, {code}, 0, 0" for code in unsigned))
    assert codes_of(recording) == codes
    assert any("sign" in note for note in recording.notes) == (min(codes) < 0)


def test_the_seed_row_is_minus_257_millivolts(tmp_path: Path) -> None:
    recording = read(tmp_path, HEADING, "0, 128363, 11421861, 652", signal="Channel 2")
    assert recording.ecg_mv == pytest.approx([-257.5], abs=0.05)
    assert any("gain 6, reference 2.42 V" in note for note in recording.notes)


def test_below_zero_and_above_two_to_the_23_is_neither_signed_nor_unsigned(tmp_path: Path) -> None:
    with pytest.raises(MalformedRecording, match="neither signed nor unsigned"):
        read(tmp_path, HEADING, "0, -1, 0, 0", "4, 8388608, 0, 0")


def test_a_table_without_a_heading_has_numbered_channels(tmp_path: Path) -> None:
    assert codes_of(read(tmp_path, "0, 1, 2", "4, 3, 4", signal="Channel 2")) == [2, 4]


@pytest.mark.parametrize("unit_per_s", [1, 1000, 1_000_000])
@pytest.mark.parametrize("rate_hz", [125, 250, 500, 1000])
def test_the_unit_of_time_is_the_one_that_makes_a_rate_of_the_chip(
    tmp_path: Path, unit_per_s: int, rate_hz: int
) -> None:
    seconds = 2
    stamps = [f"{1.5 + row / rate_hz * unit_per_s:.3f}" for row in range(seconds * rate_hz)]
    recording = read_stamped(tmp_path, stamps)
    assert len(recording.ecg_mv) == seconds * 250
    assert f"{rate_hz} Hz by the time stamps" in recording.notes[0]


def test_dates_are_times_too(tmp_path: Path) -> None:
    stamps = [f"2024-05-01 12:00:{row * 0.002:09.6f}" for row in range(1000)]
    assert len(read_stamped(tmp_path, stamps).ecg_mv) == 500


def test_a_logger_that_stamps_in_bursts_shows_its_mean_rate(tmp_path: Path) -> None:
    stamps = [row // 50 * 100 for row in range(1000)]  # 50 rows each 100 ms
    recording = read_stamped(tmp_path, stamps)
    assert "500 Hz by the time stamps" in recording.notes[0]
    assert len(recording.ecg_mv) == 500


@pytest.mark.parametrize("stamps", [[""] * 500, [7] * 500], ids=["none", "one"])
def test_stamps_that_say_nothing_mean_250_hz_and_that_is_said(
    tmp_path: Path, stamps: Sequence[object]
) -> None:
    recording = read_stamped(tmp_path, stamps)
    assert len(recording.ecg_mv) == 500
    assert "250 Hz assumed" in recording.notes[0]


def test_rows_that_the_stamps_show_to_be_missing_are_not_closed_up(tmp_path: Path) -> None:
    stamps = [4 * row for row in range(1000) if not 300 <= row < 400]
    recording = read_stamped(tmp_path, stamps)
    assert np.array_equal(np.flatnonzero(np.isnan(recording.ecg_mv)), np.arange(300, 400))
    assert "100 samples are missing by the time stamps" in recording.notes


def test_an_empty_cell_was_not_recorded(tmp_path: Path) -> None:
    recording = read(tmp_path, HEADING, "0, 1, 0, 0", "4, , 0, 0", "8, NaN, 0, 0", "12, 4, 0, 0")
    assert np.isnan(recording.ecg_mv).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("12, abc, 0, 0", "line 5: 'abc' is not a 24-bit ADC code"),
        ("12, 0.5, 0, 0", r"line 5: '0\.5' is not a 24-bit ADC code"),
        ("12, 16777216, 0, 0", "line 5: '16777216' is not"),
        ("12, -8388609, 0, 0", "line 5: '-8388609' is not"),
        ("12, inf, 0, 0", "line 5: 'inf' is not"),
        ("later, 1, 0, 0", "line 5: 'later' is neither a number nor an ISO 8601 time"),
        ("1e9, 1, 0, 0", r"line 5: the time stamps leap to 1e\+09"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(tmp_path: Path, row: str, complaint: str) -> None:
    with pytest.raises(MalformedRecording, match=complaint):
        read(tmp_path, HEADING, "0, 1, 0, 0", "4, 1, 0, 0", "8, 1, 0, 0", row)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        (HEADING, "a heading and no samples"),
        ("some words\nand others\n", "neither numbers nor time stamps"),
        ("0,1,2\n" + "0,1,2,3\n0,1,2\n" * 5, "4 columns where line 1 has 3"),
        (f"{HEADING}\n0,,1,1", "not one valid sample"),
    ],
)
def test_a_table_without_samples_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(MalformedRecording, match=complaint):
        read(tmp_path, text)


def test_an_unknown_channel_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(SignalNotFound, match=r"0 \(Channel 1\), 1 \(Channel 2\), 2 \(Channel 3\)"):
        read(tmp_path, HEADING, "0, 1, 2, 3", signal="3")


@reuse_tmp_path
@given(garbage=st.binary(max_size=200))
def test_garbage_is_read_or_refused_by_name(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "odd.csv").write_bytes(garbage)
    with suppress(RecordingError):
        read_recording(tmp_path / "odd.csv")


@reuse_tmp_path
@given(
    rows=st.lists(st.lists(st.sampled_from(["0", "4", "", "x", "-1", "1e9", "nan"]), min_size=1))
)
def test_tables_of_odd_cells_are_read_or_refused_by_name(
    tmp_path: Path, rows: list[list[str]]
) -> None:
    (tmp_path / "odd.csv").write_text("\n".join(",".join(row) for row in rows))
    with suppress(RecordingError):
        read_recording(tmp_path / "odd.csv")
