"""A model with its passport as one file to be sent, and the models that a device was sent.

models/SHA256/model.tflite, model.json, *.npy     one folder for each model
models/current -> SHA256                          the one that the service is set to
models/previous -> SHA256                         the one before
models/trial                                      there while ``current`` is not known to work
models/switched                                   written at each switch: systemd watches it
"""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

from daemon.fleet.errors import ModelRefused
from model.errors import ModelError
from model.passport import Passport, passport_path

MODEL = "model.tflite"
MOST_BYTES = 256 << 20  # of a model and its passport, unpacked
PACKED, ENCRYPTED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), 1
COHORT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.npy")


def pack(model: Path) -> bytes:
    """Return a model, its passport and its cohort as a ZIP archive.

    Raises:
        ModelError: they do not belong together.
    """
    passport = Passport.load(model)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        files.write(model, MODEL)
        files.write(passport_path(model), passport_path(Path(MODEL)).name)
        if passport.cohort:
            files.write(model.with_name(passport.cohort.file), passport.cohort.file)
    return archive.getvalue()


class ModelFiles:
    """The models that a device was sent.

    Args:
        folder: of all of them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def path(self) -> Path:
        """Return what the service's setting ``model`` has to be."""
        return self._folder / "current" / MODEL

    def of(self, sha256: str) -> Path:
        """Return the path of one of them."""
        return self._folder / sha256 / MODEL

    def begin(self, model: Path) -> None:
        """Make the model that came with qrsd the first, if there is none yet."""
        if not self.path.exists():
            self._link("current", self.keep(pack(model)))

    def keep(self, archive: bytes) -> str:
        """Put a packed model beside the others and return its SHA-256.

        Raises:
            ModelRefused: it is none, or its passport does not vouch for it.
            OSError: it cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._folder) as name:
            draft = Path(name) / "model"
            draft.mkdir()
            try:
                _unpack(archive, draft)
                sha256 = Passport.load(draft / MODEL).sha256
            except (ModelError, zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
                raise ModelRefused(f"no model with its passport was sent: {error}") from error
            place = self._folder / sha256
            if place.exists():  # perhaps half of it, by a power cut
                shutil.rmtree(place)
            os.replace(draft, place)
        return sha256

    @property
    def current(self) -> str:
        """Return the SHA-256 of the one that the service is set to."""
        return os.readlink(self._folder / "current")

    @property
    def previous(self) -> str | None:
        """Return the SHA-256 of the one before, None if there was none."""
        link = self._folder / "previous"
        return os.readlink(link) if link.is_symlink() else None

    @property
    def is_on_trial(self) -> bool:
        """Whether nobody knows yet that the current one works."""
        return (self._folder / "trial").exists()

    def switch(self, sha256: str, *, on_trial: bool) -> None:
        """Make one the current, and the current the previous; the service is restarted by it."""
        before = self.current
        trial = self._folder / "trial"
        if on_trial:
            trial.touch()
        self._link("previous", before)
        self._link("current", sha256)
        if not on_trial:
            trial.unlink(missing_ok=True)
        (self._folder / "switched").write_text(f"{sha256}\n")

    def approve(self) -> None:
        """Take in that the current one works, and let go of those that were before the previous."""
        (self._folder / "trial").unlink(missing_ok=True)
        kept = {"current", "previous", self.current, self.previous}
        for each in self._folder.iterdir():
            if each.is_dir() and each.name not in kept:
                shutil.rmtree(each)

    def _link(self, name: str, sha256: str) -> None:
        draft = self._folder / f".{name}"
        draft.unlink(missing_ok=True)
        draft.symlink_to(sha256)
        os.replace(draft, self._folder / name)


def _unpack(archive: bytes, folder: Path) -> None:
    """Unpack what a model is made of, and nothing else.

    Raises:
        ValueError: there is something else in it, or too much.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        parts = files.infolist()
        if sum(part.file_size for part in parts) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes")
        known = {MODEL, passport_path(Path(MODEL)).name}
        for part in parts:
            if part.filename not in known and not COHORT.fullmatch(part.filename):
                raise ValueError(f"{part.filename!r:.40} is in it")
            if part.compress_type not in PACKED or part.flag_bits & ENCRYPTED:
                raise ValueError(f"{part.filename} is packed otherwise")
            (folder / part.filename).write_bytes(files.read(part))
