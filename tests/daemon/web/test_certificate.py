"""The own certificate, as strict clients see it, and given ones that do not fit."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.errors import KeyMissing, KeyNotPrivate, KeysError
from daemon.web import certificate
from daemon.web.certificate import (
    Certificate,
    make_certificate,
    own_certificate,
    own_paths,
    read_certificate,
)


def shake_hands(ours: Certificate, client: ssl.SSLContext, name: str) -> str | None:
    """Connect over a pair of sockets; return the version of TLS that both came to."""
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            ours.context().wrap_socket(here, server_side=True).close()
        except (ssl.SSLError, OSError):
            here.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(there, server_hostname=name) as tls:
            return tls.version()
    finally:
        there.close()
        thread.join()


def strict(ours: Certificate) -> ssl.SSLContext:
    client = ssl.create_default_context(cafile=str(ours.path))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    return client


def test_whoever_trusts_it_gets_through_by_each_of_its_names(tmp_path: Path) -> None:
    ours = own_certificate(tmp_path, ["192.0.2.7", "Heart.Example.org", "2001:db8::7"])
    host = socket.gethostname().lower()
    assert {"localhost", host, f"{host}.local", "127.0.0.1", "::1"} <= set(ours.names)
    assert {"192.0.2.7", "heart.example.org", "2001:db8::7"} <= set(ours.names)
    for name in ours.names:
        assert shake_hands(ours, strict(ours), name) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for 'evil"):
        shake_hands(ours, strict(ours), "evil.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(ours, ssl.create_default_context(), "localhost")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_and_ciphers_without_forward_secrecy_are_refused(tmp_path: Path) -> None:
    ours = own_certificate(tmp_path)
    old = strict(ours)
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        shake_hands(ours, old, "localhost")
    weak = strict(ours)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shake_hands(ours, weak, "localhost") == "TLSv1.2"
    weak.set_ciphers("ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384")  # CBC
    with pytest.raises(ssl.SSLError):
        shake_hands(ours, weak, "localhost")


def test_the_fingerprint_is_what_openssl_says(tmp_path: Path) -> None:
    ours = own_certificate(tmp_path)
    line = ["openssl", "x509", "-in", str(ours.path), "-noout", "-fingerprint", "-sha256"]
    said = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert said.strip().endswith(f"={ours.fingerprint}")


def test_it_stays_until_it_is_about_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = own_certificate(tmp_path)
    assert first.ends - datetime.now(UTC) < timedelta(days=825)  # more, and browsers refuse it
    assert own_certificate(tmp_path).fingerprint == first.fingerprint
    assert make_certificate(tmp_path).fingerprint != first.fingerprint
    monkeypatch.setattr(certificate, "LASTS", timedelta(days=29))
    soon = make_certificate(tmp_path)
    assert own_certificate(tmp_path).fingerprint != soon.fingerprint


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    ours = own_certificate(tmp_path)
    assert ours.key.stat().st_mode & 0o777 == 0o600
    ours.key.chmod(0o644)
    with pytest.raises(KeyNotPrivate, match="others may use this key"):
        own_certificate(tmp_path)


@pytest.mark.parametrize("name", ["", "a b", "*.example.org", "evil.com/", "x" * 300, "-a..b"])
def test_what_is_no_name_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeysError, match="is no host name and no address"):
        make_certificate(tmp_path, [name])
    assert not own_paths(tmp_path)[0].exists()


def test_given_files_that_do_not_fit_are_told(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    ours, other = own_certificate(tmp_path), own_certificate(tmp_path / "other")
    with pytest.raises(KeysError, match=r"certificate\.key: not the key of .*certificate\.pem"):
        read_certificate(ours.path, other.key).context()
    with pytest.raises(KeyMissing, match="no such certificate"):
        read_certificate(tmp_path / "none.pem", ours.key)
    with pytest.raises(KeysError, match="not a certificate in PEM"):
        read_certificate(ours.key, ours.key)
