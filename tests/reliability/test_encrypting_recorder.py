"""A recorder that encrypts is killed at every moment: nothing written is lost, or left plain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyrage

from config.settings import RecordOptions
from daemon.apps import record
from daemon.apps.record import Recorder
from daemon.recordings.bdf_repair import repair_folder
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.edf_header import COUNT_OFFSET
from daemon.recordings.encryption import encrypt_left, recipients
from daemon.recordings.signal_file import Reading
from tests.daemon.apps.made_up_service import RATE_HZ, Service, array

KEY = pyrage.x25519.Identity.generate()
HOUR_S, SECONDS = 2, 4  # of a file, and of the recording
OPERATIONS = ("open", "os.rename", "os.remove", "os.link", "os.truncate")


def record_until(folder: Path, key: str, moment: int) -> None:
    """Record, and be killed before the so-many-th sync or change of a file in the folder."""
    moments = count(1)

    def pass_one() -> None:
        if next(moments) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def noticed(sync: Callable[[int], None]) -> Callable[[int], None]:
        @wraps(sync)
        def then(descriptor: int) -> None:
            pass_one()
            sync(descriptor)

        return then

    def heed(name: str, args: tuple[Any, ...]) -> None:
        if name in OPERATIONS and str(args[0]).startswith(str(folder)):
            pass_one()

    os.fsync, os.fdatasync = noticed(os.fsync), noticed(os.fdatasync)
    sys.addaudithook(heed)
    record.HOUR_S = HOUR_S
    options = RecordOptions(free_mb=0, sync_s=1)
    with Recorder(options, folder, str, keys=recipients([key])) as recorder:
        for item in Service().waves(SECONDS):
            recorder.take(item)


def record_often(folder: Path, key: str) -> None:
    """Have a recorder of its own killed at each moment, until one lives to its end."""
    for moment in count(1):
        pid = os.fork()
        if not pid:
            record_until(folder / str(moment), key, moment)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            raise SystemExit(os.WEXITSTATUS(status))


def counted(folder: Path) -> int:
    """Return how many seconds the headers of a folder's files count, each recording's once."""
    found = {}
    for path in sorted(folder.glob("[!.]*.bdf*"), reverse=True):  # the encrypted one wins
        plain = path.suffix != ".age"
        content = path.read_bytes() if plain else pyrage.decrypt(path.read_bytes(), [KEY])
        seconds = content[COUNT_OFFSET : COUNT_OFFSET + 8]
        found[path.name.split(".")[0]] = max(int(seconds), 0) if seconds.strip() else 0
    return sum(found.values())


def test_a_kill_loses_nothing_and_leaves_nothing_plain(tmp_path: Path) -> None:
    key = str(KEY.to_public())
    program = f"from {__name__} import *; record_often(Path(sys.argv[1]), sys.argv[2])"
    subprocess.run([sys.executable, "-c", program, str(tmp_path), key], check=True)
    folders = sorted((each for each in tmp_path.iterdir()), key=lambda each: int(each.name))
    seen_plain, kept = set(), [0]
    for folder in folders:
        before = counted(folder)
        seen_plain.add(sum(path.name.endswith(".plain.bdf") for path in folder.iterdir()))
        repair_folder(folder)
        encrypt_left(folder, recipients([key]))
        codes = []
        for path in sorted(folder.iterdir()):
            content = pyrage.decrypt(path.read_bytes(), [KEY])  # or it was no file of age
            (plain := tmp_path / "plain.bdf").write_bytes(content)
            file = EdfFile(plain, Reading())
            codes.append([np.concatenate([part for part, _ in file.codes(n)]) for n in (0, 1)])
        seconds = sum(len(first) for first, _ in codes) // RATE_HZ
        whole = np.concatenate([np.column_stack(each) for each in codes]) if codes else array(0, 0)
        assert np.array_equal(whole, array(0, seconds * RATE_HZ))
        assert seconds >= before
        kept.append(seconds)
    assert kept == sorted(kept)
    assert kept[-1] == SECONDS
    assert seen_plain == {0, 1}
