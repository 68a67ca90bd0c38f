"""A recording to be looked at is read once, and again when it has grown."""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from daemon.recordings.bdf_writer import BdfWriter
from daemon.web import overview, reader
from daemon.web.overview import Overview, Overviews
from daemon.web.problems import Problem
from daemon.web.reader import write
from tests.daemon.recordings.recordings import LAYOUT, RATE_HZ, noise, write_bdf


def of_day(folder: Path) -> Overview:
    """Return the overview of 24 hours, the samples of which tell their index."""
    hour = np.arange(3600 * RATE_HZ)
    hours = [(hour + at * len(hour)) / 1e6 for at in range(24)]
    samples = write(hours, folder / "ecg")
    (folder / "told.json").write_text(f'{{"samples": {samples}}}')
    return Overview.of(folder)


def test_a_day_is_seen_at_any_zoom_by_few_numbers(tmp_path: Path) -> None:
    day = of_day(tmp_path)
    assert day.duration_s == 86_400
    for from_s, to_s in ((0, 86_400), (43_200, 43_204), (3_600, 7_200), (86_399, 86_400)):
        told = day.samples(from_s, to_s, 1000)
        least, most = told["ecg_mv"]["min"], told["ecg_mv"]["max"]
        assert 60 < len(least) <= 1001
        first, last = (round(told[name] * RATE_HZ) for name in ("from_s", "to_s"))
        assert least[0] == pytest.approx(first / 1e6, abs=1e-4)
        assert most[-1] == pytest.approx((last - 1) / 1e6, abs=1e-4)
        assert first <= from_s * RATE_HZ
        assert last >= to_s * RATE_HZ
        assert sorted(least) == least


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was read: here, and not by a child, which takes a second to start."""
    records: list[Path] = []

    async def read_here(_: Path, module: str, record: Path, folder: Path, time_s: float) -> bytes:
        assert module == reader.__name__
        assert reader.main(iter((str(record), str(folder)))) == 0
        records.append(record)
        return b""

    monkeypatch.setattr(overview, "run", read_here)
    return records


def test_one_that_grows_is_read_again_but_not_all_the_time(
    tmp_path: Path, read: list[Path]
) -> None:
    now_s = [0.0]
    path = tmp_path / "growing.bdf"

    async def look() -> list[float]:
        overviews = Overviews(lambda: now_s[0])
        lengths = []
        with closing(BdfWriter(path, LAYOUT)) as growing:
            for now_s[0] in (0.0, 1.0, 11.0):
                growing.write(noise(2 * RATE_HZ), [])
                growing.sync()
                lengths.append((await overviews.of(path)).duration_s)
        return lengths

    assert asyncio.run(look()) == [2, 2, 6]


def test_what_was_looked_at_longest_ago_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[Path]
) -> None:
    paths = [tmp_path / f"{name}.bdf" for name in "abc"]
    for path in paths:
        write_bdf(path, noise(RATE_HZ), [])
    monkeypatch.setattr(overview, "KEPT_BYTES", 25 * RATE_HZ)  # of two and a half such

    async def look() -> None:
        overviews = Overviews()
        for at in (0, 1, 0, 2, 0, 1):
            await overviews.of(paths[at])
        await asyncio.gather(*(overviews.of(paths[1]) for _ in range(5)))

    asyncio.run(look())
    assert read == [paths[at] for at in (0, 1, 2, 1)]


def test_nothing_is_left_of_one_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "work"))
    (tmp_path / "broken.bdf").write_bytes(b"\xffBIOSEMI" + b"x" * 300)
    with pytest.raises(Problem, match=r"^broken\.bdf is no EDF or BDF file") as refused:
        asyncio.run(Overviews().of(tmp_path / "broken.bdf"))
    assert (refused.value.status, refused.value.code) == (422, "recording_unusable")
    assert os.listdir(tmp_path / "work") == []
