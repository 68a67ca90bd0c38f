"""Whole data sets judged and scored, side by side on every core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.qrs.errors import NothingToScore
from benchmarks.qrs.records import Protocol
from benchmarks.rhythm import challenge
from benchmarks.rhythm.records import judge, scored_records
from benchmarks.rhythm.report import beat_figures, episode_figures
from daemon.offline.analysis import Workers, side_by_side
from daemon.recordings.record_names import unique_names
from model.beat_network import BeatNetwork
from model.beat_passport import BeatPassport
from model.rhythm import CAUTION


def measure(
    data: Sequence[Path],
    protocol: Protocol,
    bars: Progress,
    jobs: Workers,
    *,
    beats_only: bool,
) -> dict[str, Any]:
    """Return the figures of each data set: of annotated records, or of the challenge's .npz."""
    passport = BeatNetwork().passport
    names = unique_names([str(place) for place in data])
    measured = {
        names[str(place)]: _challenge(place, protocol.mains_hz, bars, jobs)
        if not beats_only and any(place.glob("*.npz"))
        else _annotated(place, protocol, bars, jobs)
        for place in data
    }
    return {
        "caution": CAUTION,
        "model": passport.name,
        "model_sha256": passport.sha256,
        "patients_learnt_from": passport.training.get("patients", {}),
        "on_strangers": on_strangers(passport),
        "data": measured,
    }


def on_strangers(passport: BeatPassport) -> dict[str, dict[str, float]]:
    """Return the figures of the training by data set: of patients that were not learnt from."""
    groups = passport.metrics["by_architecture"][passport.training["architecture"]]
    return {
        group: {name: spread[0] for name, spread in figures.items()}
        for group, figures in groups.items()
    }


def notes(measured: dict[str, Any]) -> Iterator[str]:
    """Say what the figures do not show: what was learnt from, and what is left out."""
    for name, of in measured["data"].items():
        if patients := measured["patients_learnt_from"].get(name):
            yield (
                f"{name}: the network has learnt from {patients} patients of a data set of this "
                "name; if these are they, all of it is optimistic"
            )
        if of.get("left_out"):
            yield f"{name}: left out, for their pacemakers: {', '.join(of['left_out'])}"


def _annotated(place: Path, protocol: Protocol, bars: Progress, jobs: Workers) -> dict[str, Any]:
    paths, left_out = scored_records(place, protocol.annotator)
    judged = side_by_side(partial(judge, protocol=protocol), paths, jobs)
    records = list(bars.track(judged, len(paths), description=f"Judging {place.name}"))
    if not any(record.scope.covers(record.places).any() for record in records):
        raise NothingToScore(f"{place}: no beat is annotated in what is scored")
    return {
        "records": [record.name for record in records],
        "left_out": left_out,
        "beats": beat_figures(records),
        "episodes": episode_figures(records),
    }


def _challenge(place: Path, mains_hz: int, bars: Progress, jobs: Workers) -> dict[str, Any]:
    records = challenge.read(place)
    heard = challenge.hear_all(records, mains_hz, jobs)
    told = bars.track(heard, len(records), description=f"Judging {place.name}")
    return {"fibrillation": challenge.figures(told)}
