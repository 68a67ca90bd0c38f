"""Noise of seven kinds, added to a clean record at a signal-to-noise ratio.

The ratio is that of PhysioNet's ``nst``: the power of the signal is S² / 8, as of a sine wave whose
peak-to-peak amplitude is that of a QRS complex; S is the mean over the reference beats without the
largest and the smallest 5 %, each measured from 50 ms before to 50 ms after its annotation.
``nst`` measures 300 beats, and the noise second by second with its baseline taken off. Here all
beats count, and the power of the noise is about its mean: what wanders slowly counts in full.

Source: wfdb Applications Guide, nst(1) "Signal-to-noise ratios" and sigamp(1); G. B. Moody, W. K.
Muldrow, R. G. Mark, "A noise stress test for arrhythmia detectors", Computers in Cardiology
11:381-384, 1984.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs.errors import NothingToScore
from benchmarks.qrs.records import ReferenceRecord
from daemon.recordings.recording import read_recording
from dsp.front_end import RATE_HZ

#: Records of MIT-BIH (the half called DS1) that are clean enough for noise to be what disturbs.
CLEAN_RECORDS = ("101", "112", "115", "118", "119", "122", "220", "230")

Signal: TypeAlias = NDArray[np.float64]

QRS_S = 0.050  # of a QRS complex on either side of its annotation
TRIMMED = 0.05  # part of the complexes left out at either end


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of noise."""

    title: str  # what it is called in tables
    #: from a random generator and a number of samples to noise of any size
    make: Callable[[np.random.Generator, int], Signal] | None = None
    mains_hz: int | None = None  # of hum, its frequency
    recorded: str | None = None  # of recorded noise, the name of its record


def hum(random: np.random.Generator, length: int, frequency_hz: float) -> Signal:
    """Return a sine wave of random phase."""
    turns = random.uniform() + frequency_hz / RATE_HZ * np.arange(length)
    return np.asarray(np.sin(2 * np.pi * turns))


def band_noise(
    random: np.random.Generator, length: int, lowest_hz: float, highest_hz: float
) -> Signal:
    """Return Gaussian noise whose spectrum is flat between two frequencies and zero elsewhere."""
    frequencies_hz = np.fft.rfftfreq(length, 1 / RATE_HZ)
    spectrum = random.normal(size=(2, len(frequencies_hz)))
    inside = (frequencies_hz >= lowest_hz) & (frequencies_hz <= highest_hz)
    return np.fft.irfft(np.where(inside, spectrum[0] + 1j * spectrum[1], 0), length)


def white_noise(random: np.random.Generator, length: int) -> Signal:
    """Return Gaussian noise."""
    return random.normal(size=length)


def stretch(random: np.random.Generator, length: int, noise: Signal) -> Signal:
    """Return recorded noise from a random place on, from its beginning again after its end."""
    return np.take(noise, random.integers(len(noise)) + np.arange(length), mode="wrap")


KINDS = {
    "mains50": Kind("mains, 50 Hz", partial(hum, frequency_hz=50), mains_hz=50),
    "mains60": Kind("mains, 60 Hz", partial(hum, frequency_hz=60), mains_hz=60),
    "wander": Kind("wander, 0.05 to 0.5 Hz", partial(band_noise, lowest_hz=0.05, highest_hz=0.5)),
    "bw": Kind("wander, recorded (bw)", recorded="bw"),
    "white": Kind("white", white_noise),
    "emg": Kind("muscle, 20 to 100 Hz", partial(band_noise, lowest_hz=20, highest_hz=100)),
    "ma": Kind("muscle, recorded (ma)", recorded="ma"),
}


def require_noise(kinds: tuple[str, ...], folder: Path | None) -> None:
    """Find out that recorded noise is missing before the work, and not after minutes of it."""
    for name in kinds:
        record = KINDS[name].recorded
        if record is None:
            continue
        if folder is None:
            raise NothingToScore(
                f"Noise of the kind {name} is recorded: give the folder of PhysioNet's nstdb with "
                f"--noise, or choose others with --kinds"
            )
        if not (folder / f"{record}.hea").is_file():
            raise NothingToScore(
                f"{folder} holds no record {record} (.hea): give the folder of PhysioNet's nstdb"
            )


def make_noise(kind: str, record: str, length: int, folder: Path | None) -> Signal:
    """Make so many samples of noise for a record, of any size: the same each time.

    ``folder`` is where recorded noise is.
    """
    random = np.random.default_rng(crc32(f"{kind} {record}".encode()))
    make, recorded = KINDS[kind].make, KINDS[kind].recorded
    if make is not None:
        return make(random, length)
    assert folder is not None
    assert recorded is not None
    return stretch(random, length, read_recording(folder / recorded).ecg_mv)


def qrs_size_mv(record: ReferenceRecord) -> float:
    """Return the mean peak-to-peak amplitude of a record's QRS complexes, extremes left out."""
    from scipy.stats import trim_mean

    ecg_mv, reach = record.recording.ecg_mv, round(QRS_S * RATE_HZ)
    complexes = [ecg_mv[max(beat - reach, 0) : beat + reach + 1] for beat in record.beats]
    sizes_mv = [np.ptp(complex_) for complex_ in complexes if np.isfinite(complex_).all()]
    return float(trim_mean(sizes_mv, TRIMMED))


def add_noise(record: ReferenceRecord, noise: Signal, snr_db: float) -> ReferenceRecord:
    """Return the record with noise, made as large as the signal-to-noise ratio has it."""
    noise = noise - noise.mean()
    power_mv2 = qrs_size_mv(record) ** 2 / 8 / 10 ** (snr_db / 10)
    noise_mv = noise * np.sqrt(power_mv2 / np.mean(noise**2))
    noisy = replace(record.recording, ecg_mv=record.recording.ecg_mv + noise_mv)
    return replace(record, recording=noisy)
