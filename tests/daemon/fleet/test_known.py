"""What a device knows of its site's people is read from a file of its own, and of no other kind."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.fleet.errors import KnownPeopleDamaged
from daemon.fleet.known import MOST_KNOWN, MOST_REMEMBERED, Known, KnownPeople

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
    assert known.room == 1
    known.put("f" * 64, ADA)
    assert known.room == 0
    assert KnownPeople(tmp_path / "people.json").room == 0


def test_who_is_forgotten_everywhere_is_remembered_in_a_few_bytes_and_keeps_nobody_out(
    tmp_path: Path,
) -> None:
    path = tmp_path / "people.json"
    over = replace(ADA, state="forgotten", tombstone="x" * 540, forgotten_utc=ADA.signed_utc)
    known = KnownPeople(path)
    known._known = {f"{number:064x}": over for number in range(MOST_KNOWN)}
    known.purged("0" * 64, over)
    assert KnownPeople(path).room == known.room == 1
    everybody = [f"{number:064x}" for number in range(MOST_REMEMBERED)]
    known._known = dict.fromkeys(everybody[1:], replace(over, purged=True, tombstone=""))
    known.purged(everybody[0], over)
    assert KnownPeople(path).room == known.room == 0
    assert path.stat().st_size < 400 * MOST_REMEMBERED
