"""A recording to be looked at is read once, and again when it has grown."""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from pathlib import Path

import pytest

from daemon.recordings.bdf_writer import BdfWriter
from daemon.web import overview, reader
from daemon.web.overview import Overviews
from daemon.web.problems import Problem
from tests.daemon.recordings.recordings import LAYOUT, RATE_HZ, noise, write_bdf


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
    monkeypatch.setattr(overview, "KEPT_BYTES", 35 * RATE_HZ)  # of two and a half such

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
