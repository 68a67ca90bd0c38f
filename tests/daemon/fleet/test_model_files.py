"""A model as it is sent, and the switch from one to another, whatever it is cut off by."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from daemon.fleet.errors import ModelRefused
from daemon.fleet.model_files import MODEL, ModelFiles, pack
from model.opening import DEFAULT_MODEL
from model.passport import Passport, file_sha256
from tests.daemon.commands.models import embedder_of_hearts

SHIPPED = file_sha256(DEFAULT_MODEL)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    folder = tmp_path / "other"
    folder.mkdir()
    return embedder_of_hearts(folder)


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    files = ModelFiles(tmp_path / "models")
    files.begin(DEFAULT_MODEL)
    return files


def archive(how: int = zipfile.ZIP_STORED, /, **parts: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", how) as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    return content.getvalue()


def test_the_model_that_comes_with_qrsd_is_the_first(files: ModelFiles, other: Path) -> None:
    assert Passport.load(files.path).sha256 == SHIPPED == files.current
    assert files.previous is None

    files.begin(other)  # it has begun already

    assert files.current == SHIPPED


def test_a_model_travels_with_passport_and_cohort(files: ModelFiles, other: Path) -> None:
    sha256 = files.keep(pack(other))

    there, here = Passport.load(files.of(sha256)), Passport.load(other)
    assert sha256 == file_sha256(other)
    assert there.to_json() == here.to_json()
    assert files.current == SHIPPED


DEFLATED = archive(zipfile.ZIP_DEFLATED, **{MODEL: b"x" * 1000})


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"PK nothing",
        archive(),
        archive(**{MODEL: b"no model"}),
        archive(**{"../model.tflite": b"elsewhere"}),
        archive(**{"/etc/passwd": b"elsewhere"}),
        archive(**{"a/b.npy": b"elsewhere"}),
        archive(zipfile.ZIP_LZMA, **{MODEL: b"x" * 1000}),
        DEFLATED[:42] + b"\xff\xff" + DEFLATED[44:],  # damaged behind the part's header
    ],
)
def test_what_is_no_model_is_refused_and_leaves_nothing(
    files: ModelFiles, tmp_path: Path, sent: bytes
) -> None:
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(ModelRefused, match="no model with its passport was sent"):
        files.keep(sent)

    assert sorted(tmp_path.rglob("*")) == before


def test_another_network_than_the_passport_s_is_refused(files: ModelFiles, other: Path) -> None:
    other.write_bytes(DEFAULT_MODEL.read_bytes())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.write(other, MODEL)
        packed.write(other.with_suffix(".json"), "model.json")
        packed.write(other.with_name("cosines.cohort.npy"), "cosines.cohort.npy")

    with pytest.raises(ModelRefused, match="SHA-256"):
        files.keep(content.getvalue())


def test_a_switch_is_on_trial_until_it_is_approved_or_taken_back(
    files: ModelFiles, tmp_path: Path, other: Path
) -> None:
    sha256 = files.keep(pack(other))
    switched = tmp_path / "models" / "switched"

    files.switch(sha256, on_trial=True)

    assert (files.current, files.previous, files.is_on_trial) == (sha256, SHIPPED, True)
    assert Passport.load(files.path).sha256 == sha256
    assert switched.read_text() == f"{sha256}\n"

    files.switch(SHIPPED, on_trial=False)

    assert (files.current, files.is_on_trial) == (SHIPPED, False)
    assert switched.read_text() == f"{SHIPPED}\n"


def test_older_models_than_the_one_before_are_let_go(
    files: ModelFiles, tmp_path: Path, other: Path
) -> None:
    (tmp_path / "models" / "left over").mkdir()
    files.switch(files.keep(pack(other)), on_trial=True)

    files.approve()

    left = {each.name for each in (tmp_path / "models").iterdir()}
    assert not files.is_on_trial
    assert left == {"current", "previous", "switched", SHIPPED, file_sha256(other)}
