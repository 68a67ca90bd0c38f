"""The settings of the fleet: nothing unencrypted to another machine, and keys at their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import KeyMissing, KeyNotPrivate, SettingInvalid
from config.fleet import FleetOptions


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"servers": ("nats://hub:4222",), "site": "house"}, "nats:// is not encrypted"),
        ({"servers": ("hub:4222",), "site": "house"}, "is not such as tls://"),
        ({"servers": ("tls://hub:99999",), "site": "house"}, "is not such as tls://"),
        ({"servers": ("tls://user:secret@hub:4222",), "site": "house"}, "is not such as tls://"),
        ({"servers": ("nats://[::1]:42", "tls://hub:42"), "site": "house"}, "are mixed"),
        ({"servers": ("tls://hub:4222",)}, "it has to be said which site"),
        ({"site": "my.house"}, "more than letters, digits"),
        ({"credentials": "SUAKEY"}, "neither a file"),
        ({"replicas": 2}, "is not one of 1, 3, 5"),
    ],
)
def test_what_will_not_do_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FleetOptions(**given)  # type: ignore[arg-type]


def test_this_machine_is_reached_without_tls_and_others_with_it() -> None:
    assert FleetOptions(("nats://127.0.0.1:4222",), "house").tls is None
    assert FleetOptions(("tls://hub.example.org:4222",), "house").tls is not None
    with pytest.raises(SettingInvalid, match="no certificate"):
        _ = FleetOptions(("tls://hub:4222",), "house", ca="/nowhere.pem").tls


def test_keys_are_read_from_files_or_from_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "site.key"
    file.write_text("ab" * 32)
    file.chmod(0o644)
    with pytest.raises(KeyNotPrivate):
        FleetOptions(site_key=str(file)).read_site_key()
    file.chmod(0o600)
    assert FleetOptions(site_key=str(file)).read_site_key() == b"\xab" * 32

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(KeyMissing):
        FleetOptions().read_site_key()
    (tmp_path / "qrsd.site-key").write_text("cd" * 32)
    assert FleetOptions().read_site_key() == b"\xcd" * 32
