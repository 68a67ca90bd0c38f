"""What the disk does not take is said, and no half of it is left."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.errors import ResultsNotWritable
from daemon.offline.results import private_file, require_files, writing


@pytest.fixture
def _small_files() -> Iterator[None]:
    """Have the system take no file of over 1000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.usefixtures("_small_files")
def test_half_a_file_is_not_left(tmp_path: Path) -> None:
    file = tmp_path / "figures.csv"
    with pytest.raises(ResultsNotWritable, match="File too large; choose"), writing(file):
        file.write_bytes(bytes(2000))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_may_not_be_written_stays(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("kept")
    with pytest.raises(ResultsNotWritable, match="denied"), writing(tmp_path / "old.csv"):
        raise PermissionError(13, "Permission denied")
    assert (tmp_path / "old.csv").read_text() == "kept"


def test_what_is_not_finished_is_not_left(tmp_path: Path) -> None:
    new, old = tmp_path / "new.csv", tmp_path / "old.csv"
    old.write_text("kept")
    for file in (new, old):
        with pytest.raises(KeyboardInterrupt), private_file(file):
            raise KeyboardInterrupt
    require_files(new, old)
    assert [file.name for file in tmp_path.iterdir()] == ["old.csv"]
    assert old.read_text() == "kept"
