"""What the benchmark of pages says of those that are refused, and of a signal that is shifted."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.paper import reading
from benchmarks.paper.reading import Reading, read_back
from benchmarks.paper.report import summary
from daemon.paper.digitizing import Asked, Digitized
from daemon.paper.pulse import Scale
from drivers.waveforms.hearts import Heart


def test_a_refused_page_is_counted_and_has_no_figures() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    refused = read_back(white, np.zeros(2500))
    assert refused.refused
    row = summary("white", [refused, Reading(None, 1.0, 20.0, 3.0, 0.0, 0.9, 0.95)])
    assert (row["pages"], row["refused"], row["SNR, dB"], row["least"]) == (2, 1, 20.0, 20.0)


def test_a_strip_that_begins_later_and_is_a_tenth_too_high_has_20_db(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mv = Heart(3).ecg_mv[:2500]
    read = Digitized(1.1 * mv[40:], np.full(2460, 0.01), 1.0, Scale(25, 10, ()), ())
    monkeypatch.setattr(reading, "digitize", lambda page, asked: read)
    told = read_back(np.zeros((1, 1, 3), np.uint8), mv, Asked())
    assert told.snr_db == pytest.approx(20, abs=0.1)
    assert told.r_error_percent == pytest.approx(10, abs=0.5)
    assert told.rate_error_per_minute < 0.5
