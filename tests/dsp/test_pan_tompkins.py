"""The detector on beats of known places, and on a few expert-annotated records as a floor."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from dsp.conditioner import Conditioner, conditioning_delay
from dsp.pan_tompkins import Detection, PanTompkins
from dsp.qrs_features import MovingMean
from tests.dsp.heartbeats import RATE_HZ, ecg, regular


def detections(signal_mv: Iterable[float]) -> list[Detection]:
    conditioner, detector = Conditioner(50, RATE_HZ), PanTompkins(RATE_HZ)
    return [d for x in signal_mv for d in detector.push(conditioner.push(float(x)))]


def r_positions(signal_mv: Iterable[float]) -> list[int]:
    delay = conditioning_delay(50, RATE_HZ)
    return [d.position - delay for d in detections(signal_mv)]


def assert_found(found: list[int], expected: Iterable[int], tolerance: int = 2) -> None:
    expected = list(expected)
    assert len(found) == len(expected)
    assert np.abs(np.subtract(found, expected)).max() <= tolerance


@pytest.mark.parametrize("bpm", [30, 45, 60, 75, 120, 180, 220])
def test_every_beat_of_a_steady_rhythm_is_found_from_the_first_on(bpm: float) -> None:
    beats = regular(bpm, 30)
    assert_found(r_positions(ecg(beats, 30 * 250)), beats[beats < 29.5 * 250])


@pytest.mark.parametrize("offset_mv", [-300.0, 300.0])
def test_an_electrode_offset_makes_no_difference(offset_mv: float) -> None:
    signal_mv = ecg(regular(72, 20), 20 * 250)
    assert r_positions(signal_mv + offset_mv) == r_positions(signal_mv)


def test_inverted_electrodes_give_the_same_beats() -> None:
    beats = regular(72, 20)
    assert_found(r_positions(-ecg(beats, 20 * 250)), beats)


def test_tall_t_waves_are_no_beats() -> None:
    beats = regular(60, 30)
    waves = ((1.0, 0.0, 0.010), (1.2, 0.28, 0.045))
    assert_found(r_positions(ecg(beats, 30 * 250, waves)), beats)


@pytest.mark.parametrize(("gain", "within_s"), [(0.25, 5), (0.1, 10), (4.0, 1)])
def test_a_gain_step_does_not_deadlock_the_thresholds(gain: float, within_s: float) -> None:
    beats = regular(72, 60)
    signal_mv = ecg(beats, 60 * 250)
    signal_mv[30 * 250 :] *= gain
    after = (30 + within_s) * 250
    found = [r for r in r_positions(signal_mv) if r >= after]
    assert_found(found, beats[beats >= after])


def test_nothing_is_invented_in_silence() -> None:
    beats = regular(72, 20)
    signal_mv = np.concatenate([ecg(beats, 20 * 250), np.zeros(60 * 250)])
    assert max(r_positions(signal_mv)) <= beats[-1] + 2


def test_a_small_beat_among_large_ones_is_found_by_search_back() -> None:
    beats = regular(72, 30)
    signal_mv = ecg(np.delete(beats, 20), 30 * 250) + 0.35 * ecg(beats[20:21], 30 * 250)
    found = detections(signal_mv)
    assert_found([d.position for d in found], beats, tolerance=4)
    assert [d.search_back for d in found].index(True) == 20


@pytest.mark.parametrize("tremor_mv", [0.08, 0.1, 0.12])
def test_a_tremor_in_a_pause_is_no_overdue_beat(tremor_mv: float) -> None:
    """It lasts for longer than a QRS and so has as much energy, but does not deflect as far."""
    beats = regular(72, 30)
    since_s = np.arange(30 * 250) / 250 - beats[20] / 250
    tremor = np.where(np.abs(since_s) < 0.15, np.sin(2 * np.pi * 12 * since_s), 0)
    paused = np.delete(beats, 20)
    assert_found(r_positions(ecg(paused, 30 * 250) + tremor_mv * tremor), paused)


def test_the_moving_mean_forgets_a_giant_without_rounding_residue() -> None:
    mean = MovingMean(38)
    for x in [1e-6] * 100 + [1e12] + [1e-6] * 200:
        last = mean.push(x)
    assert last == pytest.approx(1e-6, rel=1e-9)


@pytest.mark.parametrize("p_before_r_s", [0.15, 0.17, 0.19, 0.22])
@pytest.mark.parametrize("p_mv", [0.4, 0.5, 0.6, 0.7])
def test_a_tall_p_wave_is_taken_for_the_r_wave_once_at_most(
    p_mv: float, p_before_r_s: float
) -> None:
    beats = regular(70, 40)
    waves = (
        (p_mv, -p_before_r_s, 0.014),
        (1.0, 0.0, 0.010),
        (-0.3, 0.03, 0.010),
        (0.25, 0.25, 0.04),
    )
    found = r_positions(ecg(beats, 40 * 250, waves))
    assert len(found) == len(beats)
    assert np.sum(np.abs(np.array(found) - beats) > 10) <= 1


@pytest.mark.parametrize(
    ("record", "most_errors"),
    [("101", 4), ("119", 2), ("203", 60), ("230", 2)],
)
def test_expert_annotations_are_met(
    record: str, most_errors: int, shared_data: Callable[[str], Path]
) -> None:
    wfdb = pytest.importorskip("wfdb", reason="needs pip install '.[records]'")
    compare = importlib.import_module("wfdb.processing").compare_annotations
    path = str(shared_data("mitdb") / record)
    loaded = wfdb.rdrecord(path, channels=[0])
    ratio = Fraction(250, int(loaded.fs))
    signal_mv = resample_poly(
        loaded.p_signal[:, 0], ratio.numerator, ratio.denominator, padtype="line"
    )
    annotation = wfdb.rdann(path, "atr")
    is_beat = np.isin(annotation.symbol, list("NLRBAaJSVrFejnE/fQ?"))
    reference = annotation.sample[is_beat] * 250 / loaded.fs
    start = 300 * 250
    comparison = compare(
        np.round(reference[reference > start]).astype(int),
        np.array([r for r in r_positions(signal_mv) if r > start]),
        window_width=37,
    )
    assert comparison.fn + comparison.fp <= most_errors
