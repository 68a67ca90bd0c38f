"""What a recording says of itself, in each format that qrsd writes, and in others'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from daemon.recordings.origin import NOT_SAID, origin
from daemon.recordings.recorded import LEAD_OFF, LEAD_ON, Annotation
from daemon.recordings.writers import SUFFIXES, open_writer
from tests.daemon.recordings.recordings import BEGIN, LAYOUT, RATE_HZ


@pytest.mark.parametrize("suffix", SUFFIXES.values())
def test_what_was_written_is_known(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"one{suffix}"
    writer = open_writer(path, LAYOUT, 5.0)
    for second in range(10):
        words = {2: [LEAD_OFF], 4: [LEAD_ON, "Marker: coffee"], 9: [LEAD_OFF]}.get(second, [])
        begin = second * RATE_HZ
        codes = np.arange(2 * RATE_HZ, dtype=np.int32).reshape(-1, 2)
        writer.write(codes, [Annotation(begin, text) for text in words])
    writer.close()
    said = origin(str(path))
    assert said.begin == BEGIN
    assert said.is_simulated
    assert said.lead_off_s == ((2.0, 4.0), (9.0, None))


@pytest.mark.parametrize("begin", ["yesterday", "2026-02-30T10:00:00+00:00", "2026-03-01T10:00:00"])
def test_a_begin_that_is_no_time_in_utc_is_not_by_qrsd(tmp_path: Path, begin: str) -> None:
    table = tmp_path / "one.csv"
    head = f"# recorded by qrsd from convert; begins {begin}\n"
    table.write_text(f"{head}timestamp, Channel 1\n0, 5\n4, 6\n")
    assert origin(str(table)) == NOT_SAID


def test_of_what_others_wrote_little_is_known(tmp_path: Path) -> None:
    table = tmp_path / "one.csv"
    table.write_text("timestamp, Channel 1\n0, 5\n4, 6\n")
    assert origin(str(table)) == NOT_SAID
    assert not NOT_SAID.is_simulated
