"""What the figures of a heart are called where people read them."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from dsp.hrv import Need
from dsp.respiration import Breathing

LABELS = {
    "mean_rr_ms": "mean interval, ms",
    "heart_rate_bpm": "heart rate, bpm",
    "sdnn_ms": "SDNN, ms",
    "rmssd_ms": "RMSSD, ms",
    "sdsd_ms": "SDSD, ms",
    "pnn50_percent": "pNN50, %",
    "pnn20_percent": "pNN20, %",
    "triangular_index": "triangular index",
    "vlf_ms2": "VLF, ms^2",
    "lf_ms2": "LF, ms^2",
    "hf_ms2": "HF, ms^2",
    "lf_hf": "LF/HF",
    "lf_normalised_percent": "LF, % of both",
    "hf_normalised_percent": "HF, % of both",
    "sd1_ms": "SD1, ms",
    "sd2_ms": "SD2, ms",
    "approximate_entropy": "approximate entropy",
    "sample_entropy": "sample entropy",
    "dfa_alpha1": "DFA alpha 1",
    "dfa_alpha2": "DFA alpha 2",
}
BREATHING = {
    "fused": "breathing, /min",
    "impedance": "... from channel 1",
    "r_amplitude": "... from R amplitude",
    "rsa": "... from heart rate",
}
OF_A_BEAT = {
    "rr_ms": "RR, ms",
    "pr_ms": "PR, ms",
    "qrs_ms": "QRS, ms",
    "qt_ms": "QT, ms",
    "qtc_bazett_ms": "QTc (Bazett), ms",
    "qtc_fridericia_ms": "QTc (Fridericia), ms",
    "st_mv": "ST level, mV",
}


def in_words(need: Need) -> str:
    """Say what a figure needs at least."""
    if need.seconds:
        return f"{need.seconds:.0f} s{' without a break' if need.unbroken else ''}"
    return f"{need.intervals} intervals"


def interval_text(name: str, value: float | None) -> str:
    """Write a figure of ``OF_A_BEAT``, None for one that no strip shows."""
    return "does not stand out" if value is None else f"{value:.{2 if name == 'st_mv' else 0}f}"


def median_rate(minutes: Iterable[Breathing]) -> tuple[str | None, int]:
    """Return the median rate of breathing, None if none is known, and of how many minutes it is."""
    known = [each.rate_per_min for each in minutes if each.rate_per_min is not None]
    return (f"{median(known):.1f}" if known else None), len(known)
