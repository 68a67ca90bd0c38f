"""Opening a file that ought to be one, and no pipe that nobody writes to or device without end."""

from __future__ import annotations

import os
import stat
from errno import EINVAL, EISDIR
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file, or the empty /dev/null, for reading.

    Raises:
        OSError: the system says no, or it is something else.
    """
    if path.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    if not (stat.S_ISREG(path.stat().st_mode) or path.samefile(os.devnull)):
        raise OSError(EINVAL, "not a regular file")
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
