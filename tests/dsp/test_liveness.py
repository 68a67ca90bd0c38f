"""What is played into the wires is told from a heart, as far as it can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.waveforms.hearts import Heart, draw_anatomy
from dsp.front_end import FrontEnd
from dsp.liveness import (
    ALIVE_BEATS,
    CLEAN_BEATS,
    REMEMBERED,
    TEXTURE_FILTER,
    Liveness,
)
from dsp.options import LivenessOptions, Suspicion
from dsp.segmenter import WINDOW_SAMPLES
from dsp.signals import BeatQuality, BeatWindow, Sample
from tests.dsp.heartbeats import ecg

GOOD = BeatQuality(1.0, ())
CHIP_MV = 0.0001  # of noise that is left of the chip's behind the filters
SKIN_MV = 0.002
SHAPE_MV = np.exp(-(((np.arange(WINDOW_SAMPLES) - 70) / 4.0) ** 2))

Windows = NDArray[np.float64]


def noisy(beats: int, noise_mv: float, seed: int = 0) -> Windows:
    """Return beats of one shape, each with noise of its own: shape (beats, 175)."""
    rng = np.random.default_rng(seed)
    return np.asarray(SHAPE_MV + rng.normal(0, noise_mv, (beats, WINDOW_SAMPLES)), np.float64)


def uneven_s(beats: int) -> list[float]:
    return np.random.default_rng(9).normal(0.9, 0.04, beats).tolist()


def told(
    windows: Windows, rr_s: list[float] | None = None, liveness: Liveness | None = None
) -> list[Suspicion | None]:
    """Return what is said after each beat."""
    liveness = liveness or Liveness()
    rr_s = rr_s or uneven_s(len(windows))
    return [
        liveness.push(BeatWindow(0, rr, tuple(window.tolist()), GOOD))
        for rr, window in zip(rr_s, windows, strict=True)
    ]


def test_a_heart_is_not_suspected() -> None:
    assert set(told(noisy(200, SKIN_MV))) == {None}


def test_a_heart_in_steps_of_five_microvolts_is_not_suspected() -> None:
    steps = np.round(noisy(100, SKIN_MV) / 0.005) * 0.005
    assert set(told(steps)) == {None}


def test_one_drawn_beat_over_and_over_is_too_clean_at_the_fifth() -> None:
    assert told(noisy(6, CHIP_MV)) == [None] * 4 + ["too_clean"] * 2


@pytest.mark.parametrize("turn", [2, 3, 10, 40])
def test_a_loop_is_told_when_eight_beats_of_it_came_again(turn: int) -> None:
    looped = np.tile(noisy(turn, SKIN_MV), (8, 1))
    looped += noisy(len(looped), CHIP_MV, seed=1) - SHAPE_MV
    said = told(looped)
    assert said.index("repeated") == turn + 8 - 1


def test_a_loop_longer_than_what_is_remembered_passes() -> None:
    assert set(told(np.tile(noisy(REMEMBERED + 1, SKIN_MV), (2, 1)))) == {None}


@pytest.mark.parametrize(
    ("period_s", "beats"), [(0.333, 47), (0.4, 39), (0.418, 37), (0.8, 20), (1.1, 20)]
)
def test_beats_as_even_as_a_clock_are_too_regular_after_twenty_and_fifteen_seconds(
    period_s: float, beats: int
) -> None:
    beats_s = np.round(np.arange(beats + 6) * period_s * 250) / 250
    said = told(noisy(beats + 5, SKIN_MV), np.diff(beats_s).tolist())
    assert said == [None] * (beats - 1) + ["too_regular"] * 6


@pytest.mark.parametrize(
    ("bpm", "rr_sd_s"), [(110, 0.003), (130, 0.004), (145, 0.006), (180, 0.008)]
)
def test_a_heart_in_exercise_is_less_even_than_a_clock(bpm: int, rr_sd_s: float) -> None:
    """Drawn with breaths, and heard to the nearest sample."""
    for seed in (1, 2, 3):
        anatomy = replace(
            draw_anatomy(np.random.default_rng(seed)),
            heart_rate_bpm=bpm,
            rr_sd_s=rr_sd_s,
            breathing_hz=0.5,
        )
        beats = np.flatnonzero(np.diff(Heart(seed, anatomy).phase_rad[:22500] // (2 * np.pi)) > 0)
        rr_s = (np.diff(beats) / 250).tolist()
        assert set(told(noisy(len(rr_s), SKIN_MV), rr_s)) == {None}


@pytest.mark.parametrize("bpm", [110, 136, 160, 180, 200])
def test_a_fast_heart_is_not_suspected(bpm: int) -> None:
    """Its RR intervals differ by 8 ms, and the next QRS lies in the window."""
    rng = np.random.default_rng(bpm)
    rr = rng.normal(60 / bpm * 250, 2, 300).round().astype(int)
    beats = np.cumsum(rr) + 100
    signal = ecg(beats, int(beats[-1]) + 200) + rng.normal(0, SKIN_MV, int(beats[-1]) + 200)
    windows = np.array([signal[r - 70 : r + 105] for r in beats])
    assert set(told(windows, (rr / 250).tolist())) == {None}


def test_an_interruption_within_the_rhythm_begins_its_count_anew() -> None:
    liveness = Liveness()
    windows = noisy(30, SKIN_MV)
    assert told(windows[:10], [0.8] * 10, liveness)[-1] is None
    liveness.push(BeatWindow(0, None, tuple(windows[0].tolist()), GOOD))
    assert told(windows[10:28], [0.8] * 18, liveness)[-1] is None


def test_what_may_have_been_smoothed_is_never_too_clean_but_may_repeat() -> None:
    assert set(told(noisy(30, CHIP_MV), liveness=Liveness(smoothed=True))) == {None}
    looped = np.tile(noisy(10, SKIN_MV), (3, 1))
    assert told(looped, liveness=Liveness(smoothed=True))[-1] == "repeated"


def test_a_suspicion_stays_until_the_electrodes_are_fitted_anew_or_the_signal_is_alive() -> None:
    liveness = Liveness()
    assert told(noisy(5, CHIP_MV), liveness=liveness)[-1] == "too_clean"
    after = told(noisy(70, SKIN_MV), liveness=liveness)
    assert after.index(None) == pytest.approx(ALIVE_BEATS, abs=CLEAN_BEATS)
    assert set(after[after.index(None) :]) == {None}
    assert told(noisy(8, CHIP_MV), liveness=liveness)[-1] == "too_clean"
    liveness.restart()
    assert told(noisy(50, SKIN_MV), liveness=liveness)[-1] is None


def test_flawed_beats_do_not_show_how_clean_a_signal_is() -> None:
    liveness = Liveness()
    flawed = BeatQuality(0.2, ("unlike_template",))
    for window, rr_s in zip(noisy(16, CHIP_MV), uneven_s(16), strict=True):
        assert liveness.push(BeatWindow(0, rr_s, tuple(window.tolist()), flawed)) is None


def test_texture_is_blind_to_level_slope_and_mains() -> None:
    at = np.arange(50)
    for signal in (np.ones(50), at, np.sin(2 * np.pi * 50 * at / 250)):
        assert np.convolve(signal, TEXTURE_FILTER, "valid") == pytest.approx(0, abs=1e-12)
    muscle = np.convolve(np.sin(2 * np.pi * 25 * at / 250), TEXTURE_FILTER, "valid")
    assert np.ptp(muscle) > 0.8


@pytest.mark.parametrize(("turn_s", "expected"), [(None, None), (7.3, "repeated")])
def test_through_the_whole_chain_a_generated_heart_passes_and_a_loop_of_it_does_not(
    turn_s: float | None, expected: Suspicion | None
) -> None:
    heart = Heart(3).ecg_mv[: 40 * 250]
    alive = heart + np.random.default_rng(0).normal(0, 0.01, len(heart))
    if turn_s is not None:
        alive = np.resize(alive[: round(turn_s * 250)], len(alive))
    front_end, liveness = FrontEnd(), Liveness()
    for index, ecg_mv in enumerate(alive.tolist()):
        for event in front_end.push(Sample(index, ecg_mv, None)):
            if isinstance(event, BeatWindow):
                liveness.push(event)
    assert liveness.suspicion == expected


def test_an_unknown_wish_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="on_suspicion: never is not refuse, warn or ignore"):
        LivenessOptions("never")  # type: ignore[arg-type]
