"""What a report on one recording says, as figures: quality, strips, beat, rhythm, breathing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from daemon.offline.analysis import OfRecording, listen
from daemon.offline.commentary import Commentary
from daemon.offline.excerpt import Excerpt
from daemon.offline.labels import OF_A_BEAT
from daemon.offline.measuring import (
    Delineation,
    Variability,
    delineation_of,
    strips_with_beats,
    variability_of,
)
from daemon.offline.pieces import STRIP_SAMPLES, Heard
from daemon.offline.recognition import Stretch
from daemon.offline.rhythm import Rhythms, rhythms_of
from daemon.recordings.origin import Origin
from daemon.recordings.recording import OpenRecording
from dsp.front_end import RATE_HZ
from dsp.intervals import BEFORE_S, Intervals, average_beat, filtered
from dsp.options import RhythmOptions
from dsp.rr_correction import Array, RrSeries, corrected

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Minute:
    """How good the signal was in a minute, or in what there is of the last one."""

    begin_s: float
    length_s: float
    beats: int  # that were found and cut out whole
    good: int  # of them, those that the service would count
    lost_s: float  # nothing was recorded
    heart_rate_bpm: float | None  # of the corrected intervals; None without one


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Ten seconds of ECG to look at, and their averaged beat."""

    begin_s: float
    ecg_mv: Array  # from 0.5 to 40 Hz, NaN where nothing was recorded
    r_s: Array  # its R peaks, from its begin
    beat_mv: Array | None  # the mean of the beats that look alike, from ``BEFORE_S`` before R
    intervals: Intervals  # of that beat


@dataclass(frozen=True, slots=True, eq=False)
class Report(OfRecording):
    """All that is known of a recording."""

    origin: Origin
    variability: Variability
    nn: RrSeries  # the corrected intervals
    minutes: tuple[Minute, ...]
    gaps_s: tuple[tuple[float, float], ...]  # where nothing was recorded: begin and length
    flaws: dict[str, int]  # of the beats, and how often, the most frequent first
    delineation: Delineation
    shown: tuple[Shown, ...]  # the clearest ten seconds of each half; one if it is so short
    rhythm: Rhythms  # the kinds of its beats, and episodes
    who: dict[str, Any] | None = None  # the last decision; None if it was not asked for
    commentary: Commentary | None = None  # a language model's; None if it was not asked for
    identity: tuple[Stretch, ...] = ()  # what was decided from begin to end

    @property
    def beats(self) -> int:
        """How many beats were cut out whole."""
        return sum(minute.beats for minute in self.minutes)

    @property
    def good(self) -> int:
        """How many of them are good."""
        return sum(minute.good for minute in self.minutes)

    def figures(self) -> dict[str, Any]:
        """Return all numbers by names, for JSON; those of ``hrv`` are those of ``qrsd hrv``."""
        begin = self.origin.begin
        return {
            "record": self.path,
            "begin": begin and begin.isoformat(),
            "source": self.origin.source,
            "simulated": self.origin.is_simulated,
            "duration_s": self.duration_s,
            "notes": self.notes,
            **({"who": self.who, "identity": [*map(asdict, self.identity)]} if self.who else {}),
            **({"commentary": asdict(self.commentary)} if self.commentary else {}),
            "quality": {
                "beats": self.beats,
                "good": self.good,
                "flaws": self.flaws,
                "minutes": [*map(asdict, self.minutes)],
                "gaps_s": self.gaps_s,
                "lead_off_s": self.origin.lead_off_s,
            },
            "strips": [
                {
                    "begin_s": shown.begin_s,
                    "r_peaks_s": shown.r_s.tolist(),
                    "averaged_beat": asdict(shown.intervals),
                }
                for shown in self.shown
            ],
            "intervals": {name: self.delineation.median(name) for name in OF_A_BEAT},
            "rhythm": self.rhythm.figures(),
            "hrv": self.variability.figures(),
        }


def report_on(
    recording: OpenRecording | Excerpt,
    told: Origin,
    mains_hz: int,
    rhythm: RhythmOptions,
    advance: Callable[[float], None] = lambda _: None,
) -> Report:
    """Measure a recording of any length.

    Args:
        recording: the recording.
        told: what it says of itself.
        mains_hz: frequency of the grid, 50 or 60.
        rhythm: limits of episodes.
        advance: told how many seconds are done.

    Raises:
        RecordingError: it cannot be read.
    """
    found = listen(recording, mains_hz, waves=True, rhythm=rhythm, advance=advance)
    heard, samples = found.heard, round(found.duration_s * RATE_HZ)
    variability = variability_of(found, recording)
    nn, _ = corrected(variability.rr)
    return Report(
        *found.told,
        told,
        variability,
        nn,
        tuple(_minutes(heard, samples, nn)),
        tuple((begin / RATE_HZ, (end - begin) / RATE_HZ) for begin, end in heard.gaps.tolist()),
        dict(heard.flaws.most_common()),
        delineation_of(found),
        tuple(_shown(recording, heard, samples)),
        rhythms_of(found),
    )


def _clearest(heard: Heard, samples: int) -> set[int]:
    """Return where the ten seconds with the most good beats begin, in each half."""
    whole = max(1, samples // STRIP_SAMPLES)
    inside = heard.beat_indices < whole * STRIP_SAMPLES
    marks = np.where(heard.good[inside], 1, -1)
    balance = np.bincount(heard.beat_indices[inside] // STRIP_SAMPLES, marks, minlength=whole)
    halves = (0, (whole + 1) // 2, whole)
    return {
        (first + int(np.argmax(balance[first:last]))) * STRIP_SAMPLES
        for first, last in pairwise(halves)
        if first < last and balance[first:last].max() > 0
    }


def _shown(recording: OpenRecording | Excerpt, heard: Heard, samples: int) -> Iterator[Shown]:
    wanted = _clearest(heard, samples)
    for strip in strips_with_beats(recording, heard.r_indices) if wanted else ():
        if strip.begin in wanted:
            intervals = heard.strips[strip.begin // STRIP_SAMPLES]
            ecg_mv = filtered(strip.ecg_mv)
            ecg_mv[np.isnan(strip.ecg_mv)] = np.nan
            rr_s = (intervals.rr_ms or 0.0) / 1000
            beat_mv, _ = average_beat(strip.ecg_mv, strip.r_indices, rr_s)
            r_s = strip.r_indices / RATE_HZ
            yield Shown(strip.begin / RATE_HZ, ecg_mv, r_s, beat_mv, intervals)
        if strip.begin >= max(wanted):
            return


def _minutes(heard: Heard, samples: int, nn: RrSeries) -> list[Minute]:
    size = round(MINUTE_S * RATE_HZ)
    count = -(-samples // size)
    found = np.bincount(heard.beat_indices // size, minlength=count)
    good = np.bincount(heard.beat_indices // size, heard.good, minlength=count)
    edges = np.minimum(np.arange(count + 1) * size, samples)
    lost = np.zeros(count)
    for begin, end in heard.gaps:
        lost += np.maximum(0, np.minimum(edges[1:], end) - np.maximum(edges[:-1], begin))
    minute_of = (nn.end_s // MINUTE_S).astype(int)
    intervals = np.bincount(minute_of, minlength=count)
    sums_ms = np.bincount(minute_of, nn.rr_ms, minlength=count)
    return [
        Minute(
            n * MINUTE_S,
            float(edges[n + 1] - edges[n]) / RATE_HZ,
            int(found[n]),
            int(good[n]),
            float(lost[n]) / RATE_HZ,
            float(60_000 * intervals[n] / sums_ms[n]) if intervals[n] else None,
        )
        for n in range(count)
    ]


def beat_time_s(beat_mv: Array) -> Array:
    """Return when each sample of an averaged beat is, from R."""
    return np.arange(len(beat_mv)) / RATE_HZ - BEFORE_S
