"""``qrsd calibrate``: a threshold of this device's own, from the people enrolled on it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from config.gallery_key import find_gallery_key
from config.settings import load
from daemon.commands.connection import gallery_in_use
from daemon.commands.parts import add_json, add_model, describe, model_of
from daemon.offline.errors import TooFewPeople
from daemon.offline.results import hand_out, require_files, writing
from daemon.tables import filled
from model.errors import EmbedderNeeded
from model.gallery import Gallery
from model.local_calibration import LocalCalibration, calibration_path, forget, read, write
from model.opening import open_network
from model.strangers import Strangers, fewest_people

FEWEST_UP, FEWEST_DOWN = fewest_people()
CALIBRATE = f"""\
Each enrolled person is a stranger to all the others. If strangers are more alike on this device
than where the model's thresholds were set, these are raised; if they are surely less alike, lowered
as far as that is sure. To raise them takes {FEWEST_UP} people or more, to lower them {FEWEST_DOWN}.
What it promises, and how sure that is, is told, and what it costs people with several sittings.

Nothing is changed without --write, which keeps it beside the gallery. --forget goes back to the
model's own thresholds. Either counts once the service is restarted.

examples:
  sudo qrsd calibrate
  sudo qrsd calibrate --write && sudo systemctl restart qrsd
  sudo qrsd calibrate --forget && sudo systemctl restart qrsd"""


def add_calibrate(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd calibrate``."""
    describe(parser, CALIBRATE)
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="decide by it from the next start on")
    what.add_argument("--forget", action="store_true", help="go back to the model's own thresholds")
    add(
        "--gallery",
        type=Path,
        metavar="PATH",
        help="file of enrolled people (default: the running service's)",
    )
    add_model(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, tell and, if asked to, write."""
    path = args.gallery or gallery_in_use()
    if args.forget:
        with writing(calibration_path(path), "another user, as with sudo"):
            there = forget(path)
        print("Forgotten: restart the service." if there else "There was none.")
        return 0
    require_files(args.json)
    settings = load().settings
    with Gallery(path, make=False, key=find_gallery_key()) as gallery:
        network = open_network(model_of(args, settings), gallery.rotation_seed)
        passport = network.passport
        templates = gallery.templates(passport.sha256, passport.tensors.outputs)
    if passport.cohort is None or not passport.calibration.searches:
        raise EmbedderNeeded(
            f"model {passport.name!r} has no thresholds by the number enrolled; calibrate takes an "
            "embedder, such as the model that comes with qrsd"
        )
    people = {template.person for template in templates}
    if len(people) < 2:
        raise TooFewPeople(
            f"{path}: people enrolled with this model: {len(people)}, needed: 2 or more, and "
            f"{FEWEST_UP} to change anything"
        )
    strangers = Strangers(templates, passport, settings.identifier.fpir)
    before = read(path)
    now = before.shift if before and before.model_sha256 == passport.sha256 else 0.0
    measured = _figures(strangers, now, settings.identifier.fpir)
    hand_out(measured, [_table(measured)], args.json)
    if args.write:
        created_utc = datetime.now(UTC).isoformat(timespec="seconds")
        found = LocalCalibration(
            passport.sha256, measured["shift"], len(strangers.people), created_utc
        )
        with writing(calibration_path(path), "another user, as with sudo"):
            write(found, path)
        print(f"Written: {calibration_path(path)}. It counts once the service is restarted.")
    return 0


def _figures(strangers: Strangers, now: float, fpir: float) -> dict[str, Any]:
    """Return what is told, rates from 0 to 1."""
    low, high = strangers.interval
    shifts = {"models_own": 0.0, "in_use": now, "calibrated": strangers.shift}
    return {
        "people": len(strangers.people),
        "fpir": fpir,
        "shift": strangers.shift,
        "shift_interval_95": [_finite(low), _finite(high)],
        "thresholds": {
            name: {
                "shift": shift,
                "strangers_accepted": asdict(strangers.accepted(shift)),
                "sittings_recognised": (known := strangers.recognised(shift)) and asdict(known),
            }
            for name, shift in shifts.items()
        },
    }


def _finite(bound: float) -> float | None:
    return bound if abs(bound) < float("inf") else None


def _table(measured: dict[str, Any]) -> Table:
    headings = ("thresholds", "moved by", "strangers accepted %", "other sittings known again %")
    rows = [
        [
            name.replace("_", " ").replace("models", "the model's"),
            f"{of['shift']:+.3f}",
            _percent(of["strangers_accepted"]),
            _percent(of["sittings_recognised"]),
        ]
        for name, of in measured["thresholds"].items()
    ]
    return filled(
        f"{measured['people']} people, each a stranger to the others; to be accepted: "
        f"{measured['fpir']:.1%}",
        headings,
        rows,
        _in_words(measured),
    )


def _percent(rate: dict[str, float] | None) -> str:
    if rate is None:
        return "not known: nobody has two"
    return f"{rate['estimate']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})".replace("%", "")


def _in_words(measured: dict[str, Any]) -> str:
    """Say what the evidence is good for."""
    people, shift = measured["people"], measured["shift"]
    if shift > 0:
        said = "strangers are more alike here than where the model's thresholds were set"
    elif shift < 0:
        said = "strangers are less alike here, surely, so that less may be asked for"
    elif people < FEWEST_UP:
        said = f"too few to tell: at least {FEWEST_UP} people are needed to raise a threshold"
    else:
        said = "nothing speaks against the model's own thresholds"
        if people < FEWEST_DOWN:
            said += f"; at least {FEWEST_DOWN} people are needed to lower one"
    return f"{said}. In brackets: 95 % intervals, with half of the people taken for independent"
