"""Episodes against those that experts marked, or that follow from the beats they marked.

An episode is found if one of its kind overlaps it anywhere; one that overlaps none is false. By
duration, each sample counts (ANSI/AAMI EC57 has both).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.rhythm.bootstrap import Counts, percent, ratio
from benchmarks.rhythm.records import Judged
from daemon.recordings.annotations import AAMI_CLASSES
from dsp.front_end import RATE_HZ
from dsp.options import EpisodeKind, RhythmOptions
from model.rhythm import RATE_BEATS, RUN_BEATS

Span: TypeAlias = tuple[int, int]  # first sample, and the first after it

#: Experts' names of rhythms, by what they are called here.
MARKED = {
    "atrial_fibrillation": ("(AFIB", "(AFL"),
    "bigeminy": ("(B",),
    "trigeminy": ("(T",),
    "ventricular_tachycardia": ("(VT",),
}
DERIVED = ("ventricular_run", "couplet", "pause", "tachycardia", "bradycardia")
NAMES = (*MARKED, *DERIVED)
#: By whose episodes a rhythm is found, where that is not its own name.
FOUND_BY: dict[str, EpisodeKind] = {"ventricular_tachycardia": "ventricular_run"}
#: What is counted of a rhythm in a record.
COUNTED = ("marked", "met", "found", "right", "marked_h", "both_h", "found_h")


def count(record: Judged) -> Counts:
    """Count the episodes of one record: ``hours``, and by rhythm an array as ``COUNTED`` has it."""
    spans: dict[str, list[Span]] = {
        name: [(first, stop) for label, first, stop in record.rhythms if label in labels]
        for name, labels in MARKED.items()
    }
    for name, first, stop in derived(record):
        spans.setdefault(name, []).append((first, stop))
    counts = {"hours": np.array(record.hours)}
    for name in NAMES:
        kind = FOUND_BY.get(name, name)
        found = [(each.onset, each.end) for each in record.episodes if each.kind == kind]
        ends = [(onset, end + 1) for onset, end in found if end is not None]
        counts[name] = _compare(spans.get(name, []), ends, record.covered)
    return counts


def derived(record: Judged, options: RhythmOptions | None = None) -> Iterator[tuple[str, int, int]]:
    """Yield what follows from the beats that experts marked: name and span of each.

    Nothing is told across what is not scored. The rate is the mean of as many intervals as the
    tracker takes, without its hysteresis; stretches that overlap are one.
    """
    options = options or RhythmOptions()
    ventricular = np.isin(record.symbols, list(AAMI_CLASSES["V"]))
    for beats, is_v in _unbroken(record.places, ventricular, record.scope.left_out):
        for _, group in groupby(range(len(beats)), key=lambda at: is_v[at]):
            run = list(group)
            if is_v[run[0]] and len(run) > 1:
                name = "ventricular_run" if len(run) >= RUN_BEATS else "couplet"
                yield name, int(beats[run[0]]), int(beats[run[-1]]) + 1
        for one, other in pairwise(beats.tolist()):
            if other - one > options.pause_s * RATE_HZ:
                yield "pause", one, other + 1
        onsets, ends = beats[:-RATE_BEATS], beats[RATE_BEATS:]
        rates_bpm = 60 * RATE_HZ * RATE_BEATS / (ends - onsets)
        for name, beyond in (
            ("tachycardia", rates_bpm > options.tachycardia_bpm),
            ("bradycardia", rates_bpm < options.bradycardia_bpm),
        ):
            for first, last in _joined(onsets[beyond].tolist(), ends[beyond].tolist()):
                yield name, first, last + 1


def _unbroken(
    places: NDArray[np.int64], ventricular: NDArray[np.bool_], left_out: tuple[Span, ...]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Yield the beats before, between and after the stretches that are left out."""
    begin = 0
    for first, last in (*left_out, (np.iinfo(np.int64).max,) * 2):
        rows = (places >= begin) & (places < first)
        yield places[rows], ventricular[rows]
        begin = last + 1 if last < np.iinfo(np.int64).max else last


def _joined(onsets: list[int], ends: list[int]) -> Iterator[Span]:
    """Join spans, in order, that overlap."""
    held: Span | None = None
    for onset, end in zip(onsets, ends, strict=True):
        if held and onset <= held[1]:
            held = (held[0], end)
            continue
        if held:
            yield held
        held = (onset, end)
    if held:
        yield held


def _compare(
    marked: list[Span], found: list[Span], covered: NDArray[np.bool_]
) -> NDArray[np.float64]:
    is_marked, is_found = (_samples(spans, covered) for spans in (marked, found))
    return np.array(
        [
            *_touched(marked, covered, is_found),
            *_touched(found, covered, is_marked),
            *(each.sum() / RATE_HZ / 3600 for each in (is_marked, is_marked & is_found, is_found)),
        ]
    )


def _samples(spans: list[Span], covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    within = np.zeros_like(covered)
    for first, stop in spans:
        within[first:stop] = True
    return within & covered


def _touched(
    spans: list[Span], covered: NDArray[np.bool_], others: NDArray[np.bool_]
) -> tuple[int, int]:
    """Count the spans of which something is scored, and those that another's meets."""
    scored = [(first, stop) for first, stop in spans if covered[first:stop].any()]
    return len(scored), sum(bool(others[first:stop].any()) for first, stop in scored)


def figures(counts: Counts) -> dict[str, float]:
    """Return the rates that follow from counts, in percent or an hour; NaN where undefined."""
    named: dict[str, float] = {}
    for name in NAMES:
        marked, met, found, right, marked_h, both_h, found_h = counts[name].tolist()
        named |= {
            f"{name}_sensitivity": percent(met, marked),
            f"{name}_predictivity": percent(right, found),
            f"{name}_duration_sensitivity": percent(both_h, marked_h),
            f"{name}_duration_predictivity": percent(both_h, found_h),
            f"{name}_false_per_hour": ratio(found - right, counts["hours"]),
        }
    return named
