"""The device as a whole: what the service says of itself, the settings, and who may do what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request

from config.mapping import leaves
from config.settings import Loaded, Settings
from daemon.web.access import caller_of
from daemon.web.context import context_of
from daemon.web.doctor import Checkup
from daemon.web.routes import Route
from daemon.web.state import own_version
from daemon.wire.errors import CommandRefused, ServiceUnavailable
from daemon.wire.messages import StatusMessage

#: Last words of settings whose value is a secret, or tells of one or of somebody: where keys and
#: credentials are, addresses that have one in them, whose recordings are played.
SECRET = {
    *("apprise", "credentials", "header", "identity", "key", "password", "play", "sender"),
    *("service_key", "site_key", "to", "token", "url", "user"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting, of the file, variables and defaults that this web server read at its start."""

    name: str  # such as chip.gain
    value: Any  # ``set`` or ``not set`` if it is a secret
    origin: str  # file or variable, or ``default``


@dataclass(frozen=True, slots=True)
class WebServer:
    """The web server itself."""

    version: str  # of qrsd, here
    exposure: Literal["loopback", "tls"]  # who can reach it: this machine, or others with a token
    scopes: tuple[str, ...]  # what the caller may


@dataclass(frozen=True, slots=True)
class Device:
    """All that is known of the device."""

    describe: Any  # what the service answers to ``describe``; null if it does not answer
    status: Any  # header of the newest status; null if it is not true any more
    settings: tuple[Setting, ...]
    web: WebServer


async def device(request: Request, _: None) -> Device:
    """Tell of the device."""
    context = context_of(request)
    try:
        describe = await context.service.request("describe")
    except (ServiceUnavailable, CommandRefused):  # an older one cannot tell
        describe = None
    heard = None if context.hub.is_stale else context.hub.newest.get(StatusMessage.TOPIC)
    return Device(
        describe,
        json.loads(heard.header) if heard else None,
        tuple(settings(context.loaded)),
        WebServer(
            own_version(),
            context.gate.exposure.kind,
            tuple(sorted(caller_of(request).scopes)),
        ),
    )


def settings(loaded: Loaded) -> Iterator[Setting]:
    """Yield each setting; secrets are only told to be there."""
    for name, _ in leaves(Settings):
        value: Any = loaded.settings
        for part in name.split("."):
            value = getattr(value, part)
        if name.rpartition(".")[2] in SECRET:
            value = "set" if value else "not set"
        yield Setting(name, value, loaded.origins.get(name, "default"))


async def doctor(request: Request, _: None) -> Checkup:
    """Look for what is wrong; it takes a quarter of a minute, or what another had looked for."""
    return await context_of(request).doctor.look()


ROUTES = (
    Route("GET", "/device", device, "control", "Tell of chip, service and settings", answer=Device),
    Route(
        "GET", "/doctor", doctor, "control", "Tell what is wrong, and what to do", answer=Checkup
    ),
)
