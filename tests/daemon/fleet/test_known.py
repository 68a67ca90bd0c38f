"""What a device knows of its site's people is read from a file of its own, and of no other kind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.fleet.errors import KnownPeopleDamaged
from daemon.fleet.known import MOST_KNOWN, Known, KnownPeople

ADA = Known("enrolled", 1, 1, "2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize("kind", ["endless", "pipe", "loop", "deep", "folder"])
def test_what_is_no_such_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "people.json"
    match kind:
        case "endless":
            with path.open("wb") as file:
                file.truncate(1 << 40)  # without a block on the disk
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path)
        case "deep":
            path.write_text("[" * 1_000_000)
        case "folder":
            path.mkdir()
    with pytest.raises(KnownPeopleDamaged, match="cannot be read"):
        KnownPeople(path)


def test_it_is_full_at_last(tmp_path: Path) -> None:
    known = KnownPeople(tmp_path / "people.json")
    known._known = {f"{number:064x}": ADA for number in range(MOST_KNOWN - 1)}
    assert not known.is_full
    known.put("f" * 64, ADA)
    assert known.is_full
    assert KnownPeople(tmp_path / "people.json").is_full
