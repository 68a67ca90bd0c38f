"""The benchmark of a day, with minutes: all commands end well, and memory stays within bounds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import day
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.recorded import LEAD_OFF, LOST_SAMPLES, R_PEAK
from daemon.recordings.signal_file import Reading

HOURS = 1.01  # more than a piece, so that two processes work on it


def test_what_a_command_takes_is_that_of_its_children_too() -> None:
    child = "import time; held = b'1' * 60_000_000; end = time.process_time() + 0.3\n"
    child += "while time.process_time() < end: pass\ntime.sleep(1.2)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    taken = day.measure([sys.executable, "-c", parent])
    assert 60 < taken.memory_mib < 120
    assert taken.processor_s > 0.3
    assert taken.clock_s > 1.5


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(SystemExit, match="ended with 3"):
        day.measure([sys.executable, "-c", "raise SystemExit(3)"])


@pytest.mark.benchmark
def test_every_command_ends_and_none_takes_much_memory(tmp_path: Path) -> None:
    record = tmp_path / "recorded.bdf"
    day.write_recording(record, HOURS)
    texts = [each.text for each in EdfFile(record, Reading()).annotations()]
    assert [texts.count(text) for text in (LOST_SAMPLES, LEAD_OFF)] == [1, 1]
    assert texts.count(R_PEAK) > HOURS * 3600 * 0.9
    for name, command in day.commands(record, tmp_path):
        taken = day.measure(command)
        assert taken.memory_mib < 300 or name.startswith("neurokit2"), name
    assert (tmp_path / "day.json").stat().st_size > 1000
