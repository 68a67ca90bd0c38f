"""Encrypted recordings open with their key and nothing else, and touch no disk in the clear."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyrage
import pytest

from daemon.offline.converting import convert
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.encryption import encrypt, encrypt_finished, encrypt_left, recipients
from daemon.recordings.errors import (
    EncryptionExtraMissing,
    IdentityUnusable,
    MalformedRecording,
    RecipientUnusable,
    RecordingNotWritten,
)
from daemon.recordings.origin import origin
from daemon.recordings.recorded import LOST, Annotation
from daemon.recordings.recording import OpenRecording, read_recording
from daemon.recordings.signal_file import Reading
from drivers.frame import millivolts_per_count
from tests.daemon.recordings.recordings import LAYOUT, RATE_HZ, noise, write_bdf

CODES = np.maximum(noise(5 * RATE_HZ), LOST + 1)
WORDS = [Annotation(10, "Marker: coffee"), Annotation(700, "R peak")]


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """A file as age-keygen writes it."""
    key = pyrage.x25519.Identity.generate()
    path = tmp_path / "key.txt"
    path.write_text(f"# created: today\n# public key: {key.to_public()}\n{key}\n")
    return path


@pytest.fixture
def public_key(identity: Path) -> str:
    return identity.read_text().split()[6]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recordings").mkdir()
    return tmp_path / "recordings"


@pytest.fixture
def sealed(folder: Path, public_key: str) -> Path:
    plain = folder / "one.bdf"
    write_bdf(plain, CODES, WORDS)
    encrypt(plain, folder / "one.bdf.age", recipients([public_key]))
    plain.unlink()
    return folder / "one.bdf.age"


@pytest.fixture
def written() -> Iterator[list[str]]:
    """The files that Python opens to write in them from here on."""
    files: list[str] = []
    watching = True

    def hook(name: str, args: tuple[object, ...]) -> None:
        flags = args[2] if watching and name == "open" else 0
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            files.append(str(args[0]))

    sys.addaudithook(hook)
    yield files
    watching = False


def test_it_is_read_as_before_and_touches_no_disk(
    sealed: Path, identity: Path, written: list[str]
) -> None:
    file = EdfFile(sealed, Reading(identity=identity))
    assert np.array_equal(np.concatenate([codes for codes, _ in file.codes(1)]), CODES[:, 1])
    assert [each for each in file.annotations() if each.text != "Recording ends"] == WORDS
    opened = OpenRecording(sealed, "ECG", Reading(identity=identity))
    assert opened.name == "recordings/one"
    mv = np.concatenate(list(opened.blocks()))
    assert np.array_equal(np.rint(mv / millivolts_per_count(6, 2.42)), CODES[:, 1])
    assert origin(str(sealed), identity).source == LAYOUT.source
    assert written == []
    assert [path.name for path in sealed.parent.iterdir()] == ["one.bdf.age"]


def test_nothing_of_it_can_be_seen(sealed: Path) -> None:
    content = sealed.read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n")
    assert b"coffee" not in content
    assert sealed.stat().st_mode & 0o777 == 0o600


def test_there_and_back_by_way_of_a_table(
    sealed: Path, identity: Path, public_key: str, written: list[str]
) -> None:
    table, back = sealed.with_name("two.csv.age"), sealed.with_name("three.bdf.age")
    convert(str(sealed), table, 50, identity=identity, public_keys=[public_key])
    convert(str(table), back, 50, identity=identity, public_keys=[public_key])
    mv = read_recording(back, "1", Reading(identity=identity)).ecg_mv
    assert np.array_equal(np.rint(mv / millivolts_per_count(6, 2.42)), CODES[:, 1])
    assert origin(str(back), identity).source == LAYOUT.source
    plain = [name for name in written if not name.endswith((".age", ".age.new"))]
    assert plain
    assert all(name.startswith("/dev/shm/") and not Path(name).exists() for name in plain)
    assert {path.name for path in sealed.parent.iterdir()} == {sealed.name, table.name, back.name}


def test_without_a_key_or_with_another_it_is_closed(
    sealed: Path, identity: Path, tmp_path: Path
) -> None:
    with pytest.raises(IdentityUnusable, match=r"is encrypted: name the file with your age key"):
        OpenRecording(sealed, "ECG")
    identity.write_text(str(pyrage.x25519.Identity.generate()))
    with pytest.raises(IdentityUnusable, match=r"was encrypted for another key than those in"):
        OpenRecording(sealed, "ECG", Reading(identity=identity))
    identity.write_text("# no key\nAGE-SECRET-KEY-1WRONG\n")
    with pytest.raises(IdentityUnusable, match="holds no age key") as told:
        OpenRecording(sealed, "ECG", Reading(identity=identity))
    assert "WRONG" not in str(told.value)
    with pytest.raises(IdentityUnusable, match="cannot be read as an age key"):
        OpenRecording(sealed, "ECG", Reading(identity=tmp_path / "none.txt"))


@pytest.mark.parametrize("damage", ["changed", "cut off", "another file", "empty"])
def test_a_damaged_file_is_never_read_in_part(sealed: Path, identity: Path, damage: str) -> None:
    content = bytearray(sealed.read_bytes())
    content[-1000] ^= 1
    cut = sealed.read_bytes()[:-1000]
    made = {"changed": content, "cut off": cut, "another file": b"ECG" * 100, "empty": b""}
    sealed.write_bytes(made[damage])
    with pytest.raises(MalformedRecording, match="is damaged, cut off or no file of age"):
        OpenRecording(sealed, "ECG", Reading(identity=identity))


def test_without_pyrage_it_is_said(
    sealed: Path, identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(EncryptionExtraMissing, match=r"pip install '\.\[encryption\]'"):
        OpenRecording(sealed, "ECG", Reading(identity=identity))
    with pytest.raises(EncryptionExtraMissing):
        recipients(["age1"])


def test_what_cannot_be_encrypted_is_refused(sealed: Path, identity: Path, public_key: str) -> None:
    with pytest.raises(MalformedRecording, match="a WFDB record is several files"):
        convert(
            str(sealed),
            sealed.with_name("two.hea.age"),
            50,
            identity=identity,
            public_keys=[public_key],
        )
    with pytest.raises(RecordingNotWritten, match="is there already"):
        convert(str(sealed), sealed, 50, identity=identity, public_keys=[public_key])
    with pytest.raises(MalformedRecording, match="only BDF and EDF files and tables"):
        OpenRecording(sealed.with_name("two.hea.age"), None, Reading(identity=identity))
    secret = identity.read_text().split()[-1]
    with pytest.raises(RecipientUnusable, match="is no public key of age") as told:
        recipients([secret])
    assert secret not in str(told.value)


def test_a_full_disk_leaves_the_plain_file_and_no_half(
    folder: Path, public_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bdf(folder / "one.plain.bdf", CODES, WORDS)
    keys = recipients([public_key])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("daemon.recordings.durable_file.os.fdatasync", full)
        with pytest.raises(RecordingNotWritten, match="No space left"):
            encrypt_finished(folder / "one.plain.bdf", keys)
    assert [path.name for path in folder.iterdir()] == ["one.plain.bdf"]
    assert encrypt_left(folder, keys) == [
        f"{folder}/one.plain.bdf was left unencrypted, and is now one.bdf.age"
    ]
    assert [path.name for path in folder.iterdir()] == ["one.bdf.age"]


def test_only_what_was_to_be_encrypted_is_and_not_while_it_is_written(
    folder: Path, public_key: str
) -> None:
    for name in ("one.bdf", "two.plain.bdf"):
        write_bdf(folder / name, CODES, WORDS)
    keys = recipients([public_key])
    with (folder / "two.plain.bdf").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert encrypt_left(folder, keys) == []
    assert len(encrypt_left(folder, keys)) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["one.bdf", "two.bdf.age"]


@pytest.mark.servers
@pytest.mark.skipif(shutil.which("age") is None, reason="needs age")
def test_the_program_age_understands_it_and_the_reverse(tmp_path: Path) -> None:
    def run(*command: object) -> None:
        subprocess.run([str(part) for part in command], check=True, capture_output=True)

    identity, plain, sealed = (tmp_path / name for name in ("key.txt", "one.bdf", "one.bdf.age"))
    run("age-keygen", "-o", identity)
    keys = [line.split()[-1] for line in identity.read_text().splitlines() if "public" in line]
    write_bdf(plain, CODES, WORDS)
    encrypt(plain, sealed, recipients(keys))
    run("age", "--decrypt", "-i", identity, "-o", tmp_path / "back.bdf", sealed)
    assert (tmp_path / "back.bdf").read_bytes() == plain.read_bytes()
    theirs = tmp_path / "theirs.bdf.age"
    run("age", "-r", keys[0], "-o", theirs, plain)
    file = EdfFile(theirs, Reading(identity=identity))
    assert np.array_equal(np.concatenate([codes for codes, _ in file.codes(0)]), CODES[:, 0])
