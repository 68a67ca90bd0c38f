"""Variability against closed forms: sines, white noise, a random walk, a clock, a short series."""

from __future__ import annotations

from dataclasses import fields
from math import erf, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dsp.hrv import NEEDS, SHORT_BOXES, SHORT_TERM, Hrv, Method, dfa, hrv, spectrum
from dsp.rr_correction import RrSeries

METHODS: tuple[Method, ...] = ("welch", "lomb")
methods = pytest.mark.parametrize("method", METHODS)


def sines(seconds: float) -> RrSeries:
    """Return 800 + 50 sin(2 pi 0.1 t) + 30 sin(2 pi 0.25 t) ms: LF 1250, HF 450 ms^2."""
    t_s, rr_ms = 0.0, []
    while t_s < seconds:
        lf_ms, hf_ms = 50 * np.sin(2 * np.pi * 0.1 * t_s), 30 * np.sin(2 * np.pi * 0.25 * t_s)
        rr_ms.append(800 + lf_ms + hf_ms)
        t_s += rr_ms[-1] / 1000
    return RrSeries.of_intervals(rr_ms)


def white(count: int, sd_ms: float = 30.0, seed: int = 1) -> RrSeries:
    return RrSeries.of_intervals(800 + np.random.default_rng(seed).normal(0, sd_ms, count))


@methods
@pytest.mark.parametrize("seconds", [300, 1200])
def test_the_power_of_sines_is_half_their_amplitude_squared(method: Method, seconds: int) -> None:
    found = hrv(sines(seconds), method)
    assert found.lf_ms2 == pytest.approx(1250, rel=0.02)
    assert found.hf_ms2 == pytest.approx(450, rel=0.02)
    assert found.vlf_ms2 == pytest.approx(0, abs=1)
    assert found.lf_hf == pytest.approx(1250 / 450, rel=0.03)
    assert found.lf_normalised_percent == pytest.approx(100 * 1250 / 1700, rel=0.02)
    assert found.sdnn_ms == pytest.approx(sqrt(1700), rel=0.02)


@methods
def test_the_density_of_white_noise_is_its_variance_over_the_band(method: Method) -> None:
    series = white(20_000)
    frequency_hz, density = spectrum(series, method)
    low = (frequency_hz > 0.02) & (frequency_hz < 0.2)  # where splines take nothing away
    assert density[low].mean() == pytest.approx(30**2 / (0.5 / 0.8), rel=0.05)


def test_figures_in_time_of_white_noise_are_those_of_a_normal_distribution() -> None:
    found = hrv(white(20_000))
    assert found.sdnn_ms == pytest.approx(30, rel=0.02)
    assert found.rmssd_ms == pytest.approx(30 * sqrt(2), rel=0.02)
    assert found.sdsd_ms == pytest.approx(30 * sqrt(2), rel=0.02)
    assert found.pnn50_percent == pytest.approx(100 * (1 - erf(50 / 60)), rel=0.03)
    assert found.pnn20_percent == pytest.approx(100 * (1 - erf(20 / 60)), rel=0.02)
    assert found.sd1_ms == pytest.approx(30, rel=0.02)
    assert found.sd2_ms == pytest.approx(30, rel=0.02)
    fullest = erf(1000 / 128 / 2 / 30 / sqrt(2))  # the bin about the mean
    assert found.triangular_index == pytest.approx(1 / fullest, rel=0.06)


def test_entropies_of_white_noise() -> None:
    found = hrv(white(5000))
    assert found.sample_entropy == pytest.approx(-log(erf(0.1)), rel=0.02)  # 2.185
    assert found.approximate_entropy is not None
    assert found.approximate_entropy < found.sample_entropy  # it counts each pattern as its match


def test_entropies_of_what_repeats_are_nothing() -> None:
    found = hrv(RrSeries.of_intervals(np.tile([780.0, 800.0, 820.0, 800.0], 100)))
    assert found.sample_entropy == pytest.approx(0, abs=0.01)
    assert found.approximate_entropy == pytest.approx(0, abs=0.01)


def test_exponents_of_white_noise_and_of_a_random_walk() -> None:
    noise = hrv(white(20_000))
    walk_ms = np.cumsum(np.random.default_rng(2).normal(size=20_000))
    walk = hrv(RrSeries.of_intervals(5000 + walk_ms))
    assert noise.dfa_alpha2 == pytest.approx(0.5, abs=0.05)
    assert walk.dfa_alpha1 == pytest.approx(1.5, abs=0.05)
    assert walk.dfa_alpha2 == pytest.approx(1.5, abs=0.05)


def test_the_exponent_in_small_boxes_is_that_of_their_closed_form() -> None:
    """White noise fluctuates by (n^2 - 4) / 15 n in boxes of n, with a straight line taken out."""
    fluctuation = np.log((SHORT_BOXES**2 - 4) / (15 * SHORT_BOXES)) / 2
    expected = np.polyfit(np.log(SHORT_BOXES), fluctuation, 1)[0]
    assert dfa(white(500_000), SHORT_BOXES) == pytest.approx(expected, abs=0.005)


def test_a_clock_does_not_vary() -> None:
    found = hrv(RrSeries.of_intervals([800.0] * 400))
    figures = {name: getattr(found, name) for name in NEEDS}
    undefined = {"lf_hf", "lf_normalised_percent", "hf_normalised_percent"}
    undefined |= {"dfa_alpha1", "dfa_alpha2"}
    assert {name for name, value in figures.items() if value is None} == undefined
    assert found.reasons == dict.fromkeys(undefined, "the intervals do not vary")
    nonzero = {name: value for name, value in figures.items() if value}
    assert nonzero == {"mean_rr_ms": 800, "heart_rate_bpm": 75, "triangular_index": 1}


def test_what_is_too_short_says_what_it_needs() -> None:
    found = hrv(RrSeries.of_intervals(sines(100).rr_ms))
    assert found.rmssd_ms is not None
    assert found.hf_ms2 is not None
    assert found.reasons["lf_ms2"] == "needs 120 s without a break, there are 101"
    assert found.reasons["dfa_alpha2"] == "needs 256 intervals, there are 126"


@pytest.mark.parametrize("count", range(6))
def test_hardly_any_intervals_are_no_error(count: int) -> None:
    found = hrv(RrSeries.of_intervals([800.0, 810.0, 790.0, 800.0, 805.0][:count]))
    assert found.rmssd_ms is None
    assert (found.mean_rr_ms is None) == (count < 2)


def test_a_break_leaves_spectra_to_the_stretches() -> None:
    whole = sines(700)
    begins = whole.begins.copy()
    begins[[150, 160]] = True
    broken = RrSeries(whole.end_s, whole.rr_ms, begins)
    found = hrv(broken)
    assert found.lf_ms2 == pytest.approx(1250, rel=0.02)
    assert found.unbroken_s == pytest.approx(whole.rr_ms[160:].sum() / 1000)


def test_many_ectopic_beats_leave_the_mean_only() -> None:
    rr_ms = sines(300).rr_ms.copy()
    rr_ms[10::20] -= 250
    rr_ms[11::20] += 250
    found = hrv(RrSeries.of_intervals(rr_ms))
    assert found.mean_rr_ms == pytest.approx(800, rel=0.01)
    assert found.rmssd_ms is None
    assert found.reasons["rmssd_ms"] == "10% of the intervals are corrected, more than 5%"


def test_a_few_ectopic_beats_hardly_change_the_figures() -> None:
    rr_ms = sines(300).rr_ms.copy()
    clean = hrv(RrSeries.of_intervals(rr_ms))
    rr_ms[[50, 150, 250]] -= 300
    rr_ms[[51, 151, 251]] += 300
    found = hrv(RrSeries.of_intervals(rr_ms))
    for name in ("rmssd_ms", "sdnn_ms", "lf_ms2", "hf_ms2"):
        assert getattr(found, name) == pytest.approx(getattr(clean, name), rel=0.05)


def test_the_short_term_set_is_the_same_figures() -> None:
    whole, short = hrv(sines(300)), hrv(sines(300), short_term=True)
    assert short.reasons == {}
    for name in NEEDS:
        expected = getattr(whole, name) if name in SHORT_TERM else None
        assert getattr(short, name) == expected


def figures_of(rr_ms: NDArray[np.float64]) -> Hrv:
    return hrv(RrSeries.of_intervals(rr_ms))


@given(st.integers(0, 10_000), st.floats(1, 40), st.sampled_from([0.5, 2.0]))
def test_figures_scale_as_their_units_say(seed: int, sd_ms: float, scale: float) -> None:
    rr_ms = white(400, sd_ms, seed).rr_ms
    plain, scaled = figures_of(rr_ms), figures_of(scale * rr_ms)
    for name in ("sdnn_ms", "rmssd_ms", "sdsd_ms", "sd1_ms", "sd2_ms"):
        assert getattr(scaled, name) == pytest.approx(scale * getattr(plain, name))
    for name in ("sample_entropy", "approximate_entropy", "dfa_alpha1", "dfa_alpha2"):
        assert getattr(scaled, name) == pytest.approx(getattr(plain, name))


@given(st.lists(st.floats(250, 2500), max_size=150), st.sets(st.integers(0, 149)))
def test_every_figure_is_a_number_or_has_a_reason(rr_ms: list[float], breaks: set[int]) -> None:
    series = RrSeries.of_intervals(rr_ms)
    begins = series.begins | np.isin(np.arange(len(rr_ms)), list(breaks))
    found = hrv(RrSeries(series.end_s, series.rr_ms, begins))
    figures = {each.name: getattr(found, each.name) for each in fields(found) if each.metadata}
    assert {name for name, value in figures.items() if value is None} == set(found.reasons)
    assert all(np.isfinite(value) and value >= 0 for value in figures.values() if value is not None)
