"""What is on a disk after the power went: everything that was synced, and some of the rest.

The worst that POSIX allows: a write that was not synced is on the disk, or not, or half of it; a
file that was made or deleted is so, or not, until its folder is synced.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

SECTOR = 512
SHIM = Path(__file__).with_name("power_cut.c")

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None, reason="needs a C compiler (apt install gcc)"
)


class Operation(NamedTuple):
    """A line of the log: W(rite), T(runcate), S(ync), C(reate), L(ink), U(nlink), A(cknowledge)."""

    kind: str
    offset: int
    length: int
    path: str
    data: bytes


def watched(folder: Path, work: Path, command: Callable[[int], Sequence[str]]) -> list[Operation]:
    """Run a command, and return what it does in a folder, in its order.

    Args:
        folder: what is looked at.
        work: where to put the log.
        command: returns it by the descriptor where it may acknowledge, a number in a line.
    """
    shim = work / "power_cut.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(shim), str(SHIM)], check=True)
    with (work / "log").open("wb") as log:
        environment = os.environ | {
            "LD_PRELOAD": str(shim),
            "POWER_LOG_FOLDER": str(folder),
            "POWER_LOG_FD": str(log.fileno()),
        }
        subprocess.run(command(log.fileno()), env=environment, pass_fds=[log.fileno()], check=True)
    return read_log((work / "log").read_bytes())


def read_log(log: bytes) -> list[Operation]:
    """Read what ``power_cut.c`` wrote; an acknowledgement is a line with a number only."""
    operations = []
    at = 0
    while at < len(log):
        end = log.index(b"\n", at)
        line = log[at:end].decode()
        at = end + 1
        if line.isdigit():
            operations.append(Operation("A", int(line), 0, "", b""))
            continue
        kind, offset, length, path = line.split(" ", 3)
        size = int(length) if kind in "WL" else 0
        operations.append(Operation(kind, int(offset), int(length), path, log[at : at + size]))
        at += size
    return operations


@dataclass
class File:
    """A file: what of it is on the platter, and what of it is only in the cache."""

    content: bytearray = field(default_factory=bytearray)
    cached: list[Operation] = field(default_factory=list)

    def flush(self) -> None:
        """Bring the cache to the platter."""
        for operation in self.cached:
            self.apply(operation, operation.data)
        self.cached.clear()

    def apply(self, operation: Operation, data: bytes) -> None:
        """Write some data, or cut off, or fill up with zeros."""
        if operation.kind == "T":
            del self.content[operation.length :]
            self.content.extend(bytes(operation.length - len(self.content)))
        else:
            self.content.extend(bytes(max(operation.offset - len(self.content), 0)))
            self.content[operation.offset : operation.offset + len(data)] = data


class Disk:
    """One folder on a disk.

    Args:
        folder: its path.
        random: decides what of the cache comes to the platter when the power goes.
    """

    def __init__(self, folder: str, random: Random) -> None:
        self._folder = folder
        self._random = random
        self._open: dict[str, File] = {}  # by the names that programs see
        self._named: dict[str, File] = {}  # by the names that are on the platter
        self._renamed: list[tuple[str, File | None]] = []  # what of the folder is in the cache

    def do(self, operation: Operation) -> None:
        """Do what a program did."""
        path = operation.path
        match operation.kind:
            case "C":
                self._open[path] = File()
                self._renamed.append((path, self._open[path]))
            case "L":
                self._open[path] = self._open[operation.data.decode()]
                self._renamed.append((path, self._open[path]))
            case "U":
                if self._open.pop(path, None):
                    self._renamed.append((path, None))
            case "W" | "T":
                self._open[path].cached.append(operation)
            case "S" if path == self._folder:
                self._name(len(self._renamed))
            case "S":
                self._open[path].flush()

    def cut(self) -> dict[str, bytes]:
        """Take the power away, and return the files that are found afterwards."""
        self._name(self._random.randint(0, len(self._renamed)))
        for file in self._named.values():
            for operation in file.cached:
                if self._random.random() < 0.5:
                    sectors = self._random.randint(0, len(operation.data) // SECTOR)
                    whole = self._random.random() < 0.5
                    file.apply(operation, operation.data[: None if whole else sectors * SECTOR])
        return {Path(path).name: bytes(file.content) for path, file in self._named.items()}

    def _name(self, count: int) -> None:
        """Bring so many changes of the folder to the platter: file systems keep their order."""
        for path, file in self._renamed[:count]:
            if file is None:
                self._named.pop(path, None)
            else:
                self._named[path] = file
        del self._renamed[:count]
