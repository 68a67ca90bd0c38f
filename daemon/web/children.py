"""Runs other programs of qrsd's on files, each as a process that cannot hurt the server.

A child has a folder of its own, limits of time and memory and of what it may write, and prints into
files of that folder. Whatever a hostile file does to it, the server reads an exit code and a line.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from daemon.web.problems import Problem

PREFIX = "qrsd-web-"  # of the folders' names
ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
MEMORY_BYTES = 1 << 30
FILE_BYTES = 1 << 30  # of each file that it writes: a day as a table has 0.6 GB
PRINTED_BYTES = 16 << 20  # that are read of what it prints
TOLD_BYTES = 64 << 10  # ... on standard error
RETRY = {"Retry-After": "5"}

#: What an exit code of qrsd's (``daemon.commands.exit_codes``) means here: HTTP's status, and code.
MEANINGS = {
    65: (422, "recording_unusable"),
    66: (422, "recording_not_found"),
    69: (501, "extra_missing"),
    73: (507, "no_room"),
    77: (422, "recording_encrypted"),
}
UNREADABLE = (422, "recording_unusable")  # any other, as of a crash
#: Instead of the command's own words: it advises an option, which who sends a file cannot give.
ENCRYPTED = (
    "It is encrypted, and its key is not here. Decrypt it where the key is, by qrsd convert "
    "FILE.age FILE --identity KEY, and send what comes of it."
)


class Children:
    """So many children at a time; who comes then is asked to come again."""

    def __init__(self, at_once: int = 2) -> None:
        self._free = at_once

    @asynccontextmanager
    async def folder(self) -> AsyncIterator[Path]:
        """Give a private folder for a child, or for some one after the other.

        Raises:
            Problem: all are busy.
        """
        if self._free <= 0:
            raise Problem(503, "busy", "Other recordings are being worked on.", RETRY)
        self._free -= 1
        try:
            with TemporaryDirectory(prefix=PREFIX) as folder:
                yield Path(folder)
        finally:
            self._free += 1


async def run(folder: Path, *arguments: str | Path, time_s: float) -> bytes:
    """Run ``python -m ...`` in a private folder, and return what it prints.

    Raises:
        Problem: it failed, or took too long; in the words of its own error.
    """
    with (folder / "printed").open("wb") as printed, (folder / "told").open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            *map(str, arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=printed,
            stderr=told,
            cwd=folder,
            env=_environment(folder, os.environ),
            start_new_session=True,  # so that it is killed with its children
        )
        try:
            _limit(process.pid, time_s)
            async with asyncio.timeout(time_s):
                exit_code = await process.wait()
        except TimeoutError:
            long = f"It took more than {time_s:g} s, and was given up: try a shorter recording."
            raise Problem(422, "took_too_long", long) from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
    lines = _lines(folder / "told", hidden=(str(folder), *map(_folder_of, arguments)))
    if exit_code != 0:
        status, code = MEANINGS.get(exit_code, UNREADABLE)
        raise Problem(status, code, ENCRYPTED if code == "recording_encrypted" else _error(lines))
    with (folder / "printed").open("rb") as printed_file:
        return printed_file.read(PRINTED_BYTES)


def _environment(folder: Path, ours: Mapping[str, str]) -> dict[str, str]:
    return {**ours, **ONE_CORE, "TMPDIR": str(folder)}


def _limit(pid: int, time_s: float) -> None:
    """Limit a child before it has read anything, which a new Python takes some time to."""
    seconds = int(time_s) + 1
    for which, most in (
        (resource.RLIMIT_CPU, 2 * seconds),
        (resource.RLIMIT_DATA, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ProcessLookupError):
            resource.prlimit(pid, which, (most, most))


def _folder_of(argument: str | Path) -> str:
    return str(argument.parent) if isinstance(argument, Path) else ""


def _lines(file: Path, hidden: tuple[str, ...]) -> list[str]:
    """Return what was said on standard error, without the folders of files."""
    with file.open("rb") as told:
        text = told.read(TOLD_BYTES).decode(errors="replace")
    for folder in sorted({each for each in hidden if each}, key=len, reverse=True):
        text = text.replace(f"{folder}/", "")
    return text.splitlines()


def _error(lines: list[str]) -> str:
    told = [line.removeprefix("qrsd: ") for line in lines if line.startswith("qrsd: ")]
    return told[-1] if told else "It cannot be read."
