"""Each kind of wrong interval is put right as what it is, and what is normal stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dsp.rr_correction import Corrections, RrSeries, corrected

UNTOUCHED = Corrections(0, 0, 0, 0, 0, 0.0)
AT = 100  # the beat that something happens to


def sinus(count: int = 300) -> NDArray[np.float64]:
    """Return intervals of a heart at rest, which breathes."""
    place = np.arange(count)
    noise = np.random.default_rng(3).normal(scale=8, size=count)
    return 850 + 40 * np.sin(2 * np.pi * place / 5) + noise


def beats(rr_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(rr_ms)]) / 1000


def corrected_beats(r_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], Corrections]:
    nn, corrections = corrected(RrSeries.of_beats(r_s, np.zeros(len(r_s), dtype=bool)))
    return nn.rr_ms, corrections


def test_a_normal_rhythm_stays_as_it_is() -> None:
    nn_ms, corrections = corrected_beats(beats(sinus()))
    assert nn_ms == pytest.approx(sinus())
    assert corrections == UNTOUCHED


def test_a_missed_beat_is_put_in() -> None:
    nn_ms, corrections = corrected_beats(np.delete(beats(sinus()), AT))
    assert len(nn_ms) == 300
    assert corrections == Corrections(0, 1, 0, 0, 0, 2 / 300)
    assert nn_ms[AT - 1] == nn_ms[AT] == pytest.approx(sinus()[AT - 1 : AT + 1].mean())


def test_a_beat_that_is_none_is_taken_out() -> None:
    r_s = beats(sinus())
    nn_ms, corrections = corrected_beats(np.insert(r_s, AT + 1, r_s[AT] + 0.3))
    assert corrections == Corrections(0, 0, 1, 0, 0, 1 / 300)
    assert nn_ms == pytest.approx(sinus())


@pytest.mark.parametrize("early_s", [0.2, 0.35])
def test_an_ectopic_beat_gives_way_to_what_is_around_it(early_s: float) -> None:
    r_s = beats(sinus())
    r_s[AT] -= early_s
    nn_ms, corrections = corrected_beats(r_s)
    assert corrections == Corrections(2, 0, 0, 0, 0, 2 / 300)
    around = sinus()[AT - 6 : AT + 6]
    assert np.all(
        (around.min() <= nn_ms[AT - 1 : AT + 1]) & (nn_ms[AT - 1 : AT + 1] <= around.max())
    )
    assert np.delete(nn_ms, [AT - 1, AT]) == pytest.approx(np.delete(sinus(), [AT - 1, AT]))


def test_a_pause_breaks_the_series() -> None:
    rr_ms = sinus()
    rr_ms[AT] = 4000
    nn, corrections = corrected(RrSeries.of_intervals(rr_ms))
    assert corrections == Corrections(0, 0, 0, 0, 1, 0.0)
    assert nn.stretches() == [slice(0, AT), slice(AT, 299)]
    assert len(nn.differences_ms()) == 297


def test_missing_signal_breaks_the_series() -> None:
    after_break = np.zeros(11, dtype=bool)
    after_break[[4, 5]] = True
    series = RrSeries.of_beats(np.arange(11.0), after_break)
    assert series.end_s.tolist() == [1, 2, 3, 6, 7, 8, 9, 10]
    assert series.stretches() == [slice(0, 3), slice(3, 8)]


def test_bigeminy_and_fibrillation_are_not_called_normal() -> None:
    bigeminy = np.tile([500.0, 1100.0], 150)
    fibrillation = np.random.default_rng(1).gamma(12, 60, 300)
    for rr_ms in (bigeminy, fibrillation):
        assert corrected(RrSeries.of_intervals(rr_ms))[1].share > 0.05


@example([1585.0, 834.0, 250.0, 834.0, 250.0], set(), 1.0)  # a joined interval, ectopic too
@given(
    st.lists(st.floats(250, 3000), max_size=200),
    st.sets(st.integers(0, 199)),
    st.floats(0.5, 2),
)
def test_any_intervals_come_out_whole(rr_ms: list[float], breaks: set[int], slower: float) -> None:
    r_s = beats(np.array(rr_ms))
    after_break = np.isin(np.arange(len(r_s)), list(breaks))
    nn, corrections = corrected(RrSeries.of_beats(r_s, after_break))
    scaled, the_same = corrected(RrSeries.of_beats(slower * r_s, after_break))
    assert len(nn.end_s) == len(nn.rr_ms) == len(nn.begins)
    assert np.all(np.diff(nn.end_s) > 0)
    assert np.all(nn.rr_ms > 0)
    assert 0 <= corrections.share <= 1
    if slower in (0.5, 2):  # exact in binary: rounding decides nothing
        assert scaled.rr_ms == pytest.approx(slower * nn.rr_ms)
        assert the_same == corrections


@pytest.mark.parametrize("record", ["109", "112", "205", "230"])
def test_few_annotated_normal_beats_are_corrected(
    shared_data: Callable[[str], Path], record: str
) -> None:
    wfdb = pytest.importorskip("wfdb")
    annotation = wfdb.rdann(str(shared_data("mitdb") / record), "atr")
    symbols = np.array([each for each in annotation.symbol if each in "NLRAaVFj"])
    is_beat = [each in "NLRAaVFj" for each in annotation.symbol]
    r_s = annotation.sample[is_beat] / annotation.fs
    raw = RrSeries.of_beats(r_s, np.zeros(len(r_s), dtype=bool))
    nn, corrections = corrected(raw)
    normal = np.isin(symbols, ["N", "L", "R"])
    normal = normal[:-1] & normal[1:]
    steps_ms = np.diff(raw.rr_ms)[normal[1:] & normal[:-1]]
    assert np.std(nn.differences_ms()) == pytest.approx(np.std(steps_ms), rel=0.25)
    assert corrections.share < 2 * np.mean(np.isin(symbols, ["A", "a", "V", "F"])) + 0.01


def test_a_steady_heart_does_not_vary_by_rounding() -> None:
    r_s = (125 + 200 * np.arange(400)) / 250
    series = RrSeries.of_beats(r_s, np.zeros(len(r_s), dtype=bool))
    assert set(series.rr_ms.tolist()) == {800.0}
