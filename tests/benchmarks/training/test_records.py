"""Everybody's beats, and whose they are."""

from __future__ import annotations

import numpy as np

from benchmarks.training.records import gather_beats
from daemon.offline.analysis import Analysis
from daemon.recordings.person_folders import PersonRecord
from dsp.segmenter import WINDOW_SAMPLES
from dsp.signals import BeatQuality, BeatWindow, RPeak


def test_beats_know_whose_and_from_when_they_are() -> None:
    records = [PersonRecord("Ada", "Ada/rec_1", "2004-12-07"), PersonRecord("Bob", "Bob/rec_1", "")]
    good, bad = BeatQuality(1.0, ()), BeatQuality(0.0, ("flat",))
    peak = RPeak(70, 1.0, None, False)
    analyses = [
        Analysis(records[0].path, 9.0, (), None, (peak, beat(1.0, good), beat(2.0, bad))),
        Analysis(records[1].path, 9.0, (), None, (beat(3.0, good),)),
    ]
    beats = gather_beats(records, analyses)
    assert beats.persons.tolist() == ["Ada", "Ada", "Bob"]
    assert beats.days.tolist() == ["2004-12-07", "2004-12-07", ""]
    assert beats.good.tolist() == [True, False, True]
    np.testing.assert_array_equal(beats.windows_mv[:, 0], [1, 2, 3])
    assert beats.names == ("Ada", "Bob")


def beat(level_mv: float, quality: BeatQuality) -> BeatWindow:
    return BeatWindow(70, None, (level_mv,) * WINDOW_SAMPLES, quality)
