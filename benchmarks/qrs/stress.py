"""Detectors over noisy records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs import chain, peers
from benchmarks.qrs.errors import NothingToScore, PeerFailed
from benchmarks.qrs.measure import OURS
from benchmarks.qrs.noises import KINDS, add_noise, make_noise
from benchmarks.qrs.records import Protocol, read_reference
from daemon.offline.scoring import Score, score
from daemon.recordings.recording import Recording

SNRS_DB = (12, 6, 0)


@dataclass(frozen=True, slots=True)
class StressPlan:
    """What to run on each record."""

    protocol: Protocol  # how to score
    kinds: tuple[str, ...]  # names of the kinds of noise
    noise: Path | None  # folder of recorded noise, if a kind needs it
    minutes: float  # how much of each record is scored
    peers: tuple[str, ...] = ()  # names of the other detectors


@dataclass(frozen=True, slots=True)
class NoisyScores:
    """How well beats were found in one record with one kind of noise."""

    record: str  # its name
    kind: str  # name of the kind of noise
    scores: dict[int, dict[str, Score]]  # by signal-to-noise ratio in dB, then by detector
    failures: tuple[str, ...]  # what peers said that gave up; they found nothing then


def stress(plan: StressPlan, trial: tuple[Path, str]) -> NoisyScores:
    """Run every detector on a record with one kind of noise, more and more of it."""
    path, kind = trial
    protocol = plan.protocol
    clean = read_reference(path, protocol).until(protocol.from_s + 60 * plan.minutes)
    if not clean.scope.covers(clean.beats).any():
        raise NothingToScore(
            f"{path}: no beat is annotated in what is scored; for short records try --from 0"
        )
    noise = make_noise(kind, path.name, len(clean.recording.ecg_mv), plan.noise)
    mains_hz = KINDS[kind].mains_hz or protocol.mains_hz
    scores: dict[int, dict[str, Score]] = {}
    failures: list[str] = []
    for snr_db in SNRS_DB:
        noisy = add_noise(clean, noise, snr_db).recording
        found = {OURS: chain.detect(noisy, mains_hz).places}
        for peer in plan.peers:
            found[peer] = _unless_it_fails(peer, noisy, mains_hz, failures)
        scores[snr_db] = {
            name: score(clean.beats, places, clean.scope) for name, places in found.items()
        }
    return NoisyScores(path.name, kind, scores, tuple(failures))


def _unless_it_fails(
    peer: str, recording: Recording, mains_hz: int, failures: list[str]
) -> NDArray[np.int64]:
    """Return the beats that a peer finds: none if it gives up."""
    try:
        return peers.detect(peer, recording, mains_hz).places
    except PeerFailed as error:
        failures.append(str(error))
        return np.array([], dtype=np.int64)
