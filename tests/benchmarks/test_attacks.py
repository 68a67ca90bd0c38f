"""What is played at the wires, and how it is counted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.attacks.figures import figures, page, rate
from benchmarks.attacks.instruments import INSTRUMENTS, PLAYED, Stolen, looped, mean_beat
from benchmarks.attacks.trial import GENUINE, Presentation, thresholds_were_set_on
from drivers.waveforms.hearts import Heart

SECONDS = 20


@pytest.fixture(scope="module")
def stolen() -> Stolen:
    heart = Heart(5)
    turns = np.floor(heart.phase_rad[: SECONDS * 250] / (2 * np.pi))
    return Stolen(heart.ecg_mv[: SECONDS * 250], np.flatnonzero(np.diff(turns)))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("kind", INSTRUMENTS)
def test_every_instrument_plays_without_a_gap(
    kind: str, stolen: Stolen, rng: np.random.Generator
) -> None:
    signal = INSTRUMENTS[kind](stolen, rng)
    assert np.isfinite(signal).all()
    assert len(signal) >= SECONDS * 250


def test_a_loop_repeats_after_its_beats_and_has_no_seam(
    stolen: Stolen, rng: np.random.Generator
) -> None:
    signal = looped(3)(stolen, rng)
    period = strongest_period(signal)
    assert period / 250 == pytest.approx(3 * np.diff(stolen.r_indices).mean() / 250, rel=0.1)
    assert np.abs(np.diff(signal)).max() <= np.abs(np.diff(stolen.ecg_mv)).max() * 1.1


def strongest_period(signal: NDArray[np.float64]) -> int:
    """Return the lag, from two to four seconds, at which a signal is most like itself."""
    lags = np.arange(500, 1000)
    return int(lags[np.argmax([np.corrcoef(signal[lag:], signal[:-lag])[0, 1] for lag in lags])])


def test_a_mean_beat_at_a_fixed_rate_is_the_same_each_time(
    stolen: Stolen, rng: np.random.Generator
) -> None:
    signal = mean_beat(0.0, 0.0)(stolen, rng)
    length = int(np.median(np.diff(stolen.r_indices)))
    beats = signal[: PLAYED // length * length].reshape(-1, length)
    assert np.ptp(beats, axis=0).max() == 0


def test_rates_have_the_intervals_of_the_textbooks() -> None:
    assert rate([[False]] * 30) == {"percent": 0.0, "interval_95": [0.0, 11.57]}
    assert rate([[True]] * 10) == {"percent": 100.0, "interval_95": [69.15, 100.0]}
    assert rate([[True]] * 4 + [[False]] * 6) == {"percent": 40.0, "interval_95": [12.16, 73.76]}
    assert rate([[], []]) is None


def test_more_sittings_of_one_person_do_not_make_a_rate_surer() -> None:
    assert rate([[False] * 10] * 30) == rate([[False]] * 30)


def test_attacks_and_genuine_sittings_are_counted_apart() -> None:
    told = Presentation("flat line", True, 4.0, False, False, enrolled=False)
    silent = Presentation("flat line", False, None, False, False, enrolled=False)
    missed = Presentation("flat line", True, None, True, True, enrolled=True)
    genuine = Presentation(GENUINE, True, None, True, False, enrolled=True)
    measured = figures({"Ada": [told, silent, genuine], "Bob": [missed, genuine]})
    flat = measured["attacks"]["flat line"]
    assert flat["apcer"]["percent"] == 50.0
    assert flat["apnrr"]["percent"] == pytest.approx(33.33)
    assert flat["accepted_at_end"]["percent"] == pytest.approx(33.33)
    assert flat["enrolled"]["percent"] == pytest.approx(33.33)
    assert flat["median_s_until_told"] == 4.0
    assert measured["bona_fide"]["bpcer"]["percent"] == 0.0
    assert measured["bona_fide"]["accepted_ever"]["percent"] == 100.0
    assert measured["bona_fide"]["enrolled"]["percent"] == 100.0
    assert "| flat line | 3 | 50 " in page(measured)


@pytest.mark.parametrize(
    ("person", "left_out"), [("Person_07", True), ("Person_46", False), ("Ada", False)]
)
def test_those_whom_thresholds_were_set_on_are_left_out(person: str, left_out: bool) -> None:
    assert thresholds_were_set_on(person) == left_out
