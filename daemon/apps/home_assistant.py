"""What Home Assistant is told of a device over MQTT: its entities, their states and events.

    homeassistant/device/qrsd_ID/config    the entities (retained), by Home Assistant's discovery
    qrsd/ID/availability                   online, or offline (retained)
    qrsd/ID/state                          all states as one JSON object
    qrsd/ID/event/rhythm, .../identity     what happens
    qrsd/ID/command/NAME                   what is asked for, where ``mqtt.control`` is set

Neither states nor events are retained: who comes late must not take the person of yesterday for the
one of now. See https://www.home-assistant.io/integrations/mqtt (device discovery).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from config.mqtt import MqttOptions
from daemon.apps.figures import MEASURES, Figures, Who, on_or_off
from daemon.wire.client import Item, Restarted
from daemon.wire.messages import (
    EpisodeOnWire,
    IdentityMessage,
    IdentityState,
    Message,
    Received,
    RhythmMessage,
    RhythmName,
)
from dsp.options import EpisodeKind
from model.rhythm import CAUTION

ONLINE, OFFLINE = "online", "offline"
RECOGNISED, STRANGER = "recognised", "stranger"
EXPIRES = 3  # times ``mqtt.every_s``, after which Home Assistant takes a state for unknown
LONGEST_NAME = 64  # of a person, in a command
RECORD, NAME, ENROL, CANCEL = "record", "enrol_name", "enrol", "cancel"  # commands

HAPPENED = {"accepted": RECOGNISED, "unknown": STRANGER}


@dataclass(frozen=True, slots=True)
class Publication:
    """Something that a broker is given."""

    topic: str
    payload: str
    retain: bool = False
    #: whether it is the whole state, which a later one replaces
    is_state: bool = False


class HomeAssistant:
    """Turns what a service says into what Home Assistant understands.

    Args:
        options: the ``mqtt`` section of the settings.
        device: name of the device.
        version: of qrsd.
        clock: seconds, from any begin.

    Attributes:
        identifier: of the device, in topics.
        availability: topic that says whether it is there.
        commands: topic filter of what is asked for.
    """

    def __init__(
        self,
        options: MqttOptions,
        device: str,
        version: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._device = device
        self._version = version
        self._clock = clock
        self.identifier = re.sub("[^A-Za-z0-9_-]", "_", device)[:48] or "device"
        self._base = f"qrsd/{self.identifier}"
        self.availability = f"{self._base}/availability"
        self.commands = f"{self._base}/command/+"
        self._figures = Figures(names=options.names)
        self._asked_for: dict[str, str | None] = (
            {"recording": None, "enrol_name": ""} if options.control else {}
        )
        self._told: dict[str, Any] = {}
        self._told_s = float("-inf")
        self._episodes: set[tuple[str, int]] = set()  # kinds and onsets of those that last

    def discovery(self) -> Publication:
        """Return the message that makes Home Assistant show the device and its entities."""
        told = {
            "dev": {
                "ids": [f"qrsd_{self.identifier}"],
                "name": f"qrsd {self._device}",
                "mf": "qrsd",
                "mdl": "ECG identification, ADS1292R",
                "sw": self._version,
            },
            "o": {"name": "qrsd", "sw": self._version},
            "availability": [{"topic": self.availability}],
            "state_topic": f"{self._base}/state",
            "qos": 0,
            "cmps": {name: self._component(name, each) for name, each in self._parts()},
        }
        topic = f"{self._options.discovery}/device/qrsd_{self.identifier}/config"
        return Publication(topic, json.dumps(told), retain=True)

    def presence(self) -> Publication:
        """Say whether the device is there."""
        return Publication(
            self.availability, ONLINE if self._figures.is_heard else OFFLINE, retain=True
        )

    def state(self) -> Publication:
        """Return all states."""
        self._told, self._told_s = self._state(), self._clock()
        return Publication(f"{self._base}/state", json.dumps(self._told), is_state=True)

    def set_recording(self, is_recording: bool | None) -> None:
        """Take in whether the recorder records; None if there is none."""
        self._asked_for["recording"] = on_or_off(is_recording)

    def set_name(self, name: str) -> None:
        """Take in who is to be enrolled when the button is pressed."""
        self._asked_for["enrol_name"] = name

    @property
    def name(self) -> str:
        """Return who is to be enrolled when the button is pressed; empty for nobody."""
        return self._asked_for.get("enrol_name") or ""

    def take(self, item: Item) -> Iterator[Publication]:
        """Take in what was heard next, and yield what is to be told of it."""
        was_heard, before = self._figures.is_heard, self._figures.who
        self._figures.take(item)
        match item:
            case Restarted():
                self._episodes.clear()
            case Received(message=message):
                yield from self._happened(message, before)
        if self._figures.is_heard != was_heard:
            yield self.presence()
        if self._figures.is_heard and self._is_due():
            yield self.state()

    def _state(self) -> dict[str, Any]:
        return self._figures.state | self._asked_for

    def _is_due(self) -> bool:
        changed = {name for name, value in self._state().items() if self._told.get(name) != value}
        return (
            bool(changed.difference(MEASURES))
            or self._clock() - self._told_s >= self._options.every_s
        )

    def _happened(self, message: Message, before: Who) -> Iterator[Publication]:
        match message:
            case IdentityMessage(state=state) if self._figures.who != before and state in HAPPENED:
                named = {"person": self._figures.who.person} if self._options.names else {}
                yield self._happening("identity", HAPPENED[state], **named)
            case RhythmMessage(episodes=episodes):
                for episode in episodes:
                    yield from self._take_episode(episode)

    def _take_episode(self, episode: EpisodeOnWire) -> Iterator[Publication]:
        known = (episode.kind, episode.onset)
        if episode.end is not None:
            phase = "ends" if known in self._episodes else "happened"
            self._episodes.discard(known)
        elif known in self._episodes:
            return
        else:
            phase = "begins"
            self._episodes.add(known)
        yield self._happening("rhythm", episode.kind, phase=phase, caution=CAUTION)

    def _happening(self, name: str, kind: str, **more: str | None) -> Publication:
        words = json.dumps({"event_type": kind, **more})
        return Publication(f"{self._base}/event/{name}", words)

    def _component(self, name: str, part: dict[str, Any]) -> dict[str, Any]:
        """Complete one of :meth:`_parts`; a state expires, so that none of yesterday is shown."""
        platform = part["p"]
        common = {
            "unique_id": f"qrsd_{self.identifier}_{name}",
            "default_entity_id": f"{platform}.qrsd_{self.identifier}_{name}".lower(),
        }
        if platform == "event":
            common["state_topic"] = f"{self._base}/event/{name.removesuffix('_event')}"
        if platform in ("switch", "button", "text"):
            common["command_topic"] = f"{self._base}/command/{name}"
        if platform in ("sensor", "binary_sensor"):
            return part | common | {"expire_after": round(EXPIRES * self._options.every_s)}
        return part | common

    def _parts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the name of each entity, and what is its own."""
        figure = {"p": "sensor", "state_class": "measurement"}
        yield "heart_rate", _of("heart_rate_bpm", name="Heart rate", unit="bpm", **figure)
        yield "respiration", _of("respiration_per_min", name="Breathing", unit="/min", **figure)
        yield "rmssd", _of("rmssd_ms", name="RMSSD", unit="ms", **figure)
        yield "quality", _of("quality_percent", name="Signal quality", unit="%", **figure)
        words = {"p": "sensor", "device_class": "enum"}
        states, rhythms = list(get_args(IdentityState)), list(get_args(RhythmName))
        yield "identity", _of("identity", name="Identity", options=states, **words)
        if self._options.names:
            yield "person", _of("person", p="sensor", name="Person", icon="mdi:account-heart")
        yield "rhythm", _of("rhythm", name="Rhythm", options=rhythms, **words)
        contact = {"p": "binary_sensor", "device_class": "connectivity"}
        yield "contact", _of("contact", name="Electrodes", **contact)
        diagnostic = {"entity_category": "diagnostic"}
        problem = {"p": "binary_sensor", "device_class": "problem", **diagnostic}
        yield "problem", _of("problem", name="Problem", **problem)
        yield "problem_text", _of("problem_text", p="sensor", name="What is wrong", **diagnostic)
        yield "source", _of("source", p="sensor", name="Source", **diagnostic)
        happened = [RECOGNISED, STRANGER]
        yield "identity_event", {"p": "event", "name": "Recognised", "event_types": happened}
        kinds = list(get_args(EpisodeKind))
        yield "rhythm_event", {"p": "event", "name": "Rhythm event", "event_types": kinds}
        if self._options.control:
            yield RECORD, _of("recording", p="switch", name="Record", icon="mdi:record-rec")
            yield NAME, _of("enrol_name", p="text", name="Whom to enrol", max=LONGEST_NAME)
            yield ENROL, {"p": "button", "name": "Enrol with their consent"}
            yield CANCEL, {"p": "button", "name": "Cancel the enrolment"}


def _of(key: str, *, unit: str | None = None, **more: object) -> dict[str, Any]:
    """Return an entity whose state is an entry of the state's JSON object."""
    units = {} if unit is None else {"unit_of_measurement": unit}
    return {"value_template": f"{{{{ value_json.{key} }}}}", **units, **more}
