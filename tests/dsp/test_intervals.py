"""Waves of known place and width are found where they are, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp.intervals import Intervals, measure_intervals
from tests.dsp.heartbeats import WAVES, ecg, regular

P, Q, R, S, T = WAVES
SAMPLE_MS = 4.0


def measured(
    *waves: tuple[float, ...], bpm: float = 60, noise_mv: float = 0.0, seconds: float = 10
) -> Intervals:
    r_indices = regular(bpm, seconds)
    ecg_mv = ecg(r_indices, round(seconds * 250), waves)
    noise = np.random.default_rng(1).normal(0, noise_mv, len(ecg_mv))
    return measure_intervals(ecg_mv + noise, r_indices)


def moved(wave: tuple[float, ...], by_s: float) -> tuple[float, ...]:
    return (wave[0], wave[1] + by_s, wave[2])


def test_waves_begin_and_end_about_two_and_a_half_deviations_from_their_peaks() -> None:
    """There a Gaussian has a twentieth of its height left."""
    waves = measured(*WAVES).waves
    assert waves.p_onset_s == pytest.approx(-0.16 - 2.5 * 0.020, abs=0.012)
    assert waves.p_end_s == pytest.approx(-0.16 + 2.5 * 0.020, abs=0.012)
    assert waves.qrs_onset_s == pytest.approx(-0.030 - 2.5 * 0.008, abs=0.012)
    assert waves.qrs_end_s == pytest.approx(0.030 + 2.5 * 0.008, abs=0.012)
    assert waves.t_end_s == pytest.approx(0.25 + 2.5 * 0.040, abs=0.020)


def test_intervals_follow_the_waves() -> None:
    plain = measured(*WAVES)
    early_p = measured(moved(P, -0.04), Q, R, S, T)
    late_t = measured(P, Q, R, S, moved(T, 0.04))
    assert plain.pr_ms is not None
    assert plain.qt_ms is not None
    assert early_p.pr_ms == pytest.approx(plain.pr_ms + 40, abs=SAMPLE_MS)
    assert early_p.qt_ms == pytest.approx(plain.qt_ms, abs=SAMPLE_MS)
    assert late_t.qt_ms == pytest.approx(plain.qt_ms + 40, abs=2 * SAMPLE_MS)
    assert late_t.pr_ms == pytest.approx(plain.pr_ms, abs=SAMPLE_MS)


def test_noise_hardly_moves_them() -> None:
    plain, noisy = measured(*WAVES), measured(*WAVES, noise_mv=0.03)
    for name in ("pr_ms", "qrs_ms", "qt_ms"):
        assert getattr(noisy, name) == pytest.approx(getattr(plain, name), abs=16)


def test_qtc_is_qt_at_sixty_beats_a_minute_and_follows_its_formula() -> None:
    at_sixty, faster = measured(*WAVES), measured(*WAVES, bpm=75)
    assert at_sixty.qt_ms == at_sixty.qtc_bazett_ms == at_sixty.qtc_fridericia_ms
    assert faster.rr_ms == 800
    assert faster.qt_ms is not None
    assert faster.qtc_bazett_ms == pytest.approx(faster.qt_ms / np.sqrt(0.8))
    assert faster.qtc_fridericia_ms == pytest.approx(faster.qt_ms / np.cbrt(0.8))


def test_a_wave_that_is_not_there_has_no_interval() -> None:
    without_p = measured(Q, R, S, T)
    assert without_p.pr_ms is None
    assert without_p.qt_ms is not None
    without_t = measured(P, Q, R, S)
    assert without_t.qt_ms is without_t.qtc_bazett_ms is None
    assert without_t.pr_ms is not None


@pytest.mark.parametrize("level_mv", [0.2, -0.15])
def test_the_st_level_is_that_between_qrs_and_t(level_mv: float) -> None:
    plateau = (level_mv, 0.12, 0.030)  # of about 60 ms around it
    plain, shifted = measured(P, Q, R, S, T), measured(P, Q, R, S, T, plateau)
    assert plain.st_mv == pytest.approx(0, abs=0.05)
    assert shifted.st_mv == pytest.approx(level_mv, abs=0.06)


@pytest.mark.parametrize("r_indices", [[], [300], [300, 550]])
def test_two_beats_are_not_averaged(r_indices: list[int]) -> None:
    found = measure_intervals(ecg(r_indices, 1000), np.array(r_indices, dtype=np.int64))
    assert found.qrs_ms is found.pr_ms is found.qt_ms is found.st_mv is None


def test_beats_of_another_shape_and_gaps_are_left_out() -> None:
    r_indices = regular(60, 12)
    ecg_mv = ecg(r_indices, 3000)
    wide = ecg([int(r_indices[4])], 3000, ((1.5, 0, 0.05), (-1, 0.1, 0.06)))
    ecg_mv += 2 * wide
    ecg_mv[r_indices[8] : r_indices[8] + 10] = np.nan
    found, plain = measure_intervals(ecg_mv, r_indices), measured(*WAVES, seconds=12)
    assert found.beats == plain.beats - 2
    assert found.qrs_ms == pytest.approx(plain.qrs_ms, abs=SAMPLE_MS)


def marked_ms(path: Path, lead: str) -> NDArray[np.float64]:
    """Return the QT intervals that a cardiologist marked in a record of LUDB."""
    wfdb = pytest.importorskip("wfdb")
    annotation = wfdb.rdann(str(path), lead)
    onset, marks = None, []
    for before, (symbol, after) in enumerate(
        zip(annotation.symbol[1:], [*annotation.symbol[2:], ""], strict=True)
    ):
        if symbol == "N" and annotation.symbol[before] == "(":
            onset = annotation.sample[before]
        if symbol == "t" and after == ")" and onset is not None:
            marks.append(2 * (annotation.sample[before + 2] - onset))
            onset = None
    return np.array(marks)


def test_qt_is_what_cardiologists_mark(shared_data: Callable[[str], Path]) -> None:
    from daemon.recordings.recording import read_recording

    errors_ms = []
    for number in range(1, 31):
        path = shared_data("ludb") / str(number)
        if not path.with_suffix(".hea").exists():
            continue
        wfdb = pytest.importorskip("wfdb")
        annotation = wfdb.rdann(str(path), "ii")
        is_beat = np.array(annotation.symbol) == "N"
        recording = read_recording(path, "ii")
        found = measure_intervals(recording.ecg_mv, annotation.sample[is_beat] // 2)
        marked = marked_ms(path, "ii")
        if found.qt_ms is not None and len(marked):
            errors_ms.append(found.qt_ms - np.median(marked))
    assert len(errors_ms) > 15
    assert np.median(errors_ms) == pytest.approx(0, abs=10)
    assert np.median(np.abs(errors_ms)) < 20
