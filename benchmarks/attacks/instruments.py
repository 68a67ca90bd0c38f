"""What an attacker at the electrodes' wires can play: the instruments of ISO/IEC 30107-3.

Most are made of one recording of the victim, and played for half a minute. Like everything that
the chip converts they get the chip's own noise, but none of skin and muscles: a wire is quiet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.recording import Recording
from dsp.front_end import RATE_HZ

PLAYED = int(30 * RATE_HZ)
CHIP_NOISE_MV = 0.0007  # ADS1292R at gain 6 and 250 samples/s, root mean square
SKIN_NOISE_MV = 0.005  # what an attacker who thinks of it adds
BEFORE_R = 100  # a beat is cut out in the pause before it: samples ahead of its R
SINE_HZ, SINE_MV = 1.2, 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Stolen:
    """What the attacker has."""

    ecg_mv: NDArray[np.float64]  # a recording of the victim at 250 Hz, without gaps
    r_indices: NDArray[np.int64]  # where its R peaks are, in time order


Instrument = Callable[[Stolen, np.random.Generator], NDArray[np.float64]]


def played(recording: Recording, ecg_mv: NDArray[np.float64], seed: int) -> Recording:
    """Return a signal as the chip converts it: with the noise of its own."""
    noise_mv = np.random.default_rng([seed, 1]).normal(0, CHIP_NOISE_MV, len(ecg_mv))
    return replace(recording, ecg_mv=ecg_mv + noise_mv)


def flat(stolen: Stolen, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a flat line: two wires tied together."""
    return np.zeros(PLAYED)


def sine(stolen: Stolen, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a function generator's sine at a heart's rate."""
    turns = SINE_HZ * np.arange(PLAYED) / RATE_HZ
    return np.asarray(SINE_MV * np.sin(2 * np.pi * turns), dtype=np.float64)


def looped(beats: int) -> Instrument:
    """Return what plays so many beats of the recording over and over."""

    def play(stolen: Stolen, rng: np.random.Generator) -> NDArray[np.float64]:
        r = stolen.r_indices[stolen.r_indices >= BEFORE_R]
        first = int(rng.integers(len(r) - beats))
        piece = stolen.ecg_mv[r[first] - BEFORE_R : r[first + beats] - BEFORE_R]
        return _over_and_over(piece, rng)

    return play


def whole_looped(stolen: Stolen, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the whole recording from its first beat to its last, over and over, twice through."""
    r = stolen.r_indices[stolen.r_indices >= BEFORE_R]
    piece = stolen.ecg_mv[r[0] - BEFORE_R : r[-1] - BEFORE_R]
    return _over_and_over(piece, rng, 2 * len(piece))


def mean_beat(rr_sd_s: float, noise_mv: float) -> Instrument:
    """Return what plays the victim's mean beat, at a rate that varies or not, with noise or not."""

    def play(stolen: Stolen, rng: np.random.Generator) -> NDArray[np.float64]:
        r = stolen.r_indices[stolen.r_indices >= BEFORE_R]
        length = int(np.median(np.diff(r)))
        beats = [stolen.ecg_mv[at - BEFORE_R : at - BEFORE_R + length] for at in r[:-1]]
        shape = _closed(np.mean([b - b.mean() for b in beats if len(b) == length], axis=0))
        pauses = np.rint(rng.normal(0, rr_sd_s * RATE_HZ, 2 * PLAYED // length)).astype(int)
        pauses = np.maximum(pauses, -length // 4)
        signal = np.concatenate([_with_pause(shape, pause) for pause in pauses])[:PLAYED]
        return np.asarray(signal + rng.normal(0, noise_mv, len(signal)), dtype=np.float64)

    return play


def replayed(stolen: Stolen, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the whole recording once, which the service never met before."""
    return stolen.ecg_mv


#: By name: what is played.
INSTRUMENTS: dict[str, Instrument] = {
    "flat line": flat,
    "sine of 72 a minute": sine,
    "one beat, over and over": looped(1),
    "three beats, over and over": looped(3),
    "ten beats, over and over": looped(10),
    "the whole recording, twice": whole_looped,
    "mean beat, fixed rate": mean_beat(0.0, 0.0),
    "mean beat, varied rate": mean_beat(0.04, 0.0),
    "mean beat, fixed rate, noise added": mean_beat(0.0, SKIN_NOISE_MV),
    "mean beat, varied rate, noise added": mean_beat(0.04, SKIN_NOISE_MV),
    "the whole recording, once": replayed,
}


def _closed(piece: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tilt a piece so that its end meets its start."""
    tilt = np.linspace(0, piece[-1] - piece[0], len(piece))
    return np.asarray(piece - tilt, dtype=np.float64)


def _over_and_over(
    piece: NDArray[np.float64], rng: np.random.Generator, samples: int = PLAYED
) -> NDArray[np.float64]:
    """Repeat a piece; the player's clock is not the chip's, so that no turn is whole samples."""
    from scipy.interpolate import CubicSpline

    closed = _closed(piece)
    spline = CubicSpline(np.arange(len(closed)), closed, bc_type="periodic")
    turn = (len(closed) - 1) / (len(closed) - 1 + rng.uniform(-0.5, 0.5))
    return np.asarray(spline(np.arange(samples) * turn % (len(closed) - 1)), dtype=np.float64)


def _with_pause(shape: NDArray[np.float64], pause: int) -> NDArray[np.float64]:
    """Make a beat longer or shorter at its end, where the heart pauses."""
    if pause <= 0:
        return shape[: len(shape) + pause]
    return np.concatenate([shape, np.full(pause, shape[-1])])
