"""The certificate of ``qrsd web`` for other machines: its own, or one that was given.

    certificate.pem    the certificate
    certificate.key    its secret key (mode 0600)

Nobody vouches for the own one: a browser asks at the first visit, and its user compares the
fingerprint with what ``qrsd keys web-certificate`` says on the device.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.errors import KeyMissing, KeysError
from config.secret_file import read_private, write_private
from model.regular_file import open_regular

LASTS = timedelta(days=730)  # some browsers take no certificate that lasts over 825
RENEWED_BEFORE = timedelta(days=30)  # its end
LONGEST_BYTES = 1 << 16  # of a file with a certificate and those that vouch for it
#: Addresses that are nobody's: asking the kernel how it would send there tells our own one.
SOMEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
#: TLS 1.2 with these, or 1.3: forward secrecy and authenticated encryption only.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate in its files, and what it says."""

    path: Path
    key: Path
    names: tuple[str, ...]  # host names, ``*.`` for all below one, and addresses
    fingerprint: str  # SHA-256, in pairs of hexadecimal digits as browsers show it
    ends: datetime

    def context(self) -> ssl.SSLContext:
        """Return the TLS settings of a server that shows it.

        Raises:
            KeysError: the files are not a certificate and its key.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        try:
            context.load_cert_chain(self.path, self.key, password="")
        except (ssl.SSLError, OSError) as error:
            raise KeysError(f"{self.key}: not the key of {self.path}") from error
        return context


def own_paths(folder: Path) -> tuple[Path, Path]:
    """Return the files of the own certificate and of its key."""
    return folder / "certificate.pem", folder / "certificate.key"


def own_certificate(folder: Path, names: Iterable[str] = ()) -> Certificate:
    """Return the own certificate, making one if there is none, or it has ended, or is about to.

    Args:
        folder: of the web server's state.
        names: more host names and addresses for a new one.

    Raises:
        KeysError: it cannot be read or written.
    """
    path, key = own_paths(folder)
    with suppress(KeyMissing):
        kept = read_certificate(path, key)
        if kept.ends - datetime.now(UTC) > RENEWED_BEFORE:
            return kept
    return make_certificate(folder, names)


def make_certificate(folder: Path, names: Iterable[str] = ()) -> Certificate:
    """Make the own certificate anew, for this machine's name and addresses and more names.

    Raises:
        KeysError: a name is none, or it cannot be written.
    """
    path, key_path = own_paths(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    made = _signed(key, [*dict.fromkeys([*own_names(), *names])])
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(key_path, secret.decode("ascii"))
    write_private(path, made.public_bytes(serialization.Encoding.PEM).decode("ascii"))
    return read_certificate(path, key_path)


def read_certificate(path: Path, key: Path) -> Certificate:
    """Read a certificate and see that its key is for its owner alone.

    Raises:
        KeyMissing: there is no such file.
        KeysError: it is not a certificate, or others may read the key.
    """
    read_private(key)
    try:
        with open_regular(path) as file:
            found = x509.load_pem_x509_certificate(file.read(LONGEST_BYTES))
    except FileNotFoundError as error:
        raise KeyMissing(f"{path}: no such certificate") from error
    except OSError as error:
        raise KeysError(f"{path}: this user may not read it: {error.strerror}") from error
    except ValueError as error:
        raise KeysError(f"{path}: not a certificate in PEM") from error
    digits = found.fingerprint(hashes.SHA256()).hex(":").upper()
    return Certificate(path, key, _names_of(found), digits, found.not_valid_after_utc)


def own_names() -> list[str]:
    """Return this machine's names and addresses, its own loopback ones too."""
    host = socket.gethostname().lower()
    names = ["localhost", *([host, f"{host}.local"] if _is_name(host) else [])]
    addresses = ["127.0.0.1", "::1"]
    for family, there in SOMEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((there, 9))  # nothing is sent by that
            addresses.append(asking.getsockname()[0])
    return [*names, *addresses]


def _signed(key: ec.EllipticCurvePrivateKey, names: list[str]) -> x509.Certificate:
    ours = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "qrsd web")])
    now = datetime.now(UTC)
    public = key.public_key()
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(ours)
        .issuer_name(ours)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a Pi without a clock may be behind
        .not_valid_after(now + LASTS)
        .add_extension(x509.SubjectAlternativeName(map(_general, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        if not _is_name(name):
            raise KeysError(f"{name!r:.80} is no host name and no address") from None
        return x509.DNSName(name.lower())


def _is_name(text: str) -> bool:
    return len(text) < 250 and all(
        label and label.isascii() and label.replace("-", "a").isalnum() for label in text.split(".")
    )


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return (*(name.lower() for name in found.get_values_for_type(x509.DNSName)), *addresses)
