"""What else a heart could have looked like: other rates, electrodes, amplifiers and disturbances.

Every function takes beats of shape (n, 175) with a deviation of about 1 and a source of chance,
and returns as many changed ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ
from dsp.segmenter import BEFORE_R
from model.tensor import normalise

RIGID_SAMPLES = 12  # on either side of the R peak: the QRS does not stretch with the heart rate
WARP = 0.12  # greatest change of what is outside the QRS, from one session at rest to another
FAR_SHARE = 0.35  # of the beats: those of another heart rate altogether
FAR_WARP = (-0.25, 0.35)  # after the QRS: T, 0.24 s after R at 70 beats/min, at 0.30 s or 0.19 s
FAR_WARP_BEFORE = 0.5  # the PR interval's change, as a part of the QT interval's
FAR_SCATTER = 0.08  # of the PR interval about that
JITTER_SAMPLES = 1  # greatest error of the R peak: the detector's spread is 0.3
MUSCLE = 0.15  # greatest deviations and amplitudes of noise; the beats have a deviation of 1
BASELINE = 0.4
MAINS = 0.1
PADDING = 70  # mirrored samples on either side for a filter; makes 315, a quick length for an FFT


def augment(groups_mv: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """Turn groups of beats of one record into one normalised training sample each.

    Args:
        groups_mv: beats to blend, shape (n, 3, 175).
        rng: the source of chance.

    Returns:
        Network input, shape (n, 175).
    """
    samples = len(groups_mv[0, 0])
    beats = normalise(groups_mv.reshape(-1, samples)).reshape(groups_mv.shape).astype(np.float64)
    beats = blend(beats, rng)
    beats = warp(beats, rng)
    beats = amplifier(beats, rng)
    beats = jitter(beats, rng)
    return normalise(disturb(beats, rng))


def blend(groups: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Average the beats of a group, or mix two of them; one half of the groups each."""
    averaged = rng.random(len(groups)) < 0.5
    share = rng.random(len(groups)) * 0.5
    weights = np.stack([1 - share, share, np.zeros_like(share)], axis=1)
    weights[averaged] = 1 / groups.shape[1]
    mixed: NDArray[np.float64] = np.einsum("ng,ngs->ns", weights, groups)
    return mixed


def warp(beats: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Squeeze or stretch what comes before and what comes after the QRS, as a heart rate does.

    Most beats change little, and before the QRS independently of after it. The others change as
    between sleep and climbing stairs, where before follows after. These are fewer, since to be told
    that the T wave may be anywhere, the network must learn to make little of where it is.
    """
    from_r = np.arange(beats.shape[1]) - BEFORE_R
    outside = np.sign(from_r) * np.maximum(np.abs(from_r) - RIGID_SAMPLES, 0)
    squeeze = rng.uniform(-WARP, WARP, (len(beats), 2))
    far_after = rng.uniform(*FAR_WARP, len(beats))
    scatter = rng.uniform(-FAR_SCATTER, FAR_SCATTER, len(beats))
    far = rng.random(len(beats)) < FAR_SHARE
    squeeze[far] = np.stack([FAR_WARP_BEFORE * far_after + scatter, far_after], axis=1)[far]
    per_sample = np.where(from_r < 0, squeeze[:, :1], squeeze[:, 1:])
    return _sampled_at(beats, BEFORE_R + from_r + outside * per_sample)


def jitter(beats: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Move beats by a few samples, as a detector does that is not sure of the R peak."""
    shift = rng.integers(-JITTER_SAMPLES, JITTER_SAMPLES, (len(beats), 1), endpoint=True)
    return _sampled_at(beats, np.arange(beats.shape[1], dtype=np.float64) + shift)


def amplifier(beats: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Put beats through the input of another amplifier: other corners, and a shelf between.

    First-order high-pass up to 0.6 Hz, first-order low-pass from 30 Hz on, and a shelf that lifts
    or lowers what is above a corner of 2 to 15 Hz by up to a third.
    """
    padded = np.pad(beats, ((0, 0), (PADDING, PADDING)), mode="reflect")
    jf = 1j * np.fft.rfftfreq(padded.shape[1], 1 / RATE_HZ)
    count = (len(beats), 1)
    highpass_hz = rng.uniform(0.0, 0.6, count)
    lowpass_hz = rng.uniform(30.0, 125.0, count)
    shelf_hz = rng.uniform(2.0, 15.0, count)
    shelf_gain = 1.33 ** rng.uniform(-1, 1, count)
    response = (jf + 1e-9) / (jf + highpass_hz + 1e-9)
    response = response / (1 + jf / lowpass_hz)
    response = response * (shelf_hz + shelf_gain * jf) / (shelf_hz + jf)
    filtered = np.fft.irfft(np.fft.rfft(padded) * response, padded.shape[1])
    return filtered[:, PADDING:-PADDING]


def disturb(beats: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Add the muscles' noise, the baseline's wander and the mains, each of any strength."""
    count = (len(beats), 1)
    time_s = np.arange(beats.shape[1]) / RATE_HZ

    def wave(low_hz: float, high_hz: float, greatest: float) -> NDArray[np.float64]:
        phase = rng.uniform(0, 2 * np.pi, count)
        turns = 2 * np.pi * rng.uniform(low_hz, high_hz, count) * time_s
        wave: NDArray[np.float64] = rng.uniform(0, greatest, count) * np.sin(turns + phase)
        return wave

    muscle = rng.uniform(0, MUSCLE, count) * rng.standard_normal(beats.shape)
    return beats + muscle + wave(0.1, 1.0, BASELINE) + wave(49.0, 51.0, MAINS)


def _sampled_at(beats: NDArray[np.float64], positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate each beat linearly at positions (n, 175); beyond its ends it stays level."""
    positions = np.clip(positions, 0, beats.shape[1] - 1)
    before = np.minimum(positions.astype(int), beats.shape[1] - 2)
    part = positions - before
    rows = np.arange(len(beats))[:, None]
    values: NDArray[np.float64] = beats[rows, before] * (1 - part) + beats[rows, before + 1] * part
    return values
