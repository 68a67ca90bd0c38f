"""A new file that only its owner may read, and of which what was synced survives a power cut."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.closing import Closing
from daemon.recordings.errors import RecordingNotWritten
from model.folder_owner import as_owner_of_folder

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


class DurableFile(Closing):
    """Writes a file, which is locked meanwhile.

    Args:
        path: where; its folder is made if need be.

    Attributes:
        size: bytes written so far at its end.

    Raises:
        RecordingNotWritten: it is there already, or the system refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        with explained(path):
            if not path.parent.is_dir():
                path.parent.mkdir(PRIVATE_FOLDER, parents=True)
                sync_folder(path.parent.parent)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, PRIVATE_FILE)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            # Before it was locked, a repair may have taken it for one that a power cut left empty.
            while os.fstat(self._descriptor).st_nlink == 0:
                os.close(self._descriptor)
                self._descriptor = os.open(path, flags, PRIVATE_FILE)
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def append(self, data: bytes) -> None:
        """Write at the end."""
        self.put(data, self.size)
        self.size += len(data)

    def put(self, data: bytes, offset: int) -> None:
        """Write anywhere."""
        with explained(self.path):
            while data:
                written = os.pwrite(self._descriptor, data, offset)
                data, offset = data[written:], offset + written

    def sync(self) -> None:
        """Wait until what was written is on the disk."""
        with explained(self.path):
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


def begin_file(path: Path, content: bytes) -> DurableFile:
    """Make a file that begins with some content, and return it once both are on the disk."""
    file = DurableFile(path)
    try:
        file.append(content)
        file.sync()
        with explained(path):
            sync_folder(path.parent)
    except BaseException:
        file.close()
        raise
    return file


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in another's place, so that the one or the other is there after a power cut."""
    with replacing(path) as file:
        file.append(content)


@contextmanager
def replacing(path: Path) -> Iterator[DurableFile]:
    """Give a file to be written, and put it in another's place as ``replace_file`` does."""
    draft = path.with_name(f".{path.name}.new")
    with explained(path):
        draft.unlink(missing_ok=True)
    try:
        with DurableFile(draft) as file:
            yield file
            file.sync()
        with explained(path):
            os.replace(draft, path)
            sync_folder(path.parent)
    except BaseException:
        with as_owner_of_folder(draft):
            draft.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say which file the system refuses to write. Root does it as the owner of the folder."""
    try:
        with as_owner_of_folder(path):
            yield
    except OSError as error:
        if isinstance(error, RecordingNotWritten):
            raise
        what, tried = path, "check the disk, and who may write there"
        if isinstance(error, FileExistsError):  # it, or a file where its folder should be
            what, tried = Path(error.filename or path), "give another name, or move it away"
        raise RecordingNotWritten(
            f"{what} cannot be written: {error.strerror}; {tried}."
        ) from error
