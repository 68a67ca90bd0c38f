"""The disk fails, the power goes, files are damaged: what was acknowledged is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random

import pytest

from daemon.commands.exit_codes import exit_code
from model.errors import GalleryError, ModelError
from model.gallery import Gallery
from model.passport import Passport
from tests.model.galleries import template, unprivileged
from tests.model.models import embedder
from tests.reliability.observed import Scene, scene
from tests.reliability.page import Row
from tests.reliability.unplugged import Disk, needs_compiler, watched

Report = Callable[[Row], None]
KILLS, CUTS, DAMAGES = 200, 300, 200


def numbers(path: Path) -> set[int]:
    """Return who is enrolled, by number."""
    with Gallery(path) as gallery:
        return {int(person.name.split()[1]) for person in gallery.people()}


def enrolling_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.reliability.enrolling", *arguments]


@pytest.mark.realtime
def test_kill_9_at_any_moment(tmp_path: Path, report: Report) -> None:
    path = tmp_path / "gallery.sqlite"
    command = enrolling_command("kill", str(path), str(KILLS))
    acknowledged = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    said = set(map(int, acknowledged.split()))
    assert len(said) > KILLS / 2
    assert said <= numbers(path)
    report(
        Row(
            "the service is killed (SIGKILL) while it enrols",
            "nothing has to be: SQLite rolls back what was not finished",
            "at the next start",
            "nothing",
            f"none: every acknowledged enrolment is there after {KILLS} kills at random moments",
            "yes",
        )
    )


@needs_compiler
def test_a_power_cut_at_any_moment(tmp_path: Path, report: Report) -> None:
    """The operations of twelve enrolments, cut anywhere, on the worst disk that POSIX allows."""
    state = tmp_path / "state"
    state.mkdir()
    operations = watched(
        state,
        tmp_path,
        lambda log: enrolling_command("unplug", str(state / "gallery.sqlite"), "12", str(log)),
    )
    assert sum(operation.kind == "A" for operation in operations) == 12
    assert any(o.kind == "S" and o.path == str(state) for o in operations)
    random = Random(1)
    for at in range(CUTS):
        done = operations[: random.randrange(len(operations) + 1)]
        disk = Disk(str(state), random)
        for operation in done:
            disk.do(operation)
        found = tmp_path / f"cut {at}"
        found.mkdir()
        for name, content in disk.cut().items():
            (found / name).write_bytes(content)
        acknowledged = {operation.offset for operation in done if operation.kind == "A"}
        assert acknowledged <= numbers(found / "gallery.sqlite")
    report(
        Row(
            "the power goes while somebody is enrolled",
            "nothing has to be: SQLite rolls back what was not finished",
            "at the next start",
            "nothing",
            f"none: every acknowledged enrolment is there after {CUTS} power cuts (replayed from "
            "the system calls, with what was not synced lost, kept or torn at random)",
            "yes",
        )
    )


def outcome(service: Scene) -> dict[str, object]:
    return asdict(service.desk.enrolment())


def enrol_twice(service: Scene, fail: Callable[[], object], mend: Callable[[], object]) -> str:
    """Enrol while something is wrong, and again when it is right; return what was said first."""
    outcomes: list[dict[str, object]] = []
    service.calls += [
        (3.0, lambda: service.desk.enroll("Ada", 5)),
        (3.0, fail),
        (12.0, lambda: outcomes.append(outcome(service))),
        (12.0, mend),
        (12.1, lambda: service.desk.enroll("Ada", 5)),
        (21.0, lambda: outcomes.append(outcome(service))),
    ]
    observed = service.run(until_s=22.0)
    assert [outcome["state"] for outcome in outcomes] == ["failed", "done"]
    assert "Ada" in [person.name for person in service.gallery.people()]
    assert observed.last.counters.lost == 0
    assert observed.error is None
    return str(outcomes[0]["error"])


def test_a_full_disk(tmp_path: Path, report: Report) -> None:
    with scene(tmp_path) as service:
        database = service.gallery._database
        pages = database.execute("PRAGMA page_count").fetchone()[0]

        def set_size(most: int) -> None:
            database.execute(f"PRAGMA max_page_count = {most}")

        def fill() -> None:
            for number in range(1000):
                service.gallery.enrol(template(f"Eve {number}"))

        set_size(pages)
        with pytest.raises(GalleryError):
            fill()
        told = enrol_twice(service, lambda: set_size(pages), lambda: set_size(2 * pages))
    assert "full" in told
    report(storage_row("the disk is full while somebody is enrolled", "GalleryNotWritten", told))


def storage_row(case: str, error: str, told: str) -> Row:
    told = told.partition("gallery.sqlite: ")[2]
    return Row(
        case, error, "at the last beat of the enrolment", told, "0; the enrolment fails", "yes"
    )


def test_a_state_folder_that_may_no_longer_be_written(report: Report) -> None:
    with unprivileged() as folder, scene(folder) as service:
        told = enrol_twice(service, lambda: folder.chmod(0o555), lambda: folder.chmod(0o700))
    report(storage_row("the state folder becomes read-only", "GalleryNotPermitted", told))


def test_a_state_folder_that_may_not_be_written_at_the_start(report: Report) -> None:
    with unprivileged() as folder:
        folder.chmod(0o555)
        with pytest.raises(GalleryError) as caught:
            Gallery(folder / "gallery.sqlite")
    report(
        Row(
            "the state folder is read-only at the start",
            type(caught.value).__name__,
            "at once",
            str(caught.value).partition("gallery.sqlite: ")[2],
            "all",
            f"no: ends with {exit_code(caught.value)}",
        )
    )


def damaged(content: bytes, random: Random) -> bytes:
    """Return it with one byte changed."""
    at = random.randrange(len(content))
    return content[:at] + bytes([content[at] ^ random.randrange(1, 256)]) + content[at + 1 :]


def cut_short(content: bytes, random: Random) -> bytes:
    """Return the beginning of it: nothing, a byte, all but a line's end and a byte, or any."""
    lengths = (0, 1, len(content) - 2, random.randrange(1, len(content) - 1))
    return content[: random.choice(lengths)]


def open_gallery(path: Path) -> None:
    Gallery(path).close()


def open_model(path: Path) -> None:
    Passport.load(path.with_suffix(".tflite"))


def fill_gallery(folder: Path) -> Path:
    with Gallery(folder / "gallery.sqlite") as gallery:
        for at in range(40):
            gallery.enrol(template(f"Person {at}", *range(1, 65)))
    return folder / "gallery.sqlite"


NOTICED = {
    True: f"each of {DAMAGES} times",
    False: f"not each of {DAMAGES} times: where no field is spoilt, there is no checksum",
}
FILES = {
    "gallery": (fill_gallery, open_gallery),
    "model": (embedder, open_model),
    "passport": (lambda folder: embedder(folder).with_suffix(".json"), open_model),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("spoil", [damaged, cut_short], ids=["one byte changed", "cut short"])
def test_a_spoilt_file(
    name: str, spoil: Callable[[bytes, Random], bytes], tmp_path: Path, report: Report
) -> None:
    make, use = FILES[name]
    path = make(tmp_path)
    sound = path.read_bytes()
    random = Random(1)
    errors: list[ModelError] = []
    for _ in range(DAMAGES):
        path.write_bytes(spoil(sound, random))
        try:
            use(path)
        except ModelError as error:
            errors.append(error)
    assert errors
    how = "one byte of it is changed" if spoil is damaged else "it is cut short"
    report(
        Row(
            f"the {name}: {how}",
            ", ".join(sorted({type(error).__name__ for error in errors})),
            "at the start",
            f"which file, and what is wrong with it; {NOTICED[len(errors) == DAMAGES]}",
            "all, where it is noticed",
            "no: ends with " + " or ".join(sorted({str(exit_code(error)) for error in errors})),
        )
    )
