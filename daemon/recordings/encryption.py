"""Encrypted recordings: files of age (https://age-encryption.org), whose names end in ``.age``.

They are decrypted into memory, so that nothing of what is in them comes to a disk. While a file
that is to be encrypted is still being written, it has ``.plain`` in its name.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from daemon.errors import import_extra
from daemon.recordings.durable_file import DurableFile, explained, replacing, sync_folder
from daemon.recordings.errors import (
    EncryptionExtraMissing,
    IdentityUnusable,
    MalformedRecording,
    RecipientUnusable,
    RecordingError,
    RecordingNotWritten,
)

if TYPE_CHECKING:
    from pyrage.x25519 import Identity, Recipient

ENCRYPTED, PLAIN = ".age", ".plain"
LONGEST_KEYS = 1 << 20  # characters of a file of keys; a device would never end
OTHER_KEY = "No matching keys"  # how pyrage's error begins then


def is_encrypted(path: Path) -> bool:
    """Tell by a file's name whether it is encrypted."""
    return path.suffix.casefold() == ENCRYPTED


def decrypted_name(path: Path) -> Path:
    """Return what a file is called when it is not encrypted."""
    return path.with_suffix("") if is_encrypted(path) else path


def plain_name(path: Path) -> Path:
    """Return what an encrypted file is called while it is being written."""
    plain = decrypted_name(path)
    return plain.with_name(f"{plain.stem}{PLAIN}{plain.suffix}")


def recipients(keys: Iterable[str]) -> list[Recipient]:
    """Return public keys, for which a file can be encrypted.

    Raises:
        RecordingError: one is none, or pyrage is not installed.
    """
    pyrage = _pyrage()
    found = []
    for key in keys:
        try:
            found.append(pyrage.x25519.Recipient.from_str(key))
        except pyrage.RecipientError as error:
            raise RecipientUnusable(  # without the key, which may be a secret one by mistake
                f"A recipient is no public key of age ({error}): expected age1..., as age-keygen "
                "prints."
            ) from error
    return found


def read_recipients(path: Path) -> list[str]:
    """Return the public keys that a file lists, one a line.

    Raises:
        RecipientUnusable: it lists none, or cannot be read.
    """
    try:
        keys = _lines(path)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipientUnusable(f"{path} cannot be read: {error}.") from error
    if not keys:
        raise RecipientUnusable(f"{path} lists no public key, such as age1...")
    return keys


def encrypt(plain: Path, path: Path, keys: Sequence[Recipient]) -> None:
    """Encrypt a file into the place of another, which is there as a whole or not at all.

    Raises:
        RecordingNotWritten: the system refuses.
    """
    pyrage = _pyrage()
    with explained(plain), plain.open("rb") as content, replacing(path) as file:
        try:
            pyrage.encrypt_io(content, _Appending(file), keys)
        except pyrage.EncryptError as error:
            raise RecordingNotWritten(f"{path} cannot be encrypted: {error}") from error


class _Appending:
    """A new file, as pyrage writes to one."""

    def __init__(self, file: DurableFile) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        self._file.append(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def encrypt_finished(plain: Path, keys: Sequence[Recipient]) -> Path:
    """Encrypt a file that was written under its plain name, remove it, and return the other.

    Raises:
        RecordingNotWritten: the system refuses; the plain file is there still.
    """
    name = plain.stem.removesuffix(PLAIN)
    path = plain.with_name(f"{name}{plain.suffix}{ENCRYPTED}")
    encrypt(plain, path, keys)
    with explained(plain):
        plain.unlink()
        sync_folder(plain.parent)
    return path


def encrypt_left(folder: Path, keys: Sequence[Recipient]) -> list[str]:
    """Encrypt what a power cut left plain in a folder, and say so, a sentence for each file."""
    said = []
    for plain in sorted(folder.glob(f"*{PLAIN}.*")):
        try:
            with explained(plain), plain.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path = encrypt_finished(plain, keys)
            said.append(f"{plain} was left unencrypted, and is now {path.name}")
        except RecordingNotWritten as error:
            if not isinstance(error.__cause__, BlockingIOError):  # else it is being written
                said.append(f"left as it is: {error}")
    return said


def open_content(path: Path, identity: Path | None) -> BinaryIO:
    """Open a file to be read, one that is encrypted as what it was before.

    Raises:
        OSError: the system refuses.
        RecordingError: it cannot be decrypted with the keys in the identity file.
    """
    if not is_encrypted(path):
        return path.open("rb")
    return BytesIO(_decrypted(path, path.stat().st_mtime_ns, identity))


@lru_cache(maxsize=1)  # since a file is opened again and again
def _decrypted(path: Path, changed_ns: int, identity: Path | None) -> bytes:
    del changed_ns  # only says that it is another file than before
    if identity is None:
        raise IdentityUnusable(
            f"{path} is encrypted: name the file with your age key by --identity, or in the "
            "setting record.identity."
        )
    pyrage = _pyrage()
    keys = _identities(identity)
    content = BytesIO()
    with path.open("rb") as file:
        try:
            pyrage.decrypt_io(file, content, keys)
        except (pyrage.DecryptError, OSError) as error:
            raise _refused(path, identity, error) from error
    return content.getvalue()


def _refused(path: Path, identity: Path, error: Exception) -> RecordingError:
    if str(error).startswith(OTHER_KEY):
        return IdentityUnusable(
            f"{path} was encrypted for another key than those in {identity}: name the right one by "
            "--identity."
        )
    return MalformedRecording(
        f"{path} is damaged, cut off or no file of age: {error}; take another copy."
    )


def _identities(path: Path) -> list[Identity]:
    pyrage = _pyrage()
    try:
        keys = [pyrage.x25519.Identity.from_str(line) for line in _lines(path)]
    except (OSError, UnicodeDecodeError) as error:
        raise IdentityUnusable(f"{path} cannot be read as an age key: {error}.") from error
    except pyrage.IdentityError:  # which might tell the key
        keys = []
    if not keys:
        raise IdentityUnusable(
            f"{path} holds no age key: expected AGE-SECRET-KEY-1..., as age-keygen writes."
        )
    return keys


def _lines(path: Path) -> list[str]:
    """Return the lines of a file of keys that are no comments."""
    with path.open(encoding="utf-8") as file:
        lines = [line.strip() for line in file.read(LONGEST_KEYS).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _pyrage() -> Any:
    return import_extra("pyrage", "encryption", "Encrypting recordings", EncryptionExtraMissing)
