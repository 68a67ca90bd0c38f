from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from model.gallery import Gallery


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a gallery will be, in a folder of its own."""
    return tmp_path / "state" / "gallery.sqlite"


@pytest.fixture
def gallery(path: Path) -> Iterator[Gallery]:
    """An open gallery with nobody in it."""
    with Gallery(path) as gallery:
        yield gallery
