"""Which beats of a fixed group, and of strangers, are learnt from, calibrated and tested with.

    |-------- learn --------|-- calibrate --|-- test --|     a member's beats, in time order
                           60 %            80 %      100 %

Strangers are split by person instead: whoever tests was never trained with.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.training.datasets import Beats, person_folds
from model.training.errors import TooLittleData
from model.training.evaluate import STRETCHES

LEARNT, CALIBRATED = 0.6, 0.8  # where the training and the calibration end
LEAST_BEATS = 60  # good beats of a member, so that 12 each remain to calibrate and to test with
LEAST_STRANGERS = 10  # of which 2 each remain to calibrate and to test with


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Beats split in three; nobody's beat is in two of them."""

    learn: Beats
    calibrate: Beats
    test: Beats


def usable_members(beats: Beats, leave_out: Collection[str]) -> Beats:
    """Return the group's good beats.

    Raises:
        TooLittleData: somebody has too few of them, or there are not two persons.
    """
    beats = beats.of(set(beats.names) - set(leave_out))
    good = beats.where(beats.good)
    if len(beats.names) < 2:
        raise TooLittleData("a classifier needs a group of 2 persons or more")
    amounts = {name: int((good.persons == name).sum()) for name in beats.names}
    if too_few := {name: beats for name, beats in amounts.items() if beats < LEAST_BEATS}:
        listed = ", ".join(f"{name} has {beats}" for name, beats in too_few.items())
        raise TooLittleData(
            f"{listed} good beats, and {LEAST_BEATS} are needed of each person: "
            "record a minute and a half of each, or leave the person out"
        )
    return good


def usable_strangers(beats: Beats, members: Collection[str]) -> Beats:
    """Return the good beats of whoever is not a member and has enough for the longest decision.

    Raises:
        TooLittleData: they are too few persons.
    """
    good = beats.where(beats.good & ~np.isin(beats.persons, list(members)))
    enough = [name for name in good.names if (good.persons == name).sum() >= STRETCHES[-1]]
    if len(enough) < LEAST_STRANGERS:
        raise TooLittleData(
            f"{len(enough)} strangers have {STRETCHES[-1]} good beats or more, and "
            f"{LEAST_STRANGERS} are needed: to learn from, to calibrate and to test with"
        )
    return good.of(enough)


def split_by_time(beats: Beats) -> Parts:
    """Split each person's beats in the order in which they came."""
    return _split(beats, _place_in_time(beats))


def split_at_random(beats: Beats, seed: int) -> Parts:
    """Split each person's beats at random: a test beat's neighbours are learnt from."""
    rng = np.random.default_rng(seed)
    places = _place_in_time(beats)
    for name in beats.names:
        mine = beats.persons == name
        places[mine] = rng.permutation(places[mine])
    return _split(beats, places)


def split_by_person(beats: Beats, seed: int) -> Parts:
    """Split persons: a fifth to calibrate, a fifth to test, the others to learn from."""
    *_, calibrate, test = person_folds(beats.names, 5, seed)
    learn = set(beats.names) - {*calibrate, *test}
    return Parts(beats.of(learn), beats.of(calibrate), beats.of(test))


def _place_in_time(beats: Beats) -> NDArray[np.float64]:
    """Return where each beat is among the same person's, 0 to 1."""
    places = np.empty(len(beats))
    for name in beats.names:
        mine = beats.persons == name
        places[mine] = np.arange(mine.sum()) / mine.sum()
    return places


def _split(beats: Beats, places: NDArray[np.float64]) -> Parts:
    learn, test = places < LEARNT, places >= CALIBRATED
    return Parts(beats.where(learn), beats.where(~learn & ~test), beats.where(test))
