"""A day of samples is seen at any zoom, by few numbers, and without numpy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from daemon.web.reader import write
from daemon.web.zoom import Zoom
from tests.daemon.recordings.recordings import RATE_HZ


def of_day(folder: Path) -> Zoom:
    """Return 24 hours, the samples of which tell their index."""
    hour = np.arange(3600 * RATE_HZ)
    hours = [(hour + at * len(hour)) / 1e6 for at in range(24)]
    write(hours, folder / "ecg")
    (folder / "told.json").write_text('{"rate_hz": 250}')
    return Zoom.of(folder)


def test_a_day_is_seen_at_any_zoom_by_few_numbers(tmp_path: Path) -> None:
    day = of_day(tmp_path)
    assert day.duration_s == 86_400
    for from_s, to_s in ((0, 86_400), (43_200, 43_204), (3_600, 7_200), (86_399, 86_400)):
        told = day.stretch(from_s, to_s, 1000)
        least, most = told["ecg_mv"]["min"], told["ecg_mv"]["max"]
        assert 240 < len(least) <= 1001
        first, last = (round(told[name] * RATE_HZ) for name in ("from_s", "to_s"))
        assert least[0] == pytest.approx(first / 1e6, abs=1e-4)
        assert most[-1] == pytest.approx((last - 1) / 1e6, abs=1e-4)
        assert first <= from_s * RATE_HZ
        assert last >= to_s * RATE_HZ
        assert sorted(least) == least


def test_what_was_not_recorded_is_no_least_and_no_most(tmp_path: Path) -> None:
    ecg_mv = np.full(40, np.nan)
    ecg_mv[[0, 9, 25]] = 3, -2, 7
    write([ecg_mv], tmp_path / "ecg")
    (tmp_path / "told.json").write_text('{"rate_hz": 250, "lead_off_s": [[0.1, null]]}')
    few = Zoom.of(tmp_path)
    told = few.stretch(0, 40 / 250, 40)["ecg_mv"]
    assert told["min"] == told["max"] == [None if np.isnan(mv) else mv for mv in ecg_mv]
    told = few.stretch(0, 40 / 250, 10)["ecg_mv"]
    assert told["min"] == told["max"] == [3, None, -2, None, None, None, 7, None, None, None]
    told = few.stretch(0, 40 / 250, 2)["ecg_mv"]  # of 16 samples each
    assert told == {"min": [-2, 7, None], "max": [3, 7, None]}
    assert few.last_mv(32 / 250) == [None, -2, *[None] * 30]  # from 0.1 s on an electrode is off


def test_the_server_does_without_numpy() -> None:
    """It would hold half as much memory again."""
    program = "import sys, daemon.web.server; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
