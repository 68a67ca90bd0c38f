"""What may be notified, when, and by which ways."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from config.errors import KeyMissing, KeyNotPrivate, KeysError, SettingInvalid
from config.notify import EmailOptions, NotifyOptions, WebhookOptions
from config.settings import load

MAIL = {"server": "smtp.example.org", "sender": "qrsd@example.org", "to": ("ada@example.org",)}


def private(path: Path, text: str) -> str:
    path.touch(0o600)
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("quiet", "in_it", "out_of_it"),
    [
        ("22:00-07:00", ["22:00", "23:59", "00:00", "06:59"], ["07:00", "12:00", "21:59"]),
        ("12:30-14:00", ["12:30", "13:59"], ["12:29", "14:00", "00:00"]),
        ("", [], ["00:00", "12:00"]),
    ],
)
def test_quiet_hours_may_span_midnight(quiet: str, in_it: list[str], out_of_it: list[str]) -> None:
    options = NotifyOptions(quiet=quiet)
    assert [options.is_quiet(time.fromisoformat(each)) for each in in_it] == [True] * len(in_it)
    assert not any(options.is_quiet(time.fromisoformat(each)) for each in out_of_it)


def test_a_kind_is_told_if_it_is_named_or_none_is() -> None:
    assert NotifyOptions().tells("asystole")
    named = load(None, {}, ["notify.kinds=[pause, electrodes_off]"]).settings.notify
    assert [named.tells(kind) for kind in ("pause", "electrodes_off", "asystole")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("notify.kinds=[pauses]", r"notify.kinds\[0\]: 'pauses' is not one of pause, asystole, .*"),
        ("notify.quiet=22-7", r"notify.quiet: '22-7' is not such as 22:00-07:00"),
        ("notify.quiet='24:00-07:00'", r"notify.quiet: '24:00-07:00' is not such as"),
        ("notify.hourly=0", r"notify.hourly: 0 is not between 1 and 1000"),
        ("notify.every_s=-1", r"notify.every_s: -1.* is not between 0 and 86400"),
        ("notify.webhook.url=http://example.org", r"notify.webhook.url: .*http sends"),
        ("notify.webhook.url=https://ada:secret@example.org", r"notify.webhook.url: .* not such"),
        ("notify.email.server=smtp.example.org", r"notify.email.to: there is nobody to send to"),
        ("notify.email.port=0", r"notify.email.port: 0 is not between"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(assignment: str, told: str) -> None:
    with pytest.raises(SettingInvalid, match=f"^{told}"):
        load(None, {}, [assignment])


@pytest.mark.parametrize("name", ["webhook.header", "email.password", "apprise"])
def test_a_secret_among_the_settings_is_refused_and_not_shown(name: str) -> None:
    with pytest.raises(SettingInvalid, match=f"notify.{name}: .* not belong here") as told:
        load(None, {}, [f"notify.{name}='mailto://hunter2'"])
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"tls": "none"}, "tls: without it, all can be read on the way to smtp.example.org"),
        ({"user": "ada"}, "user, password: give both"),
        ({"password": "/etc/qrsd/smtp"}, "user, password: give both"),
        ({"sender": "qrsd"}, "sender: 'qrsd' is not such as"),
        ({"to": ("ada@example.org", "Ada <ada@example.org>")}, "to: 'Ada <ada@.* is not such as"),
        ({"server": "smtp.example.org/mail"}, "server: .* is not a name"),
    ],
)
def test_mail_that_could_not_go_is_refused(more: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}"):
        EmailOptions(**MAIL | more)  # type: ignore[arg-type]


def test_mail_goes_in_clear_to_this_machine_only() -> None:
    for server in ("localhost", "127.0.0.1", "::1"):
        assert EmailOptions(**MAIL | {"server": server, "tls": "none"}).server == server  # type: ignore[arg-type]


def test_a_header_comes_from_a_file_or_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = private(tmp_path / "header", "Authorization: Bearer hunter2\n")
    assert WebhookOptions(header=file).read_header() == ("Authorization", "Bearer hunter2")
    monkeypatch.setenv("HOOK", "X-Key:hunter2")
    assert WebhookOptions(header="$HOOK").read_header() == ("X-Key", "hunter2")
    assert WebhookOptions().read_header() is None
    with pytest.raises(KeyMissing, match=r"notify.webhook.header: the variable \$NONE"):
        WebhookOptions(header="$NONE").read_header()


@pytest.mark.parametrize("text", ["hunter2", "A: b\nC: hunter2", "X-Key: hunter2\x07", "A:", ""])
def test_what_is_no_header_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    options = WebhookOptions(header=private(tmp_path / "header", text))
    with pytest.raises(KeysError, match="not a header such as Authorization") as told:
        options.read_header()
    assert "hunter2" not in str(told.value)


def test_a_password_is_its_owner_s_alone(tmp_path: Path) -> None:
    file = private(tmp_path / "password", "two words\n")
    options = EmailOptions(password=file)
    assert options.read_password() == "two words"
    Path(file).chmod(0o644)
    with pytest.raises(KeyNotPrivate, match="others may use this key too"):
        options.read_password()


def test_urls_for_apprise_are_lines_of_a_file(tmp_path: Path) -> None:
    file = private(tmp_path / "urls", "# phones\njson://127.0.0.1/a\n\n  ntfys://host/topic\n")
    assert NotifyOptions(apprise=file).read_apprise() == [
        "json://127.0.0.1/a",
        "ntfys://host/topic",
    ]
    assert NotifyOptions().read_apprise() == []
    with pytest.raises(KeysError, match="there is no URL in it"):
        NotifyOptions(apprise=private(tmp_path / "none", "# nothing yet\n")).read_apprise()
    with pytest.raises(KeysError, match="longer than 32768 bytes"):  # and not cut in the middle
        NotifyOptions(apprise=private(tmp_path / "long", "json://a\n" * 4000)).read_apprise()
