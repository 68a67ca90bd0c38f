"""Where waves begin and end, against the marks of LUDB's cardiologists, beside neurokit2.

    python -m benchmarks.intervals ludb

Each record is resampled to 250 Hz, as the chip would take it; all get qrsd's own R peaks. Of each
mark the nearest place that was found within 150 ms counts; a record's error is its mean, and the
table has mean and SD over the records, in ms, with how many of the marked records show nothing. A
positive error is late. CSE: the limits of two SDs of the Common Standards for Electrocardiography
(Eur Heart J 6:815, 1985), of which it is usual to ask that an SD lies within them.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from daemon.errors import import_extra
from daemon.offline.analysis import analyse_recording
from daemon.offline.results import show
from daemon.recordings.recording import read_recording
from daemon.tables import filled
from dsp.front_end import RATE_HZ
from dsp.intervals import measure_intervals

Times: TypeAlias = NDArray[np.float64]
Places: TypeAlias = dict[str, Times]

LEADS = ("i", "ii")
CSE_MS = {"p_onset": 10.2, "p_end": 12.7, "qrs_onset": 6.5, "qrs_end": 11.6, "t_end": 30.6}
#: LUDB's symbol of the wave, and whether its end is meant.
MARKS = {
    "p_onset": ("p", False),
    "p_end": ("p", True),
    "qrs_onset": ("N", False),
    "qrs_end": ("N", True),
    "t_end": ("t", True),
}
NEUROKIT_NAMES = {
    "p_onset": "ECG_P_Onsets",
    "p_end": "ECG_P_Offsets",
    "qrs_onset": "ECG_R_Onsets",
    "qrs_end": "ECG_R_Offsets",
    "t_end": "ECG_T_Offsets",
}
NEAR_S = 0.150


def ours(ecg_mv: Times, r_indices: NDArray[np.int64]) -> Places:
    """Return where the waves of qrsd's averaged beat are in each beat."""
    waves = measure_intervals(ecg_mv, r_indices).waves
    offsets = {name: getattr(waves, f"{name}_s") for name in CSE_MS}
    r_s = r_indices / RATE_HZ
    return {name: r_s + offset for name, offset in offsets.items() if offset is not None}


def neurokit(ecg_mv: Times, r_indices: NDArray[np.int64]) -> Places:
    """Return where neurokit2's default method finds the waves of each beat."""
    import neurokit2

    rate = int(RATE_HZ)
    cleaned = neurokit2.ecg_clean(ecg_mv, sampling_rate=rate)
    _, found = neurokit2.ecg_delineate(cleaned, r_indices, sampling_rate=rate, method="dwt")
    return {
        name: np.asarray(found[theirs], dtype=np.float64) / RATE_HZ
        for name, theirs in NEUROKIT_NAMES.items()
        if theirs in found
    }


DELINEATORS: dict[str, Callable[[Times, NDArray[np.int64]], Places]] = {
    "qrsd": ours,
    "neurokit2 dwt": neurokit,
}


def marks_of(record: Path, lead: str) -> Places:
    """Return the marks of a lead in seconds."""
    import wfdb

    annotation = wfdb.rdann(str(record), lead)
    symbols = ["", *annotation.symbol, ""]
    samples = [0, *annotation.sample, 0]
    marks: Places = {}
    for name, (symbol, is_end) in MARKS.items():
        step, bracket = (1, ")") if is_end else (-1, "(")
        places = [
            samples[place + step]
            for place in range(1, len(symbols) - 1)
            if symbols[place] == symbol and symbols[place + step] == bracket
        ]
        marks[name] = np.array(places) / annotation.fs
    return marks


def error_ms(found_s: Times | None, marks_s: Times) -> float | None:
    """Return the mean error of a record; None if nothing was found near a mark."""
    found_s = np.empty(0) if found_s is None else found_s[np.isfinite(found_s)]
    if not len(found_s):
        return None
    off_s = found_s[None, :] - marks_s[:, None]
    nearest_s = off_s[np.arange(len(marks_s)), np.argmin(np.abs(off_s), axis=1)]
    near_s = nearest_s[np.abs(nearest_s) <= NEAR_S]
    return float(1000 * near_s.mean()) if len(near_s) else None


def measure(records: list[Path], lead: str) -> dict[tuple[str, str], list[float | None]]:
    """Return each record's error, by delineator and place."""
    errors: dict[tuple[str, str], list[float | None]] = {}
    for record in track(records, f"lead {lead}"):
        recording = read_recording(record, lead)
        peaks = analyse_recording(recording).r_peaks
        r_indices = np.array([peak.index for peak in peaks], dtype=np.int64)
        marks = marks_of(record, lead)
        for delineator, delineate in DELINEATORS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries about themselves
                try:
                    places = delineate(recording.ecg_mv, r_indices)
                except (IndexError, ValueError, ZeroDivisionError, TypeError, KeyError):
                    places = {}  # a peer that trips over a record has found nothing in it
            for name in CSE_MS:
                if len(marks[name]):
                    error = error_ms(places.get(name), marks[name])
                    errors.setdefault((delineator, name), []).append(error)
    return errors


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="of LUDB")
    folder = parser.parse_args().folder
    for package in ("neurokit2", "wfdb"):
        import_extra(package, "benchmark", "Running other delineators")
    records = sorted(path.with_suffix("") for path in folder.glob("*.hea"))
    tables = []
    for lead in LEADS:
        errors = measure(records, lead)
        rows = [("CSE, 2 SD", *(f"{limit:.1f}" for limit in CSE_MS.values()))]
        for delineator in DELINEATORS:
            each = (errors[delineator, name] for name in CSE_MS)
            rows.append((delineator, *map(_cell, each)))
        tables.append(
            filled(f"lead {lead}: mean ± SD in ms (records that show nothing)", ("", *CSE_MS), rows)
        )
    show(tables)


def _cell(errors: list[float | None]) -> str:
    known = [error for error in errors if error is not None]
    if not known:
        return "-"
    missing = len(errors) - len(known)
    return f"{np.mean(known):.1f} ± {np.std(known):.1f} ({missing})"


if __name__ == "__main__":
    main()
