from __future__ import annotations

from pathlib import Path

import pytest

from model.gallery import Gallery
from model.template import Template
from tests.daemon.commands.models import embedder_of_hearts, write_passport
from tests.model.models import AXES, FIXTURES


@pytest.fixture
def embedder(tmp_path: Path) -> Path:
    """A network that returns four coefficients of a beat's cosine series."""
    return embedder_of_hearts(tmp_path)


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    model = tmp_path / "softmax.tflite"
    model.write_bytes((FIXTURES / "softmax.tflite").read_bytes())
    return write_passport(model, None)


@pytest.fixture
def service_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service's folders, keys and settings be in places of the test's own."""
    monkeypatch.setattr("config.gallery_key.CREDSTORE", tmp_path / "credstore")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path.parent / "config"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))


@pytest.fixture
def path(tmp_path: Path, service_folders: None) -> Path:
    """The service's gallery: Ada and Bob are enrolled, and one template of Bob was grown."""
    path = tmp_path / "gallery.sqlite"
    with Gallery(path) as gallery:
        for at, person in enumerate(("Ada", "Bob", "Bob")):
            when = f"2026-01-0{at + 1}T00:00:00Z"
            source = "grown" if at == 2 else "simulated"
            consent_utc = when if at == 1 else None
            template = Template(person, AXES[at], 16, when, "a" * 64, source)
            gallery.enrol(template, consent_utc=consent_utc)
    return path
