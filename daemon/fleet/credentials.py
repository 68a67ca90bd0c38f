"""Who a device is: its NKey, and the site's word for it.

    # comment
    site house
    device door-3
    seed SU...            Ed25519, by which it signs, and the server knows it
    authority A...        public NKey of the site's authority
    certificate ...       signature of the authority over site, device and public NKey, base64

The seed of the authority stays where credentials are made (``daemon.fleet.site_folder``).
Any device can so tell whether another one wrote something, and trusts no server for that.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field, fields
from typing import Self

import nkeys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from config.errors import KeysError
from config.mqtt import LEVEL

OPERATOR = "operator"  # of a site: no device, may do everything at the site
COMMENT = "Of qrsd's fleet; whoever has this file can pass for the device"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A device's name, key and certificate."""

    site: str
    device: str
    seed: str = field(repr=False)
    authority: str
    certificate: str

    @classmethod
    def new(cls, site: str, device: str, authority: nkeys.KeyPair) -> Self:
        """Make a random key, and have the authority vouch for it."""
        seed = new_seed(nkeys.PREFIX_BYTE_USER)
        public = pair_of(seed).public_key.decode()
        certificate = base64.b64encode(authority.sign(_named(site, device, public))).decode()
        return cls(site, device, seed, authority.public_key.decode(), certificate)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what ``text`` gave.

        Raises:
            KeysError: it is not that, or the certificate is for another.
        """
        lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
        words = {line[0]: line[1] for line in lines if len(line) == 2}
        try:
            read = cls(**words)
            name = Name(read.device, read.public, read.certificate)
        except (TypeError, nkeys.NkeysError) as error:
            raise KeysError("not credentials: make some with qrsd keys fleet-device") from error
        if not (LEVEL.fullmatch(read.device) and name.is_of(read.site, read.authority)):
            raise KeysError(f"credentials of {read.device!r:.80}, for which nobody vouches")
        return read

    @property
    def text(self) -> str:
        """Return what is written to a file, for this device alone."""
        named = ((each.name, getattr(self, each.name)) for each in fields(self))
        return f"# {COMMENT}\n" + "".join(f"{name} {value}\n" for name, value in named)

    @property
    def public(self) -> str:
        """Return the public NKey."""
        return str(pair_of(self.seed).public_key.decode())

    @property
    def name(self) -> Name:
        """Return what is shown to other devices."""
        return Name(self.device, self.public, self.certificate)

    def sign(self, content: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return bytes(pair_of(self.seed).sign(content))


@dataclass(frozen=True, slots=True)
class Name:
    """A device as others see it."""

    device: str
    public: str
    certificate: str

    def is_of(self, site: str, authority: str) -> bool:
        """Tell whether the authority of a site vouches for it."""
        try:
            signature = base64.b64decode(self.certificate, validate=True)
            named = _named(site, self.device, self.public)
        except ValueError:  # or what is no text at all, such as half a surrogate pair
            return False
        return is_signed(named, signature, authority)

    def has_signed(self, content: bytes, signature: bytes) -> bool:
        """Tell whether the signature is this device's."""
        return is_signed(content, signature, self.public)


def is_signed(content: bytes, signature: bytes, public: str) -> bool:
    """Tell whether a signature is that of a public NKey's owner."""
    try:  # a prefix, 32 bytes, a checksum
        key = base64.b32decode(public + "=" * (-len(public) % 8))[1:-2]
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def new_seed(prefix: int) -> str:
    """Return the seed of a random NKey, of a user or an account."""
    return str(nkeys.encode_seed(os.urandom(32), prefix).decode())


def pair_of(seed: str) -> nkeys.KeyPair:
    """Return the key pair of a seed; ``nkeys.NkeysError`` if it is none."""
    return nkeys.from_seed(seed.encode())


def _named(site: str, device: str, public: str) -> bytes:
    return f"qrsd fleet device\n{site}\n{device}\n{public}".encode()
