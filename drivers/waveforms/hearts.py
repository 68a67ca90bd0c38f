"""Synthetic hearts: the dynamical model of McSharry, Clifford, Tarassenko and Smith.

A point runs round a circle once a beat. Passing the angles of P, Q, R, S and T it is pushed up or
down, and it relaxes towards a baseline that breathing moves (IEEE TBME 50:289-294, 2003, eq. 1):

    dtheta/dt = omega(t) = 2 pi / RR(t)
    dz/dt = - sum a_i dtheta_i exp(-dtheta_i^2 / (2 b_i^2)) - (z - z0(t))

RR(t) has the spectrum of a heart at rest, a band at 0.1 Hz (blood pressure) and one at breathing's
frequency, each a Gaussian (eq. 2 and 3).

Departures, each with its reason:

- The point starts on the limit cycle, so that only the angle and z need solving.
- a_i = h_i omega / b_i^2, as in Sameni et al. 2007 (EURASIP JASP 43407): h_i is then the wave's
  height in mV, which does not change from beat to beat with RR.
- One breath, a narrow band of random phases, moves RR, the baseline and the respiration channel.
- All of it repeats after 1024 s, in which the heart makes a whole number of beats: there is no
  seam, and the linear equation for z is solved exactly by its Fourier series.
- Some beats may be those of the ventricles, which the model has not: other waves, at other angles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from drivers.waveforms.noise import RATE_HZ, periodic_noise

PERIOD_S = 1024

LF_HZ = 0.1
BAND_SD_HZ = 0.01
RELAXATION_PER_S = 1.0
BREATH_MV = 0.05  # baseline and channel 1 move by this much, one standard deviation
CHEST_MV = 30.0  # 1 kOhm of chest in the 30 uA of the chip's respiration carrier


@dataclass(frozen=True, slots=True)
class Wave:
    """One of P, Q, R, S and T."""

    angle_rad: float  # where on the circle it peaks; R is at 0, a whole beat is 2 pi
    height_mv: float  # its peak, negative if it points down
    width_rad: float  # the standard deviation of its Gaussian


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What makes a heart that heart."""

    waves: tuple[Wave, ...]  # P, Q, R, S and T
    heart_rate_bpm: float  # mean rate
    rr_sd_s: float  # standard deviation of RR
    lf_hf_ratio: float  # power of the variability at 0.1 Hz to that at breathing's frequency
    breathing_hz: float  # mean frequency of the breath


#: Lowest and highest of each wave: degrees at 60 bpm, mV, degrees. The paper's own values (table I:
#: angles -60, -15, 0, 15, 90; widths 14, 6, 6, 6, 23 degrees) lie inside.
WAVE_RANGES = {
    "P": ((-75.0, -52.0), (0.04, 0.22), (9.0, 16.0)),
    "Q": ((-17.0, -12.0), (-0.25, -0.02), (4.0, 7.0)),
    "R": ((0.0, 0.0), (0.7, 1.6), (4.5, 7.5)),
    "S": ((12.0, 18.0), (-0.50, -0.02), (4.0, 7.5)),
    "T": ((80.0, 115.0), (0.10, 0.50), (15.0, 28.0)),
}

#: A beat that begins in the ventricles, its R early by 0.4 of an interval: wide, without P, and its
#: T points the other way. The pause after it makes up for that.
VENTRICULAR_WAVES = tuple(
    Wave(np.deg2rad(angle), height_mv, np.deg2rad(width))
    for angle, height_mv, width in ((-144.0, 1.4, 13.0), (-112.0, -0.8, 15.0), (-30.0, -0.5, 26.0))
)


def draw_anatomy(random: np.random.Generator) -> Anatomy:
    """Draw a healthy adult at rest.

    Away from 60 bpm, angles and widths grow with the square root of the rate, as in the authors'
    ecgsyn (PhysioNet): a faster heart shortens its pauses more than its beats.
    """
    heart_rate_bpm = float(random.uniform(55, 85))
    stretch = np.deg2rad(np.sqrt(heart_rate_bpm / 60))
    waves = []
    for angles, heights, widths in WAVE_RANGES.values():
        angle, height, width = (
            float(random.uniform(*limits)) for limits in (angles, heights, widths)
        )
        waves.append(Wave(angle * stretch, height, width * stretch))
    return Anatomy(
        waves=tuple(waves),
        heart_rate_bpm=heart_rate_bpm,
        rr_sd_s=float(random.uniform(0.02, 0.05)),
        lf_hf_ratio=float(random.uniform(0.4, 1.5)),
        breathing_hz=float(random.uniform(0.2, 0.3)),
    )


class Heart:
    """An endless synthetic heart: the same seed is always the same heart, beat for beat.

    Args:
        seed: what it is drawn from.
        anatomy: its waves and rhythm instead.
        ventricular: each so manyeth beat is one of the ventricles; 0 for none.

    Attributes:
        seed: what it was drawn from.
        anatomy: its waves and rhythm.
        ecg_mv: shape (256000,), 1024 s at 250 Hz that go on from the end to the start.
        respiration_mv: the same of channel 1.
        rr_s: RR(t) at each sample.
        phase_rad: the angle at each sample; a beat's R is where it passes a multiple of 2 pi.
    """

    def __init__(self, seed: int, anatomy: Anatomy | None = None, ventricular: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.seed = seed
        self.anatomy = anatomy or draw_anatomy(random)
        self.name = f"heart {seed} with ventricular beats" if ventricular else f"heart {seed}"
        breath = _band(self.anatomy.breathing_hz, random)
        self.rr_s = _rr_s(self.anatomy, _band(LF_HZ, random), breath)
        beats = [self.anatomy.waves] * max(1, ventricular - 1)
        beats += [VENTRICULAR_WAVES] * (ventricular > 0)
        self.phase_rad = _phase_rad(self.rr_s, len(beats))
        self.ecg_mv = _relax(_push(self.phase_rad, beats), BREATH_MV * breath)
        self.respiration_mv = CHEST_MV + BREATH_MV * breath


def _band(centre_hz: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Return noise of unit power whose spectrum is a Gaussian round ``centre_hz`` (eq. 2)."""
    return periodic_noise(
        lambda hz: np.exp(-(((hz - centre_hz) / BAND_SD_HZ) ** 2) / 4), PERIOD_S, random
    )


def _rr_s(
    anatomy: Anatomy, pressure: NDArray[np.float64], breath: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return RR(t): its mean, the two bands, and breathing in shortening it."""
    lf_share = anatomy.lf_hf_ratio / (1 + anatomy.lf_hf_ratio)
    variability = sqrt(lf_share) * pressure - sqrt(1 - lf_share) * breath
    return 60 / anatomy.heart_rate_bpm + anatomy.rr_sd_s * variability


def _phase_rad(rr_s: NDArray[np.float64], cycle: int) -> NDArray[np.float64]:
    """Integrate omega from between two beats, so that the period holds whole cycles of beats."""
    turns = np.cumsum(1 / rr_s) / RATE_HZ
    whole = cycle * round(turns[-1] / cycle)
    return np.asarray(np.pi + 2 * np.pi * turns * (whole / turns[-1]), dtype=np.float64)


def _push(phase_rad: NDArray[np.float64], beats: Sequence[tuple[Wave, ...]]) -> NDArray[np.float64]:
    """Return what the pushes of beats in turn add up to: the integral of the sum in eq. 1."""
    pushed = np.zeros_like(phase_rad)
    half = np.pi * len(beats)
    for number, waves in enumerate(beats):
        for wave in waves:
            from_wave = (phase_rad - 2 * np.pi * number - wave.angle_rad + half) % (2 * half) - half
            pushed += wave.height_mv * np.exp(-((from_wave / wave.width_rad) ** 2) / 2)
    return pushed


def _relax(pushed: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve dz/dt = d(pushed)/dt - (z - baseline) for the z that repeats with its inputs."""
    s = 2j * np.pi * np.fft.rfftfreq(len(pushed), 1 / RATE_HZ)
    spectrum = s * np.fft.rfft(pushed) + RELAXATION_PER_S * np.fft.rfft(baseline)
    z: NDArray[np.float64] = np.fft.irfft(spectrum / (s + RELAXATION_PER_S), len(pushed))
    return z
