"""What is known of the models, and how well they do, by their passports and by own figures.

The passports are read as they lie beside the models; numpy and the networks stay unloaded.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request

import model
from daemon.web.context import Context, context_of
from daemon.web.routes import Route
from daemon.wire.messages import StatusMessage
from model.errors import PassportUnreadable
from model.regular_file import open_regular

SHIPPED = Path(model.__path__[0])
MOST_BYTES = 1 << 22
#: What is told of own figures: they name people, and the folders of people, too.
NAMELESS = ("protocol", "unit", "halved", "fte", "by_beats", "open_set")
#: Rows (experts) and columns (qrsd) of the confusion: "-" is no beat, and a beat not found.
KINDS = ("N", "S", "V", "F", "Q", "-")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model, by its passport."""

    name: str
    kind: str  # what it tells: ``embedder`` or ``classifier`` (who), ``beats`` (kinds of beats)
    sha256: str  # of its file
    created_utc: str
    data: tuple[str, ...]  # sets of recordings that it was trained on
    licence: str | None  # of these
    runtime: str | None  # what runs it, if the service has told


@dataclass(frozen=True, slots=True)
class Models:
    """The models in use."""

    identity: ModelCard
    beats: ModelCard


@dataclass(frozen=True, slots=True)
class KindFigures:
    """How well kinds of beats are told. Not a medical device: it may miss, and alarm falsely."""

    protocol: str
    kinds: tuple[str, ...]  # rows: what experts call beats, columns: what they are told to be
    confusion: Any  # counts of beats, by set of recordings
    rates: Any  # of the architecture in use, in percent: mean, least and most over seeds, by set


@dataclass(frozen=True, slots=True)
class Figures:
    """How well the models do, as it was measured."""

    identity: Any  # figures of the passport: ``protocol``, ``unit``, ``by_beats`` and more
    beats: KindFigures
    own: Any  # those of ``web.figures``, without names; null if none are set
    own_error: str | None  # why these cannot be had


async def models(request: Request, _: None) -> Models:
    """Say which models are in use."""
    context = context_of(request)
    heard = context.hub.newest.get(StatusMessage.TOPIC)
    in_use = (json.loads(heard.header)["model"] if heard else None) or {}
    runtime = in_use.get("runtime")
    identity, beats = await asyncio.to_thread(_passports, context)
    return Models(
        _card(identity, identity["kind"], runtime),
        _card(beats, "beats", runtime),
    )


async def figures(request: Request, _: None) -> Figures:
    """Answer with what was measured."""
    return await asyncio.to_thread(_figures, context_of(request))


def _figures(context: Context) -> Figures:
    identity, beats = _passports(context)
    measured = beats["metrics"]
    own, own_error = None, None
    if context.loaded.settings.web.figures:
        try:
            told = _read(Path(context.loaded.settings.web.figures))
            own = {name: told[name] for name in NAMELESS if name in told}
        except PassportUnreadable as error:
            own_error = str(error)
    return Figures(
        identity["metrics"],
        KindFigures(
            measured["protocol"],
            KINDS,
            measured["confusion"],
            measured["by_architecture"][beats["training"]["architecture"]],
        ),
        own,
        own_error,
    )


def _passports(context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    chosen = context.loaded.settings.model
    identity = Path(chosen).with_suffix(".json") if chosen else SHIPPED / "ecg_id.json"
    return _read(identity), _read(SHIPPED / "beat_kinds.json")


def _card(passport: dict[str, Any], kind: str, runtime: str | None) -> ModelCard:
    training = passport["training"]
    return ModelCard(
        passport["name"],
        kind,
        passport["sha256"],
        passport["created_utc"],
        tuple(training.get("data", ())),
        training.get("licence"),
        runtime,
    )


def _read(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        PassportUnreadable: it is not there, or none.
    """
    try:
        with open_regular(path) as file:
            values = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise PassportUnreadable(f"{path.name}: {error}") from error
    if not isinstance(values, dict):
        raise PassportUnreadable(f"{path.name}: not a JSON object")
    return values


ROUTES = (
    Route("GET", "/models", models, "live", "Say which models are in use", answer=Models),
    Route("GET", "/figures", figures, "live", "Say how well the models do", answer=Figures),
)
