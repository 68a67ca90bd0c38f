"""Are people still known when their ECG went over paper? Pairs of recordings, as for verify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from benchmarks.paper.pages import Paper, draw, printed
from benchmarks.qrs.errors import NothingToScore
from benchmarks.report import stage
from daemon.offline.analysis import analyse_recording
from daemon.paper.digitizing import Asked, digitize
from daemon.paper.errors import PageUnusable
from daemon.recordings.person_folders import find_records
from daemon.recordings.recording import Recording, read_recording
from model.comparison import good_beats
from model.enrolment import keep_nearest
from model.error_rates import Trials, equal_error_rate
from model.network import Network
from model.scores import corrected_cosine, mean_direction

FEWEST = 2


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What the network makes of one recording."""

    mean: NDArray[np.float32]
    beats: int


@dataclass(frozen=True, slots=True)
class BothWays:
    """One recording, as it was and over paper; None without a good beat, or refused."""

    direct: Side | None
    paper: Side | None


def two_of_each(folder: Path) -> list[tuple[str, str]]:
    """Return the first and the last recording of everybody who has two."""
    people: dict[str, list[str]] = {}
    for record in find_records([folder]):
        people.setdefault(record.person, []).append(record.path)
    return [(paths[0], paths[-1]) for paths in people.values() if len(paths) > 1]


def over_paper(path: str, network: Network, paper: Paper) -> BothWays:
    """Print what fits on a strip of a recording, and read it back."""
    mv = printed(read_recording(path).ecg_mv, paper)
    try:
        read_mv = digitize(draw([mv], paper), Asked()).ecg_mv
    except PageUnusable:
        return BothWays(_side(path, mv, network), None)
    return BothWays(_side(path, mv, network), _side(path, read_mv, network))


def _side(path: str, mv: NDArray[np.float64], network: Network) -> Side | None:
    beats = good_beats(analyse_recording(Recording(path, path, mv)).beats)
    if not len(beats):
        return None
    return Side(mean_direction(keep_nearest(network.run(beats))), len(beats))


def measure_people(folder: Path, network: Network, bars: Progress) -> dict[str, Any]:
    """Return the error rates of pairs of recordings: neither, one, and both over paper."""
    people = []
    pairs = two_of_each(folder)
    advance = stage(bars, "People", len(pairs))
    for pair in pairs:
        both = [over_paper(path, network, Paper()) for path in pair]
        advance()
        if all(each.direct and each.paper for each in both):
            people.append(both)
    if len(people) < FEWEST:
        raise NothingToScore(
            f"{folder}: {len(people)} people's pages were read: {FEWEST} are needed"
        )
    direct = [[each.direct for each in both] for both in people]
    read = [[each.paper for each in both] for both in people]
    ways = (("neither", direct, direct), ("one", direct, read), ("both", read, read))
    return {
        "people": len(pairs),
        "people_read": len(people),
        "rows": [
            {"over paper": way} | _rates([p[0] for p in a], [p[1] for p in b], network)
            for way, a, b in ways
        ],
    }


def _rates(
    firsts: Sequence[Side | None], others: Sequence[Side | None], network: Network
) -> dict[str, float]:
    passport = network.passport
    assert passport.cohort is not None
    scores, ratios, persons = [], [], []
    for one, first in enumerate(firsts):
        for two, other in enumerate(others):
            assert first is not None
            assert other is not None
            means = first.mean[None], other.mean[None]
            score = float(corrected_cosine(*means, passport.cohort.embeddings)[0, 0])
            beats = min(first.beats, other.beats)
            scores.append(score)
            ratios.append(passport.calibration.ln_likelihood_ratio(score, beats))
            persons.append((one, two))
    template_of, probe_of = np.array(persons).T
    trials = Trials(np.array(scores), template_of, probe_of, np.ones(len(scores)))
    same = np.array(ratios) > 0
    return {
        "equal_error_rate_percent": 100 * equal_error_rate(trials),
        "others_taken_for_same_percent": 100 * float(same[~trials.mated].mean()),
        "same_taken_for_others_percent": 100 * float((~same)[trials.mated].mean()),
    }
