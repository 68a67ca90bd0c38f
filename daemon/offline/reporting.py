"""What a report on one recording says, as figures: quality, strips, beat, rhythm, breathing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from daemon.offline.analysis import ChainRun, OfRecording
from daemon.offline.commentary import Commentary
from daemon.offline.labels import OF_A_BEAT
from daemon.offline.measuring import (
    STRIP_SAMPLES,
    Delineation,
    Strip,
    Variability,
    strips_with_beats,
    variability_of,
)
from daemon.recordings.origin import Origin, origin
from daemon.recordings.recording import OpenRecording
from daemon.recordings.signal_file import Reading
from dsp.front_end import RATE_HZ
from dsp.intervals import BEFORE_S, Intervals, average_beat, filtered, measure_intervals
from dsp.rr_correction import Array, RrSeries, corrected
from dsp.signals import BeatWindow, RPeak

MINUTE_S = 60.0
#: Told what is being done, how much of the recording is done, and its length, None if not known.
Advance: TypeAlias = Callable[[str, float, float | None], None]


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
    who: dict[str, Any] | None = None  # the last decision; None if it was not asked for
    commentary: Commentary | None = None  # a language model's; None if it was not asked for

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
            **({"who": self.who} if self.who else {}),
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
            "hrv": self.variability.figures(),
        }


def report_on(
    path: str,
    signal: str | None,
    mains_hz: int,
    reading: Reading | None,
    advance: Advance,
) -> Report:
    """Measure a recording of any length.

    Raises:
        RecordingError: it cannot be read.
    """
    told = OpenRecording(path, signal, reading)  # says best what is wrong with the file
    run = ChainRun(told, mains_hz)
    peaks, beats, flaws = _heard(run, advance)
    samples = round(run.duration_s * RATE_HZ)
    wanted = _clearest(beats, samples)
    shown, intervals, gaps = [], [], list[tuple[int, int]]()
    r_indices = np.array(sorted(peak.index for peak in peaks), dtype=np.int64)
    for strip in strips_with_beats(OpenRecording(path, signal, reading), r_indices):
        intervals.append(measure_intervals(strip.ecg_mv, strip.r_indices))
        _add_gaps(gaps, strip)
        if strip.begin in wanted:
            shown.append(_shown(strip, intervals[-1]))
        advance("Measuring waves", strip.begin / RATE_HZ, run.duration_s)
    variability = variability_of(run, peaks, OpenRecording(path, signal, reading))
    nn, _ = corrected(variability.rr)
    return Report(
        *run.told(),
        origin(path, reading.identity if reading else None),
        variability,
        nn,
        tuple(_minutes(beats, gaps, samples, nn)),
        tuple((begin / RATE_HZ, (end - begin) / RATE_HZ) for begin, end in gaps),
        dict(flaws.most_common()),
        Delineation(*run.told(), tuple(intervals)),
        tuple(shown),
    )


def _heard(run: ChainRun, advance: Advance) -> tuple[list[RPeak], NDArray[np.int64], Counter[str]]:
    """Return R peaks, of each beat its R and whether it is good, and the flaws of all."""
    peaks: list[RPeak] = []
    judged: list[tuple[int, bool]] = []
    flaws: Counter[str] = Counter()
    for event in run.events():
        if isinstance(event, RPeak):
            peaks.append(event)
        elif isinstance(event, BeatWindow):
            judged.append((event.r_index, event.quality.good))
            flaws.update(event.quality.flaws)
            advance("Finding heartbeats", run.duration_s, None)
    return peaks, np.array(judged, dtype=np.int64).reshape(-1, 2), flaws


def _clearest(beats: NDArray[np.int64], samples: int) -> set[int]:
    """Return where the ten seconds with the most good beats begin, in each half."""
    whole = max(1, samples // STRIP_SAMPLES)
    inside = beats[beats[:, 0] < whole * STRIP_SAMPLES]
    marks = np.where(inside[:, 1], 1, -1)
    balance = np.bincount(inside[:, 0] // STRIP_SAMPLES, marks, minlength=whole)
    halves = (0, (whole + 1) // 2, whole)
    return {
        (first + int(np.argmax(balance[first:last]))) * STRIP_SAMPLES
        for first, last in pairwise(halves)
        if first < last and balance[first:last].max() > 0
    }


def _shown(strip: Strip, intervals: Intervals) -> Shown:
    ecg_mv = filtered(strip.ecg_mv)
    ecg_mv[np.isnan(strip.ecg_mv)] = np.nan
    beat_mv, _ = average_beat(strip.ecg_mv, strip.r_indices, (intervals.rr_ms or 0.0) / 1000)
    r_s = strip.r_indices / RATE_HZ
    return Shown(strip.begin / RATE_HZ, ecg_mv, r_s, beat_mv, intervals)


def _add_gaps(gaps: list[tuple[int, int]], strip: Strip) -> None:
    """Add the stretches that were not recorded, as begin and end; one may go on from before."""
    lost = np.isnan(strip.ecg_mv)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(int)))
    for begin, end in (strip.begin + edges).reshape(-1, 2).tolist():
        goes_on = gaps and gaps[-1][1] == begin
        gaps.append((gaps.pop()[0] if goes_on else begin, end))


def _minutes(
    beats: NDArray[np.int64], gaps: Sequence[tuple[int, int]], samples: int, nn: RrSeries
) -> list[Minute]:
    size = round(MINUTE_S * RATE_HZ)
    count = -(-samples // size)
    found = np.bincount(beats[:, 0] // size, minlength=count)
    good = np.bincount(beats[:, 0] // size, beats[:, 1], minlength=count)
    edges = np.minimum(np.arange(count + 1) * size, samples)
    lost = np.zeros(count)
    for begin, end in gaps:
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
