"""A recording of somebody's ECG at the 250 Hz of the signal chain, whatever its file's format."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.adc_csv import read_adc_csv
from daemon.recordings.errors import MalformedRecording
from daemon.recordings.wfdb_record import read_wfdb
from dsp.front_end import RATE_HZ


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One ECG lead of one recording.

    Attributes:
        name: its folder and file name, such as ``Person_01/rec_1``.
        path: where it was read from, as given.
        ecg_mv: shape (n,), raw potential between the electrodes, NaN where nothing was recorded.
        rate_hz: samples per second, always 250.
        notes: what had to be assumed or mended to read it, a sentence each.
    """

    name: str
    path: str
    ecg_mv: NDArray[np.float64]
    rate_hz: float = RATE_HZ
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.ecg_mv) / self.rate_hz


def read_recording(path: str | Path, signal: str = "0") -> Recording:
    """Read one signal of a WFDB record or of a CSV file of ADC codes, resampled to 250 Hz.

    Args:
        path: a WFDB record with or without ``.hea``, or a file that ends in ``.csv``.
        signal: the signal's name, whatever the case, or its number from 0.

    Raises:
        RecordingError: it is missing, malformed, empty, or without such a signal.
    """
    where = Path(path)
    is_csv = where.suffix.casefold() == ".csv"
    raw = read_adc_csv(where, signal) if is_csv else read_wfdb(where, signal)
    if not np.isfinite(raw.mv).any():
        raise MalformedRecording(f"Signal {signal!r} of {path} holds not one valid sample.")
    stem = where.with_suffix("") if where.suffix.casefold() in (".csv", ".hea") else where
    name = f"{stem.parent.name}/{stem.name}" if stem.parent.name else stem.name
    return Recording(name, str(path), to_250_hz(raw.mv, raw.rate_hz), notes=raw.notes)


def to_250_hz(mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Resample by an exact rational ratio, with an anti-aliasing filter of no delay.

    The level is taken off before and put back after: the filter's phases differ in gain by 1e-4,
    which would turn an electrode offset of 300 mV into a hum of 40 uV. Missing samples (NaN) are
    bridged for the filter and are missing again in its output.

    Args:
        mv: shape (n,), at least one of them finite.
        rate_hz: its samples per second.
    """
    from scipy.signal import resample_poly  # takes a second, and most commands read nothing

    ratio = Fraction(RATE_HZ) / Fraction(rate_hz).limit_denominator(1000)
    if ratio == 1:
        return mv
    missing = np.isnan(mv)
    positions = np.arange(len(mv))
    bridged = np.interp(positions, positions[~missing], mv[~missing]) if missing.any() else mv
    level = np.median(bridged)
    resampled = resample_poly(bridged - level, ratio.numerator, ratio.denominator, padtype="line")
    resampled = np.asarray(resampled + level, dtype=np.float64)
    nearest = np.rint(np.arange(len(resampled)) / float(ratio)).astype(int)
    resampled[missing[np.minimum(nearest, len(mv) - 1)]] = np.nan
    return resampled
