"""Root works on others' files as their owner, so that no link of theirs leads it to its own."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES
from pathlib import Path

from model.errors import OwnerUnknown

MOST_STEPS = 4096  # to a file; the kernel gives up on links that lead in a circle


@contextmanager
def as_owner_of_folder(path: Path) -> Iterator[None]:
    """As root, be whoever can exchange the file or a folder on the way to it; else change nothing.

    Files made here are theirs, as those are that the service makes itself, and what they may not
    touch is refused by the kernel, whatever they put in the file's place meanwhile. The file need
    not be there, nor its folder.

    Raises:
        OwnerUnknown: it cannot be told whose they are, as of a file system that a user has mounted.
    """
    owner = _first_owner_but_root(path) if os.geteuid() == 0 else None
    if owner is None:
        yield
        return
    group, groups = os.getegid(), os.getgroups()
    try:
        os.setgroups([])
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def _first_owner_but_root(path: Path) -> os.stat_result | None:
    """Return what is known of the first folder, or link to one, on the way that is not root's."""
    way, ahead = Path(), [*reversed(path.absolute().parts[:-1])]
    for _ in range(MOST_STEPS):
        if not ahead:
            break
        try:
            status = (way := way / ahead.pop()).lstat()
        except (FileNotFoundError, NotADirectoryError):
            break
        except OSError as error:  # which is no reason to go on as root
            why = f"it cannot be told whose it is ({error.strerror}), so root does nothing there"
            raise OwnerUnknown(EACCES, why, str(way)) from error
        if status.st_uid != 0:
            return status
        if stat.S_ISLNK(status.st_mode):
            ahead += reversed(way.readlink().parts)
            way = way.parent
    return None
