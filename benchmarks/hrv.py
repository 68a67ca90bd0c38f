"""Heart rate variability against closed forms, beside neurokit2, with the time that each takes.

    python -m benchmarks.hrv

The same series for both: intervals of 800 ms with two sines of known power (LF 1250, HF 450 ms^2),
white noise (sample entropy 2.185, DFA 0.5) and a random walk (DFA 1.5), each of five minutes, and
the sines with ectopic beats. neurokit2 gets the R peaks at 1000 Hz, corrects them by its own method
after the same paper, and has its defaults.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from math import erf, log
from statistics import median
from time import process_time
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from daemon.errors import import_extra
from daemon.offline.results import show
from daemon.tables import filled
from dsp.hrv import hrv
from dsp.rr_correction import RrSeries

Intervals: TypeAlias = NDArray[np.float64]
Figures: TypeAlias = dict[str, float | None]

SECONDS = 300
ROUNDS = 3
THEIR_NAMES = {
    "rmssd_ms": "HRV_RMSSD",
    "lf_ms2": "HRV_LF",
    "hf_ms2": "HRV_HF",
    "sample_entropy": "HRV_SampEn",
    "dfa_alpha1": "HRV_DFA_alpha1",
    "dfa_alpha2": "HRV_DFA_alpha2",
}


def sines() -> Intervals:
    """Return 800 + 50 sin(2 pi 0.1 t) + 30 sin(2 pi 0.25 t) ms."""
    t_s, rr_ms = 0.0, []
    while t_s < SECONDS:
        slow_ms, fast_ms = 50 * np.sin(2 * np.pi * 0.1 * t_s), 30 * np.sin(2 * np.pi * 0.25 * t_s)
        rr_ms.append(800 + slow_ms + fast_ms)
        t_s += rr_ms[-1] / 1000
    return np.array(rr_ms)


def with_ectopic_beats() -> Intervals:
    """Return the sines with a beat that comes 300 ms early, each minute."""
    rr_ms = sines()
    rr_ms[40::75] -= 300
    rr_ms[41::75] += 300
    return rr_ms


def white() -> Intervals:
    """Return white noise of 30 ms."""
    return np.asarray(800 + np.random.default_rng(1).normal(0, 30, SECONDS * 5 // 4))


def walk() -> Intervals:
    """Return a random walk in steps of 2 ms."""
    return np.asarray(800 + np.cumsum(np.random.default_rng(1).normal(0, 2, SECONDS * 5 // 4)))


def step_rms(rr_ms: Intervals) -> float:
    """Return the root mean square of successive differences."""
    return float(np.sqrt(np.mean(np.diff(rr_ms) ** 2)))


SERIES: dict[str, tuple[Callable[[], Intervals], Figures]] = {
    "two sines": (sines, {"lf_ms2": 1250, "hf_ms2": 450, "rmssd_ms": step_rms(sines())}),
    "... with ectopic beats": (
        with_ectopic_beats,
        {"lf_ms2": 1250, "hf_ms2": 450, "rmssd_ms": step_rms(sines())},
    ),
    "white noise": (white, {"sample_entropy": -log(erf(0.1)), "dfa_alpha2": 0.5}),
    "random walk": (walk, {"dfa_alpha1": 1.5, "dfa_alpha2": 1.5}),
}


def ours(rr_ms: Intervals) -> Figures:
    """Return all figures of qrsd."""
    found = hrv(RrSeries.of_intervals(rr_ms))
    return {name: getattr(found, name) for name in THEIR_NAMES}


def neurokit(rr_ms: Intervals) -> Figures:
    """Return neurokit2's figures in time, frequency, and all that are non-linear."""
    import neurokit2

    peaks = np.rint(np.cumsum(np.concatenate([[1000.0], rr_ms]))).astype(int)
    corrected: Any = neurokit2.signal_fixpeaks(peaks, sampling_rate=1000, method="Kubios")[1]
    found = neurokit2.hrv(corrected, sampling_rate=1000)
    return {
        name: float(found[theirs].iloc[0]) if theirs in found else None
        for name, theirs in THEIR_NAMES.items()
    }


def timed(measure: Callable[[Intervals], Figures], rr_ms: Intervals) -> tuple[Figures, float]:
    """Return the figures and the median seconds of processor time."""
    figures = measure(rr_ms)  # what is imported or compiled at the first call is no cost of it
    seconds = []
    for _ in range(ROUNDS):
        began_s = process_time()
        measure(rr_ms)
        seconds.append(process_time() - began_s)
    return figures, median(seconds)


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    import_extra("neurokit2", "benchmark", "Running another program")
    rows = []
    for label, (make, expected) in SERIES.items():
        rr_ms = make()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the library about itself
            (found, our_s), (theirs, their_s) = timed(ours, rr_ms), timed(neurokit, rr_ms)
        for name, value in expected.items():
            rows.append((label, name, *map(_number, (value, found[name], theirs[name]))))
        rows.append(
            (label, "processor time, ms", "", f"{1000 * our_s:.0f}", f"{1000 * their_s:.0f}")
        )
        rows.append((label, "... as a ratio", "", "1", f"{their_s / our_s:.0f}"))
    headings = ("series of five minutes", "figure", "closed form", "qrsd", "neurokit2")
    show([filled("Heart rate variability", headings, rows, words=2)])


def _number(value: float | None) -> str:
    return "-" if value is None or not np.isfinite(value) else f"{value:.4g}"


if __name__ == "__main__":
    main()
