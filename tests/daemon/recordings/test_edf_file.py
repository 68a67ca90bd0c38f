"""EDF files as other recorders write them: headers and times that are a little off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import edfio
import numpy as np
import pytest

from daemon.recordings.errors import MalformedRecording
from daemon.recordings.recording import Recording, read_recording

UV = np.round(400 * np.sin(np.arange(2500) / 7))


def read(folder: Path, change: Callable[[bytearray], None]) -> Recording:
    """Write ten records of one second with their times, change them, and read the ECG."""
    path = folder / "other.edf"
    signal = edfio.EdfSignal(
        UV, 250, label="ECG", physical_dimension="uV", physical_range=(-500, 500)
    )
    edfio.Edf([signal], annotations=[edfio.EdfAnnotation(1, None, "x")]).write(path)
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    return read_recording(path)


def begins_at(seconds: list[float]) -> Callable[[bytearray], None]:
    """Return a change that lets each record begin at another time."""

    def change(content: bytearray) -> None:
        content[192:197] = b"EDF+D"
        size = (len(content) - 768) // 10
        for record, at_s in enumerate(seconds):
            begin = 768 + record * size
            told = content.index(b"+", begin + 500)
            words = f"+{at_s:g}".encode() + b"\x14\x14\0"
            content[told : begin + size] = words.ljust(begin + size - told, b"\0")

    return change


def test_a_file_whose_count_was_never_written_is_read(tmp_path: Path) -> None:
    recording = read(tmp_path, lambda content: content.__setitem__(slice(236, 244), b"0       "))
    np.testing.assert_allclose(recording.ecg_mv, UV / 1000, atol=0.01)
    assert "its header tells 0 records, 10 are there" in recording.notes


def test_a_range_with_decimal_commas_is_one(tmp_path: Path) -> None:
    def change(content: bytearray) -> None:
        content[256 + 208 : 256 + 216] = b"-500,0  "

    np.testing.assert_allclose(read(tmp_path, change).ecg_mv, UV / 1000, atol=0.01)


@pytest.mark.parametrize("at", [256 + 208, 256 + 240], ids=["physical", "digital"])
def test_a_range_of_one_value_is_one_clear_line(tmp_path: Path, at: int) -> None:
    def change(content: bytearray) -> None:
        content[at : at + 8] = content[at + 16 : at + 24] = b"7       "

    with pytest.raises(MalformedRecording, match="no range to scale by"):
        read(tmp_path, change)


def test_records_without_an_end_are_one_clear_line(tmp_path: Path) -> None:
    def change(content: bytearray) -> None:
        content[244:252] = b"inf     "

    with pytest.raises(MalformedRecording, match="records of inf s"):
        read(tmp_path, change)


def test_records_may_overlap_by_the_jitter_of_a_clock(tmp_path: Path) -> None:
    recording = read(tmp_path, begins_at([0, 0.996, 2, 2.992, 4, 5, 6, 7, 11, 12]))
    there = np.flatnonzero(np.isfinite(recording.ecg_mv))
    np.testing.assert_allclose(recording.ecg_mv[there], UV / 1000, atol=0.01)
    assert len(recording.ecg_mv) == 13 * 250
    assert there[2000] == 11 * 250
    with pytest.raises(MalformedRecording, match="overlap"):
        read(tmp_path, begins_at([0, 1, 2, 2.9, 4, 5, 6, 7, 8, 9]))
