"""Detectors over records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs import chain, peers
from benchmarks.qrs.ablation import DEPARTURES, without
from benchmarks.qrs.chain import Detections
from benchmarks.qrs.records import Protocol, ReferenceRecord, read_reference
from daemon.offline.scoring import Score, pool, score
from dsp.front_end import RATE_HZ

OURS = "qrsd"


@dataclass(frozen=True, slots=True, eq=False)
class Latency:
    """How long after each R peak it was told, search-back apart."""

    at_once_ms: NDArray[np.float64]  # of the beats found in passing
    search_back_ms: NDArray[np.float64]  # of those found by search-back


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What one detector made of one record, or of several."""

    score: Score  # how well it found the beats
    us_per_sample: float  # processor time for each sample at 250 Hz
    samples: int  # how many it was given
    latency: Latency | None = None  # None for a detector that needs the whole recording at once
    #: of the processor time, the detector's without the filters before it and the beat windows
    #: behind it; None where it was not measured apart
    detector_us_per_sample: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run on each record."""

    protocol: Protocol  # how to score
    peers: tuple[str, ...] = ()  # names of the other detectors
    departures: tuple[str, ...] = ()  # names of what to take back, one at a time


@dataclass(frozen=True, slots=True)
class RecordResults:
    """One record's results."""

    record: str  # its name
    detectors: dict[str, Result]  # those of the detector and its peers, by name
    #: those of the detector with a departure taken back, by the departure's name
    ablation: dict[str, Result]


def measure(plan: Plan, path: Path) -> RecordResults:
    """Run everything that is planned on one record."""
    record = read_reference(path, plan.protocol)
    recording, mains_hz = record.recording, plan.protocol.mains_hz
    ours = _result(record, chain.detect(recording, mains_hz))
    alone_us = chain.detector_cpu_s(recording, mains_hz) * 1e6 / ours.samples
    detectors = {OURS: replace(ours, detector_us_per_sample=alone_us)}
    for peer in plan.peers:
        detectors[peer] = _result(record, peers.detect(peer, recording, mains_hz))
    ablation = {}
    for name in plan.departures:
        with without(DEPARTURES[name]):
            ablation[name] = _result(record, chain.detect(recording, mains_hz))
    return RecordResults(path.name, detectors, ablation)


def _result(record: ReferenceRecord, found: Detections) -> Result:
    return Result(
        score(record.beats, found.places, record.scope),
        us_per_sample=found.cpu_s * 1e6 / len(record.recording.ecg_mv),
        samples=len(record.recording.ecg_mv),
        latency=_latency(record, found),
    )


def _latency(record: ReferenceRecord, found: Detections) -> Latency | None:
    if found.late_by is None or found.search_back is None:
        return None
    late_ms = found.late_by * 1000 / RATE_HZ
    counts = record.scope.covers(found.places)
    return Latency(late_ms[counts & ~found.search_back], late_ms[counts & found.search_back])


def gross(results: Iterable[Result]) -> Result:
    """Pool the results of one detector on several records."""
    of_records = list(results)
    samples = sum(one.samples for one in of_records)
    cpu_us = sum(one.us_per_sample * one.samples for one in of_records)
    latencies = [one.latency for one in of_records if one.latency is not None]
    latency = None
    if latencies:
        latency = Latency(
            np.concatenate([one.at_once_ms for one in latencies]),
            np.concatenate([one.search_back_ms for one in latencies]),
        )
    alone_us = [
        one.detector_us_per_sample * one.samples
        for one in of_records
        if one.detector_us_per_sample is not None
    ]
    detector_us = sum(alone_us) / samples if alone_us else None
    scored = pool(one.score for one in of_records)
    return Result(scored, cpu_us / samples, samples, latency, detector_us)
