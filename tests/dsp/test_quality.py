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
    noise = np.random.default_rng(1).normal(scale=0.12, size=WINDOW_SAMPLES)
    assert "noisy" in QualityJudge().judge(tuple(CLEAN + noise), saturated=False, gap=False).flaws


#: A ventricular beat: wide, discordant, without P.
WIDE = ecg([BEFORE_R], WINDOW_SAMPLES, ((1.2, 0.0, 0.015), (-0.9, 0.05, 0.018), (-0.4, 0.3, 0.06)))


def flaws_of(kinds: str) -> list[tuple[str, ...]]:
    judge = QualityJudge()
    beats = {"N": CLEAN, "V": WIDE, "W": WIDE_TOO}
    return [judge.judge(tuple(beats[kind]), False, False, 0.8).flaws for kind in kinds]


def test_an_odd_beat_is_named_until_odd_is_the_rule() -> None:
    odd = flaws_of("N" + "V" * (TEMPLATE_PATIENCE + 2))[1:]
    assert odd == [("unlike_template",)] * (TEMPLATE_PATIENCE + 1) + [()]


@pytest.mark.parametrize("kinds", ["NV" * 20, "VN" * 20, "VNN" * 15, "NVN" * 15, "VV" + "N" * 30])
def test_the_narrow_kind_of_beats_counts_whichever_came_first(kinds: str) -> None:
    settled = list(zip(kinds, flaws_of(kinds), strict=True))[4:]
    assert all((flaws == ()) == (kind == "N") for kind, flaws in settled)


#: Another ventricular beat, from another place.
WIDE_TOO = ecg([BEFORE_R], WINDOW_SAMPLES, ((-1.1, 0.0, 0.02), (0.7, 0.07, 0.02), (0.4, 0.3, 0.06)))


def test_ventricular_beats_of_two_shapes_do_not_hide_the_narrow_kind() -> None:
    kinds = "VWN" * 10
    settled = list(zip(kinds, flaws_of(kinds), strict=True))[7:]
    assert all((flaws == ()) == (kind == "N") for kind, flaws in settled)


@pytest.mark.parametrize(
    ("kinds", "two"),
    [("NV" * 20, True), ("VN" * 20, True), ("N" * 30, False), ("NNV", False)],
)
def test_two_kinds_of_beats_are_told(kinds: str, two: bool) -> None:
    judge = QualityJudge()
    beats = [tuple(CLEAN if kind == "N" else WIDE) for kind in kinds]
    assert [judge.judge(beat, False, False, 0.8).two_kinds for beat in beats][-1] is two


def test_noise_is_measured_in_mv_outside_the_qrs() -> None:
    assert noise_rms(CLEAN) < 0.01
    white = np.random.default_rng(1).normal(scale=0.1, size=100_000)
    windows = white[: white.size // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    # x[i] - (x[i-2] + x[i+2]) / 2 of white noise has 1.5 times its variance
    measured = np.mean([noise_rms(window) ** 2 for window in windows]) ** 0.5
    assert measured == pytest.approx(0.1 * 1.5**0.5, rel=0.02)
