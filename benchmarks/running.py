"""Commands of qrsd's as processes, with state and sockets in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STOP_S = 20.0


@contextmanager
def running(folder: Path, *command: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the end of the block.

    Args:
        folder: for its state, its sockets and what it says.
        command: its words, as after ``qrsd``.
        settings: more of its environment, such as ``QRSD_DEVICE``.
    """
    own = {"STATE_DIRECTORY": str(folder), "RUNTIME_DIRECTORY": str(folder)}
    with (folder / f"{'-'.join(command[:2])}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "daemon", *command],
            env={**os.environ, **own, **settings},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(STOP_S)
