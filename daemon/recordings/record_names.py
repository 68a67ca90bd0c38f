"""The names of records: their order, and names for the files that are made from them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from os.path import abspath
from pathlib import Path

from daemon.recordings.signal_file import without_suffix


def reading_order(path: str | Path) -> list[tuple[int, str]]:
    """Return a key that sorts rec_2 before rec_10."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def record_name(path: str) -> str:
    """Return a record's own name: its path without folders and suffix."""
    return _parts(path)[-1]


def unique_names(paths: Sequence[str]) -> dict[str, str]:
    """Name each record by its own name, and those that share one by as many folders as it takes.

    ``Person_01/rec_1`` and ``Person_02/rec_1`` become ``Person_01_rec_1`` and ``Person_02_rec_1``.
    What folders cannot tell apart, such as ``a.csv`` beside ``a.hea``, is numbered.
    """
    paths = list(dict.fromkeys(paths))
    depths = dict.fromkeys(paths, 1)
    while True:
        names = {path: "_".join(_parts(path)[-depth:]) for path, depth in depths.items()}
        shared = {name for name, owners in Counter(names.values()).items() if owners > 1}
        deepen = [p for p in paths if names[p] in shared and depths[p] < len(_parts(p))]
        if not deepen:
            break
        for path in deepen:
            depths[path] += 1
    alike = [path for path in paths if names[path] in shared]
    return names | {path: f"{names[path]}_{1 + alike.index(path)}" for path in alike}


def _parts(path: str) -> tuple[str, ...]:
    return without_suffix(Path(abspath(path))).parts[1:]
