"""Scores of beats: a record counted by hand, and wfdb's comparator on beats at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.rhythm.beats import area_under_curve, count, dominating, figures, together
from benchmarks.rhythm.bootstrap import with_intervals
from model.beat_kinds import BeatKind
from tests.benchmarks.rhythm.records import S, beat, judged

#: A beat a second from 1 s on: what experts call it, and what is found there.
BY_HAND = (
    *[("N", "N")] * 6,
    ("L", "N"),
    ("N", "V"),  # false
    ("A", "S"),
    ("A", "N"),
    ("V", "V"),
    ("V", "V"),
    ("E", "N"),
    ("V", None),  # missed
    ("F", "V"),  # excused
    ("Q", "V"),  # excused
    ("Q", "S"),  # excused
    ("F", "F"),
    ("N", "Q"),
    ("e", "N"),
    ("j", "S"),
    (None, "V"),  # invented
    (None, "Q"),
    (None, "N"),
)


def by_hand() -> tuple[list[tuple[int, str]], list[BeatKind]]:
    marked = [(S * n, mark) for n, (mark, _) in enumerate(BY_HAND, 1) if mark]
    found = [beat(S * n + 20, kind) for n, (_, kind) in enumerate(BY_HAND, 1) if kind]  # type: ignore[arg-type]
    return marked, found


def test_a_record_counted_by_hand() -> None:
    counts = count(judged(*by_hand()), "N")
    assert counts["confusion"].astype(int).tolist() == [
        [8, 1, 1, 0, 1, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 0, 2, 0, 0, 1],
        [0, 0, 1, 1, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [1, 0, 1, 0, 1, 0],
    ]
    found = figures(counts)
    assert found["V_sensitivity"] == pytest.approx(100 * 2 / 4)
    assert found["V_predictivity"] == pytest.approx(100 * 2 / 4)  # a false N, an invented beat
    assert found["V_f1"] == pytest.approx(50)
    assert found["S_sensitivity"] == pytest.approx(100 * 1 / 2)
    assert found["S_predictivity"] == pytest.approx(100 * 1 / 2)
    assert found["N_sensitivity"] == pytest.approx(100 * 8 / 11)
    assert found["F_predictivity"] == 100
    assert found["specificity"] == pytest.approx(100 * 8 / 10)
    assert found["accuracy"] == pytest.approx(100 * (8 + 1 + 2 + 1 + 0) / 21)
    # Of 8 abnormal ones 5 are called abnormal; called so are these, two N and an invented beat.
    assert found["abnormal_f1"] == pytest.approx(100 * 2 * 5 / (8 + 8))
    assert found["false_abnormal_per_hour"] == pytest.approx(3 * 60)


def test_escape_beats_may_count_as_those_from_above_the_ventricles() -> None:
    counts = count(judged(*by_hand()), "S")["confusion"].astype(int)
    assert counts[0].tolist() == [7, 0, 1, 0, 1, 0]
    assert counts[1].tolist() == [2, 2, 0, 0, 0, 0]


def test_what_is_left_out_or_too_early_is_not_counted() -> None:
    marked, found = by_hand()
    record = judged(marked, found, left_out=((11 * S - 50, 14 * S + 50),))
    assert count(record, "N")["confusion"][2].sum() == 0
    assert count(record.since(15.5), "N")["confusion"].sum() == len(BY_HAND) - 15
    assert record.since(30).hours == pytest.approx(30 / 3600)


def test_a_strip_is_abnormal_by_any_beat_in_it() -> None:
    marked = [(S, "N"), (6 * S, "V"), (7 * S, "N"), (11 * S, "N"), (16 * S, "F"), (21 * S, "N")]
    found = [
        beat(S, "N", 0.2),
        beat(6 * S, "S", 0.7),
        beat(7 * S, "N", 0.3),
        beat(11 * S, "V", 0.6),
        beat(16 * S, "N", 0.4),
        beat(22 * S, "Q"),
    ]
    counts = count(judged(marked, found, seconds=28), "N")  # the last strip is not whole
    assert counts["strips"].tolist() == [[2, 1], [1, 1]]
    named = figures(counts)
    assert named["strip_sensitivity"] == named["strip_predictivity"] == named["strip_f1"] == 50
    assert named["strip_specificity"] == pytest.approx(100 * 2 / 3)
    # Of the pairs of 0.7 and 0.4 with 0.2, 0.6 and nothing one has the wrong order: 0.4 and 0.6.
    assert named["strip_auc"] == pytest.approx(100 * 5 / 6)


@given(
    st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), min_size=2, max_size=40).filter(
        lambda rows: len({abnormal for _, abnormal in rows}) == 2
    )
)
@settings(max_examples=30)
def test_the_area_is_the_part_of_pairs_in_the_right_order(rows: list[tuple[float, bool]]) -> None:
    rows = [(round(p, 1) or 0.1, abnormal) for p, abnormal in rows]
    marked = [(S * n, "V" if abnormal else "N") for n, (_, abnormal) in enumerate(rows)]
    found = [beat(S * n, "N", p) for n, (p, _) in enumerate(rows)]
    right = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high, is_abnormal in rows
        if is_abnormal
        for low, other in rows
        if not other
    ]
    area = area_under_curve(count(judged(marked, found), "N")["scores"])
    assert area == pytest.approx(100 * np.mean(right))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_missed_and_invented_beats_are_those_of_wfdb(seed: int) -> None:
    processing = pytest.importorskip("wfdb.processing", reason="needs pip install '.[records]'")
    rng = np.random.default_rng(seed)
    marked = 200 * np.arange(1, 60) + rng.integers(-20, 20, 59)
    found = np.sort(np.delete(marked + rng.integers(-50, 50, 59), rng.integers(59, size=5)))
    found = np.unique(np.append(found, 12_500))
    record = judged([(at, "N") for at in marked.tolist()], [beat(at, "N") for at in found.tolist()])
    confusion = count(record, "N")["confusion"]
    theirs = processing.compare_annotations(marked, found, 38)  # less than, not up to
    assert confusion[0, 0] == theirs.tp
    assert confusion[0, 5] == theirs.fn
    assert confusion[5, 0] == theirs.fp


def test_records_are_drawn_and_those_that_dominate_are_named() -> None:
    few = judged([(S, "V"), (2 * S, "A")], [beat(S, "V"), beat(2 * S, "N")], name="few")
    many = judged([(S * n, "A") for n in range(1, 9)], [beat(S, "S")], name="many")
    rows = together(count(record, "N") for record in (few, many))
    assert dominating(["few", "many"], rows["confusion"]) == {"few": ["V"], "many": ["S"]}
    found = with_intervals(rows, figures)
    assert found["S_sensitivity"] == {"value": 11.11, "interval_95": [0.0, 12.5]}
    assert found["F_sensitivity"] == {"value": None, "interval_95": None}
    one = {name: row[:1] for name, row in rows.items()}
    assert with_intervals(one, figures)["V_sensitivity"] == {"value": 100.0, "interval_95": None}
