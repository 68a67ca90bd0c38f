"""The device: what the service says of itself, and settings without a secret among them."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from config.mapping import leaves
from config.settings import Loaded, Settings
from daemon.web.device import settings
from tests.daemon.web.serving import serving, status

#: Settings whose text may be shown; a new one is to be put here, or among the secrets.
HARMLESS = {
    "device", "source", "model", "board.drdy_backend", "board.gpio_chip", "chip.read_mode",
    "liveness.on_suspicion", "publish.addresses", "control.addresses", "connect.messages",
    "connect.control", "record.folder", "record.format", "record.recipient",
    "report.commentary.model", "web.address", "web.certificate", "web.figures", "notify.kinds",
    "notify.quiet", "notify.always", "notify.email.server", "notify.email.tls",
    "simulated.chip.faults", "influx.organization", "influx.bucket", "lsl.scope", "mqtt.host",
    "mqtt.tls", "mqtt.authority", "mqtt.discovery", "fleet.servers", "fleet.site", "fleet.device",
    "fleet.ca",
}  # fmt: skip
SENTINEL = "Zacharias"


def poisoned(options: Any) -> Any:
    """Return options with a word in place of every text, and of every list."""
    changed: dict[str, Any] = {}
    for field in fields(options):
        value = getattr(options, field.name)
        if is_dataclass(value):
            changed[field.name] = poisoned(value)
        elif isinstance(value, str):
            changed[field.name] = SENTINEL
        elif isinstance(value, tuple):
            changed[field.name] = (SENTINEL,)
    copy = cast(Any, object.__new__(type(options)))
    for field in fields(options):
        object.__setattr__(copy, field.name, changed.get(field.name, getattr(options, field.name)))
    return copy


def test_every_setting_is_told_and_no_secret() -> None:
    told = {each.name: each for each in settings(Loaded(poisoned(Settings()), {}))}

    assert list(told) == [name for name, _ in leaves(Settings)]
    assert {name for name, each in told.items() if SENTINEL in json.dumps(each.value)} <= HARMLESS
    assert told["notify.email.password"].value == "set"
    assert told["chip.gain"].value == 6


def test_the_device_is_told_with_where_settings_come_from(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        alone = client.get("/device").json()
        served.say(status(7))
        heard = client.get("/device").json()

    assert (alone["describe"], alone["status"]) == (None, None)
    assert heard["status"]["index"] == 7
    assert heard["web"]["exposure"] == "loopback"
    assert heard["web"]["scopes"] == [
        "control",
        "live",
        "people:read",
        "people:write",
        "recordings",
    ]
    assert {"name": "chip.gain", "value": 6, "origin": "default"} in heard["settings"]
