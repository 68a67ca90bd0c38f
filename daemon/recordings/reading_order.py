"""The order of records' names, in a file without numpy so that commands start quickly."""

from __future__ import annotations

import re
from pathlib import Path


def reading_order(path: str | Path) -> list[tuple[int, str]]:
    """Return a key that sorts rec_2 before rec_10."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]
