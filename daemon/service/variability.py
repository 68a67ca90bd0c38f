"""The judge of heart rate variability and breathing: each ten seconds, of the last five minutes."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from importlib import import_module

import numpy as np

import dsp.respiration
from daemon.wire.messages import Breathing, HrvMessage, HrvReason, Message, WaveMessage
from dsp.front_end import RATE_HZ
from dsp.hrv import MOST_CORRECTED, SHORT_TERM, Hrv, hrv
from dsp.respiration import Marks, marks_of_beats, respiration
from dsp.rr_correction import RrSeries
from dsp.signals import Event, Interruption, RPeak, Sample

WINDOW_SAMPLES = round(300 * RATE_HZ)
EVERY_SAMPLES = round(10 * RATE_HZ)
BREATHING_CHUNKS = 700  # of 25 samples: the minute that breathing is looked for in, and more


def import_scipy() -> None:
    """Import what the first figures need: a second, or many from a card, that samples would wait.

    To be called in a thread, while the first samples come.
    """
    for name in ("interpolate", "ndimage", "signal"):
        import_module(f"scipy.{name}")


class VariabilityJudge:
    """Gathers R peaks, and what channel 1 saw of the chest, and says what they tell."""

    def __init__(self) -> None:
        self._forget()
        self._due: int | None = None

    def _forget(self) -> None:
        self._peaks: list[tuple[int, float, bool]] = []  # index, mV, whether none came before
        self._chest: deque[tuple[float, float]] = deque(maxlen=BREATHING_CHUNKS)  # s, mV

    def push(self, event: Event, index: int) -> list[Message]:
        """Take one event that the sample of this index completed."""
        if isinstance(event, RPeak):
            self._peaks.append((event.index, event.amplitude_mv, event.rr_s is None))
        elif isinstance(event, Interruption) and event.wearer_may_differ:
            self._forget()
        return []

    def tick(self, sample: Sample) -> list[Message]:
        """Take one sample, and measure when it is time to."""
        if self._due is None:
            self._due = sample.index + EVERY_SAMPLES
        if sample.index < self._due:
            return []
        self._due = sample.index + EVERY_SAMPLES
        return [self._measured(sample.index)]

    def hear_chest(self, wave: WaveMessage) -> None:
        """Take a chunk of the raw channels, of which channel 1 may be the chest's impedance."""
        if wave.channels[0] == "respiration":
            mean = sum(first for first, _ in wave.counts) / len(wave.counts)
            middle_s = (wave.index + len(wave.counts) / 2) / RATE_HZ
            self._chest.append((middle_s, mean * wave.mv_per_count[0]))

    def _measured(self, index: int) -> Message:
        self._peaks.sort()  # one that is found late comes late
        del self._peaks[: bisect_left(self._peaks, (index - WINDOW_SAMPLES,))]
        indices, r_mv, after_break = np.array(self._peaks).reshape(-1, 3).T
        series = RrSeries.of_beats(indices / RATE_HZ, after_break.astype(bool))
        found = hrv(series, short_term=True)
        marks = marks_of_beats(indices / RATE_HZ, r_mv, series)
        chest = Marks(*np.array(self._chest).T) if self._chest else None
        breathing = respiration(chest, *marks, index / RATE_HZ)
        figures = {name: getattr(found, name) for name in SHORT_TERM if name != "heart_rate_bpm"}
        return HrvMessage(
            index=index,
            duration_s=found.duration_s,
            intervals=found.intervals,
            corrected=found.corrections.share,
            reason=_reason(found),
            respiration=_on_wire(breathing.fused),
            impedance=_on_wire(breathing.impedance),
            r_amplitude=_on_wire(breathing.r_amplitude),
            rsa=_on_wire(breathing.rsa),
            **figures,
        )


def _reason(found: Hrv) -> HrvReason | None:
    """Say in a word why some figures are None."""
    if not found.reasons:
        return None
    if found.corrections.share > MOST_CORRECTED:
        return "too_many_corrected"
    return "constant" if found.lf_ms2 is not None else "too_short"


def _on_wire(breathing: dsp.respiration.Breathing) -> Breathing:
    return Breathing(breathing.rate_per_min, breathing.quality)
