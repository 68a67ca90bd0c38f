"""The power goes while a recording is written: nearly all of it is there, and all of it is true."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pyrage

from daemon.recordings.bdf_repair import repair_folder
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.edf_header import COUNT_OFFSET
from daemon.recordings.encryption import encrypt_finished, encrypt_left, recipients
from daemon.recordings.signal_file import Reading
from tests.daemon.recordings.recordings import LAYOUT, beats, noise, write_bdf
from tests.reliability.page import Row
from tests.reliability.unplugged import Disk, Operation, needs_compiler, watched

SECONDS, RATE_HZ = 13, 50
SAMPLES = SECONDS * RATE_HZ
MOST_LOST = 5  # whole records; with the one that is being filled, 6 s
RECORD = 600  # bytes


def write(path: Path) -> None:
    write_bdf(path, noise(SAMPLES), beats(SAMPLES, every=15), replace(LAYOUT, rate_hz=RATE_HZ))


def cuts(operations: list[Operation]) -> Iterator[list[Operation]]:
    """Yield what was done when the power went: after each byte of each operation."""
    for at, operation in enumerate(operations):
        for done in range(len(operation.data) + 1):
            yield [*operations[:at], operation._replace(data=operation.data[:done])]


def written(done: list[Operation]) -> int:
    """Return how many records were written."""
    return sum(len(operation.data) == RECORD for operation in done)


def certain(done: list[Operation]) -> int:
    """Return how many records had been counted at the last sync."""
    counted = synced = 0
    for number, operation in enumerate(done):
        if operation.kind == "W" and (operation.offset, len(operation.data)) == (COUNT_OFFSET, 8):
            counted = written(done[:number])
        elif operation.kind == "S":
            synced = counted
    return synced


def kept(folder: Path) -> int:
    """Repair what is found; return how many seconds it holds, all of which are as they were."""
    repair_folder(folder)
    assert repair_folder(folder) == []
    files = list(folder.glob("*.bdf"))
    if not files:
        return 0
    file = EdfFile(files[0], Reading())
    for number in range(2):
        codes = np.concatenate([codes for codes, _ in file.codes(number)])
        assert np.array_equal(codes, noise(SAMPLES)[: len(codes), number])
    assert [*file.annotations()] == beats(len(codes), every=15)
    return len(codes) // RATE_HZ


@needs_compiler
def test_a_power_cut_at_any_byte(tmp_path: Path, report: Callable[[Row], None]) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    program = f"from {__name__} import *; write(Path(sys.argv[1]))"
    command = [sys.executable, "-c", program, str(folder / "one.bdf")]
    operations = watched(folder, tmp_path, lambda _: command)
    assert written(operations) == SECONDS
    assert any(o.kind == "S" and o.path == str(folder) for o in operations)
    random = Random(1)
    count = most_lost = 0
    found = tmp_path / "found"
    found.mkdir()
    for count, done in enumerate(cuts(operations), 1):  # noqa: B007
        disk = Disk(str(folder), random)
        for operation in done:
            disk.do(operation)
        for name, content in disk.cut().items():
            (found / name).write_bytes(content)
        seconds = kept(found)
        assert seconds >= certain(done)
        most_lost = max(most_lost, written(done) - seconds)
        (found / "one.bdf").unlink(missing_ok=True)
    assert most_lost == MOST_LOST
    report(
        Row(
            "the power goes while a recording is written",
            "whole records beyond the header's count, or half of one",
            "at the recorder's next start",
            "how many seconds are kept",
            f"at most {MOST_LOST + 1} s, and no annotation of what is kept, after a power cut at "
            f"each of {count} bytes (replayed from the system calls, with what was not synced "
            "lost, kept or torn at random)",
            "yes",
        )
    )


KEY = pyrage.x25519.Identity.generate()
TRIES = 10


def write_encrypted(path: Path, key: str) -> None:
    write_bdf(path, noise(3 * RATE_HZ), [], replace(LAYOUT, rate_hz=RATE_HZ))
    encrypt_finished(path, recipients([key]))


@needs_compiler
def test_a_power_cut_while_a_finished_file_is_encrypted(tmp_path: Path) -> None:
    """The plain file is there, or the encrypted one as a whole; at the next start only this."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    program = f"from {__name__} import *; write_encrypted(Path(sys.argv[1]), sys.argv[2])"
    key = str(KEY.to_public())
    command = [sys.executable, "-c", program, str(folder / "one.plain.bdf"), key]
    operations = watched(folder, tmp_path, lambda _: command)
    finished = next(n for n, operation in enumerate(operations) if ".age" in operation.path)
    whole = pyrage.decrypt((folder / "one.bdf.age").read_bytes(), [KEY])
    found = tmp_path / "found"
    found.mkdir()
    seen = set()
    for end in range(finished, len(operations) + 1):
        for seed in range(TRIES):
            disk = Disk(str(folder), Random(seed))
            for operation in operations[:end]:
                disk.do(operation)
            for name, content in (left := disk.cut()).items():
                (found / name).write_bytes(content)
            seen.add(tuple(sorted(name for name in left if not name.startswith("."))))
            repair_folder(found)
            encrypt_left(found, recipients([key]))
            assert pyrage.decrypt((found / "one.bdf.age").read_bytes(), [KEY]) == whole
            assert not (found / "one.plain.bdf").exists()
            for path in found.iterdir():
                path.unlink()
    plain, both, encrypted = ("one.plain.bdf",), ("one.bdf.age", "one.plain.bdf"), ("one.bdf.age",)
    assert seen == {plain, both, encrypted}
