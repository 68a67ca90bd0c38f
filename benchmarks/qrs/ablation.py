"""What each departure from Pan and Tompkins is worth: taken back one at a time.

Source: J. Pan, W. J. Tompkins, "A Real-Time QRS Detection Algorithm", IEEE Trans. Biomed. Eng.
32(3):230-236, 1985.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from unittest.mock import patch

from dsp import pan_tompkins, qrs_features, r_peak
from dsp.pan_tompkins import Level

NEVER = 1e6


class Departure(NamedTuple):
    """One difference between this detector and the published one."""

    taken_back: str  # what is done instead without it
    owner: Any  # the module or class that it is in
    values: dict[str, Any]  # what is there instead, by name


def largest_deflection(ecg: Sequence[float], places: range, spacing: int, about: int) -> int:
    """Return the place of the largest deflection, whichever way, as the R peak."""
    return max(places, key=lambda i: abs(ecg[i & qrs_features.MASK]), default=about)


def half_the_threshold(level: Level, place: float) -> float:
    """Return half the threshold, even where that is in the noise."""
    return pan_tompkins.SEARCH_BACK_THRESHOLD * level.at(place)


def _of_features(taken_back: str, **values: Any) -> Departure:
    return Departure(taken_back, qrs_features, values)


def _of_detector(taken_back: str, **values: Any) -> Departure:
    return Departure(taken_back, pan_tompkins, values)


DEPARTURES = {
    "slope": _of_features("slope over 16 ms", SLOPE_S=0.016),
    "integration": _of_features("moving mean over 150 ms", INTEGRATION_S=0.150),
    "root": _of_features("no root after the moving mean", sqrt=float),
    "thresholds": _of_detector(
        "thresholds at 0.25 between noise and signal", ENERGY_THRESHOLD=0.25, BAND_THRESHOLD=0.25
    ),
    "noise_gain": _of_detector("noise level learns by 1/8", NOISE_GAIN=0.125),
    "t_wave_time": _of_detector("T waves within 360 ms", T_WAVE_S=(0.36, 0.36), T_DOUBT_S=0.0),
    "steepness": _of_detector("T waves by their slope alone", T_WAVE_STEEPNESS=0.0),
    "search_back": _of_detector("search-back after 1.66 RR", SEARCH_BACK_RR=1.66),
    "noise_floor": Departure(
        "search-back even in the noise", Level, {"in_search_back": half_the_threshold}
    ),
    "early": _of_detector("no beat before its hump has ended", LIKELY_ENERGY=NEVER),
    "patience": _of_detector("haste that is never regretted", PATIENT_S=0.0),
    "decay": _of_detector("signal level never decays", DECAY_AFTER_S=NEVER),
    "artefact": _of_detector("no hump is too high for a beat", ARTEFACT=NEVER),
    "smallest": _of_detector("no beat is too small", SMALLEST_BAND_MV=0.0),
    "learning": _of_detector("first level a third of the maximum", LEARNT_SIGNAL=1 / 3),
    "bend": Departure("R at the largest deflection", r_peak, {"sharpest_bend": largest_deflection}),
    "upright": Departure("up and down bends count alike", r_peak, {"UPRIGHT": 1.0}),
}


def without(departure: Departure) -> AbstractContextManager[Any]:
    """Detect as the paper has it, in this one respect, while the context lasts."""
    patched: AbstractContextManager[Any] = patch.multiple(departure.owner, **departure.values)
    return patched
