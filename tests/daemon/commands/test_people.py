"""``qrsd people`` on a gallery file and through a running service's control socket."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from config.folders import pseudonym_key_path
from config.pseudonyms import pseudonym, pseudonym_key
from daemon.wire.answers import Description, Done
from daemon.wire.errors import CommandRefused
from daemon.wire.status import ModelStatus
from model.errors import (
    ExportInvalid,
    GalleryMissing,
    GalleryUnreadable,
    PersonExists,
    PersonUnknown,
)
from model.gallery import Gallery
from model.template import Template
from tests.daemon.commands.command import qrsd, serving

pytestmark = pytest.mark.usefixtures("service_folders")


def names(path: Path) -> list[str]:
    with Gallery(path) as gallery:
        return [person.name for person in gallery.people()]


def test_list_tells_who_is_enrolled(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = [str((datetime.now(UTC).date() - date(2026, 1, day)).days) for day in (1, 2)]
    assert qrsd("people", "list") == 0
    printed = capsys.readouterr()
    rows = [line.split() for line in printed.out.splitlines()]
    assert rows == [
        ["name", "sittings", "days", "ago", "drift", "consent", "templates", "grown", "beats"],
        ["Ada", "2026-01-01", days[0], "-", "not", "recorded", "1", "0", "16"],
        [
            "Bob",
            "2026-01-02",
            days[1],
            "1.00",
            "2026-01-02",
            "2",
            "1",
            "32",
        ],  # axes: at right angles
    ]
    assert "enrolled on one day only: Ada, Bob. A second sitting on another day" in printed.err


def test_a_second_sitting_on_another_day_is_listed_and_asked_for_no_more(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Gallery(path) as gallery:
        turned = np.array([0.8, 0.6, 0, 0], dtype=np.float32)
        gallery.enrol(Template("Ada", turned, 16, "2026-02-03T08:00:00Z", "a" * 64, "ads1292r"))
    qrsd("people", "list")
    printed = capsys.readouterr()
    _, ada, second, _ = (line.split() for line in printed.out.splitlines())
    assert ada[:2] == ["Ada", "2026-01-01"]
    assert ada[3] == "0.20"
    assert second == ["2026-02-03"]
    assert "enrolled on one day only: Bob." in printed.err


def test_list_cuts_no_pseudonym_off(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = pseudonym_key(pseudonym_key_path())
    with Gallery(path) as gallery:
        gallery.rename("Ada", "A" * 40)
    qrsd("people", "list")
    first = capsys.readouterr().out.splitlines()[1]
    assert first.startswith("A" * 40)
    assert first.split()[-1] == pseudonym("A" * 40, key)


def test_a_date_to_come_is_no_negative_age(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Gallery(path) as gallery:
        turned = np.array([0.8, 0.6, 0, 0], dtype=np.float32)
        gallery.enrol(Template("Ada", turned, 16, "9999-02-03T08:00:00Z", "a" * 64, "ads1292r"))
    qrsd("people", "list")
    assert "  in future  " in capsys.readouterr().out.splitlines()[1]


def test_list_is_json_for_scripts(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    qrsd("people", "list", "--json")
    ada, bob = json.loads(capsys.readouterr().out)["people"]
    assert ada["name"] == "Ada"
    assert bob["templates"] == 2
    assert bob["models"] == {"a" * 64: 2}


def test_where_nobody_was_ever_enrolled_list_says_so_and_makes_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert qrsd("people", "list") == 0
    assert "Nobody is enrolled yet" in capsys.readouterr().out
    assert not any(tmp_path.iterdir())


def test_a_mere_user_is_told_that_the_services_people_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("config.folders.SYSTEM_STATE", tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert qrsd("people", "list") == 0
    assert "installed service's are: sudo qrsd people list" in capsys.readouterr().err


def test_a_gallery_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(GalleryMissing, match=r"typo\.sqlite: no such gallery"):
        qrsd("people", "list", "--gallery", tmp_path / "typo.sqlite")


def test_a_damaged_gallery_is_an_error(path: Path) -> None:
    path.write_bytes(b"not a database, and longer than a header of a hundred bytes " * 3)
    with pytest.raises(GalleryUnreadable):
        qrsd("people", "list")


def test_rename_without_a_service_changes_the_file(path: Path) -> None:
    assert qrsd("people", "rename", "Ada", "Ada Lovelace") == 0
    assert names(path) == ["Ada Lovelace", "Bob"]


def test_forget_asks_and_takes_no_answer_for_no(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer in ("", "\n", "n\n", "maybe\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert qrsd("people", "forget", "Ada") == 1
    assert "Erase everything that is held on Ada? [y/N]" in capsys.readouterr().err
    assert names(path) == ["Ada", "Bob"]


def test_forget_erases_after_a_yes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert qrsd("people", "forget", "Ada") == 0
    assert qrsd("people", "forget", "Bob", "--yes") == 0
    assert names(path) == []


def test_nobody_of_that_name_can_be_forgotten(path: Path) -> None:
    with pytest.raises(PersonUnknown):
        qrsd("people", "forget", "Eve", "--yes")


def test_what_was_exported_is_imported_elsewhere(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qrsd("people", "export", "Bob")
    exported = capsys.readouterr().out
    file = tmp_path / "bob.json"
    file.write_text(exported)
    other = tmp_path / "other.sqlite"
    assert qrsd("people", "import", file, "--gallery", other) == 0
    capsys.readouterr()
    qrsd("people", "export", "--gallery", other)
    assert capsys.readouterr().out == exported
    assert names(other) == ["Bob"]


def test_import_reads_standard_input(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    qrsd("people", "export")
    monkeypatch.setattr("sys.stdin", io.StringIO(capsys.readouterr().out))
    with pytest.raises(PersonExists, match="'Ada' is enrolled already"):
        qrsd("people", "import", "-")


def test_nobody_unknown_is_exported(path: Path) -> None:
    with pytest.raises(PersonUnknown, match="'Eve'"):
        qrsd("people", "export", "Ada", "Eve")


def test_what_cannot_be_imported_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportInvalid, match=r"no\.json: cannot be read: .*No such file"):
        qrsd("people", "import", tmp_path / "no.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ExportInvalid, match=r"broken\.json: not JSON"):
        qrsd("people", "import", tmp_path / "broken.json")


def test_a_name_that_is_asked_for_is_in_no_command_line(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the question is not in what is exported."""
    monkeypatch.setattr("sys.stdin", io.StringIO("Ada\n"))
    assert qrsd("people", "export", "-") == 0
    said = capsys.readouterr()
    assert [person["name"] for person in json.loads(said.out)["people"]] == ["Ada"]
    assert said.err == "Name: "
    monkeypatch.setattr("sys.stdin", io.StringIO("Ada\nAda Lovelace\n"))
    qrsd("people", "rename", "-", "-")
    monkeypatch.setattr("sys.stdin", io.StringIO("Ada Lovelace\n"))
    qrsd("people", "forget", "-", "--yes")
    with Gallery(path) as gallery:
        assert [person.name for person in gallery.people()] == ["Bob"]


def describe_simulated() -> Description:
    model = ModelStatus("cosines", "embedder", "a" * 64, "tflite", people_sealed=False)
    return Description("0.2.0", "bench", "simulated", 1, (), None, model, "a")


def test_a_simulated_service_has_people_of_its_own(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = tmp_path / "simulated.sqlite"
    with serving(tmp_path, {"describe": describe_simulated}):
        assert qrsd("people", "list") == 0
    told = capsys.readouterr()
    assert "Nobody is enrolled yet" in told.out
    assert str(simulated) in told.err
    Gallery(simulated).close()
    monkeypatch.setenv("QRSD_SOURCE", "simulated")  # where no service runs, the settings say it
    assert qrsd("people", "list", "--json") == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["people"] == []
    assert f"on the simulated chip: {simulated}" in told.err
    assert names(path) == ["Ada", "Bob"]


class TestWithAService:
    """The service changes its own gallery, so that it knows at once."""

    @pytest.fixture
    def asked(self, tmp_path: Path) -> Iterator[list[tuple[str, ...]]]:
        asked: list[tuple[str, ...]] = []

        def rename(person: str, new_name: str) -> Done:
            asked.append(("rename", person, new_name))
            return Done()

        def forget(person: str) -> Done:
            if person == "Eve":
                raise CommandRefused("Nobody is called Eve.")
            asked.append(("forget", person))
            return Done()

        commands = {"rename": rename, "forget": forget, "enrolment": Done}
        with serving(tmp_path, commands):
            yield asked

    def test_that_it_must_be_restarted_once_sealed_is_said(
        self, path: Path, asked: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert qrsd("people", "seal") == 0
        assert "enrols nobody, until it is restarted: sudo" in capsys.readouterr().out

    def test_it_is_asked(self, path: Path, asked: list[tuple[str, ...]]) -> None:
        assert qrsd("people", "rename", "Ada", "Ann") == 0
        assert qrsd("people", "forget", "Bob", "--yes") == 0
        assert asked == [("rename", "Ada", "Ann"), ("forget", "Bob")]
        assert names(path) == ["Ada", "Bob"]

    def test_its_refusal_is_an_error(self, asked: list[tuple[str, ...]]) -> None:
        with pytest.raises(CommandRefused, match="Nobody is called Eve"):
            qrsd("people", "forget", "Eve", "--yes")

    def test_it_is_not_asked_about_another_gallery(
        self, path: Path, asked: list[tuple[str, ...]]
    ) -> None:
        qrsd("people", "forget", "Ada", "--yes", "--gallery", path)
        assert asked == []
        assert names(path) == ["Bob"]
