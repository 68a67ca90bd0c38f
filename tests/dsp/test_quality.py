"""Each flaw is named when it is there, and a clean beat has none."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.quality import TEMPLATE_PATIENCE, QualityJudge, noise_rms
from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from tests.dsp.heartbeats import ecg

CLEAN = ecg([BEFORE_R], WINDOW_SAMPLES)


def test_a_clean_beat_is_good() -> None:
    judge = QualityJudge()
    qualities = [
        judge.judge(tuple(CLEAN * scale), saturated=False, gap=False) for scale in (1, 1.1, 0.9)
    ]
    assert all(quality.good and quality.score > 0.9 for quality in qualities)


def test_a_saturated_beat_is_named() -> None:
    assert QualityJudge().judge(tuple(CLEAN), saturated=True, gap=False).flaws == ("saturated",)


def test_a_flat_line_is_named() -> None:
    assert QualityJudge().judge((0.01,) * WINDOW_SAMPLES, saturated=False, gap=False).flaws == (
        "flat",
    )


def test_a_noisy_beat_is_named() -> None:
    noise = np.random.default_rng(1).normal(scale=0.5, size=WINDOW_SAMPLES)
    assert "noisy" in QualityJudge().judge(tuple(CLEAN + noise), saturated=False, gap=False).flaws


def test_an_odd_beat_is_named_until_odd_is_the_rule() -> None:
    judge = QualityJudge()
    ectopic = tuple(-ecg([BEFORE_R], WINDOW_SAMPLES, ((1.0, 0.02, 0.05), (-0.6, 0.3, 0.05))))
    judge.judge(tuple(CLEAN), saturated=False, gap=False)
    odd = [
        judge.judge(ectopic, saturated=False, gap=False).flaws for _ in range(TEMPLATE_PATIENCE + 2)
    ]
    assert odd == [("unlike_template",)] * (TEMPLATE_PATIENCE + 1) + [()]


def test_noise_is_measured_in_mv_outside_the_qrs() -> None:
    assert noise_rms(CLEAN) < 0.01
    white = np.random.default_rng(1).normal(scale=0.1, size=100_000)
    windows = white[: white.size // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    # x[i] - (x[i-2] + x[i+2]) / 2 of white noise has 1.5 times its variance
    measured = np.mean([noise_rms(window) ** 2 for window in windows]) ** 0.5
    assert measured == pytest.approx(0.1 * 1.5**0.5, rel=0.02)
