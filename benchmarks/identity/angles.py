"""Electrodes that sit elsewhere: the same heart seen from known angles away from lead I.

A heart's 12 leads give its vectorcardiogram, of which each direction is one more recording (see
``model.training.views``). A person is enrolled with the beats of the first half of the record, and
probed with those of the second half, in another direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.leads import read_vectorcardiogram
from daemon.offline.analysis import analyse_recording
from daemon.recordings.recording import Recording
from model.scores import corrected_cosine, cosine, mean_direction
from model.training.evaluate import Scores
from model.training.views import LEAD_I, direction_at

ANGLES_DEG = (0, 15, 30, 45, 60)
TURNS = 2  # directions at each angle
SECOND_FITTING_DEG = 30
FEWEST_BEATS = 3  # half of LUDB's 10 s has 4 to 6, less those while the detector learns
SEED = 21


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One heart's beats from one direction."""

    heart: str  # the record
    angle_deg: int | None  # away from lead I; None for the second fitting
    windows_mv: NDArray[np.float64]  # good beats, shape (n, 175)
    first_half: NDArray[np.bool_]  # whether each is from the first half of the record, shape (n,)


def cut_sides(path: str, mains_hz: int) -> tuple[Side, ...]:
    """Return one heart's beats from all of its directions.

    Raises:
        RecordingError: it cannot be read.
    """
    dipole_mv = read_vectorcardiogram(path)
    rng = np.random.default_rng([SEED, *Path(path).name.encode()])
    places: list[tuple[int | None, float]] = [(None, SECOND_FITTING_DEG), (0, 0)]
    places += [(angle, angle) for angle in ANGLES_DEG[1:] for _ in range(TURNS)]
    directions = [direction_at(LEAD_I, tilt, rng.uniform(0, 360)) for _, tilt in places]
    return tuple(
        _cut_side(path, angle, direction @ dipole_mv, mains_hz)
        for (angle, _), direction in zip(places, directions, strict=True)
    )


def _cut_side(
    path: str,
    angle_deg: int | None,
    ecg_mv: NDArray[np.float64],
    mains_hz: int,
) -> Side:
    analysis = analyse_recording(Recording(path, path, ecg_mv), mains_hz)
    good = np.array([beat.quality.good for beat in analysis.beats], dtype=bool)
    places = np.array([beat.r_index for beat in analysis.beats])
    first_half = places < len(ecg_mv) // 2
    return Side(path, angle_deg, analysis.windows_mv[good], first_half[good])


def score_by_angle(
    sides: tuple[Side, ...],
    embeddings: NDArray[np.float32],
    cohort: NDArray[np.float32],
    hearts: tuple[str, ...],
) -> dict[tuple[int, int], Scores]:
    """Compare everybody with everybody.

    Args:
        sides: of the persons to judge.
        embeddings: of all sides' beats one after the other, shape (n, d).
        cohort: of the training's persons.
        hearts: all there are; their places are the person numbers.

    Returns:
        The scores by number of fittings and angle; the best fitting counts.
    """
    ends = np.cumsum([len(side.windows_mv) for side in sides])
    of_side = dict(zip(sides, np.split(embeddings, ends[:-1]), strict=True))
    enrolled = [_templates(of_side, angle, hearts) for angle in (0, None)]
    both = sorted(enrolled[0].keys() & enrolled[1].keys())
    scores = {}
    for angle in ANGLES_DEG:
        probes = [
            (number, of_side[side][~side.first_half])
            for side in sides
            if side.angle_deg == angle
            for number in [hearts.index(side.heart)]
            if number in both and (~side.first_half).sum() >= FEWEST_BEATS
        ]
        for fittings in (1, 2):
            scores[fittings, angle] = _score(enrolled[:fittings], both, probes, cohort)
    return scores


def _templates(
    of_side: dict[Side, NDArray[np.float32]],
    angle_deg: int | None,
    hearts: tuple[str, ...],
) -> dict[int, NDArray[np.float32]]:
    """Return one fitting's templates by person number."""
    return {
        hearts.index(side.heart): mean_direction(embeddings[side.first_half])
        for side, embeddings in of_side.items()
        if side.angle_deg == angle_deg and side.first_half.sum() >= FEWEST_BEATS
    }


def _score(
    fittings: list[dict[int, NDArray[np.float32]]],
    persons: list[int],
    probes: list[tuple[int, NDArray[np.float32]]],
    cohort: NDArray[np.float32],
) -> Scores:
    probed = np.stack([mean_direction(embeddings) for _, embeddings in probes])
    templates = [np.stack([fitting[person] for person in persons]) for fitting in fittings]
    return Scores(
        np.max([corrected_cosine(each, probed, cohort) for each in templates], axis=0),
        np.max([cosine(each, probed) for each in templates], axis=0),
        np.array(persons),
        np.array([person for person, _ in probes]),
        np.zeros(len(probes), dtype=bool),
    )
