"""A secret of 32 bytes in a file of its own: a comment and 64 hexadecimal digits, mode 0600."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

from config.errors import KeyMissing, KeyNotPrivate, KeyNotWritten, KeysError
from model.folder_owner import as_owner_of_folder
from model.regular_file import open_regular

SECRET_BYTES = 32
OTHERS = 0o077
LONGEST_BYTES = 1 << 15  # of a file with a secret
LOCKED_S = 5.0  # to wait for another command; it is done in milliseconds


def write_secret(path: Path, secret: bytes, comment: str) -> None:
    """Write a secret to a new file, for its owner's eyes only.

    Raises:
        KeyNotWritten: there is a file already, or the system refuses.
    """
    if path.exists():
        raise KeyNotWritten(f"{path}: there is a key already; move it away if you want another one")
    write_private(path, f"# {comment}\n{secret.hex()}\n")


def read_secret(path: Path, private: bool = True) -> bytes:
    """Read a secret.

    Args:
        path: the file.
        private: refuse it if others may read it too. A file of systemd's credentials folder is kept
            from them by the folder, and its own mode says something else.

    Raises:
        KeyMissing: there is no such file.
        KeyNotPrivate: others may read it, or this user may not.
        KeysError: it is not a secret.
    """
    text = read_private(path, private)
    lines = [line.strip() for line in text.splitlines() if not line.startswith("#")]
    return from_hex("".join(lines), str(path))


def read_private(path: Path, private: bool = True) -> str:
    """Read a text that nobody else should know.

    Args:
        path: the file.
        private: refuse it if others may read it too.

    Raises:
        KeyMissing: there is no such file.
        KeyNotPrivate: others may read it, or this user may not.
        KeysError: it is not ASCII, or too long.
    """
    try:
        with as_owner_of_folder(path), open_regular(path) as binary:
            if private and (mode := os.fstat(binary.fileno()).st_mode) & OTHERS:
                raise KeyNotPrivate(
                    f"{path}: others may use this key too (mode {mode & 0o777:04o}): "
                    f"chmod 600 {path}, and make a new one if somebody may have seen it"
                )
            content = binary.read(LONGEST_BYTES + 1)
        if len(content) > LONGEST_BYTES:
            raise KeysError(f"{path}: longer than {LONGEST_BYTES} bytes, no key file is")
        return content.decode("ascii")
    except FileNotFoundError as error:
        raise KeyMissing(f"{path}: no such key file") from error
    except UnicodeDecodeError as error:
        raise KeysError(f"{path}: not a key file: it is not ASCII text") from error
    except OSError as error:
        if isinstance(error, KeyNotPrivate):
            raise
        raise KeyNotPrivate(f"{path}: this user may not read the key: {error.strerror}") from error


def from_hex(text: str, where: str) -> bytes:
    """Return the 32 bytes that 64 hexadecimal digits are.

    Raises:
        KeysError: they are not; the message has ``where`` they stand, but not the text.
    """
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != SECRET_BYTES:
        raise KeysError(f"{where}: not a key, which has {2 * SECRET_BYTES} hexadecimal digits")
    return key


def make_private_folder(folder: Path) -> None:
    """Make a folder for its owner alone, unless there is one.

    Raises:
        KeyNotWritten: the system refuses.
    """
    with _explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, with mode 0600, in a folder that is made if need be.

    Written by root, it belongs to whom its folder belongs to, so that the service can read it.

    Raises:
        KeyNotWritten: the system refuses.
    """
    with _explained(path), as_owner_of_folder(path):
        make_private_folder(path.parent)
        descriptor, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        try:
            with open(descriptor, "wb") as file:
                file.write(text.encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise


@contextmanager
def locked(folder: Path, missing: str) -> Iterator[None]:
    """Lock a folder of keys: no other command changes a list between our reading and writing.

    Raises:
        KeyMissing: there is no such folder; the message says what is ``missing``.
        KeyNotPrivate: this user may not read it.
        KeyNotWritten: another program keeps it locked.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise KeyMissing(f"{folder}: {missing}") from error
    except OSError as error:
        raise KeyNotPrivate(f"{folder}: it cannot be opened: {error.strerror}") from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    """Lock a folder, or say that another program keeps it locked."""
    until_s = time.monotonic() + LOCKED_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > until_s:
                raise KeyNotWritten(f"{folder}: another program has it locked") from error
            time.sleep(0.05)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, KeyNotWritten):  # of its folder
            raise
        raise KeyNotWritten(f"{path}: cannot be written: {error.strerror}") from error
