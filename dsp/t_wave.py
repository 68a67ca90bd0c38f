"""Checks for a T wave: a heart has to recover from each beat; what is knocked or pulsed has not.

A T wave is slow, and a wave of its own. What a knock on a cable, a shock or a discharge leaves
behind is a single damped oscillation, or decay, that began with it: QRS and T wave of a heart are
two events, and no one oscillation is both.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dsp.conditioner import HIGHPASS_HZ
from dsp.moments import deviation, span
from dsp.segmenter import BEFORE_R, RATE_HZ, WINDOW_SAMPLES

T_FROM = 24  # samples after the R peak: behind the widest QRS
IN_QRS = slice(5, 20)  # samples after the R peak: its downward flank, a knock's first swing
IN_T = slice(T_FROM, None)
AROUND_R = 20  # samples on either side: the widest QRS
T_SMOOTHED = 9  # samples: muscle noise is taken out, a T wave hardly
BEFORE_NEXT_R = 20  # samples: there its P wave may be, but no QRS
P_ON_T = 115  # samples to the next R: closer than that, its P wave lies on the T wave
LEAST_T = 0.005  # deviation of the T wave, to the QRS's span. Pulses: 0.001
QUICKEST_T_HZ = 8.2  # T waves: 3 to 6. Knocks ring on at 8 and more; noise has 12
#: Energy of QRS and T wave, each taken for 1, that the likest damped oscillation leaves over.
#: Most knocks: 0.00 to 0.06. Of hearts 0.1 and more, but in 2 of svdb's 52 records; with the
#: electrodes swapped 0.07 and more.
LEAST_LEFT = 0.065

FREQUENCIES_HZ = np.arange(0.5, 30, 1.0)  # of the oscillations that are tried, and
DECAYS_S = 0.02 * 1.4 ** np.arange(8)  # in how long they fall to a third
STEP = 8  # samples, by which the stretch that is looked at grows: no oscillations for each length
RIDGE = 1e-9  # keeps a slow oscillation apart from a constant, in the equations

Array = NDArray[np.float64]


def has_t_wave(mean_beat: Array, rr_s: float) -> bool:
    """Tell whether a slow wave follows the QRS, which does not go on from it.

    The high-pass answers any pulse with a slow undershoot of its own, which is left out.

    Args:
        mean_beat: 175 conditioned samples, the R at 70, the mean of beats of one shape, of any
            unit.
        rr_s: seconds to the next beat, about.
    """
    to_next_r = round(rr_s * RATE_HZ)
    end = min(WINDOW_SAMPLES, BEFORE_R + to_next_r - BEFORE_NEXT_R) - BEFORE_R
    smooth = np.convolve(mean_beat, np.full(T_SMOOTHED, 1 / T_SMOOTHED), "valid")
    after = smooth[BEFORE_R + T_FROM - T_SMOOTHED // 2 : BEFORE_R + end - T_SMOOTHED + 1]
    wave = _beside_undershoot(len(after)) @ after
    if deviation(wave) < LEAST_T * span(mean_beat[BEFORE_R - AROUND_R : BEFORE_R + AROUND_R + 1]):
        return False
    slope = wave[1:] - wave[:-1]
    quickest = (2 * np.pi * QUICKEST_T_HZ / RATE_HZ) ** 2 * float(wave @ wave)
    if to_next_r >= P_ON_T and float(slope @ slope) > quickest:
        return False
    return _left_over(mean_beat[BEFORE_R : BEFORE_R + end // STEP * STEP]) >= LEAST_LEFT


@lru_cache
def _beside_undershoot(samples: int) -> Array:
    """Return what takes a constant and the high-pass's decay out of so many samples."""
    known = _undershoot(np.arange(samples))
    return np.eye(samples) - known.T @ np.linalg.pinv(known.T)


def _undershoot(at: NDArray[np.int64]) -> Array:
    """Return a constant and the high-pass's decay at some samples, shape (2, n)."""
    return np.vstack([np.ones(len(at)), np.exp(-2 * np.pi * HIGHPASS_HZ / RATE_HZ * at)])


@lru_cache
def _oscillations(samples: int) -> tuple[Array, Array, Array, Array]:
    """Return each that is tried, in QRS and T wave: cosine, sine and undershoot, shape (4 m, n).

    And of both parts the products of the four with each other, shape (m, 4, 4).
    """
    at = np.arange(samples)
    frequency_hz, decay_s = (each[..., None] for each in np.meshgrid(FREQUENCIES_HZ, DECAYS_S))
    wave = np.exp((2j * np.pi * frequency_hz - 1 / decay_s) * at / RATE_HZ)
    undershoot = np.broadcast_to(_undershoot(at), (*wave.shape[:2], 2, samples))
    four = np.concatenate([wave.real[..., None, :], wave.imag[..., None, :], undershoot], axis=2)
    qrs, t = (four[..., part].reshape(-1, 4, len(at[part])) for part in (IN_QRS, IN_T))
    products = (part @ part.swapaxes(1, 2) for part in (qrs, t))
    return qrs.reshape(-1, qrs.shape[2]), t.reshape(-1, t.shape[2]), *products


def _left_over(from_r: Array) -> float:
    """Return what the likest damped oscillation leaves over of a QRS and its T wave, 0 to 2."""
    in_qrs, in_t, of_qrs, of_t = _oscillations(len(from_r))
    qrs, t = from_r[IN_QRS], from_r[IN_T]
    wave = _beside_undershoot(len(t)) @ t
    weights = 1 / float(np.sum((qrs - t.mean()) ** 2)), 1 / float(wave @ wave)
    products = weights[0] * of_qrs + weights[1] * of_t
    products += RIDGE * np.trace(products, axis1=1, axis2=2)[:, None, None] * np.eye(4)
    with_beat = (weights[0] * (in_qrs @ qrs) + weights[1] * (in_t @ t)).reshape(-1, 4)
    sizes = np.linalg.solve(products, with_beat[..., None])[..., 0]
    explained = float(np.sum(with_beat * sizes, axis=1).max())
    return weights[0] * float(qrs @ qrs) + weights[1] * float(t @ t) - explained
