"""Atrial fibrillation in the CinC Challenge 2017's records, each of one person, as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.training.one_each import labelled
from daemon.offline.analysis import ChainRun, Workers, side_by_side
from daemon.offline.rhythm import watch
from daemon.recordings.recording import Recording
from model.beat_network import BeatNetwork
from model.error_rates import mean_rate
from model.training.datasets import purpose

LABELS = ("A", "N", "O")  # fibrillation, regular, another rhythm; ~ is noise


@dataclass(frozen=True, slots=True)
class Heard:
    """What was told of a record."""

    label: str  # the challenge's
    is_tested: bool  # whether nothing was fitted to its person (``benchmarks.fibrillation``)
    is_fibrillation: bool  # whether an episode was told


def read(folder: Path) -> list[tuple[Recording, str]]:
    """Return every record that is not noise, with its label."""
    return [each for each in labelled(folder) if each[1] in LABELS]


def hear_all(
    records: Sequence[tuple[Recording, str]], mains_hz: int, jobs: Workers
) -> Iterator[Heard]:
    """Run every record through a fresh chain, as the service would."""
    return side_by_side(partial(_hear, mains_hz=mains_hz), records, jobs)


def _hear(record: tuple[Recording, str], mains_hz: int) -> Heard:
    recording, label = record
    told = watch(ChainRun(recording, mains_hz).steps(), BeatNetwork())
    found = any(episode.kind == "atrial_fibrillation" for episode in told.episodes)
    return Heard(label, purpose(recording.name) == "test", found)


def figures(heard: Iterable[Heard]) -> dict[str, Any]:
    """Return sensitivity (of A) and specificity (of N), and the share of O that is called A."""
    every = list(heard)
    parts = {
        "all": every,
        "fitted_to": [each for each in every if not each.is_tested],
        "tested": [each for each in every if each.is_tested],
    }
    return {
        name: {
            "sensitivity": _rate(each.is_fibrillation for each in part if each.label == "A"),
            "specificity": _rate(not each.is_fibrillation for each in part if each.label == "N"),
            "other_called_fibrillation": _rate(
                each.is_fibrillation for each in part if each.label == "O"
            ),
        }
        for name, part in parts.items()
    }


def _rate(values: Iterable[bool]) -> dict[str, Any] | None:
    of_records = [float(value) for value in values]
    if not of_records:
        return None
    return {"records": len(of_records)} | mean_rate(of_records, range(len(of_records)))
