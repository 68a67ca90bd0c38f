"""Why a recording holds not one good beat, as a sentence that says what to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.replay import GAIN, VREF_V, count_good_beats
from dsp.front_end import RATE_HZ

SHORTEST_S = 5.0  # the detector learns for two, and a beat is judged by those before it
FLAT_MV = 0.03  # no R wave on the skin is lower
HIGHEST_MV = 50.0  # no R wave is higher
AT_THE_END_MV = 0.999 * 1000 * VREF_V / GAIN
HUM_SHARE = 0.5  # of the power above 1 Hz
REMEDIED_BEATS = 3


def why_no_good_beat(ecg_mv: NDArray[np.float64], mains_hz: int, flaws: Counter[str]) -> str:
    """Look at what was recorded and say why nothing was found in it.

    Args:
        ecg_mv: up to a minute of it, shape (n,), at 250 Hz, without missing samples.
        mains_hz: the frequency of the grid that was taken out.
        flaws: of the beats that were found, and how often.
    """
    return next(_reasons(ecg_mv, mains_hz, flaws))


def _reasons(ecg_mv: NDArray[np.float64], mains_hz: int, flaws: Counter[str]) -> Iterator[str]:
    """Yield what may be the reason, the surest first."""
    duration_s = len(ecg_mv) / RATE_HZ
    if duration_s < SHORTEST_S:
        yield (
            f"it is too short: {duration_s:.1f} s were recorded, about {SHORTEST_S:.0f} are needed"
        )
    span_mv = float(np.subtract(*np.percentile(ecg_mv, [99.5, 0.5])))
    clipped = float(np.mean(np.abs(ecg_mv) >= AT_THE_END_MV))
    if clipped > 0.5:
        yield (
            f"{clipped:.0%} of it lies beyond the converter's range of {AT_THE_END_MV:.0f} mV: "
            "look at unit and gain (--unit, --gain)"
        )
    if span_mv < FLAT_MV:
        yield (
            f"it is flat: it moves by {1000 * span_mv:.1f} uV; try another --signal or, if these "
            "are no codes of a 24-bit converter, --unit; or the electrodes were off"
        )
    other_hz = 110 - mains_hz
    if count_good_beats([ecg_mv], other_hz) >= REMEDIED_BEATS:
        yield f"{other_hz} Hz hum of the grid covers it: try --mains {other_hz}"
    hum_hz = _hum(ecg_mv)
    if hum_hz:
        yield f"{hum_hz} Hz hum covers it: an electrode may be off"
    if count_good_beats([-ecg_mv], mains_hz) >= REMEDIED_BEATS:
        yield "it is upside down: the two electrodes seem to be in each other's place"
    if span_mv > HIGHEST_MV:
        yield (f"it moves by {span_mv:.0f} mV, which no heart does: look at unit and gain (--unit)")
    if flaws:
        seen = ", ".join(f"{flaw} ({count})" for flaw, count in flaws.most_common())
        yield f"none of the beats that were found is good: {seen}"
    yield f"no heartbeat was found in {span_mv:.2g} mV of signal: look at --signal and --unit"


def _hum(ecg_mv: NDArray[np.float64]) -> int | None:
    """Return the frequency of a grid whose hum is most of the signal."""
    power = np.abs(np.fft.rfft((ecg_mv - ecg_mv.mean()) * np.hanning(len(ecg_mv)))) ** 2
    frequency_hz = np.fft.rfftfreq(len(ecg_mv), 1 / RATE_HZ)
    total = power[frequency_hz > 1].sum()
    for grid_hz in (50, 60):
        near = np.abs(frequency_hz - grid_hz) < 1
        if total and power[near].sum() > HUM_SHARE * total:
            return grid_hz
    return None
