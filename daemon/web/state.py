"""What is so now: health, and the newest message of each state."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from functools import cache, partial
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from daemon.web.context import context_of
from daemon.web.hub import Heard
from daemon.web.problems import Problem
from daemon.web.routes import JSON, Route
from daemon.wire.client import STALE_S
from daemon.wire.messages import (
    Breathing,
    HrvMessage,
    IdentityMessage,
    RhythmMessage,
    StatusMessage,
)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service is heard, and who listens here."""

    ok: bool  # whether it said something in the last three seconds
    silent_s: float | None  # seconds since it said something; null if it never did
    version: str  # of qrsd, here
    clients: int  # live and event streams that are open
    dropped: int  # waveforms that slow clients did not get, since the start


@dataclass(frozen=True, slots=True)
class Respiration:
    """How the wearer breathes, of the last minute."""

    index: int  # the newest sample
    utc: str  # when it was taken
    respiration: Breathing  # from all that follows
    impedance: Breathing  # from the chest's impedance in channel 1
    r_amplitude: Breathing  # from the height of the R waves
    rsa: Breathing  # from the heart rate, which breathing moves


@cache
def own_version() -> str:
    """Return the version of qrsd, here."""
    return version("qrsd")


async def health(request: Request, _: None) -> Health | Response:
    """Say whether the service is heard."""
    hub = context_of(request).hub
    silent_s = None if hub.silent_s is None else round(hub.silent_s, 3)
    told = Health(not hub.is_stale, silent_s, own_version(), hub.listeners, hub.dropped)
    if told.ok:
        return told
    return Response(json.dumps(asdict(told)), 503, media_type=JSON)


def newest(request: Request, topic: str) -> Heard:
    """Return the newest message of a topic.

    Raises:
        Problem: there is none, or it is not true any more.
    """
    hub = context_of(request).hub
    retry = {"Retry-After": "3"}
    if hub.silent_s is not None and hub.is_stale:
        told = f"The service has said nothing for {STALE_S:g} seconds or more."
        raise Problem(503, "service_silent", told, retry)
    if topic not in hub.newest:
        raise Problem(503, "nothing_heard", f"No {topic} was heard of the service yet.", retry)
    return hub.newest[topic]


async def state(request: Request, _: None, *, topic: str) -> Response:
    """Answer with the newest message of a topic, as the service sent it."""
    return Response(newest(request, topic).header, media_type=JSON)


async def respiration(request: Request, _: None) -> Response:
    """Answer with the newest figures of breathing."""
    header: dict[str, Any] = json.loads(newest(request, HrvMessage.TOPIC).header)
    told = {each.name: header[each.name] for each in fields(Respiration)}
    return Response(json.dumps(told), media_type=JSON)


def _state(kind: Any, summary: str) -> Route:
    topic = kind.TOPIC
    return Route("GET", f"/{topic}", partial(state, topic=topic), "live", summary, answer=kind)


ROUTES = (
    Route(
        "GET", "/health", health, "none", "Say whether the service is heard",
        answer=Health, also=(503,),
    ),
    _state(StatusMessage, "Say how service and electrodes are"),
    _state(IdentityMessage, "Say whose heart it is"),
    _state(HrvMessage, "Say how the heart rate varies"),
    _state(RhythmMessage, "Say what the rhythm is"),
    Route(
        "GET", "/respiration", respiration, "live", "Say how the wearer breathes",
        answer=Respiration,
    ),
)  # fmt: skip
