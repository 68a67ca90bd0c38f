"""Thresholds of this device's own: a shift of the model's, in a JSON file beside the gallery.

    gallery.sqlite               the enrolled people
    gallery.calibration.json     what ``qrsd calibrate --write`` found by them (``model.strangers``)

Thresholds of searches move by the shift, and the probabilities with them.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import mkstemp

from model.calibration import Calibration
from model.errors import CalibrationUnusable
from model.folder_owner import as_owner_of_folder
from model.network import Network
from model.regular_file import open_regular

LONGEST_BYTES = 1 << 16  # of the file; a longer one is cut off there, and is no JSON then
FARTHEST = 1.0  # of a shift: scores are cosines, less something


@dataclass(frozen=True, slots=True)
class LocalCalibration:
    """By how much the thresholds of a model's searches are moved on this device."""

    model_sha256: str  # of the model
    shift: float  # what is added, in the units of its scores
    people: int  # how many it was measured on
    created_utc: str  # ISO 8601


def shifted(calibration: Calibration, shift: float) -> Calibration:
    """Return a calibration whose searches ask for so much more, and believe so much less."""
    searches = tuple(
        replace(
            search,
            thresholds=tuple(threshold + shift for threshold in search.thresholds),
            intercepts=tuple(
                intercept - slope * shift
                for slope, intercept in zip(search.slopes, search.intercepts, strict=True)
            ),
        )
        for search in calibration.searches
    )
    return replace(calibration, searches=searches)


def calibration_path(gallery: Path) -> Path:
    """Return where the calibration of a gallery's device lies: beside it."""
    return gallery.with_suffix(".calibration.json")


def write(calibration: LocalCalibration, gallery: Path) -> None:
    """Write it whole or not at all, as the owner of the folder.

    Raises:
        OSError: it cannot be written.
    """
    path = calibration_path(gallery)
    with as_owner_of_folder(path):
        descriptor, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(descriptor, "w") as file:
                file.write(json.dumps(asdict(calibration), indent=1) + "\n")
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise


def forget(gallery: Path) -> bool:
    """Erase it; return whether there was one.

    Raises:
        OSError: it cannot be erased.
    """
    path = calibration_path(gallery)
    with as_owner_of_folder(path):
        there = path.exists()
        path.unlink(missing_ok=True)
    return there


def read(gallery: Path) -> LocalCalibration | None:
    """Return the calibration of a gallery's device; None where there is none.

    Raises:
        CalibrationUnusable: it cannot be read, or is not what ``write`` wrote.
    """
    path = calibration_path(gallery)
    try:
        with as_owner_of_folder(path), open_regular(path) as file:
            values = json.loads(file.read(LONGEST_BYTES))
        found = LocalCalibration(
            str(values["model_sha256"]),
            float(values["shift"]),
            int(values["people"]),
            str(values["created_utc"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        why = getattr(error, "strerror", None) or "not what qrsd calibrate writes"
        raise CalibrationUnusable(
            f"{path}: {why}; take it away: qrsd calibrate --forget"
        ) from error
    if not abs(found.shift) <= FARTHEST:
        raise CalibrationUnusable(
            f"{path}: shift is {found.shift}, not within {-FARTHEST:g} and {FARTHEST:g}; take it "
            "away: qrsd calibrate --forget"
        )
    return found


def use_local(network: Network, gallery: Path) -> LocalCalibration | None:
    """Have a network decide by the calibration of a gallery's device, if there is one of its own.

    Raises:
        CalibrationUnusable: it cannot be read.
    """
    found = read(gallery)
    if found is not None and found.model_sha256 == network.passport.sha256:
        calibration = shifted(network.passport.calibration, found.shift)
        network.passport = replace(network.passport, calibration=calibration)
    return found
