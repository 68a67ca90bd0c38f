"""Opens and reads regular files only: a pipe might block for ever, and a device never end."""

from __future__ import annotations

import os
import stat
from errno import EINVAL, EISDIR
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file, or the empty /dev/null, for reading.

    Raises:
        OSError: the system refuses, or it is no regular file.
    """
    if path.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    if not (stat.S_ISREG(path.stat().st_mode) or path.samefile(os.devnull)):
        raise OSError(EINVAL, "not a regular file")
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")


def read_regular(path: Path, most_bytes: int) -> bytes:
    """Return what is in a regular file.

    Raises:
        OSError: the system refuses, or it is no regular file.
        ValueError: it is longer.
    """
    with open_regular(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it is longer than {most_bytes} bytes")
    return content
