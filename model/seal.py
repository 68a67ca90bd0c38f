"""What keeps a gallery's file from telling anything to those who do not have its key.

    owner's key (32 bytes, not in the state folder) --.
                                                       HKDF-SHA256 --> key of AES-256-GCM
    salt (16 bytes, in the gallery) -----------------'            `--> seed of the rotation

A new salt makes both anew: copies of templates that were taken before fit nothing any more.

Source: NIST SP 800-38D (AES-GCM, nonces of 96 random bits), RFC 5869 (HKDF).
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
SALT_BYTES = 16
NONCE_BYTES = 12


class Seal:
    """Closes and opens what lies in a gallery, by its owner's key and its salt; None for a new one.

    Attributes:
        rotation_seed: what the gallery's templates are turned by, see ``model.rotation``.
    """

    def __init__(self, key: bytes, salt: bytes | None = None) -> None:
        self.salt = salt or os.urandom(SALT_BYTES)
        self.rotation_seed = self._derive(key, b"qrsd rotation")
        self._cipher = AESGCM(self._derive(key, b"qrsd seal"))

    def close(self, plain: bytes, place: str) -> bytes:
        """Return the nonce and the ciphertext, good for this ``place`` in the gallery only."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, closed: bytes, place: str) -> bytes | None:
        """Return what was closed; None if by another key, for another place, or altered since."""
        nonce, ciphertext = closed[:NONCE_BYTES], closed[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, place.encode())
        except (InvalidTag, ValueError):
            return None

    def _derive(self, key: bytes, purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=self.salt, info=purpose).derive(key)
