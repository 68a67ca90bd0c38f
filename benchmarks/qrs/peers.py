"""Other open QRS detectors. Each sees the same 250 Hz signal, whole, and may look ahead in it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import process_time
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs.chain import Detections
from benchmarks.qrs.errors import PeerFailed
from daemon.errors import import_extra
from daemon.recordings.recording import Recording
from dsp.front_end import RATE_HZ

Signal: TypeAlias = NDArray[np.float64]

RATE = int(RATE_HZ)
GQRS_GAIN = 200.0  # its thresholds are in steps of MIT-BIH's converter, 200 for each mV
WARM_UP_S = 20.0  # what is imported or compiled at the first call is not the detector's cost


def _gqrs(ecg_mv: Signal, mains_hz: int) -> Any:
    from wfdb.processing import gqrs_detect

    steps = np.rint(ecg_mv * GQRS_GAIN).astype(np.int64)
    return gqrs_detect(d_sig=steps, fs=RATE, adc_gain=GQRS_GAIN, adc_zero=0)


def _xqrs(ecg_mv: Signal, mains_hz: int) -> Any:
    from wfdb.processing import xqrs_detect

    return xqrs_detect(ecg_mv, fs=RATE, verbose=False)


def _neurokit(ecg_mv: Signal, mains_hz: int, method: str) -> Any:
    import neurokit2

    cleaned = neurokit2.ecg_clean(ecg_mv, sampling_rate=RATE, method=method, powerline=mains_hz)
    found = neurokit2.ecg_findpeaks(cleaned, sampling_rate=RATE, method=method)
    return found["ECG_R_Peaks"]


def _sleepecg(ecg_mv: Signal, mains_hz: int) -> Any:
    from sleepecg import detect_heartbeats

    return detect_heartbeats(ecg_mv, fs=RATE)


def _hamilton(ecg_mv: Signal, mains_hz: int) -> Any:
    """Filter, detect and put each R on the extremum nearby, as ``biosppy.signals.ecg.ecg`` does."""
    from biosppy.signals import ecg, tools

    filtered = tools.filter_signal(
        signal=ecg_mv,
        ftype="FIR",
        band="bandpass",
        order=int(0.3 * RATE),
        frequency=[3, 45],
        sampling_rate=RATE_HZ,
    )["signal"]
    found = ecg.hamilton_segmenter(signal=filtered, sampling_rate=RATE_HZ)["rpeaks"]
    return ecg.correct_rpeaks(signal=filtered, rpeaks=found, sampling_rate=RATE_HZ, tol=0.05)[
        "rpeaks"
    ]


#: Each takes a signal in mV at 250 Hz and the frequency of the grid, and returns samples.
PEERS: dict[str, Callable[[Signal, int], Any]] = {
    "wfdb gqrs": _gqrs,
    "wfdb xqrs": _xqrs,
    "neurokit2 default": partial(_neurokit, method="neurokit"),
    "neurokit2 pantompkins1985": partial(_neurokit, method="pantompkins1985"),
    "sleepecg": _sleepecg,
    "biosppy hamilton": _hamilton,
}


def require_peers() -> None:
    """Find out that a library is missing before the work, and not after minutes of it."""
    for name in ("biosppy", "neurokit2", "sleepecg", "wfdb"):
        import_extra(name, "benchmark", "Running other detectors")


def detect(peer: str, recording: Recording, mains_hz: int) -> Detections:
    """Give a recording to a peer, with samples that were not recorded bridged."""
    ecg_mv = bridged(recording.ecg_mv)
    find = PEERS[peer]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries about themselves
        with suppress(Exception):  # in so short a stretch there may be nothing to find
            find(ecg_mv[: round(WARM_UP_S * RATE_HZ)], mains_hz)
        began_s = process_time()
        try:
            found = find(ecg_mv, mains_hz)
        except Exception as error:  # libraries raise whatever they trip over
            raise PeerFailed(f"{peer} gave up on {recording.name}: {error!r}") from error
        cpu_s = process_time() - began_s
    return Detections(np.unique(np.asarray(found, dtype=np.int64)), cpu_s)


def bridged(ecg_mv: Signal) -> Signal:
    """Draw a line over what was not recorded."""
    positions = np.arange(len(ecg_mv))
    recorded = np.isfinite(ecg_mv)
    return np.interp(positions, positions[recorded], ecg_mv[recorded])
