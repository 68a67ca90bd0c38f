"""Recordings with reference beats: each beat gets its expert's kind, and the data sets are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb

from benchmarks.training.marked_beats import Source, find_sources, mark
from daemon.recordings.annotations import Annotations
from model.beat_history import INPUTS
from model.training.kind_data import COLD_EVERY, KINDS, NOBODY_MARKED
from tests.model.made_up_rhythm import events_of, rhythm

SOURCE = Source("", "set/100", "set/100", "set", annotated=True)


def marked(places: np.ndarray, symbols: np.ndarray) -> Annotations:
    return Annotations(places, symbols, np.zeros_like(symbols))


def test_each_beat_gets_the_kind_that_experts_gave_it() -> None:
    r_peaks, ecg_mv = rhythm(12)
    symbols = np.array([*"NLeAV/F+NNNN"])
    places = np.array(r_peaks)
    places[8] += 100  # no beat is there: one is missed, one invented
    whole, cold = mark(events_of(ecg_mv), marked(places, symbols), SOURCE)
    found = [KINDS[kind] if kind != NOBODY_MARKED else "-" for kind in whole.kinds]
    assert found == [*"NNNSVQF--NNN"]
    assert whole.missed["set/100"].tolist() == [1, 0, 0, 0, 0]
    assert whole.inputs.shape == (12, INPUTS)
    assert not whole.spoilt.any()
    assert len(cold.kinds) == 0


def test_beats_in_flutter_are_neither_learnt_from_nor_scored() -> None:
    r_peaks, ecg_mv = rhythm(12)
    places = np.array([*r_peaks[:4], r_peaks[4] - 50, r_peaks[8] + 50, *r_peaks[9:]])
    annotations = marked(places, np.array([*"NNNN[]NNN"]))
    whole, _ = mark(events_of(ecg_mv), annotations, SOURCE)
    assert len(whole.kinds) == 7
    assert whole.missed["set/100"].sum() == 0


def test_without_annotations_every_beat_is_normal() -> None:
    whole, _ = mark(events_of(rhythm(12)[1]), None, SOURCE)
    assert whole.kinds.tolist() == [0] * 12


def test_a_long_recording_also_gives_beginnings_without_a_past() -> None:
    beats = COLD_EVERY + 60
    r_peaks, ecg_mv = rhythm(beats)
    annotations = marked(np.array(r_peaks), np.full(beats, "N"))
    whole, cold = mark(events_of(ecg_mv), annotations, SOURCE)
    unlike = [not np.array_equal(one, whole.inputs[COLD_EVERY]) for one in cold.inputs]
    assert len(cold.kinds) > 20
    assert (cold.kinds == 0).all()
    assert unlike[0]


@pytest.mark.parametrize("annotated", [True, False])
def test_a_folder_of_records_is_annotated_or_of_healthy_people(
    tmp_path: Path, annotated: bool
) -> None:
    for name in ("100", "102"):
        wfdb.wrsamp(
            name, 250, ["mV"], ["MLII"], np.zeros((500, 1)), fmt=["16"], write_dir=str(tmp_path)
        )
        if annotated:
            wfdb.wrann(name, "atr", np.array([100]), np.array(["N"]), write_dir=str(tmp_path))
    sources = find_sources(tmp_path)
    assert [Path(str(each.where)).name for each in sources] == ["100"]  # 102 is paced
    assert [each.annotated for each in sources] == [annotated]
