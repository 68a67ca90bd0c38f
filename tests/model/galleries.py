"""Templates to be put into galleries, a look at who is in there, and a user without rights."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.gallery import Gallery
from model.template import Template
from tests.model.models import towards

MODEL, OTHER_MODEL = "a" * 64, "b" * 64
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def template(person: str, *components: float, model: str = MODEL, at: str = NOW) -> Template:
    return Template(person, towards(*(components or (1.0, 2.0, 3.0))), 16, at, model, "simulated")


def names(gallery: Gallery) -> list[str]:
    return [person.name for person in gallery.people()]


@contextmanager
def unprivileged() -> Iterator[Path]:
    """Give a folder of a user who is not root, and be that user, even if the tests run as root."""
    nobody = 65534
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        if root:
            os.chown(folder, nobody, nobody)
            os.seteuid(nobody)
        try:
            yield Path(folder)
        finally:
            Path(folder).chmod(0o700)
            if root:
                os.seteuid(0)
