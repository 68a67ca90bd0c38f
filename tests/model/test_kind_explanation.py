"""What made a beat abnormal is found where it was put."""

from __future__ import annotations

import numpy as np
import pytest

from model.beat_history import FIGURES, INPUTS, SHAPE_SAMPLES
from model.beat_passport import Decision
from model.kind_explanation import FIRST_FIGURE, PARTS, Inputs, lost_ln_odds

DECISION = Decision((0.0, 0.0, 0.0, 0.0), 2.0, -1.0)
NAMES = [part.name for part in PARTS]


def usual_beat() -> Inputs:
    inputs = np.zeros(INPUTS, dtype=np.float32)
    for part in PARTS:
        for name, value in part.figures.items():
            inputs[FIRST_FIGURE + FIGURES.index(name)] = value
    return inputs


def of_one_input(place: int) -> object:
    """Return a network whose odds of V rise and fall with one of its inputs."""
    return lambda inputs: np.array([0, -50, inputs[place], -50], dtype=np.float32)


@pytest.mark.parametrize(
    ("place", "part"),
    [
        (FIRST_FIGURE + FIGURES.index("ln_rr_to_median_32"), "interval before"),
        (FIRST_FIGURE + FIGURES.index("ln_after_to_rr"), "interval after"),
        (17, "QRS"),  # the R peak's sample
        (8, "P wave"),
        (SHAPE_SAMPLES - 3, "T wave"),
        (FIRST_FIGURE + FIGURES.index("qrs_change"), "QRS"),
    ],
)
def test_the_part_that_differs_from_the_usual_has_the_loss(place: int, part: str) -> None:
    inputs = usual_beat()
    inputs[place] = 1.5
    losses = lost_ln_odds(of_one_input(place), DECISION, inputs)  # type: ignore[arg-type]
    expected = [2 * 1.5 if name == part else 0.0 for name in NAMES]
    np.testing.assert_allclose(losses, expected, atol=1e-6)


def test_a_usual_beat_has_nothing_to_lose() -> None:
    inputs = usual_beat()
    inputs[:SHAPE_SAMPLES] = inputs[SHAPE_SAMPLES : 2 * SHAPE_SAMPLES] = np.hanning(SHAPE_SAMPLES)
    for place in range(0, INPUTS, 7):
        losses = lost_ln_odds(of_one_input(place), DECISION, inputs)  # type: ignore[arg-type]
        np.testing.assert_array_equal(losses, 0)
