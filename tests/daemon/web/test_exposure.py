"""What the server answers to, and when it refuses to be reached from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import KeyMissing, KeysError
from config.web import WebOptions
from daemon.web.certificate import make_certificate, own_paths
from daemon.web.exposure import Exposure, exposure_of
from daemon.web.tokens import add_token

LOOPBACK = exposure_of(WebOptions(), Path("/nowhere"))
TLS = Exposure("tls", "0.0.0.0", 5280, ("pi.local", "*.example.org", "192.0.2.7", "2001:db8::7"))


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:5280", True),
        ("localhost:5280", True),
        ("LocalHost:5280", True),
        ("[::1]:5280", True),
        ("[0:0:0:0:0:0:0:1]:5280", True),
        ("localhost", False),
        ("localhost:5281", False),
        ("localhost:05280", True),
        ("localhost:", False),
        ("localhost.:5280", False),
        ("localhost.evil.example:5280", False),
        ("evil.example:5280", False),
        ("evil.example:5280@localhost:5280", False),
        ("localhost:5280.evil.example", False),
        ("localhost:5280,evil.example", False),
        ("localhost :5280", False),
        ("0.0.0.0:5280", False),
        ("[::]:5280", False),
        ("127.0.0.2:5280", False),
        ("[::ffff:127.0.0.1]:5280", False),
        ("127.1:5280", False),
        ("2130706433:5280", False),
        ("::1:5280", False),
        ("\u212aocalhost:5280", False),
        ("localhost:\u0665280", False),
        ("", False),
        ("[", False),
        ("x" * 100_000, False),
    ],
)
def test_on_loopback_it_answers_to_its_names_and_port_only(host: str, ours: bool) -> None:
    assert LOOPBACK.is_ours(host) is ours


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("pi.local:5280", True),
        ("PI.local:5280", True),
        ("a.example.org:5280", True),
        ("a.b.example.org:5280", False),
        (".example.org:5280", False),
        ("example.org:5280", False),
        ("192.0.2.7:5280", True),
        ("[2001:DB8:0::7]:5280", True),
        ("192.0.2.8:5280", False),
        ("pi.local", False),
        ("localhost:5280", False),
    ],
)
def test_elsewhere_it_answers_to_what_its_certificate_says(host: str, ours: bool) -> None:
    assert TLS.is_ours(host) is ours


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("http://localhost:5280", True),
        ("HTTP://localhost:5280", False),  # no browser writes it so
        ("http://127.0.0.1:5280", False),  # ours too, but not what this page was loaded from
        ("https://localhost:5280", False),
        ("http://localhost:5281", False),
        ("http://localhost", False),
        ("http://localhost:5280.evil.example", False),
        ("http://evil.example", False),
        ("http://localhost:5280/", False),
        ("null", False),
        ("", False),
        ("://", False),
    ],
)
def test_an_origin_is_ours_if_it_is_where_the_page_was_loaded_from(origin: str, ours: bool) -> None:
    assert LOOPBACK.is_our_origin(origin, "localhost:5280") is ours


def test_the_port_of_a_scheme_may_be_left_out() -> None:
    usual = Exposure("tls", "0.0.0.0", 443, ("pi.local",))
    assert usual.is_ours("pi.local")
    assert usual.is_our_origin("https://pi.local", "pi.local:443")
    assert not usual.is_ours("pi.local:80")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7"])
def test_without_a_token_it_is_not_reached_from_elsewhere(tmp_path: Path, address: str) -> None:
    options = WebOptions(address=address)
    with pytest.raises(KeyMissing, match="qrsd keys web-token add NAME"):
        exposure_of(options, tmp_path)
    add_token(tmp_path, "tablet", ["live"])
    exposure = exposure_of(options, tmp_path)
    assert (exposure.kind, exposure.scheme) == ("tls", "https")
    assert exposure.certificate is not None
    assert exposure.certificate.fingerprint in exposure.told()
    assert "token only" in exposure.told()
    assert exposure.is_ours(exposure.url.removeprefix("https://").rstrip("/"))
    assert (address in exposure.names) is (address == "192.0.2.7")


def test_nor_with_a_certificate_that_does_not_work(tmp_path: Path) -> None:
    add_token(tmp_path, "tablet", ["live"])
    (tmp_path / "other").mkdir()
    given, other = make_certificate(tmp_path), make_certificate(tmp_path / "other")
    with pytest.raises(KeysError, match="not the key of"):
        exposure_of(
            WebOptions(address="::", certificate=str(given.path), key=str(other.key)), tmp_path
        )
    with pytest.raises(KeyMissing):
        exposure_of(
            WebOptions(address="::", certificate="/nowhere.pem", key=str(other.key)), tmp_path
        )
    own_paths(tmp_path)[0].write_text("spoiled")
    with pytest.raises(KeysError, match="not a certificate"):
        exposure_of(WebOptions(address="::"), tmp_path)


def test_loopback_says_that_it_has_no_password() -> None:
    assert (LOOPBACK.kind, LOOPBACK.certificate) == ("loopback", None)
    assert "http://127.0.0.1:5280/ (no password" in LOOPBACK.told()
    assert "http://[::1]:5280/ " in exposure_of(WebOptions(address="::1"), Path("/nowhere")).told()
