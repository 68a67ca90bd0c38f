"""Pseudonyms for enrolled people, the same for a name each time, by a key that stays here."""

from __future__ import annotations

import secrets
from hashlib import blake2s
from pathlib import Path

from config.secret_file import SECRET_BYTES, read_secret, write_secret

COMMENT = "turns names into the pseudonyms of recordings"
DIGEST_BYTES = 4


def pseudonym_key(path: Path) -> bytes:
    """Read the key, and make one first if there is none.

    Raises:
        KeysError: it cannot be read or written.
    """
    if not path.exists():
        write_secret(path, secrets.token_bytes(SECRET_BYTES), COMMENT)
    return read_secret(path)


def pseudonym(name: str, key: bytes) -> str:
    """Return what to call somebody; without the key, no guess at a name can be checked."""
    return f"person-{blake2s(name.encode(), digest_size=DIGEST_BYTES, key=key).hexdigest()}"
