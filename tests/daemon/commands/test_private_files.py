"""What commands write on somebody's heart, only its owner may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.commands.command import qrsd
from tests.daemon.commands.test_measures import write_heart


@pytest.fixture
def _open_handed() -> Iterator[None]:
    """Have new files be everybody's to read, as they are on most systems."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_handed")
@pytest.mark.parametrize(
    ("command", "options", "files"),
    [
        ("report", ("--out", "report.json"), ["report.json"]),
        ("report", ("--out", "report.html"), ["report.html"]),
        ("detect", ("--out", "peaks"), ["peaks/heart.txt"]),
        ("embed", ("--out", "beats.npz"), ["beats.npz"]),
        ("convert", ("heart.edf",), ["heart.edf"]),
        ("convert", ("rr.txt",), ["rr.txt"]),
        ("features", ("--out", "beats.csv"), ["beats.csv"]),
        (
            "rhythm",
            ("--picture", "rhythm.png", "--beats-out", "beats", "--rhythm-out", "episodes"),
            ["rhythm.png", "beats/heart.csv", "episodes/heart.csv"],
        ),
    ],
)
def test_files_on_a_heart_are_their_owners(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    options: tuple[str, ...],
    files: list[str],
) -> None:
    write_heart(tmp_path / "heart.csv", 15)
    monkeypatch.chdir(tmp_path)
    assert qrsd(command, "heart.csv", *options) == 0
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in files}
    assert modes == dict.fromkeys(files, 0o600)
