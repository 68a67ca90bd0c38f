"""A pacemaker's pulses are taken out; offsets and muscle noise, however strong, are let through."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.pacing import PULSE_SAMPLES, PulseHold


def held(ecg_mv: list[float]) -> list[float]:
    hold = PulseHold()
    return [hold.push(sample) for sample in ecg_mv]


@pytest.mark.parametrize("samples", range(1, PULSE_SAMPLES + 1))
@pytest.mark.parametrize("pulse_mv", [-700.0, 8.0])
def test_a_pulse_leaves_the_last_sample_standing(samples: int, pulse_mv: float) -> None:
    before = [0.1, 0.2, 0.3]
    assert held([*before, *[pulse_mv] * samples, 0.4]) == [*before, *[0.3] * samples, 0.4]


def test_a_step_that_stays_is_a_new_offset() -> None:
    assert held([0.0, *[300.0] * 10])[-1] == 300.0


def test_a_pulse_after_a_new_offset_is_taken_out_all_the_same() -> None:
    offset = [0.0, *[300.0] * 10]
    assert held([*offset, 1000.0, 300.0])[-2:] == [300.0, 300.0]


def test_muscle_noise_with_steps_like_a_pulse_goes_through_unchanged() -> None:
    noise_mv = np.random.default_rng(1).normal(0, 2.0, 5000)
    assert (abs(np.diff(noise_mv)) > 5).sum() > 100
    quiet_first = np.concatenate([noise_mv[:500] / 100, noise_mv]).tolist()
    changed = np.flatnonzero(np.array(held(quiet_first)) != quiet_first)
    assert (changed < 600).all()  # what noise is usual, it first has to learn
    assert len(changed) < 10
