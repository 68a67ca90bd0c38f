"""Short gaps: what a straight line is, which beats it spoils, and what is left of the others."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from daemon.recordings.recording import read_recording
from dsp.bridge import BRIDGED_SAMPLES, Bridge
from dsp.front_end import FrontEnd
from dsp.qrs_features import HISTORY
from dsp.quality import QRS_SAMPLES
from dsp.signals import BeatWindow, Sample
from model.network import Network
from model.tensor import normalise

MODEL = Path(__file__).parents[1] / "model" / "held_out.tflite"
PEOPLE = 20
GAP_EVERY = 375  # samples


@given(
    st.integers(0, 10**9),
    st.integers(1, BRIDGED_SAMPLES),
    st.floats(-400, 400, width=32, allow_subnormal=False),
    st.floats(-400, 400, width=32, allow_subnormal=False),
)
def test_a_gap_is_crossed_on_a_straight_line(
    first: int, lost: int, before_mv: float, after_mv: float
) -> None:
    line = list(Bridge().across(range(first, first + lost), before_mv, after_mv))
    expected = np.linspace(before_mv, after_mv, lost + 2)[1:-1]
    assert line == pytest.approx(expected, abs=1e-6)


def test_more_than_two_samples_of_a_qrs_missing_spoil_its_beat_wherever_they_are() -> None:
    bridge = Bridge()
    list(bridge.across(range(1000, 1003), 0.0, 0.0))
    spoilt = [r for r in range(900, 1100) if bridge.spoils(r)]
    # All three have to be within the QRS.
    assert spoilt == list(range(1002 - QRS_SAMPLES, 1000 + QRS_SAMPLES + 1))
    list(bridge.across(range(1010, 1012), 0.0, 0.0))
    assert bridge.spoils(1000 + QRS_SAMPLES + 1)  # by two and two


def test_a_gap_is_remembered_until_its_beats_are_cut_out_and_no_longer() -> None:
    bridge = Bridge()
    for first in range(0, HISTORY, 4):
        list(bridge.across(range(first, first + 3), 0.0, 0.0))
    assert bridge.spoils(0)
    list(bridge.across(range(2 * HISTORY, 2 * HISTORY + 1), 0.0, 0.0))
    assert not bridge.spoils(0)


Beats = dict[int, BeatWindow]


def beats_of(ecg_mv: NDArray[np.float64], lost: NDArray[np.bool_]) -> Beats:
    """Return the good beats by their R peak."""
    front_end = FrontEnd()
    events = [
        event
        for index, mv in enumerate(ecg_mv.tolist())
        if not lost[index]
        for event in front_end.push(Sample(index, mv, lead_off=None))
    ]
    return {e.r_index: e for e in events if isinstance(e, BeatWindow) and e.quality.good}


def gaps(count: int, lost: int) -> NDArray[np.bool_]:
    rng = np.random.default_rng(1)
    missing = np.zeros(count, dtype=bool)
    for start in range(3 * 250, count - GAP_EVERY, GAP_EVERY):
        at = start + int(rng.integers(0, GAP_EVERY - 2 * BRIDGED_SAMPLES))
        missing[at : at + lost] = True
    return missing


@pytest.fixture(scope="module")
def people(shared_data: Callable[[str], Path]) -> list[tuple[NDArray[np.float64], Beats]]:
    """Return recordings in mV and their good beats."""
    folders = sorted(shared_data("ecg-id").glob("Person_*"))[:: 60 // PEOPLE]
    recordings = [read_recording(folder / "rec_1").ecg_mv for folder in folders]
    return [(ecg_mv, beats_of(ecg_mv, np.zeros(len(ecg_mv), bool))) for ecg_mv in recordings]


@pytest.mark.parametrize("lost", [1, 2, 6, 12])
def test_a_line_changes_a_real_beat_less_than_the_next_heartbeat_does(
    people: list[tuple[NDArray[np.float64], Beats]], lost: int
) -> None:
    touched: list[tuple[BeatWindow, BeatWindow]] = []
    in_a_row: list[tuple[BeatWindow, BeatWindow]] = []
    for ecg_mv, whole in people:
        in_a_row += pairwise(whole.values())
        missing = gaps(len(ecg_mv), lost)
        for r, beat in beats_of(ecg_mv, missing).items():
            if missing[r - 70 : r + 105].any():
                touched += [(whole[at], beat) for at in range(r - 8, r + 9) if at in whole]

    assert len(touched) > 100
    likeness = cosines(touched)
    assert np.median(likeness) > 0.99
    assert np.quantile(likeness, 0.10) > np.median(cosines(in_a_row))


def cosines(pairs: list[tuple[BeatWindow, BeatWindow]]) -> NDArray[np.float32]:
    """Return how alike the network finds the two of each pair."""
    network = Network(MODEL)
    first, second = (
        network.run(normalise(np.array([beat.ecg_mv for beat in beats])))
        for beats in zip(*pairs, strict=True)
    )
    alike: NDArray[np.float32] = (first * second).sum(axis=1)
    return alike
