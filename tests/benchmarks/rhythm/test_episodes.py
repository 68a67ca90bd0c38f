"""Episodes that follow from beats, and how those that were found are counted."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rhythm.episodes import COUNTED, count, derived, figures
from model.rhythm import Episode
from tests.benchmarks.rhythm.records import S, judged


def marked(symbols: str, rr_s: float = 0.8) -> list[tuple[int, str]]:
    return [(round((n + 1) * rr_s * S), symbol) for n, symbol in enumerate(symbols)]


def test_runs_and_couplets_are_ventricular_beats_in_a_row() -> None:
    beats = marked("NVVNNVEVNNVN")
    places = [at for at, _ in beats]
    assert list(derived(judged(beats))) == [
        ("couplet", places[1], places[2] + 1),
        ("ventricular_run", places[5], places[7] + 1),
    ]


def test_pauses_and_rates_are_of_beats_that_nothing_is_left_out_between() -> None:
    fast = [(n * S // 2, "N") for n in range(1, 21)]  # 120 a minute until 10 s
    usual = [(10 * S + n * S * 4 // 5, "N") for n in range(1, 20)]
    later = [(60 * S + n * S * 3 // 2, "N") for n in range(20)]  # 40 a minute
    beats = [*fast, *usual, *later]
    found = list(derived(judged(beats, seconds=100)))
    names = [name for name, *_ in found]
    assert names == ["pause", "tachycardia", "bradycardia"]
    assert found[0][1:] == (usual[-1][0], 60 * S + 1)
    (_, begin, stop), (_, slow_begin, slow_stop) = found[1:]
    assert begin == fast[0][0]
    assert fast[-1][0] < stop <= usual[4][0] + 1  # the mean is beyond the limit for a while
    assert (slow_begin, slow_stop) == (usual[-8][0], later[-1][0] + 1)
    parted = judged(beats, seconds=100, left_out=((30 * S, 50 * S),))
    assert [name for name, *_ in derived(parted)] == ["tachycardia", "bradycardia"]


def test_episodes_count_if_they_touch_and_by_time() -> None:
    record = judged(
        marked("N" * 70),
        rhythms=(
            ("(N", 0, 10 * S),
            ("(AFIB", 10 * S, 20 * S),
            ("(N", 20 * S, 30 * S),
            ("(AFL", 30 * S, 40 * S),
            ("(N", 40 * S, 10**12),
        ),
        episodes=(
            Episode("atrial_fibrillation", 15 * S, 25 * S - 1),
            Episode("atrial_fibrillation", 50 * S, 55 * S - 1),
            Episode("pause", 15 * S, 18 * S),
        ),
    )
    counts = count(record)
    found = dict(zip(COUNTED, counts["atrial_fibrillation"].tolist(), strict=True))
    assert (found["marked"], found["met"], found["found"], found["right"]) == (2, 1, 2, 1)
    in_s = [round(found[name] * 3600) for name in ("marked_h", "both_h", "found_h")]
    assert in_s == [20, 5, 15]
    named = figures(counts)
    assert named["atrial_fibrillation_sensitivity"] == 50
    assert named["atrial_fibrillation_duration_sensitivity"] == pytest.approx(25)
    assert named["atrial_fibrillation_duration_predictivity"] == pytest.approx(100 / 3)
    assert named["atrial_fibrillation_false_per_hour"] == pytest.approx(60)
    assert named["pause_predictivity"] == 0
    assert np.isnan(named["pause_sensitivity"])
    later = dict(zip(COUNTED, count(record.since(22))["atrial_fibrillation"].tolist(), strict=True))
    assert (later["marked"], later["met"], later["found"], later["right"]) == (1, 0, 2, 0)


def test_tachycardia_of_the_ventricles_is_met_by_a_run() -> None:
    rhythms = (("(VT", 5 * S, 10 * S), ("(N", 10 * S, 10**12))
    run = (Episode("ventricular_run", 6 * S, 9 * S),)
    counts = count(judged(marked("N" * 70), rhythms=rhythms, episodes=run))
    assert counts["ventricular_tachycardia"][:4].tolist() == [1, 1, 1, 1]
    assert counts["ventricular_run"][:4].tolist() == [0, 0, 1, 0]
