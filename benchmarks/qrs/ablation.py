"""What each departure from Pan and Tompkins is worth: taken back one at a time.

Only those are here that a constant of ``dsp.pan_tompkins`` expresses.

Source: J. Pan, W. J. Tompkins, "A Real-Time QRS Detection Algorithm", IEEE Trans. Biomed. Eng.
32(3):230-236, 1985.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dsp import pan_tompkins

NEVER_S = 1e6


@dataclass(frozen=True, slots=True)
class Departure:
    """One difference between this detector and the published one.

    Attributes:
        taken_back: what is done instead without it.
        constants: names of the constants in ``dsp.pan_tompkins``, with the paper's values.
    """

    taken_back: str
    constants: Mapping[str, Any]


DEPARTURES = {
    "band": Departure("band-pass of 5 to 15 Hz", {"BAND_HZ": (5.0, 15.0)}),
    "thresholds": Departure(
        "thresholds at 0.25 between noise and signal",
        {"ENERGY_THRESHOLD": 0.25, "BAND_THRESHOLD": 0.25},
    ),
    "noise_gain": Departure("noise level learns by 1/8", {"NOISE_GAIN": 0.125}),
    "search_back": Departure("search-back after 1.66 RR", {"SEARCH_BACK_RR": 1.66}),
    "decay": Departure("signal level never decays", {"DECAY_AFTER_S": NEVER_S}),
    "early": Departure("no beat before its hump has ended", {"CLEAR_WAIT_S": NEVER_S}),
    "upright": Departure("up and down bends count alike", {"UPRIGHT": 1.0}),
    "learning": Departure("first level a third of the maximum", {"LEARNT_SIGNAL": 1 / 3}),
}


@contextmanager
def without(departure: Departure) -> Iterator[None]:
    """Detect as the paper has it, in this one respect, while the context lasts."""
    ours = {name: getattr(pan_tompkins, name) for name in departure.constants}
    _set(departure.constants)
    try:
        yield
    finally:
        _set(ours)


def _set(constants: Mapping[str, Any]) -> None:
    for name, value in constants.items():
        setattr(pan_tompkins, name, value)
    for design in (pan_tompkins.band_pass_sections, pan_tompkins.band_pass_delay):
        design.cache_clear()
