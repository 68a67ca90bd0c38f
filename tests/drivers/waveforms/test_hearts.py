"""Synthetic hearts have the rhythm, the spectrum and the waves that the paper gives them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import find_peaks, peak_widths

from drivers.waveforms.hearts import PERIOD_S, WAVE_RANGES, Anatomy, Heart, Wave

RATE_HZ = 250
BEFORE_R, FROM_R = 70, 105

#: Table I of the paper, with the heights of its figure 2 in mV.
TEXTBOOK = Anatomy(
    waves=(
        Wave(-np.pi / 3, 0.15, 0.25),
        Wave(-np.pi / 12, -0.10, 0.1),
        Wave(0.0, 1.2, 0.1),
        Wave(np.pi / 12, -0.15, 0.1),
        Wave(np.pi / 2, 0.25, 0.4),
    ),
    heart_rate_bpm=60,
    rr_sd_s=0.04,
    lf_hf_ratio=0.5,
    breathing_hz=0.25,
)


def r_indices(heart: Heart) -> np.ndarray:
    """The samples nearest to where the angle passes a multiple of 2 pi."""
    beats = np.floor(heart.phase_rad / (2 * np.pi) + 0.5 / RATE_HZ)
    return np.flatnonzero(np.diff(beats) > 0) + 1


def mean_beat(heart: Heart) -> np.ndarray:
    """The normalised mean of a hundred beats, cut as the signal chain cuts them."""
    windows = [heart.ecg_mv[r - BEFORE_R : r + FROM_R] for r in r_indices(heart)[1:101]]
    beat = np.mean(windows, axis=0)
    return (beat - beat.mean()) / beat.std()


def spectrum(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.fft.rfftfreq(len(signal), 1 / RATE_HZ), np.abs(np.fft.rfft(signal)) ** 2


@pytest.fixture(scope="module")
def textbook() -> Heart:
    return Heart(7, TEXTBOOK)


def test_rr_has_the_mean_and_the_spread_it_was_given(textbook: Heart) -> None:
    rr_s = np.diff(r_indices(textbook)) / RATE_HZ
    assert rr_s.mean() == pytest.approx(1.0, abs=0.005)
    assert rr_s.std() == pytest.approx(0.04, rel=0.25)  # a beat averages RR(t) over itself


def test_rr_varies_round_a_tenth_and_a_quarter_hertz_with_half_the_power(textbook: Heart) -> None:
    frequency_hz, power = spectrum(textbook.rr_s - textbook.rr_s.mean())
    low = (frequency_hz > 0.05) & (frequency_hz < 0.15)
    high = (frequency_hz > 0.20) & (frequency_hz < 0.30)
    for band, centre_hz in ((low, 0.10), (high, 0.25)):
        assert np.average(frequency_hz[band], weights=power[band]) == pytest.approx(
            centre_hz, abs=0.002
        )
    assert power[low].sum() / power[high].sum() == pytest.approx(0.5, rel=0.05)
    assert power[low | high].sum() / power.sum() > 0.99


def test_r_stands_as_high_above_the_resting_line_as_it_was_given(textbook: Heart) -> None:
    rs = r_indices(textbook)[1:-1]
    resting = textbook.ecg_mv[rs - 65]  # 260 ms before R lies before P
    height_mv = np.median(textbook.ecg_mv[rs] - resting)
    assert height_mv == pytest.approx(1.2, abs=0.1)  # less what relaxes away within the beat


def test_eq_1_holds_when_integrated_step_by_step(textbook: Heart) -> None:
    """Runge-Kutta of the paper's equation follows the Fourier solution from the same start."""
    omega = np.diff(textbook.phase_rad[:2001]) * RATE_HZ
    breath_mv = textbook.respiration_mv - textbook.respiration_mv.mean()
    z = textbook.ecg_mv[0]
    solved = [z]
    for k in range(2000):

        def slope(part: float, z: float, k: int = k) -> float:
            phase = textbook.phase_rad[k] + part * omega[k] / RATE_HZ
            push = 0.0
            for wave in TEXTBOOK.waves:
                off = (phase - wave.angle_rad + np.pi) % (2 * np.pi) - np.pi
                a = wave.height_mv * omega[k] / wave.width_rad**2
                push -= a * off * np.exp(-(off**2) / (2 * wave.width_rad**2))
            return float(push - (z - breath_mv[k]))

        h = 1 / RATE_HZ
        k1 = slope(0, z)
        k2 = slope(0.5, z + h / 2 * k1)
        k3 = slope(0.5, z + h / 2 * k2)
        k4 = slope(1, z + h * k3)
        z += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        solved.append(z)
    np.testing.assert_allclose(solved, textbook.ecg_mv[:2001], atol=2e-3)


def test_breathing_in_quickens_the_heart_and_lifts_the_baseline(textbook: Heart) -> None:
    frequency_hz, _ = spectrum(textbook.rr_s)
    breath = np.fft.rfft(textbook.respiration_mv - textbook.respiration_mv.mean())
    band = (frequency_hz > 0.2) & (frequency_hz < 0.3)

    def in_phase(signal: np.ndarray) -> float:
        other = np.fft.rfft(signal)[band]
        cross = np.vdot(breath[band], other)
        return float(
            cross.real
            / np.sqrt(np.vdot(other, other).real * np.vdot(breath[band], breath[band]).real)
        )

    assert in_phase(textbook.rr_s) == pytest.approx(-1, abs=0.01)
    assert textbook.respiration_mv.std() == pytest.approx(0.05, rel=0.01)


def test_the_end_goes_on_as_the_start(textbook: Heart) -> None:
    steps = np.abs(np.diff(textbook.ecg_mv))
    assert abs(textbook.ecg_mv[0] - textbook.ecg_mv[-1]) < 2 * np.median(steps) + 1e-3
    assert len(textbook.ecg_mv) == len(textbook.respiration_mv) == PERIOD_S * RATE_HZ


def test_the_same_seed_is_the_same_heart_and_another_is_not() -> None:
    assert np.array_equal(Heart(3).ecg_mv, Heart(3).ecg_mv)
    assert not np.array_equal(Heart(3).ecg_mv, Heart(4).ecg_mv)


def test_each_third_beat_comes_early_from_the_ventricles_and_is_made_up_for() -> None:
    heart = Heart(3, ventricular=3)
    ecg_mv = heart.ecg_mv[: 60 * RATE_HZ]
    peaks, _ = find_peaks(ecg_mv, height=0.5, distance=60)
    place = heart.phase_rad[peaks] / (2 * np.pi) % 3
    widths = peak_widths(ecg_mv, peaks)[0]
    near = {at: np.abs((place - at + 1.5) % 3 - 1.5) < 0.05 for at in (0, 1, 1.6)}
    assert np.all(sum(near.values()))
    assert all(is_near.sum() > 10 for is_near in near.values())
    assert widths[near[1.6]].min() > 1.5 * widths[near[0] | near[1]].max()
    assert abs(heart.ecg_mv[0] - heart.ecg_mv[-1]) < 0.01


def test_every_heart_is_an_adult_at_rest() -> None:
    for seed in range(12):
        anatomy = Heart(seed).anatomy
        assert 55 <= anatomy.heart_rate_bpm <= 85
        for wave, (_, heights_mv, _) in zip(anatomy.waves, WAVE_RANGES.values(), strict=True):
            assert heights_mv[0] <= wave.height_mv <= heights_mv[1]
        angles = [wave.angle_rad for wave in anatomy.waves]
        assert angles == sorted(angles)


def test_a_heart_resembles_itself_and_no_other() -> None:
    """Two stretches of one heart differ less than any two hearts, by a factor of three."""
    beats = []
    for seed in range(6):
        heart = Heart(seed)
        beats.append(mean_beat(heart))
        windows = [heart.ecg_mv[r - BEFORE_R : r + FROM_R] for r in r_indices(heart)[101:131]]
        again = np.mean(windows, axis=0)
        again = (again - again.mean()) / again.std()
        own_distance = np.sqrt(np.mean((again - beats[-1]) ** 2))
        assert own_distance < 0.06
    for one in range(6):
        for other in range(one):
            assert np.sqrt(np.mean((beats[one] - beats[other]) ** 2)) > 0.18
